//! Measures what users feel. `cargo xtask bench [NAME]` builds optimised programs and runs this;
//! it writes `target/bench/NAME.json` and prints a table of medians with min and max.

mod latency;
mod memory;
mod paint;
mod report;
mod start;
mod sync;

use anyhow::{Result, bail};
use report::Report;

const ALL: &[&str] = &["live-latency", "first-paint", "start", "rss", "sync"];

#[tokio::main]
async fn main() -> Result<()> {
    let mut rounds = 7;
    let mut names: Vec<String> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            name if ALL.contains(&name) => names.push(arg),
            other => bail!("there is no benchmark {other:?}; there are {ALL:?}"),
        }
    }
    if names.is_empty() {
        names = ALL.iter().map(|s| s.to_string()).collect();
    }
    for name in names {
        let mut report = Report::new(&name, rounds);
        match name.as_str() {
            "live-latency" => latency::measure(&mut report).await?,
            "first-paint" => paint::measure(&mut report).await?,
            "start" => start::measure(&mut report).await?,
            "sync" => sync::measure(&mut report).await?,
            _ => memory::measure(&mut report).await?,
        }
        report.finish()?;
    }
    Ok(())
}
