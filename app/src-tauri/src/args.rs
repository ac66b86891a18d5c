//! The command line.

use clap::Parser;
use hearthwatt_shell::HomeArgs;

/// Watches the home's meters, in a window.
#[derive(Debug, Parser)]
#[command(name = "hearthwatt", version)]
pub struct Args {
    #[command(flatten)]
    pub home: HomeArgs,
    /// Start in the tray, without the window
    #[arg(long)]
    pub background: bool,
}

impl Args {
    /// How the program is started at login: in the tray, on the same data.
    pub fn again_at_login(&self) -> Vec<String> {
        let mut again = vec!["--background".to_owned()];
        if let Some(data) = self.home.data.as_ref().and_then(|d| std::path::absolute(d).ok()) {
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
        assert!(args.home.demo);
        assert_eq!(args.again_at_login(), ["--background", "--data", "/srv/home"]);
    }
}
