//! System packages: installed through apt where there is apt, named where there is not.

use crate::exec::{check, command, has, output, say, succeeds};
use crate::tools;
use anyhow::{Result, bail};
use std::process::Command;

/// A Debian package and why it is needed.
type Package = (&'static str, &'static str);

const COMPILER: &[Package] = &[
    ("build-essential", "the C compiler that SQLite is built with"),
    ("pkg-config", "finds the system's libraries"),
];

const WINDOW: &[Package] = &[
    ("libwebkit2gtk-4.1-dev", "the web view that the window shows the page in"),
    ("libayatana-appindicator3-dev", "the icon in the tray"),
    ("librsvg2-dev", "icons"),
    ("libxdo-dev", "keyboard events of the window"),
    ("libssl-dev", "encryption for the web view"),
    ("file", "recognises icons when the app is bundled"),
];

const WASM: &[Package] = &[
    ("rustc-web", "compiles the page to WebAssembly where rustup can't fetch that target"),
    ("rust-web-src", "the standard library's source for it"),
];

const TESTS: &[Package] = &[
    ("mosquitto", "the foreign MQTT broker that the tests run against"),
    ("xvfb", "a screen for the window where there is none"),
    ("xauth", "lets programs use that screen"),
    ("webkit2gtk-driver", "drives the real window"),
    ("chromium", "the browser that opens the hub's page"),
    ("chromium-driver", "drives that browser"),
    ("dbus", "the session bus on which notifications are read back"),
    ("iproute2", "hosts of their own address in network namespaces"),
    ("fonts-dejavu-core", "letters in the pictures"),
    ("python3-venv", "keeps the foreign servers of the tests apart from the system"),
    ("gnome-keyring", "the keyring that holds the app's token"),
];

/// What compiling the programs without a window needs.
pub fn for_compiler() -> Result<()> {
    if cfg!(target_os = "linux") { install(COMPILER) } else { Ok(()) }
}

/// What compiling the window needs.
pub fn for_window() -> Result<()> {
    if cfg!(target_os = "macos") {
        if !succeeds(Command::new("xcode-select").arg("-p")) {
            bail!("The window needs Apple's command line tools. Install them with: xcode-select --install");
        }
        return Ok(());
    }
    if cfg!(windows) {
        say(
            "The window needs the Microsoft C++ Build Tools and WebView2 (part of Windows 11). If linking fails, install \"Desktop development with C++\" from visualstudio.microsoft.com/visual-cpp-build-tools.",
        );
        return Ok(());
    }
    for_compiler()?;
    install(WINDOW)
}

pub fn for_wasm_fallback() -> Result<()> {
    install(WASM)
}

pub fn for_tests() -> Result<()> {
    if !cfg!(target_os = "linux") {
        say(
            "The whole-system tests (window, browser, namespaces) run on Debian and Ubuntu; the others run everywhere.",
        );
        return Ok(());
    }
    install(TESTS)?;
    tools::install()
}

/// Node.js runs npm, which brings the chart library and the size optimiser of the page.
pub fn need_node() -> Result<()> {
    if has("npm") {
        return Ok(());
    }
    bail!(
        "The page needs Node.js 20 or newer (npm brings its chart library). Install it from nodejs.org or with your package manager, then run this again."
    );
}

fn missing(packages: &[Package]) -> Vec<Package> {
    packages
        .iter()
        .filter(|(name, _)| {
            !output(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", name]))
                .is_ok_and(|s| s == "installed")
        })
        .copied()
        .collect()
}

fn install(packages: &[Package]) -> Result<()> {
    if !has("dpkg-query") || !has("apt-get") {
        say("This system has no apt. Please see that it has the equivalents of these Debian packages:");
        packages.iter().for_each(|(name, why)| println!("    {name}: {why}"));
        return Ok(());
    }
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    say("Installing system packages that are missing:");
    missing.iter().for_each(|(name, why)| println!("    {name}: {why}"));
    apt(&["update", "-q"])?;
    let mut args = vec!["install", "-q", "-y", "--no-install-recommends"];
    args.extend(missing.iter().map(|(name, _)| *name));
    apt(&args)
}

fn apt(args: &[&str]) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    let mut c = if root {
        command("apt-get")
    } else if has("sudo") {
        let mut c = command("sudo");
        c.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        c
    } else {
        bail!("Installing them takes root: run this as root, or install sudo.");
    };
    check(c.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}
