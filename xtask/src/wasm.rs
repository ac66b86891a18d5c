//! The page as WebAssembly. The ordinary way is rustup's target; where that can't be had, Debian's
//! `rustc-web` builds the standard library from its source.

use crate::exec::{cargo, check, command, output, say, succeeds, target};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const TRIPLE: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "hearthwatt-ui";

/// Compiles the page and returns the path of the module.
pub fn compile() -> Result<PathBuf> {
    // A target folder of its own: other flags, and in the fallback another compiler.
    let folder = target().join("wasm");
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--target", TRIPLE, "-p", PACKAGE])
        .env("CARGO_TARGET_DIR", &folder);
    // Small before fast, in the libraries too: the page waits for its bytes, not for its arithmetic.
    build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s").env("CARGO_PROFILE_RELEASE_LTO", "fat");
    if has_target() {
        check(&mut build)?;
    } else {
        say("rustup has no WebAssembly target here; building with Debian's rustc-web instead");
        let compiler = Path::new("/usr/bin/rustc");
        setup::for_wasm_fallback()?;
        if !compiler.exists() {
            bail!(
                "There is no WebAssembly compiler. On an ordinary machine `rustup target add {TRIPLE}` brings one; on Debian 12 the package rustc-web does."
            );
        }
        let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
        let linker = PathBuf::from(sysroot).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
        build
            .args(["-Zbuild-std=std,panic_abort"])
            .env("RUSTC", compiler)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        check(&mut build)?;
    }
    let module = folder.join(TRIPLE).join("release").join("hearthwatt_ui.wasm");
    module.exists().then_some(module).context("cargo built no hearthwatt_ui.wasm")
}

fn has_target() -> bool {
    let there = || {
        output(command("rustc").args(["--print", "target-libdir", "--target", TRIPLE]))
            .is_ok_and(|d| Path::new(&d).exists())
    };
    there() || (succeeds(Command::new("rustup").args(["target", "add", TRIPLE])) && there())
}

/// JavaScript bindings: `ui.js` and `ui_bg.wasm` in `out`.
pub fn bind(module: &Path, out: &Path) -> Result<()> {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(module).web(true)?.typescript(false).out_name("ui");
    bindgen.generate(out).context("the bindings can't be generated")
}
