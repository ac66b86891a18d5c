//! Figures of a benchmark: every round kept, median and extremes printed.

use anyhow::Result;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub struct Report {
    name: String,
    pub rounds: u32,
    figures: Figures,
    peers: BTreeMap<String, Figures>,
}

/// Every round's value of each figure.
type Figures = BTreeMap<String, Vec<f64>>;

impl Report {
    pub fn new(name: &str, rounds: u32) -> Report {
        println!("\n{name}, {rounds} rounds");
        Report { name: name.to_owned(), rounds, figures: Figures::new(), peers: BTreeMap::new() }
    }

    /// One round's value of a figure; its unit is the last part of the name (`hub_p99_ms`).
    pub fn add(&mut self, figure: &str, value: f64) {
        self.figures.entry(figure.to_owned()).or_default().push(value);
    }

    /// The same for another product, measured on the same load.
    pub fn add_for(&mut self, peer: Option<&str>, figure: &str, value: f64) {
        let figures = match peer {
            Some(peer) => self.peers.entry(peer.to_owned()).or_default(),
            None => &mut self.figures,
        };
        figures.entry(figure.to_owned()).or_default().push(value);
    }

    pub fn finish(self) -> Result<()> {
        println!("{:<40} {:>10} {:>10} {:>10}", "figure", "median", "min", "max");
        let figures = summary("", &self.figures);
        let peers: Map<String, Value> =
            self.peers.iter().map(|(peer, f)| (peer.clone(), summary(&format!("{peer}: "), f))).collect();
        let at = jiff::Timestamp::now();
        let report = json!({
            "name": self.name, "at": at.to_string(), "machine": machine(), "rounds": self.rounds,
            "figures": figures, "peers": peers,
        });
        let folder = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| hearthwatt_tests::root().join("target"), std::path::PathBuf::from)
            .join("bench");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{}.json", self.name)), serde_json::to_vec_pretty(&report)?)?;
        Ok(())
    }
}

/// Prints the figures and gives them as JSON.
fn summary(prefix: &str, figures: &Figures) -> Value {
    let mut object = Map::new();
    for (name, values) in figures {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (median, min, max) = (quantile(&sorted, 0.5), sorted[0], sorted[sorted.len() - 1]);
        println!("{:<40} {median:>10.2} {min:>10.2} {max:>10.2}", format!("{prefix}{name}"));
        let unit = name.rsplit('_').next().unwrap_or_default();
        let entry = json!({ "unit": unit, "median": median, "min": min, "max": max, "rounds": values });
        object.insert(name.clone(), entry);
    }
    Value::Object(object)
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
