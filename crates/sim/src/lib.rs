//! A simulated home: meters with plausible days, deterministic under a seed, speaking the real
//! protocols of real devices.
//!
//! [`plan`] is pure: what every meter would say at any instant. [`SimHome`] publishes that over
//! MQTT and announces itself over multicast DNS.

mod home;
mod plan;

pub use home::{BrokerAddress, Fault, SimError, SimHome, SimOptions};
pub use plan::{Plan, PlannedMeter, Registers, plan};
