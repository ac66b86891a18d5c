//! Finds the meters of a home and understands what they say.
//!
//! [`Decoder`] is pure: messages in, readings and identities out, no clock, no I/O, bounded
//! memory. Each family of meters is one module under [`families`] and one line in its table.

pub mod decoder;
pub mod families;
pub mod message;
#[cfg(feature = "net")]
pub mod net;

pub use decoder::Decoder;
pub use message::{Decoded, DeviceInfo, Measurement, Message, Outcome, Transport};
