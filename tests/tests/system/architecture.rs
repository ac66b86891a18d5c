//! Dependencies point one way (ARCHITECTURE.md); this is the test that it names.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate of ours may depend on among ours, ordinary dependencies only.
const MAY_USE: &[(&str, &[&str])] = &[
    ("hearthwatt-domain", &[]),
    ("hearthwatt-api", &["domain"]),
    ("hearthwatt-store", &["domain"]),
    ("hearthwatt-discovery", &["domain"]),
    ("hearthwatt-sim", &["domain", "discovery"]),
    ("hearthwatt-sync", &["domain"]),
    ("hearthwatt-server-api", &["domain"]),
    ("hearthwatt-engine", &["domain", "api", "store", "discovery", "sync", "server-api"]),
    ("hearthwatt-shell", &["domain", "api", "store", "discovery", "sim", "engine"]),
    ("hearthwatt-hub", &["domain", "api", "shell"]),
    ("hearthwatt-app", &["domain", "api", "shell"]),
    ("hearthwatt-server", &["domain", "sync", "server-api"]),
    ("hearthwatt-ui", &["domain", "api"]),
];

/// Libraries that only these crates may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["hearthwatt-store", "hearthwatt-server"]),
    ("mongodb", &["hearthwatt-server"]),
    ("tauri", &["hearthwatt-app"]),
    ("axum", &["hearthwatt-hub", "hearthwatt-server"]),
    ("yew", &["hearthwatt-ui"]),
    ("rumqttc", &["hearthwatt-discovery", "hearthwatt-sim"]),
    ("minijinja", &["hearthwatt-discovery"]),
    ("mdns-sd", &["hearthwatt-discovery"]),
    ("keyring", &["hearthwatt-shell"]),
];

/// The domain has no I/O, async, clock or randomness: nothing that could bring them.
const DOMAIN_USES: &[&str] = &["serde", "jiff", "uuid", "smol_str", "thiserror"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(hearthwatt_tests::root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let ordinary = |p: &Value| {
        let list = p["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null());
        list.map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|p| (p["name"].as_str().unwrap().to_owned(), ordinary(p))).collect()
}

#[test]
fn dependencies_point_one_way() {
    let all = dependencies();
    for (name, may) in MAY_USE {
        let ours = all[*name].iter().filter_map(|d| d.strip_prefix("hearthwatt-"));
        for used in ours {
            assert!(may.contains(&used), "{name} may not depend on hearthwatt-{used}");
        }
    }
}

#[test]
fn each_library_has_its_place() {
    let all = dependencies();
    for (library, places) in ONLY_IN {
        // a name that nobody uses would guard nothing
        assert!(places.iter().any(|p| all[*p].contains(*library)), "nothing names {library} any more");
        for (name, uses) in all.iter().filter(|(name, _)| name.as_str() != "hearthwatt-tests") {
            assert!(
                !uses.contains(*library) || places.contains(&name.as_str()),
                "{name} may not name {library}"
            );
        }
    }
}

#[test]
fn the_domain_stays_pure() {
    for used in &dependencies()["hearthwatt-domain"] {
        assert!(DOMAIN_USES.contains(&used.as_str()), "hearthwatt-domain may not depend on {used}");
    }
}
