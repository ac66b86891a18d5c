//! Where a request comes from: the peer's address, or what a trusted proxy says of it.

use crate::app::App;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Most entries of `X-Forwarded-For` that are looked at.
const HOPS: usize = 16;

/// The other end of the connection: set by whoever accepts it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The client's own address, behind any number of trusted proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// A network in CIDR notation, `10.0.0.0/8`; a bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    pub fn contains(&self, other: IpAddr) -> bool {
        let (a, b, width) = match (self.address, other.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let rest = width - u32::from(self.bits);
        a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let wrong = || format!("{s:?} is not an address or network such as 10.0.0.0/8");
        let (address, bits) = match s.split_once('/') {
            None => (s, None),
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

/// The nearest address that isn't a trusted proxy's. Entries are read from the right: whatever
/// stands to the left of an untrusted one was written by the client itself.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|n| n.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let values = headers.get_all(&FORWARDED_FOR).iter().rev();
    let entries = values.filter_map(|v| v.to_str().ok()).flat_map(|v| v.rsplit(','));
    for entry in entries.take(HOPS) {
        let Some(address) = parse(entry.trim()) else { break };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// An entry: an address, with or without a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|a| a.ip()));
    address.map(|a: IpAddr| a.to_canonical())
}

/// Puts [`ClientAddress`] into the request.
pub(super) async fn find(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // a router called without a socket (tests, a function behind a gateway) has no peer
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |p| p.0.ip());
    let address = client(peer, request.headers(), &app.config.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let found = parts.extensions.get::<Self>().copied();
        Ok(found.unwrap_or(Self(IpAddr::V4(Ipv4Addr::LOCALHOST))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], trusted: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(&FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|n| n.parse().unwrap()).collect();
        assert_eq!(client(peer.parse().unwrap(), &headers, &trusted).to_string(), expected);
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("203.0.113.7", &["198.51.100.1"], &[], "203.0.113.7");
        check("10.0.0.2", &["198.51.100.1"], &["10.0.0.0/8"], "198.51.100.1");
        // what the client wrote itself stands to the left
        check("10.0.0.2", &["1.2.3.4, 198.51.100.1"], &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.2", &["1.2.3.4", "198.51.100.1, 10.0.0.9"], &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.2", &["nonsense"], &["10.0.0.0/8"], "10.0.0.2");
        check("10.0.0.2", &["nonsense, 198.51.100.1:1234"], &["10.0.0.0/8"], "198.51.100.1");
        check("::ffff:10.0.0.2", &["[2001:db8::1]:44"], &["10.0.0.2"], "2001:db8::1");
        check("::1", &["2001:db8::1"], &["::1"], "2001:db8::1");
        check("10.0.0.2", &["198.51.100.1"], &["0.0.0.0/0"], "198.51.100.1");
    }

    #[test]
    fn networks_that_are_none_are_refused() {
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "::/129", "example.org"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
