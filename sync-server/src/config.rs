//! The configuration: the command line, its environment variables, and secrets from files.

use crate::http::Network;
use crate::http::limits::Limits;
use crate::{mail, user};
use clap::{Args, Parser, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Shares one home between devices: accounts, documents, history.
///
/// Without any option it keeps everything in an SQLite database in this user's data folder and
/// answers on this computer only.
#[derive(Clone, Debug, Parser)]
#[command(name = "hearthwatt-server", version)]
pub struct Config {
    /// Where to keep things: `sqlite:PATH`, `mongodb://…` or `memory:`. Without it: an SQLite
    /// database in the data folder of this user.
    #[arg(long, env = "HEARTHWATT_STORE", hide_env_values = true)]
    pub store: Option<StoreUrl>,
    /// A file that holds what --store would say: an address with a password is a secret.
    #[arg(long, env = "HEARTHWATT_STORE_FILE", conflicts_with = "store")]
    pub store_file: Option<PathBuf>,
    /// Address and port to listen on. Port 0 takes a free one.
    #[arg(long, env = "HEARTHWATT_LISTEN", default_value = "127.0.0.1:8788")]
    pub listen: SocketAddr,
    /// The address that browsers and apps use, `https://home.example.org`. Without it: where the
    /// server listens.
    #[arg(long, env = "HEARTHWATT_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Which services this process runs.
    #[arg(long, env = "HEARTHWATT_SERVICES", value_delimiter = ',', default_values = ["user", "data"])]
    pub services: Vec<Service>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks.
    #[arg(long, env = "HEARTHWATT_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    #[command(flatten)]
    pub tls: Tls,
    #[command(flatten)]
    pub limits: Limits,
    /// A file with the token that `/metrics` asks for. Without it, this computer and private networks
    /// may read them.
    #[arg(long, env = "HEARTHWATT_METRICS_TOKEN_FILE")]
    pub metrics_token_file: Option<PathBuf>,
    /// What to log, as `level` or `module=level,…`.
    #[arg(long, env = "HEARTHWATT_LOG", default_value = "info")]
    pub log: String,
    /// How to log: `text` for people, `json` for programs.
    #[arg(long, env = "HEARTHWATT_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub user: user::Options,
    #[command(flatten)]
    pub mail: mail::Options,
}

/// TLS by the server itself; both or none.
#[derive(Clone, Debug, Default, Args)]
pub struct Tls {
    /// The certificate and its chain, PEM.
    #[arg(long = "tls-cert", env = "HEARTHWATT_TLS_CERT", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long = "tls-key", env = "HEARTHWATT_TLS_KEY", requires = "cert")]
    pub key: Option<PathBuf>,
}

/// A part of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Accounts, sign-in, homes, members, devices.
    User,
    /// Documents and blocks.
    Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Where to keep things.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    Memory,
    Sqlite(PathBuf),
    MongoDb(String),
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        if s == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = s.strip_prefix("sqlite:").filter(|p| !p.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if s.starts_with("mongodb://") || s.starts_with("mongodb+srv://") {
            return Ok(Self::MongoDb(s.to_owned()));
        }
        // the text itself may hold a password
        Err("a store is sqlite:PATH, mongodb://… or memory:".into())
    }
}

impl std::fmt::Debug for StoreUrl {
    /// Without the address of a MongoDB: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::MongoDb(_) => f.write_str("mongodb:…"),
        }
    }
}

impl Config {
    /// The defaults, as the command line without options has them: what tests start from.
    pub fn standard() -> Self {
        Self::parse_from(["hearthwatt-server"])
    }

    /// Whether what this address says of a client is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    pub fn runs(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// The address that clients use, without a slash at the end.
    pub fn public_url(&self) -> String {
        let own = || {
            let scheme = if self.tls.cert.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", self.listen)
        };
        self.public_url.clone().map_or_else(own, |url| url.trim_end_matches('/').to_owned())
    }
}

/// Reads a secret from the file it is kept in; the newline at the end of a file is not part of it.
///
/// # Errors
/// The file can't be read; the message names the file, never its contents.
pub fn read_secret(path: &std::path::Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("can't read {}: {e}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_its_defaults_are_safe() {
        Config::command().debug_assert();
        let config = Config::standard();
        assert!(config.listen.ip().is_loopback() && config.store.is_none());
        assert!(config.runs(Service::User) && config.runs(Service::Data));
        assert_eq!(config.public_url(), "http://127.0.0.1:8788");
    }

    #[test]
    fn a_store_is_named_without_its_password() {
        let url: StoreUrl = "mongodb://me:secret@host/db".parse().unwrap();
        assert_eq!(format!("{url:?}"), "mongodb:…");
        assert_eq!("sqlite:/a b/c.db".parse(), Ok(StoreUrl::Sqlite("/a b/c.db".into())));
        for wrong in ["", "sqlite:", "memory", "postgres://me:secret@host"] {
            let said = wrong.parse::<StoreUrl>().unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
