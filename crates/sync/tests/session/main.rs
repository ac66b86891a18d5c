//! Sync sessions from outside: random schedules over both roles, and hostile peers.

mod bombs;
mod client;
mod hostile;
mod memory;
mod schedules;
mod support;
