//! `cargo xtask bench`: runs the measuring programs of `tests` and prints their tables.

use crate::exec::{cargo, check, say, target};
use crate::page::{self, Size};
use crate::setup;
use anyhow::Result;

#[derive(clap::Args)]
pub struct Options {
    /// live-latency, first-paint, start, rss; all when none is named.
    names: Vec<String>,
    /// Rounds of each.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
}

pub fn bench(o: &Options) -> Result<()> {
    setup::for_window()?;
    setup::for_tests()?;
    page::build(Size::Small)?;
    say("Building optimised programs");
    check(cargo().args(["build", "--locked", "--release", "-p", "hearthwatt-hub", "-p", "hearthwatt-sim"]))?;
    check(cargo().args([
        "build",
        "--locked",
        "--release",
        "-p",
        "hearthwatt-app",
        "--features",
        "custom-protocol",
    ]))?;
    let mut c = cargo();
    c.args([
        "run",
        "--locked",
        "-p",
        "hearthwatt-tests",
        "--bin",
        "hearthwatt-bench",
        "--",
        "--rounds",
        &o.rounds.to_string(),
    ]);
    // the optimised programs, not those beside the measuring one
    check(c.args(&o.names).env("HEARTHWATT_PROGRAMS", target().join("release")))
}
