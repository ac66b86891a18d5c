//! What energy is, and what may be said about it.
//!
//! Units as types, readings, the way from registers to usage, calendars of the home, tariffs,
//! budgets and alerts. No input or output, no clock, no randomness, no global: time, zones and
//! ids are arguments, so that a device, the server and the page compute the same.

pub mod alert;
pub mod budget;
pub mod calendar;
pub mod correction;
pub mod format;
pub mod ids;
pub mod invalid;
pub mod meter;
pub mod normal;
pub mod reading;
pub mod rollup;
pub mod tariff;
pub mod time;
pub mod units;
pub mod usage;
