//! *Sharing* in a real browser, in every state it can be in, the part of the program played by the
//! test: pictures, what axe-core says, the keyboard, and that nothing jumps.

use anyhow::{Result, ensure};
use hearthwatt_api::*;
use hearthwatt_domain::budget::{Amount, Budget, BudgetStatus, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::Energy;
use hearthwatt_tests::browser::{self, Browser, LOOKS, Look, find, text_when};
use hearthwatt_tests::canned::Canned;
use hearthwatt_tests::hub::{Hub, page};
use hearthwatt_tests::{pass_over, screens};
use serde_json::json;
use std::time::Duration;
use thirtyfour::By;
use uuid::Uuid;

const SERVER: &str = "https://hearth.example.org";
const LINK: &str = "https://hearth.example.org/join/7KQ2-M4XT-9WPD-H3RC";
const SHORT: Duration = Duration::from_secs(10);

fn ready() -> bool {
    if !browser::available() {
        pass_over("Chromium or its driver is missing");
        return false;
    }
    assert!(page().join("ui_bg.wasm").exists(), "the page is built: cargo xtask ui");
    true
}

fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}
fn ago(minutes: i64) -> UnixMillis {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    UnixMillis(now.as_millis() as i64 - minutes * 60_000)
}

// ---------------------------------------------------------------- what the program says

fn signed_out() -> Account {
    Account {
        state: AccountState::SignedOut,
        sync: SyncView::OFF,
        home: None,
        homes: vec![],
        last_server: None,
        notice: None,
    }
}

fn signing_in(by_code: bool) -> Account {
    let page = format!("{SERVER}/device");
    let code = by_code.then(|| "WDJB-MJHT".to_owned());
    let state = AccountState::SigningIn {
        server: SERVER.into(),
        url: (!by_code).then(|| format!("{SERVER}/oauth/authorize?client_id=hearthwatt-app&state=Zk3")),
        verification_uri_complete: code.as_ref().map(|c| format!("{page}?user_code={c}")),
        verification_uri: by_code.then_some(page),
        user_code: code,
        expires_at: Some(ago(-10)),
    };
    Account { state, ..signed_out() }
}

fn signed_in(token_store: TokenStore) -> Account {
    let state = AccountState::SignedIn {
        server: SERVER.into(),
        name: "Mara Lindner".into(),
        email: "mara@example.org".into(),
        device: id(1),
        device_name: "Laptop".into(),
        token_store,
    };
    let home =
        |n, name: &str, role, state| HomeChoice { id: id(n), name: name.into(), role, state, here: false };
    Account {
        state,
        homes: vec![
            home(1, "Lindenweg 3", MemberRole::Owner, MemberState::Active),
            home(2, "Grandmother's house", MemberRole::Viewer, MemberState::Pending),
        ],
        ..signed_out()
    }
}

fn shared(role: MemberRole, state: SyncState, waiting: u32) -> Account {
    let home = SharedHome { id: id(1), name: "Lindenweg 3".into(), role, members_pending: 0 };
    let sync = SyncView { state, last_reached: Some(ago(125)), waiting, blocks_waiting: 0 };
    Account { home: Some(home), sync, homes: vec![], ..signed_in(TokenStore::Keyring) }
}

fn roster(may_manage: bool) -> Roster {
    let member = |n, name: &str, role, state, me| MemberView {
        id: id(n),
        name: name.into(),
        email: may_manage
            .then(|| format!("{}@example.org", name.split(' ').next().unwrap_or(name).to_lowercase())),
        role,
        state,
        me,
    };
    let mut members = vec![
        member(1, "Mara Lindner", MemberRole::Owner, MemberState::Active, may_manage),
        member(2, "Jonas Lindner", MemberRole::Member, MemberState::Active, !may_manage),
    ];
    if may_manage {
        members.push(member(3, "Erika Brandt", MemberRole::Viewer, MemberState::Pending, false));
    }
    Roster { members, may_manage, as_of: Some(ago(1)) }
}

fn devices() -> DeviceList {
    let device = |n, name: &str, owner: &str, minutes: Option<i64>| DeviceView {
        id: id(n),
        name: name.into(),
        owner: owner.into(),
        last_seen: minutes.map(ago),
        here: n == 1,
        removable: true,
    };
    DeviceList {
        devices: vec![
            device(1, "Laptop", "Mara Lindner", Some(0)),
            device(2, "Kitchen tablet", "Mara Lindner", Some(4)),
            device(3, "Jonas' phone", "Jonas Lindner", Some(200)),
            device(4, "Raspberry Pi in the cellar", "Mara Lindner", None),
        ],
        as_of: Some(ago(1)),
    }
}

fn invitation() -> Invitation {
    Invitation {
        id: id(9),
        link: LINK.into(),
        code: "7KQ2-M4XT-9WPD-H3RC".into(),
        role: MemberRole::Member,
        expires: ago(-7 * 24 * 60),
    }
}

fn invitations() -> InvitationList {
    let open = InvitationView {
        id: id(8),
        role: MemberRole::Viewer,
        expires: ago(-24 * 60),
        by: "Mara Lindner".into(),
    };
    InvitationList { invitations: vec![open], as_of: Some(ago(1)) }
}

fn budget() -> BudgetStatus {
    let kwh = |v| Amount::Energy(Energy::from_kwh(v));
    BudgetStatus {
        budget: Budget {
            id: BudgetId(id(5)),
            name: "Electricity".into(),
            scope: Scope::Home,
            limit: kwh(300.0),
            period: Period::Month,
            thresholds: vec![80, 100],
            warn_on_forecast: true,
            created: ago(60 * 24 * 40),
        },
        period: Span::new(ago(60 * 24 * 15), ago(-60 * 24 * 15)),
        elapsed: 0.5,
        spent: kwh(140.0),
        fraction: 140.0 / 300.0,
        forecast: None,
        crossed: vec![],
    }
}

fn conflicts() -> Vec<ConflictView> {
    let limit = |kwh: f64, who: &str, here, minutes| ConflictChoice {
        value: json!(Amount::Energy(Energy::from_kwh(kwh))),
        text: format!("{kwh} kWh"),
        who: Some(who.into()),
        here,
        when: Some(ago(minutes)),
    };
    let removed = |gone: bool, who: Option<&str>| ConflictChoice {
        value: json!(gone),
        text: gone.to_string(),
        who: who.map(str::to_owned),
        here: false,
        when: None,
    };
    let about = |n: u8, kind, entity, what: &str, field: &str, choices| ConflictView {
        id: format!("conflict-{n}"),
        kind,
        entity,
        what: what.into(),
        field: field.into(),
        choices,
        chosen: 0,
        words: String::new(),
    };
    vec![
        about(
            1,
            SharedKind::Budget,
            id(5),
            "Electricity",
            "limit",
            vec![limit(300.0, "Kitchen tablet", false, 90), limit(280.0, "Laptop", true, 130)],
        ),
        about(
            2,
            SharedKind::Meter,
            id(6),
            "Washing machine",
            "removed",
            vec![removed(false, Some("Kitchen tablet")), removed(true, None)],
        ),
    ]
}

/// A shared home with people, devices and an open invitation.
fn household(account: &Account) -> Canned {
    let may_manage = account.home.as_ref().is_some_and(|h| h.role == MemberRole::Owner);
    Canned::default()
        .reply::<GetAccount>(account)
        .reply::<ListMembers>(&roster(may_manage))
        .reply::<ListDevices>(&devices())
        .reply::<ListInvitations>(&invitations())
        .reply::<Invite>(&invitation())
        .reply::<ListConflicts>(&vec![])
        .reply::<ListBudgets>(&vec![budget()])
}

fn unreachable() -> SyncState {
    SyncState::Unreachable { since: ago(125), reason: String::new() }
}

struct Scene {
    name: &'static str,
    route: &'static str,
    canned: Canned,
    /// What must be there, then what is clicked, then what must be there before the picture.
    ready: &'static str,
    click: Option<&'static str>,
    shown: &'static str,
}

fn scenes() -> Vec<Scene> {
    let scene =
        |name, canned, ready| Scene { name, route: "#/sharing", canned, ready, click: None, shown: ready };
    let owner = shared(MemberRole::Owner, SyncState::UpToDate, 0);
    let mut expecting = owner.clone();
    if let Some(home) = &mut expecting.home {
        home.members_pending = 1;
    }
    let account = |a: &Account| Canned::default().reply::<GetAccount>(a);
    let ended = AccountNotice { code: AccountNoticeCode::DeviceRemoved, message: String::new(), at: ago(3) };
    let removed = Account {
        sync: SyncView { state: SyncState::Removed, ..SyncView::OFF },
        notice: Some(ended),
        last_server: Some(SERVER.into()),
        ..signed_out()
    };
    let viewer = shared(MemberRole::Viewer, unreachable(), 0);
    vec![
        scene("sharing-signed-out", account(&signed_out()), "[data-testid=sign-in]"),
        scene("sharing-signing-in", account(&signing_in(false)), "[data-testid=sign-in-again]"),
        scene("sharing-device-code", account(&signing_in(true)), "[data-testid=qr]"),
        Scene {
            click: Some("[data-testid=join]"),
            shown: "[data-testid=join-form]",
            ..scene("sharing-homes", account(&signed_in(TokenStore::File)), "[data-testid=homes-card]")
        },
        scene("sharing-household", household(&expecting), "[data-testid=device-row]"),
        Scene {
            click: Some("[data-testid=invite]"),
            shown: "[data-testid=invitation] [data-testid=qr]",
            ..scene("sharing-invitation", household(&owner), "[data-testid=invite]")
        },
        scene(
            "sharing-conflicts",
            household(&shared(MemberRole::Owner, SyncState::Waiting { changes: 3 }, 3))
                .reply::<ListConflicts>(&conflicts()),
            "[data-testid=conflict-row]",
        ),
        Scene {
            click: Some("[data-testid=sign-out]"),
            shown: "[data-testid=sign-out-ask]",
            ..scene(
                "sharing-sign-out",
                household(&shared(MemberRole::Member, unreachable(), 2)),
                "[data-testid=sign-out]",
            )
        },
        scene("sharing-removed", account(&removed), "[data-testid=sharing-notice]"),
        Scene {
            route: "#/budgets",
            ..scene("budgets-viewer", household(&viewer), "[data-testid=budget-row]")
        },
        Scene {
            route: "#/budgets",
            ..scene(
                "budgets-conflict",
                household(&owner).reply::<ListConflicts>(&conflicts()),
                "[data-testid=conflict-hint]",
            )
        },
        Scene { route: "#/home", ..scene("settings-shared", household(&owner), "[data-testid=to-sharing]") },
    ]
}

// ---------------------------------------------------------------- what the page makes of it

async fn checked(browser: &Browser, name: &str, look: Look) -> Result<()> {
    screens::save(&format!("{name}-{}", look.name()), &browser.whole_picture(look).await?);
    let wide = browser.driver.execute("return document.documentElement.scrollWidth", vec![]).await?;
    let (width, _) = look.size();
    ensure!(
        wide.json().as_u64().is_some_and(|w| w <= u64::from(width)),
        "{name} scrolls sideways in {look:?}: {} > {width}",
        wide.json()
    );
    let found = browser.accessibility().await?;
    ensure!(found.is_empty(), "axe-core on {name}, {look:?}:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sharing_in_every_state_and_look() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let settings = Settings { home_name: "Lindenweg 3".into(), ..hub.call(GetSettings {}).await };
    hub.call(SaveSettings { settings }).await;
    let browser = Browser::open().await?;
    browser.driver.goto(&hub.url).await?;
    // the longer words on the narrowest screen
    let all = LOOKS.into_iter().map(|look| (look, "en")).chain([(Look::Phone, "de")]);
    for (look, lang) in all {
        browser.look(look).await?;
        let choose = "localStorage.setItem('hearthwatt-lang', arguments[0])";
        browser.driver.execute(choose, vec![json!(lang)]).await?;
        for scene in scenes() {
            let played = browser.play(&scene.canned).await?;
            browser.driver.goto(format!("{}?{}{}", hub.url, scene.name, scene.route)).await?;
            find(&browser.driver, scene.ready).await?;
            if let Some(click) = scene.click {
                let button = find(&browser.driver, click).await?;
                button.scroll_into_view().await?;
                button.click().await?;
                find(&browser.driver, scene.shown).await?;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            let name = if lang == "en" { scene.name.to_owned() } else { format!("{}-{lang}", scene.name) };
            checked(&browser, &name, look).await?;
            played.end().await?;
        }
    }
    let console = browser.console().await?;
    ensure!(console.is_empty(), "the console is quiet: {console:#?}");
    browser.close().await
}

/// Where the parts of the frame are, to the pixel.
async fn places(browser: &Browser) -> Result<serde_json::Value> {
    let script = "return ['#content', '#nav-now', '#nav-home', 'h1'].map(s => { \
                  const r = document.querySelector(s).getBoundingClientRect(); return [s, r.x, r.y, r.width]; })";
    Ok(browser.driver.execute(script, vec![]).await?.json().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_tells_on_every_screen_and_moves_nothing() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let account = shared(MemberRole::Owner, SyncState::UpToDate, 0);
    let played = browser.play(&household(&account)).await?;
    for look in [Look::Light, Look::Phone] {
        browser.look(look).await?;
        for route in ["#/", "#/history", "#/budgets", "#/alerts", "#/meters", "#/home", "#/sharing"] {
            browser.driver.goto(format!("{}?{}{route}", hub.url, look.name())).await?;
            let says = async |words: &str| {
                text_when(&browser.driver, "[data-testid=sync-line]", SHORT, |t| t.contains(words)).await
            };
            says("Up to date").await?;
            find(&browser.driver, "h1").await?;
            if route != "#/sharing" {
                let before = places(&browser).await?;
                for (state, waiting, words) in [
                    (SyncState::Waiting { changes: 3 }, 3, "3 changes waiting"),
                    (unreachable(), 3, "Server last reached 2 h ago"),
                    (SyncState::Connecting, 3, "Connecting"),
                    (SyncState::UpToDate, 0, "Up to date"),
                ] {
                    let sync = SyncView { state, last_reached: Some(ago(125)), waiting, blocks_waiting: 0 };
                    played.tell(&Event::SyncChanged { sync }).await?;
                    says(words).await?;
                    let now = places(&browser).await?;
                    ensure!(now == before, "{look:?} {route} jumps at {words:?}:\n{before}\n{now}");
                }
            }
        }
        // the next start keeps the place from its first paint on, before the account is heard of
        let kept = "return [localStorage.getItem('hearthwatt-sync-line'), \
                    document.querySelector('.frame').classList.contains('with-sync')]";
        let kept = browser.driver.execute(kept, vec![]).await?;
        ensure!(kept.json() == &json!(["1", true]), "{}", kept.json());
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_decided_with_the_keyboard() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let account = shared(MemberRole::Owner, SyncState::UpToDate, 0);
    let left = vec![conflicts().remove(1)];
    let canned = household(&account).reply::<ListConflicts>(&conflicts()).reply::<ResolveConflict>(&left);
    let played = browser.play(&canned).await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(format!("{}#/sharing", hub.url)).await?;
    let rows = async || {
        Ok::<_, anyhow::Error>(browser.driver.find_all(By::Css("[data-testid=conflict-row]")).await?.len())
    };
    let said = text_when(&browser.driver, "[data-testid=conflict-row]", SHORT, |t| t.contains("set")).await?;
    ensure!(said.contains("“Kitchen tablet” set 300 kWh, this device set 280 kWh."), "{said}");
    let badge = find(&browser.driver, "[data-testid=conflicts-badge]").await?.text().await?;
    ensure!(badge.starts_with('2'), "{badge}");
    ensure!(rows().await? == 2);
    tab_to(&browser, "Take 280 kWh").await?;
    browser.press("Enter").await?;
    let asked: ResolveConflict = played.asked().await?;
    ensure!(asked == ResolveConflict { id: "conflict-1".into(), choice: 1 }, "{asked:?}");
    text_when(&browser.driver, "[data-testid=conflicts-badge]", SHORT, |t| t.starts_with('1')).await?;
    ensure!(rows().await? == 1);
    let focus = "return document.activeElement.id";
    tokio::time::sleep(Duration::from_millis(100)).await;
    let focus = browser.driver.execute(focus, vec![]).await?;
    ensure!(focus.json() == "sharing-conflicts", "the focus stays with what is left: {}", focus.json());
    browser.close().await
}

/// Presses Tab until what has the focus reads `text`.
async fn tab_to(browser: &Browser, text: &str) -> Result<()> {
    for _ in 0..80 {
        browser.press("Tab").await?;
        let focus = "const e = document.activeElement; \
                     return [e.innerText || '', e.getAttribute('aria-label') || ''].map(t => t.replaceAll('\\u00a0', ' '))";
        let focus = browser.driver.execute(focus, vec![]).await?;
        if focus.json().as_array().is_some_and(|a| a.iter().any(|t| t == text)) {
            return Ok(());
        }
    }
    anyhow::bail!("Tab does not reach {text:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_an_access_is_asked_first_and_escape_leaves_it() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let account = shared(MemberRole::Owner, SyncState::UpToDate, 0);
    let mut less = devices();
    less.devices.retain(|d| d.id != id(3));
    let played = browser.play(&household(&account).reply::<RemoveDevice>(&less)).await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(format!("{}#/sharing", hub.url)).await?;
    find(&browser.driver, "[data-testid=device-row]").await?;
    tab_to(&browser, "Remove Jonas' phone").await?;
    browser.press("Enter").await?;
    find(&browser.driver, "[data-testid=ask]").await?;
    browser.press("Escape").await?;
    text_when(&browser.driver, "[data-testid=ask]", SHORT, str::is_empty).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    // the focus is back on the button: Enter asks again
    browser.press("Enter").await?;
    find(&browser.driver, "[data-testid=ask]").await?;
    let question = find(&browser.driver, "[data-testid=ask]").await?.text().await?;
    ensure!(question.contains("Jonas' phone") && question.contains("at once"), "{question}");
    find(&browser.driver, "[data-testid=ask-confirm]").await?.click().await?;
    let asked: RemoveDevice = played.asked().await?;
    ensure!(asked.device == id(3), "{asked:?}");
    text_when(&browser.driver, "[data-testid=devices-card]", SHORT, |t| !t.contains("Jonas' phone")).await?;
    // this device signs out instead
    let own = browser.driver.find_all(By::Css("[data-testid=device-row] button")).await?;
    ensure!(own.len() == 2, "{} of the 3 devices left can be removed", own.len());
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_why_nothing_can_be_changed() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let account = shared(MemberRole::Viewer, SyncState::UpToDate, 0);
    let played = browser.play(&household(&account)).await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(format!("{}#/budgets", hub.url)).await?;
    find(&browser.driver, "[data-testid=budget-row]").await?;
    let reason = find(&browser.driver, "[data-testid=locked]").await?.text().await?;
    ensure!(reason.contains("role of a member"), "{reason}");
    for control in ["budget-new", "budget-edit", "budget-delete"] {
        let button = find(&browser.driver, &format!("[data-testid={control}]")).await?;
        ensure!(!button.is_enabled().await?, "{control} is switched off");
    }
    // made a member meanwhile: everything is there at once
    let member = shared(MemberRole::Member, SyncState::UpToDate, 0);
    played.answer::<GetAccount>(&member).await?;
    played.tell(&Event::AccountChanged).await?;
    text_when(&browser.driver, "[data-testid=locked]", SHORT, str::is_empty).await?;
    ensure!(find(&browser.driver, "[data-testid=budget-edit]").await?.is_enabled().await?);
    // a home that a newer Hearthwatt wrote is looked at, too
    let newer = SyncView { state: SyncState::ReadOnly { needs: 2 }, ..SyncView::OFF };
    played.tell(&Event::SyncChanged { sync: newer }).await?;
    text_when(&browser.driver, "[data-testid=locked]", SHORT, |t| t.contains("Update")).await?;
    browser.driver.goto(format!("{}?again#/home", hub.url)).await?;
    text_when(&browser.driver, "[data-testid=sync-line]", SHORT, |t| t.contains("Up to date")).await?;
    let newer = SyncView { state: SyncState::ReadOnly { needs: 2 }, ..SyncView::OFF };
    played.tell(&Event::SyncChanged { sync: newer }).await?;
    find(&browser.driver, "#home-form-home-name:disabled").await?;
    let own = find(&browser.driver, "#home-form-notifications").await?;
    ensure!(own.is_enabled().await?, "what is this device's own stays one's own");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_leads_through_signing_in() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let canned = Canned::default()
        .reply::<GetAccount>(&signed_out())
        .reply::<SignIn>(&signing_in(true))
        .reply::<AcceptInvitation>(&signed_in(TokenStore::Keyring));
    let played = browser.play(&canned).await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(format!("{}#/sharing", hub.url)).await?;
    let field = find(&browser.driver, "#invited-link").await?;
    field.send_keys("7KQ2-M4XT").await?;
    browser.press("Enter").await?;
    text_when(&browser.driver, "#invited-link-error", SHORT, |t| t.contains("/join/")).await?;
    field.clear().await?;
    field.send_keys(LINK).await?;
    browser.press("Enter").await?;
    let asked: SignIn = played.asked().await?;
    ensure!(asked.server == SERVER, "{asked:?}");
    let code = text_when(&browser.driver, "[data-testid=user-code]", SHORT, |t| !t.is_empty()).await?;
    ensure!(code == "WDJB-MJHT", "{code}");
    // done in a browser elsewhere
    played.answer::<GetAccount>(&signed_in(TokenStore::Keyring)).await?;
    played.tell(&Event::AccountChanged).await?;
    let asked: AcceptInvitation = played.asked().await?;
    ensure!(asked.code_or_link == LINK, "{asked:?}");
    text_when(&browser.driver, "[data-testid=toasts]", SHORT, |t| t.contains("expected")).await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_asks_what_becomes_of_the_home() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let browser = Browser::open().await?;
    let canned = household(&shared(MemberRole::Member, unreachable(), 2)).reply::<SignOut>(&signed_out());
    let played = browser.play(&canned).await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(format!("{}#/sharing", hub.url)).await?;
    find(&browser.driver, "[data-testid=sign-out]").await?.click().await?;
    let ask = text_when(&browser.driver, "[data-testid=sign-out-ask]", SHORT, |t| !t.is_empty()).await?;
    ensure!(ask.contains("2 changes made here have not reached the server"), "{ask}");
    ensure!(ask.contains("stays on this device") && ask.contains("are deleted from this device"), "{ask}");
    find(&browser.driver, "[data-testid=sign-out-wipe]").await?.click().await?;
    let asked: SignOut = played.asked().await?;
    ensure!(asked.wipe);
    find(&browser.driver, "[data-testid=sign-in]").await?;
    ensure!(
        browser.driver.find_all(By::Css("[data-testid=sync-line]")).await?.is_empty(),
        "no line when signed out"
    );
    browser.close().await
}
