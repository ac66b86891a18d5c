//! The real window: it opens, shows the demo home, raises a native notification, and its click
//! opens the alert.

use anyhow::{Result, ensure};
use hearthwatt_tests::browser::{find, settle, text_when};
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::window::{Screen, Window, available};
use hearthwatt_tests::{pass_over, screens};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_the_demo_home_and_notifies() -> Result<()> {
    if !available() {
        pass_over("Xvfb, WebKitWebDriver or dbus-daemon is missing");
        return Ok(());
    }
    let screen = Screen::start();
    let mut desktop = Desktop::start().await?;
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let window = Window::open(&screen, &desktop.address, folder.path(), &["--demo"]).await?;
    let shown = text_when(&window.driver, "#power-now", Duration::from_secs(60), |t| {
        t.contains("W") && t.chars().any(|c| c.is_ascii_digit())
    })
    .await?;
    println!("first value {shown:?} in the window after {:?}", started.elapsed());
    settle(&window.driver).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    screens::save("window-now", &window.driver.screenshot_as_png().await?);

    let notification = desktop.next(Duration::from_secs(120)).await;
    let notification = notification.ok_or_else(|| anyhow::anyhow!("no notification within two minutes"))?;
    println!("notification after {:?}: {notification:?}", started.elapsed());
    ensure!(notification.title.contains('%') && !notification.body.is_empty(), "{notification:?}");
    ensure!(notification.body.chars().any(|c| c.is_ascii_digit()), "it has the numbers: {notification:?}");

    tokio::time::sleep(Duration::from_millis(300)).await;
    desktop.click(&notification).await?;
    find(&window.driver, "[data-testid=alert-row]").await?;
    let at = window.driver.execute("return location.hash", vec![]).await?;
    ensure!(
        at.json().as_str().is_some_and(|h| h.starts_with("#/alerts/")),
        "the click opens the alert: {}",
        at.json()
    );
    settle(&window.driver).await?;
    screens::save("window-alert", &window.driver.screenshot_as_png().await?);

    // Every page answers in the window too: its policy and its transport are its own.
    for (name, route, ready) in [
        ("window-history", "#/history", "#history-total"),
        ("window-budgets", "#/budgets", "[data-testid=budget-row]"),
        ("window-meters", "#/meters", "[data-testid=meter-row]"),
    ] {
        window.driver.execute(format!("location.hash = '{route}'"), vec![]).await?;
        find(&window.driver, ready).await?;
        tokio::time::sleep(Duration::from_millis(700)).await;
        screens::save(name, &window.driver.screenshot_as_png().await?);
    }
    window.close().await
}
