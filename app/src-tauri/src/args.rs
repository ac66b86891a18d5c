//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Watches the home's meters, in a window.
#[derive(Debug, Parser)]
#[command(name = "hearthwatt", version)]
pub struct Args {
    /// The folder for everything that is stored [default: the platform's place for data]
    #[arg(long, env = "HEARTHWATT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Begin with a simulated home; the own one stays as it is
    #[arg(long)]
    pub demo: bool,
    /// Start in the tray, without the window
    #[arg(long)]
    pub background: bool,
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

impl Args {
    /// How the program is started at login: in the tray, on the same data.
    pub fn again_at_login(&self) -> Vec<String> {
        let mut again = vec!["--background".to_owned()];
        if let Some(data) = self.data.as_ref().and_then(|d| std::path::absolute(d).ok()) {
            again.extend(["--data".to_owned(), data.display().to_string()]);
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
        let args = Args::try_parse_from(["hearthwatt", "--demo", "--data", "/srv/home"]).unwrap();
        assert!(args.demo);
        assert_eq!(args.again_at_login(), ["--background", "--data", "/srv/home"]);
    }
}
