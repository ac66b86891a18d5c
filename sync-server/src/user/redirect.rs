//! Where a browser may be sent: back to the app on this computer, or on to a page of this server.
//! Nowhere else, so there are no open redirects.

use std::net::IpAddr;

/// Longest redirect URI of the app, in bytes.
const REDIRECT_MAX: usize = 200;
/// Longest address of an own page, in bytes.
const NEXT_MAX: usize = 3000;

/// A loopback redirect of a native app (RFC 8252, 7.3): `http://127.0.0.1:{port}/{path}`, or
/// `[::1]`. The grammar is narrower than a URL's on purpose: nothing that two parsers could read
/// differently gets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loopback {
    uri: String,
    /// Scheme, host and port.
    origin: String,
}

impl Loopback {
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("http://").filter(|_| uri.len() <= REDIRECT_MAX)?;
        let (host, rest) = ["127.0.0.1", "[::1]"]
            .into_iter()
            .find_map(|host| rest.strip_prefix(host).map(|rest| (host, rest)))?;
        let (port, path) = match rest.strip_prefix(':')?.split_once('/') {
            Some((port, path)) => (port, path),
            None => (rest.strip_prefix(':')?, ""),
        };
        let is_port = !port.is_empty()
            && port.len() <= 5
            && port.bytes().all(|b| b.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok();
        let is_path =
            path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'~'));
        (is_port && is_path).then(|| Self { uri: uri.to_owned(), origin: format!("http://{host}:{port}") })
    }

    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// For the `form-action` of the page that leads there. Policies can't name an IPv6 address.
    pub fn form_action(&self) -> &str {
        if self.origin.contains('[') { "http:" } else { &self.origin }
    }

    /// The address with these parameters, escaped.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}?{query}", self.uri)
    }
}

/// Pages that a sign-in may lead on to.
const PAGES: &[&str] = &["/oauth/authorize?", "/device", "/account", "/join/", "/oidc/"];

/// The address of an own page, if it is nothing but that.
pub fn own_page(next: &str) -> Option<&str> {
    let harmless = next.len() <= NEXT_MAX
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'<' && b != b'>' && b != b'"');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let climbs = path.contains("//") || path.split('/').any(|s| s == "." || s == "..") || path.contains('%');
    (harmless && !climbs && PAGES.iter().any(|p| next.starts_with(p))).then_some(next)
}

/// Whether a `Host` header names this computer itself: what a page from elsewhere can't make a
/// browser send, not even by pointing its own name at this computer.
pub fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// Host and port of an address such as the server's own.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_a_redirect() {
        for right in [
            "http://127.0.0.1:49152/callback",
            "http://127.0.0.1:1/",
            "http://127.0.0.1:65535",
            "http://[::1]:8080/a/b-c_d~e",
        ] {
            assert_eq!(Loopback::parse(right).unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "https://127.0.0.1:1/",
            "http://127.0.0.1/",
            "http://127.0.0.1:/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:080/",
            "http://127.0.0.1:65536/",
            "http://127.0.0.1:1@evil.example/",
            "http://127.0.0.1:1.evil.example/",
            "http://127.0.0.1.evil.example:1/",
            "http://user@127.0.0.1:1/",
            "http://localhost:1/",
            "http://[::2]:1/",
            "http://[::1]evil:1/",
            "http://127.0.0.1:1/?next=x",
            "http://127.0.0.1:1/#fragment",
            "http://127.0.0.1:1/\\evil",
            "http://127.0.0.1:1/a b",
            "http://127.0.0.1:1/../x",
            "http://127.0.0.1:1/%2e",
            "HTTP://127.0.0.1:1/",
            "http://127.0.0.2:1/",
            "http://2130706433:1/",
            "hearthwatt://callback",
        ] {
            assert_eq!(Loopback::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Loopback::parse(&format!("http://127.0.0.1:1/{}", "a".repeat(300))), None);
    }

    #[test]
    fn parameters_are_escaped() {
        let to = Loopback::parse("http://127.0.0.1:7777/cb").unwrap();
        assert_eq!(
            to.with(&[("code", "a&b"), ("state", "é=\n")]),
            "http://127.0.0.1:7777/cb?code=a%26b&state=%C3%A9%3D%0A"
        );
        assert_eq!(to.form_action(), "http://127.0.0.1:7777");
    }

    #[test]
    fn only_own_pages_are_next() {
        for right in [
            "/oauth/authorize?client_id=x&redirect_uri=http%3A%2F%2F127.0.0.1",
            "/device?user_code=AB",
            "/account",
            "/join/AB-CD",
        ] {
            assert_eq!(own_page(right), Some(right));
        }
        for wrong in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/account/../../x",
            "/account//evil",
            "/account/%2e%2e",
            "/device\r\nSet-Cookie: a=b",
            "/api/v1/me",
            "javascript:alert(1)",
            "\t/account",
            "/account\u{2028}",
        ] {
            assert_eq!(own_page(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_of_this_computer() {
        for local in
            ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787", "127.9.9.9", "LOCALHOST:1"]
        {
            assert!(is_loopback_host(local), "{local}");
        }
        for other in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "[fe80::1]:80",
        ] {
            assert!(!is_loopback_host(other), "{other}");
        }
        assert_eq!(host_of("https://home.example:8443/x"), "home.example:8443");
    }
}
