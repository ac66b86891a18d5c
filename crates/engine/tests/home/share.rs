//! Two homes share one through the real server, in this process: signing in with a code against
//! its pages, editing on both sides and apart, usage counted once, access that ends.

use crate::document::{budget, meter, stored};
use crate::*;
use hearthwatt_domain::budget::{Amount, Budget, BudgetStatus};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::units::Energy;
use hearthwatt_engine::Preset;
use hearthwatt_server::app::RealWorld;
use hearthwatt_server::store::Store as ServerStore;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::{App, Config};
use std::collections::BTreeMap;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

struct Server {
    url: String,
    port: u16,
    store: Arc<dyn ServerStore>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        Self::on(0, Arc::new(Memory::default())).await
    }

    async fn on(port: u16, store: Arc<dyn ServerStore>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let config = <Config as clap::Parser>::parse_from(["hearthwatt-server", "--public-url", &url]);
        let app = App::new(config, store.clone(), Arc::new(RealWorld)).await.unwrap();
        app.start();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(hearthwatt_server::http::serve(listener, None, app, async {
            let _ = stopped.await;
        }));
        Self { url, port, store, stop: Some(stop), task }
    }

    /// The process ends; the store stays.
    async fn end(mut self) -> (u16, Arc<dyn ServerStore>) {
        drop(self.stop.take());
        timeout(PATIENCE, &mut self.task).await.unwrap().unwrap();
        (self.port, self.store)
    }
}

/// A browser that keeps cookies and fills in forms.
struct Browser {
    url: String,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url: url.into(), client, cookies: BTreeMap::new() }
    }

    /// With the first account of the server.
    async fn first(url: &str) -> Self {
        let mut browser = Self::new(url);
        let fields =
            [("name", "Ada"), ("email", "ada@example.org"), ("password", "a long enough pass phrase")];
        browser.form("/", &fields).await;
        browser
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        assert!(response.status().as_u16() < 400, "{}", response.status());
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        response.text().await.unwrap()
    }

    async fn form(&mut self, path: &str, fields: &[(&str, &str)]) {
        let page = self.client.get(format!("{}{path}", self.url));
        let page = self.send(page).await;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        let posted = self.client.post(format!("{}{path}", self.url)).form(&all);
        self.send(posted).await;
    }

    async fn allow(&mut self, code: &str) {
        self.form("/device", &[("user_code", code)]).await;
        self.form("/device", &[("user_code", code), ("decision", "allow")]).await;
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    // what others recorded is asked for every 20 s
    let end = Instant::now() + 2 * PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn account(home: &Home) -> Account {
    home.GetAccount(GetAccount {}).await.unwrap()
}

async fn sign_in(home: &Home, browser: &mut Browser) {
    let begun = home.SignIn(SignIn { server: browser.url.clone() }).await.unwrap();
    let AccountState::SigningIn { user_code: Some(code), .. } = begun.state else { panic!("{begun:?}") };
    browser.allow(&code).await;
    until("signed in", async || {
        matches!(account(home).await.state, AccountState::SignedIn { .. }).then_some(())
    })
    .await;
}

async fn in_state(home: &Home, what: &str, fits: impl Fn(&SyncState) -> bool) {
    until(what, async || fits(&account(home).await.sync.state).then_some(())).await;
}

async fn up_to_date(home: &Home) {
    in_state(home, "up to date", |s| *s == SyncState::UpToDate).await;
}

async fn budgets(home: &Home) -> BTreeMap<BudgetId, BudgetStatus> {
    home.ListBudgets(ListBudgets {}).await.unwrap().into_iter().map(|b| (b.budget.id, b)).collect()
}

async fn save(home: &Home, budget: &Budget) {
    home.SaveBudget(SaveBudget { budget: budget.clone() }).await.unwrap();
}

async fn shows(home: &Home, what: &str, wanted: &Budget) {
    until(what, async || {
        (budgets(home).await.get(&wanted.id).map(|b| &b.budget) == Some(wanted)).then_some(())
    })
    .await;
}

fn named(options: HomeOptions, name: &str) -> HomeOptions {
    HomeOptions { device_name: name.into(), ..options }
}

struct Pair {
    server: Server,
    browser: Browser,
    clock: Arc<TestClock>,
    folders: [tempfile::TempDir; 2],
    kitchen: Home,
    phone: Home,
    id: Uuid,
}

fn kitchen_options(folder: &Path, clock: &Arc<TestClock>) -> HomeOptions {
    named(options(folder, clock.clone(), None), "Kitchen tablet")
}

fn phone_options(folder: &Path, clock: &Arc<TestClock>) -> HomeOptions {
    named(options(folder, clock.clone(), None), "Ada's phone")
}

/// One shares its home, with a meter and a budget in it; the other takes it in place of its own.
async fn pair(mode: JoinMode) -> Pair {
    let server = Server::start().await;
    let mut browser = Browser::first(&server.url).await;
    let clock = TestClock::at(START);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let kitchen = Home::open(kitchen_options(folders[0].path(), &clock)).await.unwrap();
    let phone = Home::open(phone_options(folders[1].path(), &clock)).await.unwrap();
    kitchen.configure(Preset { meters: vec![meter("grid")], ..Preset::default() }).await.unwrap();
    save(&kitchen, &budget(1)).await;
    save(&phone, &budget(2)).await;
    sign_in(&kitchen, &mut browser).await;
    kitchen.ShareHome(ShareHome {}).await.unwrap();
    up_to_date(&kitchen).await;
    sign_in(&phone, &mut browser).await;
    let id = account(&kitchen).await.home.unwrap().id;
    until("offered", async || account(&phone).await.homes.iter().any(|h| h.id == id).then_some(())).await;
    phone.JoinHome(JoinHome { home: id, mode }).await.unwrap();
    let phone = match phone.reopen() {
        true => {
            phone.close().await;
            Home::open(phone_options(folders[1].path(), &clock)).await.unwrap()
        }
        false => phone,
    };
    up_to_date(&phone).await;
    Pair { server, browser, clock, folders, kitchen, phone, id }
}

impl Pair {
    async fn close(self) {
        self.kitchen.close().await;
        self.phone.close().await;
        self.server.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_is_shared_edited_on_both_sides_and_apart() {
    let p = pair(JoinMode::Replace).await;
    assert_eq!(account(&p.phone).await.home.unwrap().id, p.id);
    shows(&p.phone, "what was there before", &budget(1)).await;
    assert_eq!(budgets(&p.phone).await.len(), 1, "its own home was put aside");
    let aside = std::fs::read_dir(p.folders[1].path()).unwrap().flatten();
    assert!(aside.into_iter().any(|e| e.file_name().to_string_lossy().starts_with("aside-")));
    let adopted = p.phone.ListMeters(ListMeters {}).await.unwrap().adopted;
    assert_eq!(adopted[0].meter, meter("grid"));

    // each way
    let mut shared = budget(1);
    shared.name = "Ours".into();
    save(&p.phone, &shared).await;
    shows(&p.kitchen, "the phone's edit", &shared).await;
    p.kitchen.DeleteBudget(DeleteBudget { id: shared.id }).await.unwrap();
    until("gone there too", async || budgets(&p.phone).await.is_empty().then_some(())).await;
    save(&p.kitchen, &shared).await;
    shows(&p.phone, "brought back", &shared).await;
    let mut settings = p.phone.GetSettings(GetSettings {}).await.unwrap();
    (settings.bill_day, settings.time_zone, settings.notifications) = (12, "Europe/Lisbon".into(), false);
    p.phone.SaveSettings(SaveSettings { settings }).await.unwrap();
    let settings = until("the zone", async || {
        let s = p.kitchen.GetSettings(GetSettings {}).await.unwrap();
        (s.time_zone == "Europe/Lisbon").then_some(s)
    })
    .await;
    assert_eq!((settings.bill_day, settings.notifications), (12, true), "switches are each device's own");

    // apart: different fields of one budget, the same field of it, and a restart in between
    up_to_date(&p.kitchen).await;
    up_to_date(&p.phone).await;
    let Pair { server, browser, clock, folders, kitchen, phone, id } = p;
    let (port, store) = server.end().await;
    for home in [&kitchen, &phone] {
        in_state(home, "the server is missed", |s| matches!(s, SyncState::Unreachable { .. })).await;
    }
    let theirs =
        Budget { name: "Kitchen's".into(), limit: Amount::Energy(Energy::from_kwh(30.0)), ..shared.clone() };
    let ours =
        Budget { thresholds: vec![50], limit: Amount::Energy(Energy::from_kwh(28.0)), ..shared.clone() };
    save(&kitchen, &theirs).await;
    save(&phone, &ours).await;
    until("it waits", async || (account(&kitchen).await.sync.waiting >= 1).then_some(())).await;
    phone.close().await;
    let phone = Home::open(phone_options(folders[1].path(), &clock)).await.unwrap();
    until("it still waits", async || (account(&phone).await.sync.waiting == 1).then_some(())).await;
    let server = Server::on(port, store).await;
    for home in [&kitchen, &phone] {
        until("both names", async || {
            let b = budgets(home).await.remove(&shared.id)?.budget;
            (b.name == "Kitchen's" && b.thresholds == [50]).then_some(())
        })
        .await;
        up_to_date(home).await;
    }
    let agreed = budgets(&kitchen).await;
    assert_eq!(agreed[&shared.id].budget, budgets(&phone).await[&shared.id].budget);

    // asked in words, decided once
    let conflict =
        until("a conflict", async || phone.ListConflicts(ListConflicts {}).await.unwrap().pop()).await;
    assert_eq!((conflict.field.as_str(), conflict.entity), ("limit", shared.id.0));
    let conflict = until("who it was", async || {
        let all = phone.ListConflicts(ListConflicts {}).await.unwrap();
        all.into_iter().find(|c| c.words.contains("Kitchen tablet set 30 kWh"))
    })
    .await;
    assert!(conflict.words.contains("this device set 28 kWh"), "{}", conflict.words);
    let wanted = conflict.choices.iter().position(|c| c.text == "30 kWh").unwrap();
    let call = ResolveConflict { id: conflict.id.clone(), choice: wanted as u32 };
    assert!(phone.ResolveConflict(call).await.unwrap().is_empty());
    until("settled there too", async || {
        kitchen.ListConflicts(ListConflicts {}).await.unwrap().is_empty().then_some(())
    })
    .await;
    for home in [&kitchen, &phone] {
        shows(home, "thirty", &Budget { thresholds: vec![50], ..theirs.clone() }).await;
    }
    let devices = until("devices", async || {
        let list = kitchen.ListDevices(ListDevices {}).await.unwrap().devices;
        (list.len() == 2).then_some(list)
    })
    .await;
    assert!(devices.iter().any(|d| d.name == "Ada's phone" && !d.here && d.removable), "{devices:?}");

    // a device is removed: told, cut off, and keeps the home
    let phone_id = devices.iter().find(|d| !d.here).unwrap().id;
    kitchen.RemoveDevice(RemoveDevice { device: phone_id }).await.unwrap();
    in_state(&phone, "removed", |s| *s == SyncState::Removed).await;
    assert!(account(&phone).await.notice.is_some());
    save(&kitchen, &budget(3)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(budgets(&phone).await.len(), 1, "it hears nothing any more and has what it had");
    save(&phone, &budget(4)).await;
    Pair { server, browser, clock, folders, kitchen, phone, id }.close().await;
}

/// A register that rises by `kwh` an hour.
fn register(from: UnixMillis, hours: i64, kwh: f64) -> Vec<Reading> {
    (0..=hours * 12)
        .map(|i| Reading {
            meter: meter("grid").id,
            channel: Channel::TOTAL,
            quantity: Quantity::EnergyImport,
            at: from.plus_ms(i * 300_000),
            value: 1000.0 * kwh * i as f64 / 12.0,
        })
        .collect()
}

async fn month_kwh(home: &Home) -> f64 {
    let anchor = jiff::civil::date(2026, 3, 2);
    let call = GetHistory { resolution: HistoryPeriod::Month, anchor, compare: Compare::None, meter: None };
    (home.GetHistory(call).await.unwrap().total.used.kwh() * 1000.0).round() / 1000.0
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_others_recorded_is_shown_and_counted_once() {
    let p = pair(JoinMode::Merge).await;
    assert_eq!(budgets(&p.phone).await.len(), 2, "both homes in one");
    shows(&p.kitchen, "the phone's budget", &budget(2)).await;
    // 2026-03-01 and 02, whole days; the kitchen adopted the meter first
    let begin = UnixMillis(1_772_323_200_000);
    p.kitchen.import(register(begin, 30, 0.5)).await.unwrap();
    until("history of the kitchen", async || (month_kwh(&p.phone).await == 15.0).then_some(())).await;
    // the phone heard some of it too
    p.phone.import(register(begin, 20, 0.5)).await.unwrap();
    assert_eq!(month_kwh(&p.phone).await, 15.0, "never added");
    until("sent", async || (account(&p.phone).await.sync.blocks_waiting == 0).then_some(())).await;
    // the second day goes on: its block comes again under a higher revision
    p.kitchen.import(register(begin, 48, 0.5)).await.unwrap();
    until("the new revision", async || (month_kwh(&p.phone).await == 24.0).then_some(())).await;
    assert_eq!(month_kwh(&p.kitchen).await, 24.0);
    let used = Amount::Energy(Energy::from_kwh(24.0));
    for home in [&p.kitchen, &p.phone] {
        until("judged on it", async || (budgets(home).await[&budget(1).id].spent == used).then_some(()))
            .await;
    }
    // both raise the same alerts, and they are one
    let alerts = async |home: &Home| {
        let mut all = home.ListAlerts(ListAlerts { unacknowledged_only: false }).await.unwrap();
        all.sort_by_key(|a| a.id);
        all
    };
    let agreed = until("the same alerts", async || {
        let (one, two) = (alerts(&p.kitchen).await, alerts(&p.phone).await);
        (one == two && one.len() >= 4).then_some(one)
    })
    .await;
    let ids: std::collections::BTreeSet<_> = agreed.iter().map(|a| a.id).collect();
    assert_eq!(ids.len(), agreed.len());
    p.kitchen.AcknowledgeAlert(AcknowledgeAlert { id: agreed[0].id }).await.unwrap();
    until("acknowledged there too", async || {
        alerts(&p.phone)
            .await
            .iter()
            .any(|a| a.id == agreed[0].id && a.acknowledged_at.is_some())
            .then_some(())
    })
    .await;
    p.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_keeps_or_wipes_and_works_without_the_server() {
    let p = pair(JoinMode::Replace).await;
    let Pair { server, browser: _, clock, folders, kitchen, phone, .. } = p;
    let phone_folder = folders[1].path();
    let tokens = std::fs::read_to_string(phone_folder.join("secrets.json")).unwrap();
    assert!(tokens.contains("account/"), "no keyring here: in the file");
    let out = phone.SignOut(SignOut { wipe: false }).await.unwrap();
    assert_eq!((out.state, out.sync.state), (AccountState::SignedOut, SyncState::Off));
    assert_eq!(budgets(&phone).await.len(), 1);
    assert!(!std::fs::read_to_string(phone_folder.join("secrets.json")).unwrap().contains("account/"));
    // what is edited meanwhile is there for the next time
    save(&phone, &budget(5)).await;
    phone.close().await;
    assert_eq!(stored(phone_folder).0.budgets().items.len(), 2);
    let (port, store) = server.end().await;
    kitchen.SignOut(SignOut { wipe: true }).await.unwrap();
    assert!(kitchen.reopen());
    kitchen.close().await;
    let kitchen = Home::open(kitchen_options(folders[0].path(), &clock)).await.unwrap();
    assert!(
        budgets(&kitchen).await.is_empty()
            && kitchen.ListMeters(ListMeters {}).await.unwrap().adopted.is_empty()
    );
    assert_eq!(account(&kitchen).await.state, AccountState::SignedOut);
    // and back again from the server
    let server = Server::on(port, store).await;
    let phone = Home::open(phone_options(phone_folder, &clock)).await.unwrap();
    let mut browser = Browser::new(&server.url);
    browser
        .form("/account/sign-in", &[("email", "ada@example.org"), ("password", "a long enough pass phrase")])
        .await;
    sign_in(&phone, &mut browser).await;
    up_to_date(&phone).await;
    sign_in(&kitchen, &mut browser).await;
    let home = until("offered", async || account(&kitchen).await.homes.first().map(|h| h.id)).await;
    kitchen.JoinHome(JoinHome { home, mode: JoinMode::Merge }).await.unwrap();
    shows(&kitchen, "what was edited while signed out", &budget(5)).await;
    kitchen.close().await;
    phone.close().await;
    server.end().await;
}
