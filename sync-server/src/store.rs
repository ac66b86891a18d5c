//! Where the server keeps things: one port, three stores.
