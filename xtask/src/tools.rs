//! Foreign programs from PyPI that the tests run against, each in a virtual environment of its own
//! under `target/tools`: nothing is installed outside the workspace, nothing of it is linked.

use crate::exec::{check, command, say, target};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// A program from PyPI.
struct Tool {
    /// Its folder in `target/tools`; the tests look for it there.
    folder: &'static str,
    /// The very version: what the tests were written against.
    package: &'static str,
    why: &'static str,
    /// A variable that names a replacement; while it is set nothing is installed.
    replaced_by: Option<&'static str>,
}

const TOOLS: &[Tool] = &[
    Tool {
        folder: "secantus",
        package: "secantusdb==0.7.0b3",
        why: "a server that speaks MongoDB's protocol; set MONGODB_URI to use a real one",
        replaced_by: Some("MONGODB_URI"),
    },
    Tool {
        folder: "smtp",
        package: "aiosmtpd==1.4.6",
        why: "a mail server that keeps what it gets",
        replaced_by: None,
    },
];

/// Installs what is missing, unless that was done already.
pub fn install() -> Result<()> {
    let wanted = |t: &&Tool| t.replaced_by.is_none_or(|v| std::env::var_os(v).is_none_or(|v| v.is_empty()));
    for tool in TOOLS.iter().filter(wanted) {
        let folder = target().join("tools").join(tool.folder);
        let stamp = folder.join(".hearthwatt-package");
        if fs::read(&stamp).is_ok_and(|seen| seen == tool.package.as_bytes()) {
            continue;
        }
        say(format!("Fetching {} ({})", tool.package, tool.why));
        // half an environment of an interrupted run is no start
        let _ = fs::remove_dir_all(&folder);
        check(command(python()).args(["-m", "venv"]).arg(&folder))
            .context("Python 3.11 or newer with its module venv is needed")?;
        let mut pip = command(scripts(&folder).join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", tool.package]);
        check(&mut pip)?;
        fs::write(stamp, tool.package)?;
    }
    Ok(())
}

fn python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

/// Where a virtual environment keeps its programs.
fn scripts(folder: &std::path::Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
}
