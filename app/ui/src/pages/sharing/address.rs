//! Addresses as people type and paste them: of a server, and of an invitation to a home on one.

use std::net::IpAddr;

/// Longest address that is looked at, in bytes; browsers stop at about the same.
const MAX_BYTES: usize = 2_000;

/// Reads "hearth.example.org", "https://example.org/hearth/", "127.0.0.1:8420" as the address of a
/// server: scheme, host, port if it is not the usual one, path without a slash at its end. Without
/// a scheme it is `https`, on this very computer `http`. The error is a Fluent key.
pub fn parse_server(text: &str) -> Result<String, &'static str> {
    let typed = text.trim();
    if typed.is_empty() {
        return Err("form-error-empty");
    }
    if typed.len() > MAX_BYTES {
        return Err("form-error-long");
    }
    let (scheme, rest) = match typed.split_once("://") {
        Some((s, rest)) if s.eq_ignore_ascii_case("https") => (Some("https"), rest),
        Some((s, rest)) if s.eq_ignore_ascii_case("http") => (Some("http"), rest),
        Some(_) => return Err("sharing-error-server"),
        None => (None, typed),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(a, p)| (a, p.trim_end_matches('/')));
    // a name and password in an address would be shown to whoever looks
    if authority.contains('@') || path.contains(char::is_whitespace) {
        return Err("sharing-error-server");
    }
    let (host, port) = split_port(authority).ok_or("sharing-error-server")?;
    let host = host.to_lowercase();
    let is_here = is_this_computer(&host).ok_or("sharing-error-server")?;
    let scheme = scheme.unwrap_or(if is_here { "http" } else { "https" });
    // whoever is on the way could read along, and take the access with them
    if scheme == "http" && !is_here {
        return Err("sharing-error-clear");
    }
    let shown = if host.contains(':') { format!("[{host}]") } else { host };
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = port.filter(|p| *p != usual).map(|p| format!(":{p}")).unwrap_or_default();
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    Ok(format!("{scheme}://{shown}{port}{path}"))
}

/// The server that an invitation's link (`{server}/join/{code}`) leads to; `None` for a bare code, which says nothing
/// about it.
pub fn server_of_invitation(text: &str) -> Option<String> {
    let link = text.trim();
    let (scheme, rest) = link.split_once("://")?;
    let server = match rest.rsplit_once("/join/") {
        Some((server, _)) => server,
        None => rest.split(['/', '?', '#']).next()?,
    };
    parse_server(&format!("{scheme}://{server}")).ok()
}

/// Whether a host is this very computer; `None` for what can't be a host.
fn is_this_computer(host: &str) -> Option<bool> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(ip.is_loopback());
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let name = host.trim_end_matches('.');
    // digits and dots that are no address are a slip, not a name
    let is_slip = name.chars().all(|c| c.is_ascii_digit() || c == '.');
    (host.len() <= 253 && name.split('.').all(label) && !is_slip).then_some(name == "localhost")
}

/// "host:8420" and "[::1]:1883"; a bare IPv6 address has no port.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let port = |p: &str| p.parse::<u16>().ok().filter(|p| *p > 0);
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(p) => Some((host, Some(port(p)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match authority.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Some((authority, None)),
        Some((host, p)) => Some((host, Some(port(p)?))),
        None => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_it_was_meant() {
        for (typed, url) in [
            ("hearth.example.org", "https://hearth.example.org"),
            (" https://Hearth.Example.org/ ", "https://hearth.example.org"),
            ("HTTPS://example.org:443/hearth/#x", "https://example.org/hearth"),
            ("https://example.org:8443", "https://example.org:8443"),
            ("localhost:8420", "http://localhost:8420"),
            ("127.0.0.1:8420", "http://127.0.0.1:8420"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("[::1]:8420", "http://[::1]:8420"),
            ("::1", "http://[::1]"),
            ("nas.local:8420", "https://nas.local:8420"),
            ("192.168.1.20", "https://192.168.1.20"),
        ] {
            assert_eq!(parse_server(typed).as_deref(), Ok(url), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_says_so() {
        assert_eq!(parse_server("  "), Err("form-error-empty"));
        assert_eq!(parse_server(&"x".repeat(2_001)), Err("form-error-long"));
        for bad in [
            "my server",
            "mqtt://example.org",
            "https://",
            "https://me:secret@example.org",
            "example..org",
            "example.org:0",
            "example.org:99999",
            "example.org:port",
            "[::1",
            "[::1]x",
            "300.1.1.1",
            "javascript:alert(1)",
        ] {
            assert_eq!(parse_server(bad), Err("sharing-error-server"), "{bad}");
        }
        for clear in ["http://example.org", "http://192.168.1.20:8420", "http://localhost.example.org"] {
            assert_eq!(parse_server(clear), Err("sharing-error-clear"), "{clear}");
        }
    }

    #[test]
    fn an_invitation_names_its_server_only_as_a_link() {
        let there = Some("https://hearth.example.org".to_owned());
        assert_eq!(server_of_invitation("https://hearth.example.org/join/7K3M-QX2P"), there);
        assert_eq!(server_of_invitation(" https://hearth.example.org?code=7K3M "), there);
        assert_eq!(server_of_invitation("http://127.0.0.1:8420/x").as_deref(), Some("http://127.0.0.1:8420"));
        let below = server_of_invitation("https://example.org/hearth/join/7K3M-QX2P");
        assert_eq!(below.as_deref(), Some("https://example.org/hearth"));
        assert_eq!(server_of_invitation("7K3M-QX2P"), None);
        assert_eq!(server_of_invitation("ftp://example.org/x"), None);
    }
}
