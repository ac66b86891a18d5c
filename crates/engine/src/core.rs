//! What the parts of an open home share.

use crate::brokers::Brokers;
use crate::changes::Changes;
use crate::clock::Clock;
use crate::health::Health;
use crate::meters::Meters;
use crate::options::Discovery;
use crate::price::TariffBook;
use crate::readers::Readers;
use crate::secrets::SecretStore;
use crate::writer::Writer;
use hearthwatt_api::{Event, Settings};
use hearthwatt_discovery::net::mqtt::Inbound;
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::{Budget, BudgetStatus};
use hearthwatt_domain::ids::{AlertId, BudgetId};
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast, mpsc};

pub(crate) struct Core {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) demo: bool,
    /// Of the options; the settings may say so too.
    pub(crate) auto_adopt: bool,
    pub(crate) discovery: Discovery,
    pub(crate) looking_since: UnixMillis,
    pub(crate) events: broadcast::Sender<Event>,
    state: Mutex<State>,
    health: Mutex<Health>,
    brokers: Mutex<Brokers>,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) changes: Arc<Changes>,
    pub(crate) secrets: Arc<dyn SecretStore>,
    /// Where the brokers' messages go.
    pub(crate) inbound: mpsc::Sender<Inbound>,
    pub(crate) share: crate::share::Share,
    /// One edit of the household at a time: each reads, plans, writes, applies.
    pub(crate) edit: tokio::sync::Mutex<()>,
    /// The budgets have to be looked at although no usage changed.
    pub(crate) rejudge: Notify,
    /// Readings are kept for another time than before.
    pub(crate) retain: Notify,
    overview: Mutex<Option<Arc<crate::views::overview::Stored>>>,
    learnt: Mutex<Option<Arc<crate::views::verdict::Learnt>>>,
}

/// What is known of the home, in memory.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) zone: TimeZone,
    /// How long readings by the second are kept; `None` is for ever.
    pub(crate) keep_days: Option<u32>,
    pub(crate) tariffs: Vec<Tariff>,
    pub(crate) book: Arc<TariffBook>,
    pub(crate) budgets: BTreeMap<BudgetId, Budget>,
    /// As of the last judgement.
    pub(crate) statuses: BTreeMap<BudgetId, BudgetStatus>,
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) meters: Meters,
    /// Meters whose document could not be written yet.
    pub(crate) unsaved: Vec<hearthwatt_domain::meter::Meter>,
}

impl Core {
    #[allow(clippy::too_many_arguments, reason = "called once, by open")]
    pub(crate) fn new(
        options: &crate::HomeOptions,
        state: State,
        writer: Writer,
        readers: Readers,
        changes: Arc<Changes>,
        secrets: Arc<dyn SecretStore>,
        share: crate::share::Share,
        inbound: mpsc::Sender<Inbound>,
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self {
            clock: options.clock.clone(),
            demo: options.demo,
            auto_adopt: options.auto_adopt,
            discovery: options.discovery,
            looking_since: options.clock.now(),
            events,
            state: Mutex::new(state),
            health: Mutex::default(),
            brokers: Mutex::default(),
            writer,
            readers,
            changes,
            secrets,
            share,
            inbound,
            edit: tokio::sync::Mutex::new(()),
            rejudge: Notify::new(),
            retain: Notify::new(),
            overview: Mutex::default(),
            learnt: Mutex::default(),
        }
    }

    /// Short and never across an await. Lock order: state, brokers, health.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn overview_cache(&self) -> MutexGuard<'_, Option<Arc<crate::views::overview::Stored>>> {
        self.overview.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn learnt_cache(&self) -> MutexGuard<'_, Option<Arc<crate::views::verdict::Learnt>>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn brokers(&self) -> MutexGuard<'_, Brokers> {
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the list of what is wrong; `change` says whether it did.
    pub(crate) fn health(&self, change: impl FnOnce(&mut Health) -> bool) {
        let notices = {
            let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            if !change(&mut health) {
                return;
            }
            health.list()
        };
        self.tell(Event::Health { notices });
    }

    pub(crate) fn notices(&self) -> Vec<hearthwatt_api::Notice> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).list()
    }

    pub(crate) fn tell(&self, event: Event) {
        // nobody listening is fine
        let _ = self.events.send(event);
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    pub(crate) fn zone(&self) -> TimeZone {
        self.state().zone.clone()
    }
}
