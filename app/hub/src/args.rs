//! The command line.

use clap::Parser;
use hearthwatt_shell::HomeArgs;
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
    #[command(flatten)]
    pub home: HomeArgs,
    /// Where to listen. Anywhere but this computer (loopback) every request needs the token
    #[arg(long, env = "HEARTHWATT_LISTEN", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, env = "HEARTHWATT_PORT", default_value_t = DEFAULT_PORT)]
    pub port: u16,
    /// Serve the page from this folder instead of the one built in
    #[arg(long, value_name = "DIR")]
    pub ui: Option<PathBuf>,
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
