//! What the window and the hub share: the data folder, the home that is open in it, the demo
//! home, the stream of events, logging.
//!
//! A [`Shell`] comes up whatever happens. While the home opens, calls wait; if it can't be opened
//! (another Hearthwatt has it, a full disk, a broken database), `health` answers why in words and
//! every other call fails with the same sentence, so that a page has something to show.

mod args;
mod clock;
mod demo;
mod events;
mod failure;
mod folder;
mod home;
mod locale;
pub mod logging;
mod machine;
mod shell;
mod transfer;

pub use args::{HomeArgs, Reach};
pub use clock::SystemClock;
pub use events::Events;
pub use failure::Failure;
pub use folder::{Claim, DataFolder};
pub use hearthwatt_engine::{Discovery, Export, OpenUrl};
pub use machine::Machine;
pub use shell::{Shell, ShellOptions};
pub use transfer::{Upload, export_name};
