//! Units as types. Sums are integers, so that they do not depend on the order of adding.

use serde::{Deserialize, Serialize};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
        impl $name {
            pub const ZERO: Self = Self(0);
            pub const fn is_zero(self) -> bool { self.0 == 0 }
        }
        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, o: Self) -> Self { Self(self.0.saturating_add(o.0)) }
        }
        impl std::ops::Sub for $name {
            type Output = Self;
            fn sub(self, o: Self) -> Self { Self(self.0.saturating_sub(o.0)) }
        }
        impl std::ops::Neg for $name {
            type Output = Self;
            fn neg(self) -> Self { Self(self.0.saturating_neg()) }
        }
        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, o: Self) { *self = *self + o }
        }
        impl std::ops::SubAssign for $name {
            fn sub_assign(&mut self, o: Self) { *self = *self - o }
        }
        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self { iter.fold(Self::ZERO, |a, b| a + b) }
        }
    };
}

amount! {
    /// Energy in micro-watt-hours (1e-6 Wh). The range reaches 9.2 TWh, the step lies a thousand
    /// times under the milliwatt-hour that totals are compared at.
    Energy
}
amount! {
    /// Power in milliwatts; positive is taken from the grid (or by the device), negative given.
    Power
}
amount! {
    /// Money in millionths of the home's currency.
    Money
}
amount! {
    /// Price in millionths of the home's currency per kilowatt-hour. May be negative.
    Price
}

impl Energy {
    /// From watt-hours, rounded to the micro-watt-hour. Not finite becomes zero only through
    /// saturation rules of `as`; callers refuse such values first.
    pub fn from_wh(wh: f64) -> Self {
        Self((wh * 1e6).round() as i64)
    }
    pub fn from_kwh(kwh: f64) -> Self {
        Self::from_wh(kwh * 1e3)
    }
    pub fn wh(self) -> f64 {
        self.0 as f64 / 1e6
    }
    pub fn kwh(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// What this energy costs at `price`, rounded half away from zero to a millionth.
    pub fn cost(self, price: Price) -> Money {
        let product = i128::from(self.0) * i128::from(price.0);
        let half = if product < 0 { -500_000_000 } else { 500_000_000 };
        Money(((product + half) / 1_000_000_000) as i64)
    }
}

impl Power {
    pub fn from_watts(w: f64) -> Self {
        Self((w * 1e3).round() as i64)
    }
    pub fn watts(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Money {
    pub fn from_major(units: f64) -> Self {
        Self((units * 1e6).round() as i64)
    }
    pub fn major(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Price {
    pub fn from_major_per_kwh(p: f64) -> Self {
        Self((p * 1e6).round() as i64)
    }
    pub fn major_per_kwh(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_hour_costs_its_price() {
        assert_eq!(Energy::from_kwh(2.5).cost(Price::from_major_per_kwh(0.30)), Money::from_major(0.75));
        assert_eq!(Energy::from_kwh(1.0).cost(Price::from_major_per_kwh(-0.05)), Money::from_major(-0.05));
    }
}
