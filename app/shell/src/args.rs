//! The options that window and hub have in common.

use crate::{Discovery, logging};
use std::path::PathBuf;

/// Flattened into each program's own options.
#[derive(Debug, Clone, clap::Args)]
pub struct HomeArgs {
    /// The folder for everything that is stored [default: the platform's place for data]
    #[arg(long, env = "HEARTHWATT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Begin with a simulated home; the own one stays as it is
    #[arg(long)]
    pub demo: bool,
    /// Where to look for meters and brokers by mDNS
    #[arg(long, env = "HEARTHWATT_DISCOVERY", value_enum, default_value = "all")]
    pub discovery: Reach,
    /// What is logged, e.g. `hearthwatt=debug`
    #[arg(long, env = "HEARTHWATT_LOG", value_name = "FILTER", default_value = logging::DEFAULT_FILTER)]
    pub log: String,
}

/// How far mDNS goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Reach {
    /// Nowhere; brokers are named in the settings.
    Off,
    /// Only this computer.
    Loopback,
    /// Every network this computer is in.
    All,
}

impl From<Reach> for Discovery {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Off => Self::Off,
            Reach::Loopback => Self::Loopback,
            Reach::All => Self::All,
        }
    }
}
