//! The command line.

use clap::Parser;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// The port unless another one is asked for.
pub const DEFAULT_PORT: u16 = 8787;

const EXAMPLES: &str = "\
Examples:
  hearthwatt-hub                      this computer's browser only, http://127.0.0.1:8787
  hearthwatt-hub --listen 0.0.0.0     the home network too; a token is made and shown once
  hearthwatt-hub --demo --port 0      a simulated home on a free port

The first line on standard output is `listening http://ADDRESS`. Away from this computer the
connection is not encrypted: put a proxy with a certificate in front where that matters.

Exit codes: 0 stopped as asked, 1 could not start, 2 wrong option,
3 another Hearthwatt uses the data folder.";

/// Watches the home's meters and serves the page to a browser, without a window.
#[derive(Debug, Parser)]
#[command(name = "hearthwatt-hub", version, after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen. Anywhere but this computer (loopback) every request needs the token
    #[arg(long, env = "HEARTHWATT_LISTEN", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, env = "HEARTHWATT_PORT", default_value_t = DEFAULT_PORT)]
    pub port: u16,
    /// The folder for everything that is stored [default: the platform's place for data]
    #[arg(long, env = "HEARTHWATT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Begin with a simulated home; the own one stays as it is
    #[arg(long)]
    pub demo: bool,
    /// Serve the page from this folder instead of the one built in
    #[arg(long, value_name = "DIR")]
    pub ui: Option<PathBuf>,
    /// Where to look for meters and brokers by mDNS
    #[arg(long, env = "HEARTHWATT_DISCOVERY", value_enum, default_value = "all")]
    pub discovery: Reach,
    /// What is logged, e.g. `hearthwatt=debug`
    #[arg(long, env = "HEARTHWATT_LOG", value_name = "FILTER", default_value = hearthwatt_shell::logging::DEFAULT_FILTER)]
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

impl From<Reach> for hearthwatt_shell::Discovery {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Off => Self::Off,
            Reach::Loopback => Self::Loopback,
            Reach::All => Self::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
        let args = Args::try_parse_from(["hearthwatt-hub"]).unwrap();
        assert!(args.listen.is_loopback());
        assert_eq!(args.port, DEFAULT_PORT);
    }
}
