//! A household in the browser, against the real server: sign in with a code, share, invite, let
//! in, disagree, decide, and send a device away. Its pictures are those of the documentation.

use crate::sign_in::{SOON, begin};
use anyhow::{Context, Result, ensure};
use hearthwatt_api::{
    GetAccount, GetSettings, ListBudgets, ListConflicts, SaveBudget, SaveSettings, Settings, SyncState,
};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use hearthwatt_tests::account::Person;
use hearthwatt_tests::browser::{self, Browser, LOOKS, Look, find, text_when};
use hearthwatt_tests::hub::{Hub, HubOptions};
use hearthwatt_tests::server::Server;
use hearthwatt_tests::{pass_over, screens, sign_in};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use thirtyfour::By;
use uuid::Uuid;

fn kwh(kwh: f64) -> Amount {
    Amount::Energy(Energy::from_kwh(kwh))
}

fn budget(limit: f64) -> Budget {
    Budget {
        id: BudgetId(Uuid::new_v4()),
        name: "Electricity".into(),
        scope: Scope::Home,
        limit: kwh(limit),
        period: Period::Month,
        thresholds: vec![80, 100],
        warn_on_forecast: true,
        created: UnixMillis(1_760_000_000_000),
    }
}

/// A hub on a computer of that name, where the machine lets a test give one.
fn hub(folder: &Path, name: &str) -> Hub {
    let mut options = HubOptions::arguments(&["--discovery", "off"]);
    let can = Command::new("unshare").args(["--uts", "hostname", name]).output();
    if can.is_ok_and(|o| o.status.success()) {
        let script = "hostname \"$0\"; exec \"$@\"";
        options.through = ["unshare", "--uts", "sh", "-c", script, name].map(String::from).to_vec();
    }
    Hub::start_with(folder, &options)
}

/// In every look, without a finding of axe-core.
async fn pictures(page: &Browser, name: &str) -> Result<()> {
    for look in LOOKS {
        page.look(look).await?;
        screens::save(&format!("{name}-{}", look.name()), &page.whole_picture(look).await?);
        let found = page.accessibility().await?;
        ensure!(found.is_empty(), "axe-core on {name}, {look:?}:\n{}", found.join("\n"));
    }
    page.look(Look::Light).await
}

/// In the person's own browser: the link beside the code, then the question of the server.
async fn let_device_in(page: &Browser, person: &Browser) -> Result<()> {
    text_when(&page.driver, "[data-testid=user-code]", SOON, |t| t.len() >= 8).await?;
    let link = find(&page.driver, "[data-testid=sign-in-link]").await?.attr("href").await?;
    person.driver.goto(link.context("the link leads somewhere")?).await?;
    if !person.driver.find_all(By::Css("form[action='/account/sign-in'] input[name=email]")).await?.is_empty()
    {
        sign_in::with_password(person, "jonas@example.org").await?;
    }
    // a code that came with the link is confirmed first
    find(&person.driver, "button[value=allow], input[name=user_code]").await?;
    if person.driver.find_all(By::Css("button[value=allow]")).await?.is_empty() {
        find(&person.driver, "form button[type=submit]").await?.click().await?;
    }
    sign_in::allow(person).await
}

async fn click(page: &Browser, test_id: &str) -> Result<()> {
    let button = find(&page.driver, &format!("[data-testid={test_id}]")).await?;
    button.scroll_into_view().await?;
    Ok(button.click().await?)
}

async fn up_to_date(hub: &Hub) {
    hub.wait_for("up to date", SOON, GetAccount {}, |a| (a.sync.state == SyncState::UpToDate).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_comes_together_disagrees_and_decides() -> Result<()> {
    if !browser::available() {
        pass_over("Chromium or its driver is missing");
        return Ok(());
    }
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?];
    let mut server = Server::start(folders[0].path(), &[]);
    let (url, port) = (server.url.clone(), server.port());
    let mara = Browser::open().await?;
    sign_in::first_account(&mara, &url, "Mara", "mara@example.org").await?;
    Person::register(&server, "Jonas").await?;
    let jonas = Browser::open().await?;

    // --- a home of one's own, then shared
    let laptop = hub(folders[1].path(), "laptop");
    let settings = laptop.call(GetSettings {}).await;
    laptop.call(SaveSettings { settings: Settings { home_name: "Lindenweg 3".into(), ..settings } }).await;
    let mut common = budget(300.0);
    laptop.call(SaveBudget { budget: common.clone() }).await;
    let page = Browser::open().await?;
    page.look(Look::Light).await?;
    page.driver.goto(format!("{}#/sharing", laptop.url)).await?;
    find(&page.driver, "[data-testid=sign-in]").await?;
    pictures(&page, "household-signed-out").await?;
    begin(&page.driver, &url).await?;
    let_device_in(&page, &mara).await?;
    text_when(&page.driver, "[data-testid=account-name]", SOON, |t| t == "Mara").await?;
    click(&page, "share-home").await?;
    text_when(&page.driver, "[data-testid=sync-state]", SOON, |t| t == "Up to date").await?;

    // --- somebody else, by the link
    click(&page, "invite").await?;
    find(&page.driver, "[data-testid=invitation] [data-testid=qr]").await?;
    pictures(&page, "household-invitation").await?;
    let link = find(&page.driver, "#invitation-link").await?.prop("value").await?.context("a link")?;
    let tablet = hub(folders[2].path(), "kitchen-tablet");
    let other = Browser::open().await?;
    other.look(Look::Light).await?;
    other.driver.goto(format!("{}#/sharing", tablet.url)).await?;
    find(&other.driver, "#invited-link").await?.send_keys(&link).await?;
    other.press("Enter").await?;
    let_device_in(&other, &jonas).await?;
    text_when(&other.driver, "[data-testid=home-row]", SOON, |t| t.contains("still has to confirm")).await?;
    // the owner's page is told by itself, within the time between two looks
    let waiting = Duration::from_secs(60);
    text_when(&page.driver, "[data-testid=members-card]", waiting, |t| t.contains("Let in")).await?;
    click(&page, "member-confirm").await?;
    text_when(&page.driver, "[data-testid=members-card]", SOON, |t| {
        t.contains("Jonas") && !t.contains("Let in")
    })
    .await?;
    // whoever waits is told when the page is looked at again
    let let_in = Instant::now();
    while other.driver.find_all(By::Css("[data-testid=join]")).await?.is_empty() {
        ensure!(let_in.elapsed() < waiting, "the tablet hears that it was let in");
        other.driver.refresh().await?;
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    click(&other, "join").await?;
    let asked = text_when(&other.driver, "[data-testid=join-form]", SOON, |t| !t.is_empty()).await?;
    ensure!(asked.contains("Nothing is deleted") && asked.contains("can't be undone"), "{asked}");
    click(&other, "join-do").await?;
    text_when(&other.driver, "[data-testid=sync-line]", SOON, |t| t.contains("Up to date")).await?;
    up_to_date(&tablet).await;
    let there =
        tablet.wait_for("the budget came along", SOON, ListBudgets {}, |b| b.into_iter().next()).await;
    ensure!(there.budget == common, "{there:?}");
    page.driver.refresh().await?;
    text_when(&page.driver, "[data-testid=devices-card]", SOON, |t| t.matches("of Jonas").count() == 1)
        .await?;
    pictures(&page, "household-people").await?;

    // --- both change one thing without hearing of each other
    server.program.terminate(SOON);
    for (hub, limit) in [(&laptop, 280.0), (&tablet, 320.0)] {
        common.limit = kwh(limit);
        hub.wait_for("the server is missed", SOON, GetAccount {}, |a| {
            matches!(a.sync.state, SyncState::Unreachable { .. } | SyncState::Connecting).then_some(())
        })
        .await;
        hub.call(SaveBudget { budget: common.clone() }).await;
    }
    text_when(&page.driver, "[data-testid=sync-line]", SOON, |t| t.contains("One change waiting")).await?;
    let store = format!("sqlite:{}", folders[0].path().join("server.sqlite").display());
    let _server = Server::start_on(&store, folders[0].path(), port, &[]);
    let said = text_when(&page.driver, "[data-testid=conflict-row]", SOON, |t| t.contains("320")).await?;
    ensure!(said.contains("this device set 280 kWh") && said.contains("set 320 kWh"), "{said}");
    pictures(&page, "household-conflict").await?;
    let choices = page.driver.find_all(By::Css("[data-testid=conflict-choice]")).await?;
    for choice in choices {
        if choice.text().await?.contains("320") {
            choice.click().await?;
            break;
        }
    }
    for hub in [&laptop, &tablet] {
        hub.wait_for("decided", SOON, ListConflicts {}, |c| c.is_empty().then_some(())).await;
        hub.wait_for("agreed", SOON, ListBudgets {}, |b| {
            b.iter().any(|s| s.budget.limit == kwh(320.0)).then_some(())
        })
        .await;
    }

    // --- a device that is sent away is told, and keeps what it has
    for row in page.driver.find_all(By::Css("[data-testid=device-row]")).await? {
        if row.text().await?.contains("of Jonas") {
            let remove = row.find(By::Css("button")).await?;
            remove.scroll_into_view().await?;
            remove.click().await?;
            click(&page, "ask-confirm").await?;
            break;
        }
    }
    other.driver.goto(format!("{}#/budgets", tablet.url)).await?;
    text_when(&other.driver, "[data-testid=sync-line]", SOON, |t| t.contains("This device was removed"))
        .await?;
    find(&other.driver, "[data-testid=sharing-banner]").await?;
    ensure!(tablet.call(ListBudgets {}).await.len() == 1, "what it had stays");
    for browser in [mara, jonas, page, other] {
        browser.close().await?;
    }
    Ok(())
}
