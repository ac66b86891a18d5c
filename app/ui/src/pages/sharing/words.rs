//! Sharing in words: how this device stands to the server, what two devices set differently, and
//! until when an invitation holds.

use crate::i18n::I18n;
use crate::pages::words::{capital, period_name};
use crate::state::Lock;
use hearthwatt_api::{
    Account, AccountNotice, AccountNoticeCode, AccountState, ConflictChoice, ConflictView, MemberRole,
    SharedKind, SyncState, SyncView,
};
use hearthwatt_domain::budget::{Amount, Period};
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::time::UnixMillis;
use serde_json::Value;

/// How sharing stands, as a mark, a phrase, and what else there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncWords {
    /// Shape and colour of the mark: `ok`, `warn`, `over`, or `off`.
    pub class: &'static str,
    pub words: String,
    pub more: Option<String>,
}

/// The line that stands on every screen.
pub fn line(i18n: &I18n, account: Option<&Account>, now: UnixMillis) -> SyncWords {
    let plain = |class, key| SyncWords { class, words: i18n.t(key), more: None };
    match account {
        None => plain("off", "sync-connecting"),
        // somebody who was removed is told before anything else
        Some(a) if a.sync.state == SyncState::Removed => sync(i18n, &a.sync, now),
        Some(a) => match &a.state {
            AccountState::SignedOut => plain("off", "sync-off"),
            AccountState::SigningIn { .. } => plain("off", "sync-signing-in"),
            AccountState::SignedIn { .. } => sync(i18n, &a.sync, now),
        },
    }
}

pub fn sync(i18n: &I18n, view: &SyncView, now: UnixMillis) -> SyncWords {
    let waiting = (view.waiting > 0).then(|| i18n.ta("sync-waiting", [("n", view.waiting.into())]));
    let of = |class, words, more| SyncWords { class, words, more };
    match &view.state {
        SyncState::Off => of("off", i18n.t("sync-off"), None),
        SyncState::UpToDate => of("ok", i18n.t("sync-up-to-date"), None),
        SyncState::Waiting { changes } => of("ok", i18n.ta("sync-waiting", [("n", (*changes).into())]), None),
        SyncState::Connecting => of("off", i18n.t("sync-connecting"), waiting),
        SyncState::Unreachable { .. } => {
            let words = match view.last_reached {
                Some(at) => i18n.ta("sync-last-reached", [("when", i18n.ago(at, now).into())]),
                None => i18n.t("sync-never-reached"),
            };
            of("warn", words, waiting)
        }
        SyncState::Removed => of("over", i18n.t("sync-removed"), None),
        SyncState::ReadOnly { .. } => of("warn", i18n.t("sync-read-only"), None),
    }
}

/// Whether a state is mostly over within a moment.
pub fn is_passing(view: &SyncView) -> bool {
    matches!(view.state, SyncState::Waiting { .. } | SyncState::Connecting)
}

/// What waits to be sent, for the page itself, where there is room for it.
pub fn waiting(i18n: &I18n, view: &SyncView) -> Option<String> {
    let parts: Vec<String> = [(view.waiting, "sync-waiting"), (view.blocks_waiting, "sync-blocks-waiting")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, key)| i18n.ta(key, [("n", n.into())]))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What became of the last attempt, or of the access.
pub fn notice(i18n: &I18n, notice: &AccountNotice) -> String {
    let key = match notice.code {
        AccountNoticeCode::Refused => "sharing-notice-refused",
        AccountNoticeCode::Expired => "sharing-notice-expired",
        AccountNoticeCode::ServerUnreachable => "sharing-notice-unreachable",
        AccountNoticeCode::Failed => return notice.message.clone(),
        AccountNoticeCode::DeviceRemoved => "sharing-notice-device-removed",
        AccountNoticeCode::MembershipEnded => "sharing-notice-membership-ended",
    };
    i18n.t(key)
}

pub fn lock(i18n: &I18n, lock: Lock) -> String {
    i18n.t(match lock {
        Lock::Viewer => "sharing-locked-viewer",
        Lock::NeedsUpdate => "sharing-locked-update",
    })
}

/// Name of a role in ids, values and Fluent keys.
pub fn role_name(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Owner => "owner",
        MemberRole::Member => "member",
        MemberRole::Viewer => "viewer",
    }
}
pub const ROLES: [MemberRole; 3] = [MemberRole::Owner, MemberRole::Member, MemberRole::Viewer];

pub fn role(i18n: &I18n, role: MemberRole) -> String {
    i18n.t(&format!("role-{}", role_name(role)))
}

pub fn parse_role(name: &str) -> Option<MemberRole> {
    ROLES.into_iter().find(|r| role_name(*r) == name)
}

/// Host and port of a server's address, as people name it.
pub fn server_name(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/')
}

/// "Budget “Electricity”: at most". Kinds without a name of their own are called by their kind.
pub fn conflict_title(i18n: &I18n, c: &ConflictView) -> String {
    let kind = match c.kind {
        SharedKind::Profile => "conflict-profile",
        SharedKind::Meter => "conflict-meter",
        SharedKind::Tariff => "conflict-tariff",
        SharedKind::Budget => "conflict-budget",
        SharedKind::Alert => "conflict-alert",
        SharedKind::Correction => "conflict-correction",
    };
    let thing = match c.what.trim() {
        "" => i18n.t(kind),
        what => i18n.ta("conflict-thing", [("kind", i18n.t(kind).into()), ("name", what.into())]),
    };
    match field_name(i18n, &c.field) {
        Some(field) => i18n.ta("conflict-field-of", [("thing", thing.into()), ("field", field.into())]),
        None => thing,
    }
}

/// A field in the words of the form that edits it.
fn field_name(i18n: &I18n, field: &str) -> Option<String> {
    let key = format!("conflict-field-{}", field.replace(['_', '.', '/'], "-"));
    i18n.has(&key).then(|| i18n.t(&key))
}

/// "“Kitchen tablet” set 30, this device set 28."
pub fn conflict_sentence(i18n: &I18n, c: &ConflictView) -> String {
    let said: Vec<String> =
        c.choices
            .iter()
            .map(|choice| {
                let who = match (&choice.who, choice.here) {
                    (_, true) => i18n.t("conflict-here"),
                    (Some(name), false) => i18n.ta("conflict-device", [("name", name.clone().into())]),
                    (None, false) => i18n.t("conflict-elsewhere"),
                };
                match existence(c, choice) {
                    Some(true) => i18n.ta("conflict-kept", [("who", who.into())]),
                    Some(false) => i18n.ta("conflict-removed", [("who", who.into())]),
                    None => i18n
                        .ta("conflict-set", [("who", who.into()), ("value", value(i18n, c, choice).into())]),
                }
            })
            .collect();
    format!("{}.", capital(&said.join(", ")))
}

/// What a choice would make of it, for its button; `holds`: as it is now.
pub fn choice(i18n: &I18n, c: &ConflictView, choice: &ConflictChoice, holds: bool) -> String {
    match (existence(c, choice), holds) {
        (Some(true), true) => i18n.t("conflict-keep-it"),
        (Some(true), false) => i18n.t("conflict-bring-back"),
        (Some(false), true) => i18n.t("conflict-keep-removed"),
        (Some(false), false) => i18n.t("conflict-remove"),
        (None, true) => i18n.ta("conflict-keep", [("value", value(i18n, c, choice).into())]),
        (None, false) => i18n.ta("conflict-take", [("value", value(i18n, c, choice).into())]),
    }
}

/// One device removed what another kept or changed: whether the choice is to have it. `None` is a
/// conflict about a value.
fn existence(c: &ConflictView, choice: &ConflictChoice) -> Option<bool> {
    if c.field == "removed" { Some(choice.value != Value::Bool(true)) } else { None }
}

/// Fields whose values people type.
const TYPED: [&str; 4] = ["name", "room", "time_zone", "currency"];

/// A value as the screens show it where its field is one they know, else as the engine puts it.
fn value(i18n: &I18n, c: &ConflictView, choice: &ConflictChoice) -> String {
    let raw = || choice.value.clone();
    let quoted = |text: String| i18n.ta("conflict-quoted", [("text", text.into())]);
    let known = match (c.kind, c.field.as_str()) {
        (SharedKind::Budget, "limit") => serde_json::from_value::<Amount>(raw()).ok().map(|a| i18n.amount(a)),
        (SharedKind::Budget, "period") => {
            serde_json::from_value::<Period>(raw()).ok().map(|p| quoted(period_name(i18n, p)))
        }
        (SharedKind::Meter, "role") => serde_json::from_value::<Role>(raw()).ok().map(|r| {
            quoted(i18n.t(match r {
                Role::Grid => "meter-role-grid",
                Role::Solar => "meter-role-solar",
                Role::Battery => "meter-role-battery",
                Role::Load => "meter-role-load",
            }))
        }),
        _ => None,
    };
    match (known, &choice.value) {
        (Some(words), _) => words,
        (None, Value::Bool(true)) => i18n.t("conflict-yes"),
        (None, Value::Bool(false)) => i18n.t("conflict-no"),
        (None, Value::Null) => i18n.t("conflict-nothing"),
        // as it was typed; other texts are names of the program's own, or ids
        (None, Value::String(text)) if TYPED.contains(&c.field.as_str()) && !text.is_empty() => {
            quoted(text.clone())
        }
        (None, Value::String(_)) => quoted(choice.text.clone()),
        (None, _) => choice.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::tests::{at, languages, plain};
    use hearthwatt_domain::units::Energy;
    use serde_json::json;

    const NOW: &str = "2026-11-18T12:00";

    fn view(state: SyncState, last_reached: Option<&str>, waiting: u32) -> SyncView {
        SyncView { state, last_reached: last_reached.map(at), waiting, blocks_waiting: 0 }
    }
    fn unreachable() -> SyncState {
        SyncState::Unreachable { since: at("2026-11-18T10:00"), reason: "no route".into() }
    }

    #[test]
    fn the_state_is_a_phrase_that_people_say() {
        let (en, de) = languages();
        let check = |v: SyncView, class: &str, english: &str, german: &str| {
            let say = |i: &I18n| {
                let s = sync(i, &v, at(NOW));
                assert_eq!(s.class, class);
                plain(&[Some(s.words), s.more].into_iter().flatten().collect::<Vec<_>>().join(" · "))
            };
            assert_eq!((say(&en).as_str(), say(&de).as_str()), (english, german));
        };
        check(view(SyncState::UpToDate, None, 0), "ok", "Up to date", "Auf dem neuesten Stand");
        check(
            view(SyncState::Waiting { changes: 1 }, None, 1),
            "ok",
            "One change waiting",
            "Eine Änderung wartet",
        );
        check(
            view(SyncState::Waiting { changes: 3 }, None, 3),
            "ok",
            "3 changes waiting",
            "3 Änderungen warten",
        );
        check(view(SyncState::Connecting, None, 0), "off", "Connecting…", "Verbindet…");
        check(
            view(unreachable(), Some("2026-11-18T10:00"), 0),
            "warn",
            "Server last reached 2 h ago",
            "Server zuletzt erreicht: vor 2 h",
        );
        check(
            view(unreachable(), Some("2026-11-16T14:02"), 3),
            "warn",
            "Server last reached Mon 16 Nov 14:02 · 3 changes waiting",
            "Server zuletzt erreicht: Mo 16. Nov 14:02 · 3 Änderungen warten",
        );
        check(view(unreachable(), None, 0), "warn", "Server not reached yet", "Server noch nicht erreicht");
        check(
            view(SyncState::Removed, None, 0),
            "over",
            "This device was removed",
            "Dieses Gerät wurde entfernt",
        );
        check(
            view(SyncState::ReadOnly { needs: 2 }, None, 0),
            "warn",
            "Update Hearthwatt to edit",
            "Zum Ändern Hearthwatt aktualisieren",
        );
    }

    #[test]
    fn who_was_removed_hears_of_it_though_signed_out() {
        let (en, _) = languages();
        let mut account = Account {
            state: AccountState::SignedOut,
            sync: view(SyncState::Removed, None, 0),
            home: None,
            homes: vec![],
            last_server: None,
            notice: None,
        };
        assert_eq!(line(&en, Some(&account), at(NOW)).words, "This device was removed");
        account.sync = SyncView::OFF;
        assert_eq!(line(&en, Some(&account), at(NOW)).words, "Not shared");
    }

    #[test]
    fn what_waits_is_counted_apart() {
        let (en, de) = languages();
        let v = SyncView { waiting: 1, blocks_waiting: 2, ..SyncView::OFF };
        assert_eq!(waiting(&en, &v).as_deref(), Some("One change waiting · 2 days of history to send"));
        assert_eq!(waiting(&de, &v).as_deref(), Some("Eine Änderung wartet · 2 Tage Verlauf zu senden"));
        assert_eq!(waiting(&en, &SyncView::OFF), None);
    }

    fn set(value: Value, text: &str, who: Option<&str>, here: bool) -> ConflictChoice {
        ConflictChoice { value, text: text.into(), who: who.map(str::to_owned), here, when: None }
    }
    fn conflict(field: &str, choices: Vec<ConflictChoice>) -> ConflictView {
        ConflictView {
            id: "c".into(),
            kind: SharedKind::Budget,
            entity: Default::default(),
            what: "Electricity".into(),
            field: field.into(),
            choices,
            chosen: 0,
            words: String::new(),
        }
    }

    #[test]
    fn a_conflict_says_who_set_what() {
        let (en, de) = languages();
        let limit = |kwh: f64| json!(Amount::Energy(Energy::from_kwh(kwh)));
        let c = conflict(
            "limit",
            vec![
                set(limit(30.0), "30", Some("Kitchen tablet"), false),
                set(limit(28.0), "28", Some("Phone"), true),
            ],
        );
        let both = |f: &dyn Fn(&I18n) -> String| (plain(&f(&en)), plain(&f(&de)));
        let say = |english: &str, german: &str| (english.to_owned(), german.to_owned());
        assert_eq!(
            both(&|i| conflict_title(i, &c)),
            say("Budget “Electricity”: at most", "Budget „Electricity“: höchstens")
        );
        assert_eq!(
            both(&|i| conflict_sentence(i, &c)),
            say(
                "“Kitchen tablet” set 30.0 kWh, this device set 28.0 kWh.",
                "„Kitchen tablet“ hat 30,0 kWh eingestellt, dieses Gerät hat 28,0 kWh eingestellt."
            )
        );
        assert_eq!(both(&|i| choice(i, &c, &c.choices[0], true)), say("Keep 30.0 kWh", "30,0 kWh behalten"));
        assert_eq!(both(&|i| choice(i, &c, &c.choices[1], false)), say("Take 28.0 kWh", "28,0 kWh nehmen"));
    }

    #[test]
    fn every_kind_of_value_has_words() {
        let (en, _) = languages();
        let period = conflict("period", vec![set(json!(Period::Month), "month", None, true)]);
        assert_eq!(choice(&en, &period, &period.choices[0], true), "Keep “each month”");
        let name = conflict("name", vec![set(json!("Heat pump"), "Heat pump", None, true)]);
        assert_eq!(conflict_sentence(&en, &name), "This device set “Heat pump”.");
        let tick = conflict("warn_on_forecast", vec![set(json!(true), "true", None, false)]);
        assert_eq!(conflict_sentence(&en, &tick), "Another device set “yes”.");
        let parent = conflict(
            "parent",
            vec![
                set(json!("6d1f0c5e-0000-4000-8000-000000000000"), "House", None, true),
                set(Value::Null, "", None, false),
            ],
        );
        assert_eq!(conflict_sentence(&en, &parent), "This device set “House”, another device set “nothing”.");
        // of a version to come: the engine's words, and no name for the field
        let unknown = conflict("mood", vec![set(json!({ "x": 1 }), "sunny", Some("Attic"), false)]);
        assert_eq!(conflict_title(&en, &unknown), "Budget “Electricity”");
        assert_eq!(conflict_sentence(&en, &unknown), "“Attic” set sunny.");
    }

    #[test]
    fn what_one_removed_and_another_kept_is_asked_as_such() {
        let (en, de) = languages();
        let c = conflict(
            "removed",
            vec![set(json!(true), "true", None, false), set(json!(false), "false", None, true)],
        );
        assert_eq!(conflict_sentence(&en, &c), "Another device removed it, this device kept it.");
        assert_eq!(
            conflict_sentence(&de, &c),
            "Ein anderes Gerät hat es entfernt, dieses Gerät hat es behalten."
        );
        let buttons = |holds: usize| -> Vec<String> {
            (0..2).map(|i| choice(&en, &c, &c.choices[i], i == holds)).collect()
        };
        assert_eq!(buttons(0), ["Leave it removed", "Bring it back"]);
        assert_eq!(buttons(1), ["Remove it", "Keep it"]);
    }

    #[test]
    fn roles_come_back_from_their_names() {
        let (en, _) = languages();
        for r in ROLES {
            assert_eq!(parse_role(role_name(r)), Some(r));
            assert!(
                en.has(&format!("role-{}", role_name(r))) && en.has(&format!("role-{}-what", role_name(r)))
            );
        }
        assert_eq!(parse_role("king"), None);
        assert_eq!(server_name("https://hearth.example.org/"), "hearth.example.org");
    }
}
