//! Prepares what Tauri reads while the program is compiled.

use std::path::Path;

/// The commands of the page; each needs a line in `capabilities/main.json`.
const COMMANDS: &[&str] = &[
    "call",
    "autostart_get",
    "autostart_set",
    "export_file",
    "import_begin",
    "import_part",
    "import_end",
    "import_cancel",
];

fn main() {
    placeholder(Path::new("../ui/dist"));
    println!("cargo:rerun-if-changed=i18n");
    let attributes =
        tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    if let Err(e) = tauri_build::try_build(attributes) {
        println!("cargo::error={e:#}");
    }
}

/// Tauri can't compile without the page's folder. Until the page is built, one that says so.
fn placeholder(dist: &Path) {
    if !dist.join("index.html").exists() {
        let page = "<!doctype html><meta charset=\"utf-8\"><title>Hearthwatt</title><p>The page is not built yet: <code>cargo xtask ui</code>";
        let made = std::fs::create_dir_all(dist).and_then(|()| std::fs::write(dist.join("index.html"), page));
        if let Err(e) = made {
            println!("cargo::error=the page's folder {} can't be made: {e}", dist.display());
        }
    }
}
