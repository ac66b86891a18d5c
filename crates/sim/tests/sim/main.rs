//! The simulated home: its days, and what it says on the wire.

mod decoded;
mod plan;
mod wire;
