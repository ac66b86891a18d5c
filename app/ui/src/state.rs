//! The page's state and the one function that changes it. What a screen asked for itself (a list
//! of budgets, a period of history) stays with the screen; see `effects::use_query`.

use crate::i18n::Lang;
use crate::route::Route;
use hearthwatt_api::{
    Account, AccountState, ApiError, ConflictView, Event, MemberRole, Notice, Overview, SyncState,
};
use std::rc::Rc;

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub route: Route,
    pub lang: Lang,
    pub theme: Theme,
    pub link: Link,
    pub overview: Option<Rc<Overview>>,
    /// Why the overview could not be had; the last good one stays beside it.
    pub trouble: Option<ApiError>,
    pub notices: Rc<[Notice]>,
    /// `None` until it was heard of.
    pub account: Option<Rc<Account>>,
    /// What two devices set differently; empty unless the home is shared.
    pub conflicts: Rc<[ConflictView]>,
    /// Whether the line about sharing had something to say when the page was last here: its place
    /// is kept from the first paint on.
    pub had_sync_line: bool,
    pub revisions: Revisions,
    /// Rises when another home is behind the page: whatever was shown is of the old one.
    pub generation: u32,
    pub toasts: Vec<Toast>,
    next_toast: u32,
}

/// The connection to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Not yet; the first seconds say nothing about it.
    Starting,
    Up,
    /// Lost; trying again by itself.
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];
    /// In storage, ids and Fluent keys.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|t| t.name() == name).unwrap_or_default()
    }
}

/// Why a home is looked at only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// The account's role.
    Viewer,
    /// The home was written by a newer Hearthwatt.
    NeedsUpdate,
}

/// A short message at the edge of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub id: u32,
    pub text: String,
    pub is_error: bool,
}

/// At most this many at once; the oldest goes.
const MAX_TOASTS: usize = 3;

/// Subjects that events speak of; a set of them is an "or" of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topics(u16);

impl Topics {
    pub const NONE: Self = Self(0);
    pub const METERS: Self = Self(1);
    pub const USAGE: Self = Self(1 << 1);
    pub const BUDGETS: Self = Self(1 << 2);
    pub const ALERTS: Self = Self(1 << 3);
    pub const SETTINGS: Self = Self(1 << 4);
    pub const BROKERS: Self = Self(1 << 5);
    pub const HEALTH: Self = Self(1 << 6);
    pub const ACCOUNT: Self = Self(1 << 7);
    pub const MEMBERS: Self = Self(1 << 8);
    pub const CONFLICTS: Self = Self(1 << 9);
    pub const ALL: Self = Self(0x3ff);

    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How often each topic has changed since the page began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revisions([u32; 10]);

impl Revisions {
    fn bump(&mut self, topics: Topics) {
        for (i, r) in self.0.iter_mut().enumerate() {
            *r += u32::from(topics.0 >> i & 1);
        }
    }
    /// Changes exactly when one of `topics` does.
    pub fn of(&self, topics: Topics) -> u32 {
        self.0.iter().enumerate().filter(|(i, _)| topics.0 >> i & 1 == 1).map(|(_, r)| r).sum()
    }
}

#[derive(Debug, Clone)]
pub enum Action {
    Go(Route),
    Link(Link),
    /// Everything but live values, which take a shorter way (`live`).
    Heard(Event),
    Overview(Result<Rc<Overview>, ApiError>),
    Notices(Vec<Notice>),
    Account(Account),
    Conflicts(Vec<ConflictView>),
    Speak(Lang),
    Paint(Theme),
    Tell {
        text: String,
        is_error: bool,
    },
    Untell(u32),
}

impl State {
    pub fn new(route: Route, lang: Lang, theme: Theme) -> Self {
        Self {
            route,
            lang,
            theme,
            link: Link::Starting,
            overview: None,
            trouble: None,
            notices: Rc::from([]),
            account: None,
            conflicts: Rc::from([]),
            had_sync_line: false,
            revisions: Revisions::default(),
            generation: 0,
            toasts: Vec::new(),
            next_toast: 0,
        }
    }

    pub fn reduce(mut self, action: Action) -> Self {
        match action {
            Action::Go(route) => self.route = route,
            Action::Link(link) => {
                // whatever happened while out of touch was not heard
                if self.link == Link::Down && link == Link::Up {
                    self.revisions.bump(Topics::ALL);
                }
                self.link = link;
            }
            Action::Heard(event) => self.hear(event),
            Action::Overview(Ok(overview)) => {
                self.overview = Some(overview);
                self.trouble = None;
            }
            Action::Overview(Err(error)) => self.trouble = Some(error),
            Action::Notices(notices) => self.notices = notices.into(),
            Action::Account(account) => {
                if account.home.is_none() {
                    self.conflicts = Rc::from([]);
                }
                self.account = Some(Rc::new(account));
            }
            Action::Conflicts(conflicts) => self.conflicts = conflicts.into(),
            Action::Speak(lang) => self.lang = lang,
            Action::Paint(theme) => self.theme = theme,
            Action::Tell { text, is_error } => {
                if self.toasts.len() == MAX_TOASTS {
                    self.toasts.remove(0);
                }
                self.toasts.push(Toast { id: self.next_toast, text, is_error });
                self.next_toast += 1;
            }
            Action::Untell(id) => self.toasts.retain(|t| t.id != id),
        }
        self
    }

    /// Whether there is anything to say about sharing on every screen.
    pub fn has_sync_line(&self) -> bool {
        match self.account.as_deref() {
            Some(a) => a.state != AccountState::SignedOut || a.sync.state == SyncState::Removed,
            None => self.had_sync_line,
        }
    }

    /// Why the home can't be changed from here, if so.
    pub fn lock(&self) -> Option<Lock> {
        let account = self.account.as_deref()?;
        if let SyncState::ReadOnly { .. } = account.sync.state {
            return Some(Lock::NeedsUpdate);
        }
        let is_viewer = account.home.as_ref().is_some_and(|h| h.role == MemberRole::Viewer);
        is_viewer.then_some(Lock::Viewer)
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Live(_) => {}
            Event::MetersChanged => self.revisions.bump(Topics::METERS),
            Event::UsageChanged => self.revisions.bump(Topics::USAGE),
            Event::BudgetsChanged => self.revisions.bump(Topics::BUDGETS),
            Event::AlertRaised { .. } | Event::AlertsChanged => self.revisions.bump(Topics::ALERTS),
            Event::SettingsChanged => self.revisions.bump(Topics::SETTINGS),
            Event::BrokersChanged => self.revisions.bump(Topics::BROKERS),
            Event::AccountChanged => self.revisions.bump(Topics::ACCOUNT),
            Event::MembersChanged => self.revisions.bump(Topics::MEMBERS),
            Event::ConflictsChanged => self.revisions.bump(Topics::CONFLICTS),
            Event::SyncChanged { sync } => {
                if let Some(account) = &mut self.account {
                    Rc::make_mut(account).sync = sync;
                }
            }
            Event::Health { notices } => {
                self.notices = notices.into();
                self.revisions.bump(Topics::HEALTH);
            }
            // no screen shows these yet
            Event::Lagged => self.revisions.bump(Topics::ALL),
            Event::HomeReplaced => {
                self.overview = None;
                self.trouble = None;
                self.notices = Rc::from([]);
                self.account = None;
                self.conflicts = Rc::from([]);
                self.generation += 1;
                self.revisions.bump(Topics::ALL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::{SharedHome, SharedKind, SyncView, TokenStore};

    fn state() -> State {
        State::new(Route::Now, Lang::English, Theme::Auto)
    }

    #[test]
    fn an_event_stirs_only_what_depends_on_it() {
        let before = state();
        let after = before.clone().reduce(Action::Heard(Event::BudgetsChanged));
        let shown = Topics::BUDGETS.and(Topics::USAGE);
        assert_ne!(before.revisions.of(shown), after.revisions.of(shown));
        assert_eq!(before.revisions.of(Topics::METERS), after.revisions.of(Topics::METERS));
    }

    #[test]
    fn after_silence_everything_is_asked_again() {
        let up = state().reduce(Action::Link(Link::Up));
        assert_eq!(up.revisions, state().revisions, "the first connection has nothing to catch up");
        let back = up.clone().reduce(Action::Link(Link::Down)).reduce(Action::Link(Link::Up));
        for topic in [Topics::METERS, Topics::USAGE, Topics::HEALTH] {
            assert_ne!(back.revisions.of(topic), up.revisions.of(topic));
        }
        let lagged = up.clone().reduce(Action::Heard(Event::Lagged));
        assert_eq!(lagged.revisions, back.revisions);
    }

    #[test]
    fn another_home_leaves_nothing_of_the_old_one() {
        let error =
            ApiError { code: hearthwatt_api::ErrorCode::Storage, message: "full".into(), retry: true };
        let s = state().reduce(Action::Overview(Err(error))).reduce(Action::Heard(Event::HomeReplaced));
        assert!(s.overview.is_none() && s.trouble.is_none() && s.notices.is_empty());
        assert_eq!(s.generation, 1);
    }

    fn account(state: AccountState, sync: SyncState, role: Option<MemberRole>) -> Account {
        Account {
            state,
            sync: SyncView { state: sync, ..SyncView::OFF },
            home: role.map(|role| SharedHome {
                id: Default::default(),
                name: "Lindenweg 3".into(),
                role,
                members_pending: 0,
            }),
            homes: vec![],
            last_server: None,
            notice: None,
        }
    }
    fn signed_in() -> AccountState {
        AccountState::SignedIn {
            server: "https://hearth.example.org".into(),
            name: "Mara".into(),
            email: "mara@example.org".into(),
            device: Default::default(),
            device_name: "Kitchen tablet".into(),
            token_store: TokenStore::Keyring,
        }
    }

    #[test]
    fn what_sync_says_reaches_the_account_without_asking() {
        let before = state().reduce(Action::Account(account(
            signed_in(),
            SyncState::UpToDate,
            Some(MemberRole::Owner),
        )));
        let sync = SyncView { state: SyncState::Waiting { changes: 3 }, waiting: 3, ..SyncView::OFF };
        let after = before.clone().reduce(Action::Heard(Event::SyncChanged { sync: sync.clone() }));
        assert_eq!(after.account.as_ref().map(|a| &a.sync), Some(&sync));
        assert_eq!(after.revisions, before.revisions, "nothing is asked again for it");
        // heard before the account was: kept for nobody
        assert_eq!(state().reduce(Action::Heard(Event::SyncChanged { sync })).account, None);
    }

    #[test]
    fn the_line_keeps_its_place_and_goes_only_when_signed_out() {
        let mut early = state();
        assert!(!early.has_sync_line());
        early.had_sync_line = true;
        assert!(early.has_sync_line(), "before the account was heard of");
        let with =
            |state, sync| early.clone().reduce(Action::Account(account(state, sync, None))).has_sync_line();
        assert!(with(signed_in(), SyncState::Off));
        assert!(!with(AccountState::SignedOut, SyncState::Off));
        assert!(with(AccountState::SignedOut, SyncState::Removed), "whoever was removed is told");
    }

    #[test]
    fn who_may_not_edit_is_told_why() {
        let lock = |sync, role| state().reduce(Action::Account(account(signed_in(), sync, role))).lock();
        assert_eq!(state().lock(), None);
        assert_eq!(lock(SyncState::UpToDate, None), None);
        assert_eq!(lock(SyncState::UpToDate, Some(MemberRole::Member)), None);
        assert_eq!(lock(SyncState::UpToDate, Some(MemberRole::Viewer)), Some(Lock::Viewer));
        assert_eq!(lock(SyncState::ReadOnly { needs: 2 }, Some(MemberRole::Owner)), Some(Lock::NeedsUpdate));
    }

    #[test]
    fn a_home_that_is_no_longer_shared_has_nothing_to_decide() {
        let conflict = ConflictView {
            id: "x".into(),
            kind: SharedKind::Budget,
            entity: Default::default(),
            what: "Electricity".into(),
            field: "limit".into(),
            choices: vec![],
            chosen: 0,
            words: String::new(),
        };
        let s = state()
            .reduce(Action::Account(account(signed_in(), SyncState::UpToDate, Some(MemberRole::Owner))))
            .reduce(Action::Conflicts(vec![conflict]));
        assert_eq!(s.conflicts.len(), 1);
        assert!(
            s.reduce(Action::Account(account(AccountState::SignedOut, SyncState::Off, None)))
                .conflicts
                .is_empty()
        );
    }

    #[test]
    fn messages_are_bounded_and_go_by_their_id() {
        let mut s = state();
        for i in 0..5 {
            s = s.reduce(Action::Tell { text: i.to_string(), is_error: false });
        }
        assert_eq!(s.toasts.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(), ["2", "3", "4"]);
        let s = s.reduce(Action::Untell(3));
        assert_eq!(s.toasts.iter().map(|t| t.id).collect::<Vec<_>>(), [2, 4]);
    }
}
