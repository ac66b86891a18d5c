//! One home, running: it finds the meters, listens to them, keeps every reading, judges the
//! budgets and tells what changed.
//!
//! [`Home`] is the whole of it: open, ask (it answers every call of `hearthwatt-api`), listen to
//! its events, close. It knows nothing of windows and HTTP, and reads no clock but the one it is
//! given.

mod answer;
mod brokers;
mod changes;
mod clock;
mod core;
mod data;
mod days;
mod discover;
mod documents;
mod error;
mod guess;
mod health;
mod home;
mod judge;
mod limits;
mod live;
mod meters;
mod options;
mod pipeline;
mod price;
mod readers;
mod secrets;
mod share;
mod tasks;
mod views;
mod words;
mod writer;

pub use clock::{Arrival, Clock};
pub use data::{Export, prepare_import, put_in_place};
pub use error::OpenError;
pub use home::{EVENT_BACKLOG, Home, Imported};
pub use options::{Discovery, HomeOptions, Preset};
pub use secrets::{SecretFile, SecretStore};
pub use share::{OpenUrl, TokenFile, TokenVault};
