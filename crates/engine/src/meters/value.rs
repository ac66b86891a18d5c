//! What a single value must be to be taken in.

use crate::limits::{POWER_MAX_W, REGISTER_MAX_WH};
use hearthwatt_domain::reading::{Channel, Quantity};

/// Whether this quantity makes its device a meter.
pub(super) fn measures(quantity: Quantity) -> bool {
    use Quantity::*;
    quantity.is_register() || matches!(quantity, Power | PowerImport | PowerExport | PowerProduction)
}

/// The channel, its name cut to what is stored.
pub(super) fn short(channel: &Channel) -> Channel {
    let name = channel.as_str();
    if name.len() <= Channel::MAX_LEN {
        return channel.clone();
    }
    let mut end = Channel::MAX_LEN;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Channel::new(&name[..end])
}

/// Decoders refuse what their format marks as no value; this is the last gate for all of them.
pub(super) fn plausible(quantity: Quantity, value: f64) -> Result<(), &'static str> {
    use Quantity::*;
    if !value.is_finite() {
        return Err("not a number");
    }
    match quantity {
        Power | PowerImport | PowerExport | PowerProduction | PowerDc | PowerAverage | PowerPeak
            if value.abs() > POWER_MAX_W =>
        {
            Err("more power than a home has")
        }
        q if q.is_register() && value < 0.0 => Err("a register below zero"),
        q if q.is_register() && value > REGISTER_MAX_WH => Err("a register beyond what a home uses"),
        _ => Ok(()),
    }
}
