//! What the whole-system tests stand on: programs that are started, watched and stopped, brokers,
//! hubs, browsers, windows, hosts in network namespaces.
//!
//! A test that needs what a machine can't have (a screen server, root) says so and passes over;
//! `cargo xtask test` installs all of it where it can.

pub mod account;
pub mod broker;
pub mod browser;
pub mod canned;
pub mod client;
pub mod foreign;
pub mod hub;
pub mod notifications;
pub mod peer;
pub mod process;
pub mod publish;
pub mod repo;
pub mod samod;
pub mod screens;
pub mod server;
pub mod sign_in;
pub mod stored;
pub mod trace;
pub mod wait;
pub mod window;

#[cfg(target_os = "linux")]
pub mod hosts;

/// The folder of the workspace.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the workspace").to_owned()
}

/// A program of the workspace as `cargo xtask test` built it, beside the test's own binary.
pub fn program(name: &str) -> std::path::PathBuf {
    if let Some(folder) = std::env::var_os("HEARTHWATT_PROGRAMS") {
        return std::path::Path::new(&folder).join(name);
    }
    let mut folder = std::env::current_exe().expect("a test knows its own path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder.join(name)
}

/// Says why a test passes over instead of running. Never on a machine that CI prepared.
pub fn pass_over(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI must be able to run this test, but {why}");
    println!("passed over: {why}");
}
