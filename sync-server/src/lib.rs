//! The server that shares a home: accounts, documents, blocks. `router(store, config)` is all of it.

pub mod data;
pub mod http;
pub mod mail;
pub mod store;
pub mod user;
