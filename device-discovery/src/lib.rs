//! Finds the meters of a home and understands what they say.
//!
//! [`Decoder`] is pure: messages in, readings and identities out, no clock, no I/O, bounded
//! memory. Each family of meters is one module under [`families`] and one line in its table.

mod body;
pub mod decoder;
pub mod families;
pub mod limits;
pub mod message;
#[cfg(feature = "net")]
pub mod net;
mod readings;
pub mod topic;

pub use decoder::Decoder;
pub use message::{Decoded, DeviceInfo, Measurement, Message, Outcome, Transport};
