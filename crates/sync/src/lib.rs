//! One home on several devices: the home document, blocks of usage, and the sessions that carry
//! them. No I/O, no clock, no randomness; runs in a browser too.

pub mod block;
pub mod doc;
pub mod session;
pub mod wire;
