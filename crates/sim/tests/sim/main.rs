//! The simulated home: its days, and what it says on the wire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod decoded;
mod plan;
mod wire;
