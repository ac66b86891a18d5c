//! The demo home in a real browser: values, the alert, every screen in three looks, the keyboard,
//! and what axe-core says.

use anyhow::{Result, ensure};
use hearthwatt_api::{Event, GetOverview, ListAlerts, ListBudgets, ListMeters};
use hearthwatt_tests::browser::{self, Browser, LOOKS, Look, find, settle, text_when};
use hearthwatt_tests::hub::{Hub, page};
use hearthwatt_tests::{pass_over, screens};
use jiff::civil::Date;
use std::time::{Duration, Instant};

/// Name of the picture, route, what must be there before it is taken.
const SCREENS: &[(&str, &str, &str)] = &[
    ("now", "#/", "#power-now"),
    ("history", "#/history", "#history-total"),
    ("budgets", "#/budgets", "[data-testid=budget-row]"),
    ("alerts", "#/alerts", "[data-testid=alert-row]"),
    ("meters", "#/meters", "[data-testid=meter-row]"),
    ("settings", "#/home", "[data-testid=tariff-row]"),
];

fn ready() -> bool {
    if !browser::available() {
        pass_over("Chromium or its driver is missing");
        return false;
    }
    assert!(page().join("ui_bg.wasm").exists(), "the page is built: cargo xtask ui");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_home_lives_and_alerts_within_two_minutes() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    let mut hub = Hub::start(folder.path(), &["--demo"]);
    let mut events = hub.events().await;
    let browser = Browser::open().await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(&hub.url).await?;
    let shown = text_when(&browser.driver, "#power-now", Duration::from_secs(30), |t| {
        t.contains("W") && t.chars().any(|c| c.is_ascii_digit())
    })
    .await?;
    println!("first value {shown:?} after {:?}", started.elapsed());

    let meters = hub.call(ListMeters {}).await;
    ensure!(meters.adopted.len() >= 8, "{} meters", meters.adopted.len());
    let families: std::collections::BTreeSet<_> =
        meters.adopted.iter().map(|m| &m.meter.key.family).collect();
    ensure!(families.len() >= 4, "{families:?}");
    let refused: u64 = meters.adopted.iter().map(|m| m.refused).sum::<u64>() + meters.refused_elsewhere;
    ensure!(refused == 0, "the demo's own messages are understood: {refused} refused, {meters:?}");

    let alert = tokio::time::timeout(Duration::from_secs(120), async {
        while let Some(event) = events.recv().await {
            if let Event::AlertRaised { alert } = event {
                return Some(alert);
            }
        }
        None
    })
    .await?;
    let alert = alert.expect("the stream goes on");
    println!("alert {:?} after {:?}", alert.cause, started.elapsed());
    ensure!(hub.call(ListAlerts { unacknowledged_only: true }).await.iter().any(|a| a.id == alert.id));
    ensure!(!hub.call(ListBudgets {}).await.is_empty());

    for look in LOOKS {
        browser.look(look).await?;
        for (name, route, ready) in SCREENS {
            browser.driver.goto(format!("{}{route}", hub.url)).await?;
            find(&browser.driver, ready).await?;
            // charts are drawn after their data came
            tokio::time::sleep(Duration::from_millis(700)).await;
            let png = browser.picture().await?;
            screens::save(&format!("{name}-{}", look.name()), &png);
            let (width, _) = look.size();
            let wide = browser.driver.execute("return document.documentElement.scrollWidth", vec![]).await?;
            ensure!(
                wide.json().as_u64().is_some_and(|w| w <= u64::from(width)),
                "{name} scrolls sideways in {look:?}: {} > {width}",
                wide.json()
            );
            let found = browser.accessibility().await?;
            ensure!(found.is_empty(), "axe-core on {name}, {look:?}:\n{}", found.join("\n"));
        }
    }
    let console = browser.console().await?;
    ensure!(console.is_empty(), "the console is quiet: {console:#?}");
    browser.close().await?;
    hub.program.terminate(Duration::from_secs(10));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_guide_offers_the_demo() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    for look in LOOKS {
        browser.look(look).await?;
        browser.driver.goto(&hub.url).await?;
        find(&browser.driver, "main h1, main h2").await?;
        settle(&browser.driver).await?;
        if look == Look::Light {
            // nothing found after ten seconds: the three ways
            find(&browser.driver, "[data-testid=try-demo]").await?;
            tokio::time::sleep(Duration::from_secs(11)).await;
        }
        screens::save(&format!("first-run-{}", look.name()), &browser.picture().await?);
        let found = browser.accessibility().await?;
        ensure!(found.is_empty(), "axe-core on the first run, {look:?}:\n{}", found.join("\n"));
    }
    browser.look(Look::Light).await?;
    find(&browser.driver, "[data-testid=try-demo]").await?.click().await?;
    text_when(&browser.driver, "#power-now", Duration::from_secs(60), |t| t.contains("W")).await?;
    ensure!(hub.call(GetOverview {}).await.demo);
    find(&browser.driver, "[data-testid=leave-demo]").await?.click().await?;
    hub.wait_for("the home is one's own again", Duration::from_secs(20), GetOverview {}, |o| {
        (!o.demo).then_some(())
    })
    .await;
    find(&browser.driver, "[data-testid=try-demo]").await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_with_the_keyboard() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--demo"]);
    let browser = Browser::open().await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(&hub.url).await?;
    find(&browser.driver, "#power-now").await?;
    // Tab to the link of History and press Enter, as a person without a mouse does.
    let mut ring = false;
    for step in 0.. {
        ensure!(step < 40, "Tab does not reach the link to History");
        browser.press("Tab").await?;
        let focus = browser
            .driver
            .execute(
                "const e = document.activeElement; const s = getComputedStyle(e); \
                 return [e.getAttribute('href') || '', s.outlineStyle !== 'none' || s.boxShadow !== 'none']",
                vec![],
            )
            .await?;
        ring |= focus.json()[1].as_bool().unwrap_or(false);
        if focus.json()[0].as_str().is_some_and(|href| href.ends_with("#/history")) {
            break;
        }
    }
    ensure!(ring, "what has the focus is seen");
    browser.press("Enter").await?;
    find(&browser.driver, "#history-total").await?;
    // The chart's cursor moves by arrow keys and says its value.
    let chart = find(&browser.driver, "main [data-chart]").await?;
    browser.driver.execute("arguments[0].focus()", vec![chart.to_json()?]).await?;
    browser.press("Home").await?;
    let first = find(&browser.driver, "main [data-testid=chart-reading]").await?.text().await?;
    browser.press("ArrowRight").await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let second = find(&browser.driver, "main [data-testid=chart-reading]").await?.text().await?;
    ensure!(first != second && !second.is_empty(), "the cursor moves: {first:?}, then {second:?}");
    browser.close().await
}

/// Pictures of *History* around a day, for a home that is already filled.
pub async fn pictures_of_history(hub: &Hub, prefix: &str, day: Date) -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let browser = Browser::open().await?;
    for look in LOOKS {
        browser.look(look).await?;
        for period in ["day", "month", "year"] {
            browser.driver.goto(format!("{}#/history?by={period}&on={day}", hub.url)).await?;
            find(&browser.driver, "#history-total").await?;
            tokio::time::sleep(Duration::from_millis(700)).await;
            screens::save(&format!("{prefix}-{period}-{}", look.name()), &browser.picture().await?);
        }
    }
    browser.close().await
}
