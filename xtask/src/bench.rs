//! `cargo xtask bench`: runs the measuring programs of `tests` and prints their tables.

use crate::exec::{cargo, check, root, say, target};
use crate::page::{self, Size};
use crate::setup;
use anyhow::Result;

#[derive(clap::Args)]
pub struct Options {
    /// live-latency, first-paint, start, rss, sync; all when none is named.
    names: Vec<String>,
    /// Rounds of each.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
}

/// What each needs besides the measuring program itself.
const WINDOW_AND_HUB: &[&str] = &["live-latency", "first-paint", "start", "rss"];
const SERVER: &[&str] = &["sync"];

pub fn bench(o: &Options) -> Result<()> {
    let wanted = |names: &[&str]| o.names.is_empty() || names.iter().any(|n| o.names.iter().any(|o| o == n));
    setup::for_window()?;
    setup::for_tests()?;
    page::npm_ci(&root().join("tests"))?;
    if wanted(WINDOW_AND_HUB) {
        page::build(Size::Small)?;
        say("Building optimised programs");
        release(&["-p", "hearthwatt-hub", "-p", "hearthwatt-sim"])?;
        release(&["-p", "hearthwatt-app", "--features", "custom-protocol"])?;
    }
    if wanted(SERVER) {
        say("Building the optimised server and the one it is compared with");
        release(&["-p", "hearthwatt-server"])?;
        release(&["-p", "hearthwatt-tests", "--bin", "hearthwatt-samod"])?;
    }
    // the measuring program is optimised too: it makes the load
    let mut c = cargo();
    c.args(["run", "--locked", "--release", "-p", "hearthwatt-tests", "--bin", "hearthwatt-bench", "--"]);
    c.args(["--rounds", &o.rounds.to_string()]);
    check(c.args(&o.names).env("HEARTHWATT_PROGRAMS", target().join("release")))
}

fn release(args: &[&str]) -> Result<()> {
    check(cargo().args(["build", "--locked", "--release"]).args(args))
}
