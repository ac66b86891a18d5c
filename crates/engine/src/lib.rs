//! One home, running: it finds the meters, listens to them, keeps every reading, judges the
//! budgets and tells what changed.
//!
//! [`Home`] is the whole of it: open, ask (it answers every call of `hearthwatt-api`), listen to
//! its events, close. It knows nothing of windows and HTTP, and reads no clock but the one it is
//! given.

mod clock;
mod error;
mod home;
mod options;

pub use clock::{Arrival, Clock};
pub use error::OpenError;
pub use home::{Home, Imported};
pub use options::{Discovery, HomeOptions, Preset};
