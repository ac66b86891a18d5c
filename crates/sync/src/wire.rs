//! The automerge-repo WebSocket protocol.
