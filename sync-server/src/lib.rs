//! The server that shares a home: accounts, documents, blocks. [`router`] is all of it; `main`
//! adds the listener and the signals.
//!
//! Services are modules with their own routes and tables, composed here. They share an [`App`] and
//! know each other through a few functions only: `user::authenticate` and `user::rights`.

pub mod app;
pub mod config;
pub mod data;
pub mod http;
pub mod mail;
pub mod store;
pub mod user;

pub use app::{App, World};
pub use config::Config;
pub use http::router;
