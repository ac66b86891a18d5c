//! How a home is opened.

use crate::clock::Clock;
use crate::share::{OpenUrl, TokenVault};
use hearthwatt_api::BrokerInput;
use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use std::path::PathBuf;
use std::sync::Arc;

/// Where mDNS browses and announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discovery {
    Off,
    /// Only this machine: tests and the demo.
    Loopback,
    #[default]
    All,
}

/// How a home is opened. Zone, currency and name are for a new home; an existing one keeps its own.
#[derive(Clone)]
pub struct HomeOptions {
    /// The home's data folder; created if missing. One process at a time.
    pub folder: PathBuf,
    pub clock: Arc<dyn Clock>,
    /// IANA name, e.g. `Europe/Vienna`.
    pub zone: String,
    /// ISO 4217.
    pub currency: String,
    pub home_name: String,
    pub discovery: Discovery,
    /// Brokers of this run, besides those the household saved; never stored.
    pub brokers: Vec<BrokerInput>,
    /// Adopt every understood meter, whatever the settings say.
    pub auto_adopt: bool,
    /// Shown to the page as `Overview::demo`.
    pub demo: bool,
    /// What other devices of the household call this one.
    pub device_name: String,
    /// Sends the system's browser to a page, for signing in. `None`: there is none, and a code is
    /// shown to be typed on another device.
    pub browser: Option<OpenUrl>,
    /// The system's keyring. `None`, or one that can't be used: the access to the account is kept
    /// in a file that its owner alone can read.
    pub keyring: Option<Arc<dyn TokenVault>>,
    /// Database bound in pages of 4 KiB; `None`: the disk is the limit.
    pub max_pages: Option<u32>,
}

impl HomeOptions {
    /// A home in `folder` that discovers on all interfaces.
    pub fn new(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>, zone: &str, currency: &str) -> Self {
        Self {
            folder: folder.into(),
            clock,
            zone: zone.to_owned(),
            currency: currency.to_owned(),
            home_name: String::new(),
            discovery: Discovery::All,
            brokers: Vec::new(),
            auto_adopt: false,
            demo: false,
            device_name: String::from("Hearthwatt"),
            browser: None,
            keyring: None,
            max_pages: None,
        }
    }
}

/// Meters, prices and budgets put in place at once ([`crate::Home::configure`]); what has the same
/// id is replaced, the rest stays.
#[derive(Debug, Clone, Default)]
pub struct Preset {
    pub meters: Vec<Meter>,
    pub tariffs: Vec<Tariff>,
    pub budgets: Vec<Budget>,
}
