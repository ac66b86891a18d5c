//! The server from outside: its stores under one contract, its services over real sockets. One
//! binary; each service adds a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail the test"
)]

mod contract;
mod crash;
mod hostile;
mod household;
mod http;
#[cfg(target_os = "linux")]
mod load;
mod mongo;
mod program;
mod slow;
mod sync;
mod user;
