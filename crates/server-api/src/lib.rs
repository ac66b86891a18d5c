//! What app and server say to each other over HTTP: accounts, homes, members, devices, blocks.
//!
//! Bodies are JSON (the OAuth endpoints take forms, as their standards say); a refusal is a
//! [`Problem`] (RFC 9457), from the OAuth endpoints an [`oauth::OAuthError`] (RFC 6749 5.2). Times
//! are milliseconds since 1970 in UTC, lengths of time whole seconds (`_s`). Unknown fields are
//! ignored on both sides, so that either may be newer.

pub mod account;
pub mod blocks;
pub mod homes;
pub mod oauth;
pub mod paths;
mod problem;
mod secret;

pub use account::*;
pub use blocks::*;
pub use homes::*;
pub use problem::{FieldError, PROBLEM_JSON, Problem, ProblemCode};
pub use secret::Secret;
