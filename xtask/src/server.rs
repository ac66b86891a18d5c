//! `cargo xtask server`: the sync server with the embedded store, no configuration, on loopback.

use crate::exec::{cargo, check, say};
use crate::setup;
use anyhow::Result;

#[derive(clap::Args)]
pub struct Options {
    /// Optimised build: slower to make, as fast as a release.
    #[arg(long)]
    release: bool,
    /// Arguments for the server (`--store mongodb://…`, `--help`); after `--` where they look like this command's own.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn server(o: &Options) -> Result<()> {
    setup::for_compiler()?;
    say("Building and starting the server; open its address to create the first account");
    let mut c = cargo();
    c.args(["run", "--locked", "-p", "hearthwatt-server"]);
    if o.release {
        c.arg("--release");
    }
    check(c.arg("--").args(&o.rest))
}
