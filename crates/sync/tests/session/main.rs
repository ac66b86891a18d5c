//! Sync sessions from outside: random schedules over both roles, and hostile peers.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in helpers as in the tests themselves

mod bombs;
mod client;
mod hostile;
mod memory;
mod schedules;
mod support;
