//! Why the server closes a WebSocket: codes of RFC 6455, and one of our own.

/// The server stops: connect again, to another process perhaps.
pub const AWAY: u16 = 1001;
/// The peer doesn't speak the protocol.
pub const PROTOCOL: u16 = 1002;
/// What the peer sent was refused.
pub const REFUSED: u16 = 1008;
/// The server made a mistake.
pub const BROKEN: u16 = 1011;
/// Not possible now: connect again after a while.
pub const TRY_LATER: u16 = 1013;
/// The device was removed or signed out: connecting again needs a new sign-in.
pub const SIGNED_OUT: u16 = 4001;
