//! Documents over WebSocket and blocks over HTTP.
