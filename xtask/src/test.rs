//! `cargo xtask test`: every test there is. Goes on after a failure, ends with the counts.

use crate::exec::{cargo, describe, say};
use crate::page::{self, Size};
use crate::setup;
use anyhow::{Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Options {
    /// Only these steps; all when none is named.
    #[arg(value_enum)]
    only: Vec<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Step {
    /// `cargo fmt --check`.
    Format,
    /// Clippy on everything, warnings are errors.
    Lint,
    /// Builds the page as it ships.
    Page,
    /// Unit and integration tests of every crate.
    Crates,
    /// Whole-system tests: brokers, namespaces, window, browser, notifications.
    System,
}

const STEPS: &[Step] = &[Step::Format, Step::Lint, Step::Page, Step::Crates, Step::System];

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

pub fn test(o: &Options) -> Result<()> {
    setup::for_window()?;
    setup::for_tests()?;
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    for &step in STEPS.iter().filter(|s| o.only.is_empty() || o.only.contains(s)) {
        say(format!("{step:?}"));
        let started = Instant::now();
        let result = run(step, &mut counts);
        lines.push(line(step, &result, started.elapsed()));
        if let Err(e) = &result {
            println!("{e:#}");
            // a step that failed is at least one failed test
            counts.failed = counts.failed.max(1);
        }
    }
    println!();
    lines.iter().for_each(|l| println!("{l}"));
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed > 0 {
        bail!("some tests failed");
    }
    Ok(())
}

fn line(step: Step, result: &Result<()>, took: Duration) -> String {
    let word = if result.is_ok() { "ok" } else { "FAILED" };
    format!("{:<8} {word:<7} {:>5.0} s", format!("{step:?}").to_lowercase(), took.as_secs_f64())
}

fn run(step: Step, counts: &mut Counts) -> Result<()> {
    match step {
        Step::Format => tests(cargo().args(["fmt", "--all", "--check"]), counts, true),
        Step::Lint => {
            // The window is built into the page's folder; a placeholder is enough to look at its code.
            // The system tests are no target that runs by itself, so they are named.
            let args = [
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--test",
                "system",
                "--",
                "-D",
                "warnings",
            ];
            tests(cargo().args(args), counts, true)
        }
        Step::Page => page::build(Size::Small).inspect(|()| counts.passed += 1),
        Step::Crates => tests(everything("test").arg("--no-fail-fast"), counts, false),
        Step::System => {
            page::npm_ci(&crate::exec::root().join("tests"))?;
            build_programs()?;
            // One after the other: they measure time and share the screen of this machine.
            let args = ["--no-fail-fast", "--test", "system", "--", "--test-threads=1"];
            tests(everything("test").args(args), counts, false)
        }
    }
}

/// A cargo command on the whole workspace, always with the same features: otherwise each selection
/// of packages would compile the libraries below them again.
fn everything(what: &str) -> Command {
    let mut c = cargo();
    c.args([what, "--locked", "--workspace", "--features", "hearthwatt-app/custom-protocol"]);
    c
}

/// The programs that the whole-system tests start.
fn build_programs() -> Result<()> {
    crate::exec::check(everything("build").arg("--all-targets"))
}

/// Runs a command, passes its output through, and adds up the result lines of cargo's test runner.
/// A command that is itself one check counts as one test.
fn tests(c: &mut Command, counts: &mut Counts, single: bool) -> Result<()> {
    let mut child = c.stdout(Stdio::piped()).spawn()?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line?;
            println!("{line}");
            if let Some(rest) = line.trim_start().strip_prefix("test result: ") {
                let number = |word: &str| {
                    let at = rest.find(word)?;
                    rest[..at].trim_end().rsplit(' ').next()?.parse::<u64>().ok()
                };
                counts.passed += number(" passed").unwrap_or(0);
                counts.failed += number(" failed").unwrap_or(0);
                counts.skipped += number(" ignored").unwrap_or(0);
            }
        }
    }
    let status = child.wait()?;
    if single {
        if status.success() { counts.passed += 1 } else { counts.failed += 1 }
    }
    if !status.success() {
        bail!("{} failed ({status})", describe(c));
    }
    Ok(())
}
