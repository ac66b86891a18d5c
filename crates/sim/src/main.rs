//! The simulated home from a shell.
fn main() {}
