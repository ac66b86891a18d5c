//! Ids. Those that two devices must derive alike are UUID version 5 (RFC 9562) of what they name.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Namespace of all derived ids; a fixed random UUID.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d1f_0c5e_8a44_4b0e_9b57_2f3f_7a0c_11d9);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl $name {
            /// The same parts give the same id on every device.
            pub fn derive(parts: &[&str]) -> Self {
                let mut name = String::from(stringify!($name));
                for p in parts {
                    // the length keeps ("ab", "c") and ("a", "bc") apart
                    name.push_str(&format!("/{}:{p}", p.len()));
                }
                Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { Uuid::parse_str(s).map(Self) }
        }
    };
}

id! {
    /// A meter: derived from family, device id and channel group, so two devices of a home that
    /// hear the same meter call it the same.
    MeterId
}
id! {
    /// A budget; random, given by whoever creates it.
    BudgetId
}
id! {
    /// A tariff version; random.
    TariffId
}
id! {
    /// An alert: derived from budget, period and threshold, so two devices raise one alert.
    AlertId
}
id! {
    /// A broker the home listens to: derived from host and port, or random.
    BrokerId
}
id! {
    /// A correction of stored readings; random.
    CorrectionId
}
