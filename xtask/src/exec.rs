//! Running other programs, with the words to say what failed.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Cargo's target folder, wherever the user moved it.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

pub fn say(words: impl AsRef<str>) {
    println!("\x1b[1m==> {}\x1b[0m", words.as_ref());
}

/// A cargo command in the workspace. `cargo` hands its own path to the programs it runs.
pub fn cargo() -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.current_dir(root());
    c
}

pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut c = Command::new(program);
    c.current_dir(root());
    c
}

/// Runs to the end; an exit code other than 0 is an error that names the command.
pub fn check(c: &mut Command) -> Result<()> {
    let status = c.status().with_context(|| format!("{} can't be started", describe(c)))?;
    if !status.success() {
        bail!("{} failed ({status})", describe(c));
    }
    Ok(())
}

/// Standard output of a command that must succeed, without trailing white space.
pub fn output(c: &mut Command) -> Result<String> {
    let out =
        c.stderr(Stdio::null()).output().with_context(|| format!("{} can't be started", describe(c)))?;
    if !out.status.success() {
        bail!("{} failed ({})", describe(c), out.status);
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

/// Whether a command runs and succeeds, silently.
pub fn succeeds(c: &mut Command) -> bool {
    c.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status().is_ok_and(|s| s.success())
}

pub fn describe(c: &Command) -> String {
    let mut words = vec![c.get_program().to_string_lossy().into_owned()];
    words.extend(c.get_args().map(|a| a.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}

/// Whether a program is on the path.
pub fn has(program: &str) -> bool {
    let finder = if cfg!(windows) { "where" } else { "which" };
    succeeds(Command::new(finder).arg(program))
}
