//! The page: module, bindings, npm's files, style and texts, put together in `app/ui/dist`.

use crate::exec::{check, command, output, root, say, target};
use crate::{setup, wasm};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As the linker leaves it.
    Fast,
    /// Through `wasm-opt -Oz`, and compressed copies for the hub.
    Small,
}

/// Files of npm packages that belong to the page: from, to.
const FROM_NPM: &[(&str, &str)] = &[
    ("uplot/dist/uPlot.esm.js", "vendor/uPlot.esm.js"),
    ("uplot/dist/uPlot.min.css", "vendor/uPlot.min.css"),
];

/// Flags of `wasm-opt`. The features are those that rustc's WebAssembly uses by default; allowing
/// all of them makes modules that browsers refuse.
const OPTIMISE: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-debug",
    "--strip-producers",
];

pub fn dist() -> PathBuf {
    root().join("app/ui/dist")
}

pub fn build(size: Size) -> Result<()> {
    setup::need_node()?;
    let ui = root().join("app/ui");
    npm_ci(&ui)?;
    say("Building the page");
    let module = wasm::compile()?;

    // Assembled aside and swapped in, so that a running hub never serves half a page.
    let next = target().join("page");
    let _ = fs::remove_dir_all(&next);
    fs::create_dir_all(&next)?;
    wasm::bind(&module, &next)?;
    if size == Size::Small {
        let wasm = next.join("ui_bg.wasm");
        let opt = ui.join("node_modules/.bin").join(if cfg!(windows) { "wasm-opt.cmd" } else { "wasm-opt" });
        check(command(opt).args(OPTIMISE).arg(&wasm).arg("-o").arg(&wasm))?;
    }
    copy_tree(&ui.join("static"), &next)?;
    for (from, to) in FROM_NPM {
        let to = next.join(to);
        fs::create_dir_all(to.parent().unwrap_or(&next))?;
        fs::copy(ui.join("node_modules").join(from), &to)
            .with_context(|| format!("npm brought no {from}"))?;
    }
    if size == Size::Small {
        compress(&next)?;
    }
    let dist = dist();
    let _ = fs::remove_dir_all(&dist);
    copy_tree(&next, &dist)?;
    let bytes = fs::metadata(dist.join("ui_bg.wasm"))?.len();
    say(format!("The page is in app/ui/dist (module {} KB)", bytes / 1024));
    Ok(())
}

/// Installs what package-lock.json names, unless that was done already.
pub fn npm_ci(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json")).context("package-lock.json is missing")?;
    let stamp = folder.join("node_modules/.hearthwatt-lock");
    if fs::read(&stamp).is_ok_and(|seen| seen == lock) {
        return Ok(());
    }
    say(format!("Fetching npm packages of {}", folder.strip_prefix(root()).unwrap_or(folder).display()));
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    check(command(npm).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// Compressed copies beside the files, which the hub sends to browsers that take them.
fn compress(folder: &Path) -> Result<()> {
    const SCRIPT: &str = "
        const fs = require('fs'), path = require('path'), zlib = require('zlib');
        for (const f of fs.readdirSync(process.argv[1], { recursive: true })) {
            if (!/\\.(wasm|js|css|html|svg|json|webmanifest|ftl)$/.test(f)) continue;
            const p = path.join(process.argv[1], f), b = fs.readFileSync(p);
            if (b.length < 1024) continue;
            fs.writeFileSync(p + '.br', zlib.brotliCompressSync(b, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }));
            fs.writeFileSync(p + '.gz', zlib.gzipSync(b, { level: 9 }));
        }";
    output(command("node").arg("-e").arg(SCRIPT).arg(folder)).map(drop)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} can't be read", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
