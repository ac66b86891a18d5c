//! Whole-system tests: the programs as they ship, against the real thing. One binary, because
//! linking costs more than running. `cargo xtask test` builds the programs and the page first.

mod architecture;
mod broker;
mod data;
mod demo;
mod faults;
mod hostile;
mod hostile_peers;
mod hosts;
mod household;
mod keyring;
mod kill;
mod mains;
mod meters;
mod sharing;
mod sign_in;
mod sync;
mod two_servers;
mod two_windows;
mod window;
