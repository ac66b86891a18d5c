//! E-mail through an outbox.

use crate::Config;
use crate::app::{App, StartError};
use crate::store::Table;

/// What the service keeps in the store.
pub static TABLES: &[&Table] = &[];

/// Options of the command line that concern e-mail.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {}

/// What the service keeps in memory.
pub struct State {}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(_: &Config) -> Result<Self, StartError> {
        Ok(Self {})
    }
}

/// Starts what runs beside requests.
pub fn start(_: &App) {}
