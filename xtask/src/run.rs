//! `cargo xtask run`: the app where there is a display, else the hub.

use crate::exec::{cargo, check, say};
use crate::page::{self, Size};
use crate::setup;
use anyhow::Result;

#[derive(clap::Args)]
pub struct Options {
    /// Open a simulated home instead of yours; yours stays untouched.
    #[arg(long)]
    demo: bool,
    /// Start the hub even where there is a display.
    #[arg(long)]
    hub: bool,
    /// Optimised build: slower to make, as fast as a release.
    #[arg(long)]
    release: bool,
    /// Further arguments for the app or the hub, after `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub fn run(o: &Options) -> Result<()> {
    let window = !o.hub && has_display();
    if window {
        setup::for_window()?
    } else {
        setup::for_compiler()?
    }
    page::build(if o.release { Size::Small } else { Size::Fast })?;
    let package = if window { "hearthwatt-app" } else { "hearthwatt-hub" };
    say(if window {
        "Building and opening the app"
    } else if o.hub {
        "Building and starting the hub"
    } else {
        "There is no display: building and starting the hub, which serves the same page to a browser"
    });
    let mut c = cargo();
    c.args(["run", "--locked", "-p", package]);
    if window {
        // Without it a Tauri app looks for a development server instead of the built page.
        c.args(["--features", "custom-protocol"]);
    }
    if o.release {
        c.arg("--release");
    }
    c.arg("--");
    if o.demo {
        c.arg("--demo");
    }
    check(c.args(&o.rest))
}

fn has_display() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| std::env::var_os(v).is_some_and(|v| !v.is_empty()))
}
