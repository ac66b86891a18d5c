//! Figures of a benchmark: every round kept, median and extremes printed.

use anyhow::Result;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub struct Report {
    name: String,
    pub rounds: u32,
    figures: BTreeMap<String, Vec<f64>>,
}

impl Report {
    pub fn new(name: &str, rounds: u32) -> Report {
        println!("\n{name}, {rounds} rounds");
        Report { name: name.to_owned(), rounds, figures: BTreeMap::new() }
    }

    /// One round's value of a figure; its unit is the last part of the name (`hub_p99_ms`).
    pub fn add(&mut self, figure: &str, value: f64) {
        self.figures.entry(figure.to_owned()).or_default().push(value);
    }

    pub fn finish(self) -> Result<()> {
        let mut figures = Map::new();
        println!("{:<40} {:>10} {:>10} {:>10}", "figure", "median", "min", "max");
        for (name, values) in &self.figures {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let (median, min, max) = (quantile(&sorted, 0.5), sorted[0], sorted[sorted.len() - 1]);
            println!("{name:<40} {median:>10.2} {min:>10.2} {max:>10.2}");
            let unit = name.rsplit('_').next().unwrap_or_default();
            figures.insert(
                name.clone(),
                json!({ "unit": unit, "median": median, "min": min, "max": max, "rounds": values }),
            );
        }
        let at = jiff::Timestamp::now();
        let report = json!({
            "name": self.name, "at": at.to_string(), "machine": machine(), "rounds": self.rounds,
            "figures": figures, "peers": {},
        });
        let folder = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| hearthwatt_tests::root().join("target"), std::path::PathBuf::from)
            .join("bench");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{}.json", self.name)), serde_json::to_vec_pretty(&report)?)?;
        Ok(())
    }
}

/// Of ascending values.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

fn machine() -> Value {
    let read = |f: &str| std::fs::read_to_string(f).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m.to_owned()));
    json!({
        "cpu": model, "cores": std::thread::available_parallelism().map_or(0, |n| n.get()),
        "kernel": read("/proc/sys/kernel/osrelease").trim(), "load": read("/proc/loadavg").trim(),
        "version": env!("CARGO_PKG_VERSION"),
    })
}
