//! The home as a file, as a person does it: everything out, a file in, and seconds that go.

use anyhow::{Context, Result, ensure};
use hearthwatt_api::{GetData, GetSettings, SaveSettings};
use hearthwatt_tests::browser::{self, Browser, LOOKS, Look, find, text_when};
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::window::{self, Screen, Window};
use hearthwatt_tests::{pass_over, wait};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thirtyfour::WebDriver;

const PATIENCE: Duration = Duration::from_secs(30);

async fn rename(hub: &Hub, name: &str) {
    let mut settings = hub.call(GetSettings {}).await;
    settings.home_name = name.into();
    hub.call(SaveSettings { settings }).await;
}

/// The export in a folder, once it is whole.
async fn export_in(folder: &Path) -> PathBuf {
    wait::until("the export is there", PATIENCE, || async {
        let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path());
        let file = files.find(|p| p.extension().is_some_and(|e| e == "jsonl"))?;
        let last = std::fs::read_to_string(&file).ok()?.lines().last()?.to_owned();
        last.starts_with("{\"end\"").then_some(file)
    })
    .await
}

async fn import(driver: &WebDriver, file: &Path) -> Result<()> {
    find(driver, "[data-testid=data-import]").await?.send_keys(file.to_string_lossy()).await?;
    find(driver, "[data-testid=data-import-do]").await?.click().await?;
    text_when(driver, "[data-testid=toasts]", PATIENCE, |t| t.contains("is the home from")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_browser_everything_is_downloaded_and_taken_back() -> Result<()> {
    if !browser::available() {
        pass_over("Chromium or its driver is missing");
        return Ok(());
    }
    let (folder, downloads) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    rename(&hub, "Lindenweg 3").await;
    let browser = Browser::open().await?;
    browser.look(Look::Light).await?;
    let into = json!({ "behavior": "allow", "downloadPath": downloads.path() });
    browser.devtools("Browser.setDownloadBehavior", into).await?;
    browser.driver.goto(format!("{}#/home", hub.url)).await?;
    find(&browser.driver, "[data-testid=data-export]").await?.click().await?;
    let file = export_in(downloads.path()).await;

    rename(&hub, "Another").await;
    import(&browser.driver, &file).await?;
    ensure!(hub.call(GetSettings {}).await.home_name == "Lindenweg 3", "the home is the one of the file");

    // what is no home is refused in words, and stays to be read
    let photo = downloads.path().join("photo.jsonl");
    std::fs::write(&photo, "holiday")?;
    find(&browser.driver, "[data-testid=data-import]").await?.send_keys(photo.to_string_lossy()).await?;
    for look in LOOKS {
        browser.look(look).await?;
        let found = browser.accessibility().await?;
        ensure!(found.is_empty(), "axe-core while it asks, {look:?}:\n{}", found.join("\n"));
    }
    browser.look(Look::Light).await?;
    find(&browser.driver, "[data-testid=data-import-do]").await?.click().await?;
    text_when(&browser.driver, "[data-testid=data-import-said]", PATIENCE, |t| t.contains("Line 1")).await?;
    ensure!(hub.call(GetSettings {}).await.home_name == "Lindenweg 3", "nothing has changed");

    // a shorter time for seconds is asked about before anything is deleted
    let choose = "const s = document.getElementById('data-form-keep'); s.value = '30'; \
                  s.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.driver.execute(choose, vec![]).await?;
    let ask = find(&browser.driver, "[data-testid=data-shorten]").await?;
    ensure!(hub.call(GetData {}).await.keep_days.is_none(), "not before it is confirmed");
    let found = browser.accessibility().await?;
    ensure!(found.is_empty(), "axe-core on the question:\n{}", found.join("\n"));
    ask.find(thirtyfour::By::Css("button.primary")).await?.click().await?;
    hub.wait_for("it is kept for 30 days", PATIENCE, GetData {}, |d| (d.keep_days == Some(30)).then_some(()))
        .await;
    let console = browser.console().await?;
    let console: Vec<_> = console.iter().filter(|l| !l.contains("422")).collect();
    ensure!(console.is_empty(), "the console is quiet: {console:#?}");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_window_everything_lands_among_the_downloads() -> Result<()> {
    if !window::available() {
        pass_over("Xvfb, WebKitWebDriver or dbus-daemon is missing");
        return Ok(());
    }
    let (folder, downloads) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let config = folder.path().join("xdg-config");
    std::fs::create_dir_all(&config)?;
    let line = format!("XDG_DOWNLOAD_DIR=\"{}\"\n", downloads.path().display());
    std::fs::write(config.join("user-dirs.dirs"), line)?;

    let mut hub = Hub::start(folder.path(), &["--discovery", "off"]);
    rename(&hub, "Lindenweg 3").await;
    hub.program.terminate(PATIENCE);

    let (screen, desktop) = (Screen::start(), Desktop::start().await?);
    let window = Window::open(&screen, &desktop.address, folder.path(), &["--discovery", "off"]).await?;
    find(&window.driver, "main h1").await?;
    window.driver.execute("location.hash = '#/home'", vec![]).await?;
    find(&window.driver, "[data-testid=data-export]").await?.click().await?;
    let said =
        text_when(&window.driver, "[data-testid=data-export-said]", PATIENCE, |t| t.contains(".jsonl"))
            .await?;
    let file = export_in(downloads.path()).await;
    ensure!(said.contains(&file.display().to_string()), "it says where: {said}");

    let text = std::fs::read_to_string(&file)?;
    ensure!(text.contains("Lindenweg 3"), "the settings are in it");
    let other = downloads.path().join("other.jsonl");
    std::fs::write(&other, text.replace("Lindenweg 3", "Another house"))?;
    import(&window.driver, &other).await?;
    let name = "return document.getElementById('home-form-home-name')?.value";
    wait::until("the other home's name", PATIENCE, || async {
        let value = window.driver.execute(name, vec![]).await.ok()?;
        (value.json().as_str()? == "Another house").then_some(())
    })
    .await;
    window.close().await.context("the window closes")
}
