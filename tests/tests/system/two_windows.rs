//! Two windows share a home: what is edited in one shows in the other, both go on without the
//! server, and agree when it is back.

use crate::sign_in::{SOON, begin, ready, signed_in_as};
use anyhow::{Result, ensure};
use hearthwatt_api::{
    GetAccount, JoinHome, JoinMode, ListBudgets, ListConflicts, ResolveConflict, SaveBudget, ShareHome,
    SyncState,
};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use hearthwatt_tests::browser::{Browser, find, text_when};
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::server::Server;
use hearthwatt_tests::window::{Screen, Window, next_opened};
use hearthwatt_tests::{screens, sign_in};
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// In which an edit shows in the other window.
const AT_ONCE: Duration = Duration::from_secs(1);

fn budget(name: &str, kwh: f64) -> Budget {
    Budget {
        id: BudgetId(Uuid::new_v4()),
        name: name.to_owned(),
        scope: Scope::Home,
        limit: Amount::Energy(Energy::from_kwh(kwh)),
        period: Period::Month,
        thresholds: vec![80, 100],
        warn_on_forecast: false,
        created: UnixMillis(1_760_000_000_000),
    }
}

async fn sign_in_window(window: &Window, folder: &Path, browser: &Browser, server: &str) -> Result<()> {
    begin(&window.driver, server).await?;
    browser.driver.goto(next_opened(folder, 0).await).await?;
    sign_in::allow(browser).await?;
    window.wait_for("signed in", SOON, GetAccount {}, |a| signed_in_as(a, "ada@example.org")).await;
    Ok(())
}

async fn up_to_date(window: &Window) {
    window
        .wait_for("up to date", SOON, GetAccount {}, |a| (a.sync.state == SyncState::UpToDate).then_some(()))
        .await;
}

/// Waits until the page shows a text among its budgets, and says how long that took.
async fn shows(window: &Window, text: &str, since: Instant) -> Result<Duration> {
    text_when(&window.driver, "main", SOON, |t| t.contains(text)).await?;
    Ok(since.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_share_a_home_and_agree_after_the_server_was_away() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let server_folder = tempfile::tempdir()?;
    let mut server = Server::start(server_folder.path(), &[]);
    let (url, port) = (server.url.clone(), server.port());
    let store = format!("sqlite:{}", server_folder.path().join("server.sqlite").display());
    let browser = Browser::open().await?;
    sign_in::first_account(&browser, &url, "Ada", "ada@example.org").await?;

    let screens_of = [Screen::start(), Screen::start()];
    let desktops = [Desktop::start().await?, Desktop::start().await?];
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let mut windows = Vec::new();
    for n in 0..2 {
        let folder = folders[n].path();
        let arguments = ["--discovery", "off"];
        let window = Window::open(&screens_of[n], &desktops[n].address, folder, &arguments).await?;
        sign_in_window(&window, folder, &browser, &url).await?;
        windows.push(window);
    }
    let [kitchen, study] = &windows[..] else { anyhow::bail!("two windows") };

    // the home of the one goes to the server, the other takes it
    kitchen.call(SaveBudget { budget: budget("Before sharing", 250.0) }).await?;
    kitchen.call(ShareHome {}).await?;
    up_to_date(kitchen).await;
    let home = kitchen.call(GetAccount {}).await?.home.map(|h| h.id).expect("shared");
    study
        .wait_for("the home is offered", SOON, GetAccount {}, |a| {
            a.homes.iter().any(|h| h.id == home).then_some(())
        })
        .await;
    study.call(JoinHome { home, mode: JoinMode::Replace }).await?;
    up_to_date(study).await;
    for window in &windows {
        window.driver.execute("location.hash = '#/budgets'", vec![]).await?;
        find(&window.driver, "[data-testid=budget-row]").await?;
    }
    shows(study, "Before sharing", Instant::now()).await?;

    // each direction, new and changed, seen on the screen
    let mut shared = budget("Heating", 300.0);
    let mut slowest = Duration::ZERO;
    for (n, (from, to)) in
        [(kitchen, study), (study, kitchen), (kitchen, study), (study, kitchen)].into_iter().enumerate()
    {
        shared.name = format!("Heating {n}");
        let begun = Instant::now();
        from.call(SaveBudget { budget: shared.clone() }).await?;
        slowest = slowest.max(shows(to, &shared.name, begun).await?);
    }
    println!("an edit shows in the other window after {slowest:?} at most");
    ensure!(slowest < AT_ONCE, "within a second: {slowest:?}");
    screens::save("two-windows", &study.driver.screenshot_as_png().await?);

    // the server is away: both go on, and say so
    up_to_date(kitchen).await;
    server.program.terminate(SOON);
    for (window, name, kwh) in [(kitchen, "Kitchen's", 310.0), (study, "Study's", 320.0)] {
        window
            .wait_for("the server is missed", SOON, GetAccount {}, |a| {
                matches!(a.sync.state, SyncState::Unreachable { .. } | SyncState::Connecting).then_some(())
            })
            .await;
        window.call(SaveBudget { budget: budget(name, 50.0) }).await?;
        shared.limit = Amount::Energy(Energy::from_kwh(kwh));
        window.call(SaveBudget { budget: shared.clone() }).await?;
        let waiting = window.call(GetAccount {}).await?.sync.waiting;
        ensure!(waiting >= 2, "{name}: {waiting} changes wait");
        shows(window, name, Instant::now()).await?;
    }

    // it is back: the same on both
    let _server = Server::start_on(&store, server_folder.path(), port, &[]);
    for window in &windows {
        up_to_date(window).await;
        for name in ["Before sharing", "Heating 3", "Kitchen's", "Study's"] {
            shows(window, name, Instant::now()).await?;
        }
    }
    let until = Instant::now() + SOON;
    let budgets = loop {
        let sorted = async |window: &Window| {
            let mut all: Vec<Budget> =
                window.call(ListBudgets {}).await?.into_iter().map(|b| b.budget).collect();
            all.sort_by_key(|b| b.id.0);
            anyhow::Ok(all)
        };
        let (one, two) = (sorted(kitchen).await?, sorted(study).await?);
        if one == two {
            break one;
        }
        ensure!(Instant::now() < until, "they differ:\n{one:?}\n{two:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    ensure!(budgets.len() == 4, "{budgets:?}");

    // both set the limit: asked in words, decided once for both
    let conflict = study
        .wait_for("the conflict", SOON, ListConflicts {}, |c| c.into_iter().find(|c| c.entity == shared.id.0))
        .await;
    ensure!(
        conflict.choices.len() == 2 && conflict.words.contains("310") && conflict.words.contains("320"),
        "{conflict:?}"
    );
    study.driver.execute("location.hash = '#/sharing'", vec![]).await?;
    find(&study.driver, "[data-testid=conflict-row]").await?;
    screens::save("window-conflict", &study.driver.screenshot_as_png().await?);
    let other = 1 - conflict.chosen;
    study.call(ResolveConflict { id: conflict.id.clone(), choice: other }).await?;
    for window in &windows {
        window.wait_for("no conflict", SOON, ListConflicts {}, |c| c.is_empty().then_some(())).await;
    }
    let limits: Vec<Amount> = {
        let mut limits = Vec::new();
        for window in &windows {
            let all = window.call(ListBudgets {}).await?;
            limits.extend(all.iter().filter(|b| b.budget.id == shared.id).map(|b| b.budget.limit));
        }
        limits
    };
    ensure!(limits.len() == 2 && limits[0] == limits[1], "{limits:?}");
    for window in windows {
        window.close().await?;
    }
    browser.close().await
}
