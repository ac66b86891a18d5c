//! Opening the page on the demo home: first paint, first value, the year's chart; bytes over the wire.

use crate::report::Report;
use anyhow::Result;
use hearthwatt_tests::browser::{Browser, Look, find, settle, text_when};
use hearthwatt_tests::hub::Hub;
use std::time::{Duration, Instant};

pub async fn measure(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--demo"]);
    for _ in 0..report.rounds {
        // a new profile each time: nothing is cached
        let browser = Browser::open().await?;
        browser.look(Look::Light).await?;
        browser.driver.goto(&hub.url).await?;
        text_when(&browser.driver, "#power-now", Duration::from_secs(30), |t| t.contains('W')).await?;
        settle(&browser.driver).await?;
        let answer = browser
            .driver
            .execute(
                "const fcp = performance.getEntriesByName('first-contentful-paint')[0]?.startTime; \
                 const bytes = performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')) \
                 .reduce((n, e) => n + (e.transferSize || 0), 0); \
                 return { fcp, bytes, heap: performance.memory?.usedJSHeapSize }",
                vec![],
            )
            .await?;
        let number = |key: &str| answer.json()[key].as_f64().unwrap_or(f64::NAN);
        report.add("browser_first_paint_ms", number("fcp"));
        report.add("browser_transfer_kb", number("bytes") / 1024.0);
        report.add("browser_heap_mb", number("heap") / 1048576.0);
        let asked = Instant::now();
        browser.driver.execute("location.hash = '#/history?by=year'", vec![]).await?;
        find(&browser.driver, "#history-total").await?;
        settle(&browser.driver).await?;
        report.add("browser_year_ms", asked.elapsed().as_secs_f64() * 1000.0);
        browser.close().await?;
    }
    Ok(())
}
