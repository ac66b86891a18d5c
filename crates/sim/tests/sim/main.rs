//! The simulated home: its days, and what it says on the wire.

mod plan;
mod wire;
