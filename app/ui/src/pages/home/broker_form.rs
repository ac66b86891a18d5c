//! The broker form: an address as people paste it, and the connection it means.

use crate::forms::Errors;
use hearthwatt_api::{BrokerInput, BrokerView};
use hearthwatt_domain::ids::BrokerId;

pub const PORT: u16 = 1883;
pub const TLS_PORT: u16 = 8883;
/// Longest name in the DNS.
const HOST_MAX_CHARS: usize = 253;
const CREDENTIAL_MAX_CHARS: usize = 256;
const CA_MAX_CHARS: usize = 64 * 1024;

#[derive(Clone, PartialEq, Eq)]
pub struct BrokerForm {
    pub id: BrokerId,
    /// "192.168.1.4", "broker.lan:1883", "mqtts://broker.lan"
    pub host: String,
    pub port: String,
    pub tls: bool,
    pub ca_pem: String,
    pub username: String,
    pub password: String,
    /// A password is stored that an empty field keeps.
    pub has_password: bool,
    /// Without a password from now on.
    pub forget_password: bool,
}

impl std::fmt::Debug for BrokerForm {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrokerForm")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl BrokerForm {
    pub fn new(id: BrokerId) -> Self {
        Self {
            id,
            host: String::new(),
            port: PORT.to_string(),
            tls: false,
            ca_pem: String::new(),
            username: String::new(),
            password: String::new(),
            has_password: false,
            forget_password: false,
        }
    }

    /// The stored certificate is not sent back to the page: an empty field means the system's.
    pub fn of(broker: &BrokerView) -> Self {
        Self {
            host: broker.host.clone(),
            port: broker.port.to_string(),
            tls: broker.tls,
            username: broker.username.clone(),
            has_password: broker.has_password,
            ..Self::new(broker.id)
        }
    }

    /// Encryption has a port of its own: it follows unless another one was typed.
    pub fn set_tls(&mut self, tls: bool) {
        let usual = |on: bool| if on { TLS_PORT } else { PORT }.to_string();
        if self.port.trim() == usual(self.tls) || self.port.trim().is_empty() {
            self.port = usual(tls);
        }
        self.tls = tls;
    }

    /// Takes a pasted address apart: scheme, user name and port go into their own fields.
    pub fn set_host(&mut self, typed: &str) {
        self.host = typed.to_owned();
        let mut rest = typed.trim();
        if let Some((scheme, after)) = rest.split_once("://") {
            match scheme.to_ascii_lowercase().as_str() {
                "mqtt" | "tcp" => self.set_tls(false),
                "mqtts" | "ssl" | "tls" => self.set_tls(true),
                _ => return,
            }
            rest = after;
        }
        rest = rest.split('/').next().unwrap_or(rest);
        if let Some((user, after)) = rest.rsplit_once('@') {
            // a password in an address is seen by whoever looks: it goes where it is hidden
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            self.username = user.to_owned();
            if !password.is_empty() {
                self.password = password.to_owned();
            }
            rest = after;
        }
        let (host, port) = split_port(rest);
        if let Some(port) = port {
            self.port = port.to_owned();
            if port == TLS_PORT.to_string() {
                self.tls = true;
            }
        }
        self.host = host.to_owned();
    }

    pub fn parse(&self) -> Result<BrokerInput, Errors> {
        let mut errors = Errors::default();
        let host = errors.take("host", parse_host(&self.host));
        let port = errors
            .take("port", self.port.trim().parse::<u16>().ok().filter(|p| *p > 0).ok_or("broker-error-port"));
        let ca_pem = errors.take("ca", self.parse_ca());
        let long = |s: &str| s.chars().count() > CREDENTIAL_MAX_CHARS;
        if long(&self.username) {
            errors.add("username", "form-error-long");
        }
        if long(&self.password) {
            errors.add("password", "form-error-long");
        }
        if self.username.trim().is_empty() && !self.password.is_empty() {
            errors.add("username", "broker-error-user");
        }
        match (host, port, ca_pem) {
            (Some(host), Some(port), Some(ca_pem)) if errors.is_empty() => Ok(BrokerInput {
                id: self.id,
                host,
                port,
                tls: self.tls,
                ca_pem,
                username: self.username.trim().to_owned(),
                password: match (self.password.as_str(), self.has_password && !self.forget_password) {
                    ("", true) => None,
                    (typed, _) => Some(typed.to_owned()),
                },
            }),
            _ => Err(errors),
        }
    }

    fn parse_ca(&self) -> Result<String, &'static str> {
        let pem = self.ca_pem.trim();
        if !self.tls || pem.is_empty() {
            return Ok(String::new());
        }
        if pem.len() > CA_MAX_CHARS {
            return Err("form-error-long");
        }
        if pem.contains("PRIVATE KEY") {
            return Err("broker-error-key");
        }
        let whole = pem.contains("-----BEGIN CERTIFICATE-----") && pem.contains("-----END CERTIFICATE-----");
        if whole { Ok(pem.to_owned()) } else { Err("broker-error-ca") }
    }
}

/// "host:1883" and "[::1]:1883"; a bare IPv6 address has no port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (text, None),
    }
}

fn parse_host(text: &str) -> Result<String, &'static str> {
    let host = text.trim();
    if host.is_empty() {
        return Err("form-error-empty");
    }
    let is_ip = host.parse::<std::net::IpAddr>().is_ok();
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let is_name = host.len() <= HOST_MAX_CHARS && host.trim_end_matches('.').split('.').all(label);
    if is_ip || is_name { Ok(host.to_owned()) } else { Err("broker-error-host") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(host: &str) -> BrokerForm {
        let mut f = BrokerForm::new(BrokerId::derive(&["x"]));
        f.set_host(host);
        f
    }

    #[test]
    fn a_pasted_address_is_taken_apart() {
        for (text, host, port, tls) in [
            ("192.168.1.4", "192.168.1.4", 1883, false),
            ("broker.lan:1884", "broker.lan", 1884, false),
            ("mqtt://broker.lan", "broker.lan", 1883, false),
            ("mqtts://broker.lan/", "broker.lan", 8883, true),
            ("broker.lan:8883", "broker.lan", 8883, true),
            ("fe80::1", "fe80::1", 1883, false),
            ("[fd00::4]:1884", "fd00::4", 1884, false),
            ("mqtts://me:secret@homeassistant.local:8884", "homeassistant.local", 8884, true),
        ] {
            let input = typed(text).parse().unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!((input.host.as_str(), input.port, input.tls), (host, port, tls), "{text}");
        }
        let input = typed("mqtt://me:secret@h").parse().unwrap();
        assert_eq!((input.username.as_str(), input.password.as_deref()), ("me", Some("secret")));
        assert!(!format!("{:?}", typed("mqtt://me:secret@h")).contains("secret"));
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let errors = |f: &BrokerForm| {
            f.parse().err().map(|e| (e.first().unwrap_or(""), e.of(e.first().unwrap_or("")).unwrap_or("")))
        };
        assert_eq!(errors(&typed("")), Some(("host", "form-error-empty")));
        for bad in ["my broker", "http://x", "a..b", "x y/z", "broker:port"] {
            assert_eq!(errors(&typed(bad)), Some(("host", "broker-error-host")), "{bad}");
        }
        for bad in ["0", "70000", "", "x"] {
            let f = BrokerForm { port: bad.into(), ..typed("h") };
            assert_eq!(errors(&f), Some(("port", "broker-error-port")), "{bad}");
        }
        let ca = |pem: &str| BrokerForm { tls: true, ca_pem: pem.into(), ..typed("h") };
        assert_eq!(errors(&ca("hello")), Some(("ca", "broker-error-ca")));
        assert_eq!(errors(&ca("-----BEGIN PRIVATE KEY-----")), Some(("ca", "broker-error-key")));
        assert_eq!(errors(&ca("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----")), None);
        let f = BrokerForm { password: "x".into(), ..typed("h") };
        assert_eq!(errors(&f), Some(("username", "broker-error-user")));
    }

    #[test]
    fn an_untouched_password_is_kept_and_can_be_forgotten() {
        let stored = BrokerForm { has_password: true, username: "me".into(), ..typed("h") };
        let password = |f: BrokerForm| f.parse().unwrap().password;
        assert_eq!(password(stored.clone()), None);
        assert_eq!(password(BrokerForm { password: "new".into(), ..stored.clone() }), Some("new".into()));
        assert_eq!(password(BrokerForm { forget_password: true, ..stored }), Some(String::new()));
        assert_eq!(password(typed("h")), Some(String::new()));
    }

    #[test]
    fn the_port_follows_the_encryption_unless_it_was_typed() {
        let mut f = typed("h");
        f.set_tls(true);
        assert_eq!(f.port, "8883");
        f.set_tls(false);
        assert_eq!(f.port, "1883");
        f.port = "9000".into();
        f.set_tls(true);
        assert_eq!(f.port, "9000");
    }
}
