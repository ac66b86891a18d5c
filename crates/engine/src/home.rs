//! One home, running: how it opens and closes.

use crate::brokers::{checked, own_id, secret_name};
use crate::changes::Changes;
use crate::core::{Core, State};
use crate::documents::{self, BrokerDoc, OwnBrokerDoc, RetentionDoc, put};
use crate::error::OpenError;
use crate::health::notice;
use crate::limits::INBOUND_QUEUE;
use crate::meters::Meters;
use crate::options::{HomeOptions, Preset};
use crate::pipeline::Pipeline;
use crate::price::TariffBook;
use crate::readers::{Damage, Readers};
use crate::secrets::SecretFile;
use crate::share::document::OpenedDoc;
use crate::share::local::{Local, LocalError};
use crate::share::{Share, ShareParts, TokenFile, blocks, document, link, local, project, random_uuid, swap};
use crate::writer::Writer;
use crate::{data, discover, judge, tasks, words};
use hearthwatt_api::{ApiError, BrokerOrigin, Event, NoticeCode, Settings, Severity};
use hearthwatt_domain::reading::Reading;
use hearthwatt_store::{OpenReport, Reader, Recovered, Store, StoreError, StoreOptions};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

/// Events a slow listener may fall behind before it is told so by its receiver.
pub const EVENT_BACKLOG: usize = 1024;

/// A home that is open. Dropping it without [`Home::close`] is like a power cut: nothing that was
/// stored is lost.
pub struct Home {
    pub(crate) core: Arc<Core>,
    stop: watch::Sender<bool>,
    /// Ends after the network's connections, so that what they delivered is still taken in.
    stop_pipeline: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    pipeline: JoinHandle<()>,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    pub stored: u64,
    pub duplicates: u64,
}

impl Home {
    /// Opens the home and starts to listen. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The folder or its database can't be used: [`OpenError::code`] says how.
    pub async fn open(options: HomeOptions) -> Result<Home, OpenError> {
        let opening = options.clone();
        let opened = tokio::task::spawn_blocking(move || prepare(&opening))
            .await
            .map_err(|_| OpenError::new(NoticeCode::DatabaseCorrupt, "The home could not be opened."))??;
        Ok(start(&options, opened).await)
    }

    /// What the home tells unasked, from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.core.events.subscribe()
    }

    /// Stores past readings (a backfill), in any order; those already there are left alone. Give
    /// batches of up to some ten thousand.
    ///
    /// # Errors
    /// `Storage` when the database can't take them: none of the batch is stored.
    pub async fn import(&self, readings: Vec<Reading>) -> Result<Imported, ApiError> {
        let appended = self.core.writer.run(move |store| store.append(&readings)).await?;
        self.core.changes.note(&appended.changed);
        self.core.changes.filled_in();
        self.core.share.blocks.notify_one();
        Ok(Imported { stored: appended.stored, duplicates: appended.duplicates })
    }

    /// Puts meters, tariffs and budgets in place, all or nothing.
    ///
    /// # Errors
    /// `Invalid` names the field; `Storage` when the database can't take them.
    pub async fn configure(&self, preset: Preset) -> Result<(), ApiError> {
        self.core.configure(preset).await
    }

    /// Whether another home took the place of this one (a shared one, or an empty one): close this
    /// handle and open the folder again.
    pub fn reopen(&self) -> bool {
        self.core.share.known().reopen
    }

    /// Stops listening, stores what is under way and closes the database in order.
    pub async fn close(self) {
        let Home { core, stop, stop_pipeline, tasks, pipeline } = self;
        stop.send_replace(true);
        let (handles, own) = core.brokers().shut();
        for handle in handles {
            handle.stop().await;
        }
        stop_pipeline.send_replace(true);
        let _ = pipeline.await;
        for task in tasks {
            let _ = task.await;
        }
        if let Some(own) = own {
            own.stop().await;
        }
        core.readers.close().await;
        core.writer.close().await;
    }
}

struct Opened {
    writer: Writer,
    changes: Arc<Changes>,
    readers: Readers,
    state: State,
    brokers: Vec<BrokerDoc>,
    own_broker: bool,
    secrets: Arc<SecretFile>,
    share: Share,
    /// The home document was damaged and made anew of what had been read from it.
    remade: bool,
    rebuilt: Option<Recovered>,
}

/// All that touches the disk.
fn prepare(options: &HomeOptions) -> Result<Opened, OpenError> {
    let zone = TimeZone::get(&options.zone).unwrap_or(TimeZone::UTC);
    let store_options = StoreOptions { zone: None, max_pages: options.max_pages };
    std::fs::create_dir_all(&options.folder).map_err(|e| unusable(options, &e))?;
    swap::finish(&options.folder, &store_options).map_err(|e| match e {
        swap::SwapError::Store(e) => failed(&e),
        e => unusable(options, &e),
    })?;
    let (mut store, report, rebuilt) = open_or_rebuild(options, store_options).map_err(|e| failed(&e))?;
    if report.created {
        store.set_zone(&zone).map_err(|e| failed(&e))?;
    }
    if !report.clean {
        tracing::warn!(replayed = report.replayed, "the home was not closed in order; its database is well");
    }
    keep_defaults(&mut store, options).map_err(|e| failed(&e))?;
    let damage = Damage::default();
    let readers = Readers::new(&store, damage.clone()).map_err(|e| failed(&e))?;
    let (local, document) = open_document(&mut store, options)?;
    let reader = store.reader().map_err(|e| failed(&e))?;
    let loaded = load(&reader, options).map_err(|e| failed(&e))?;
    if *store.zone() != loaded.0.zone {
        // settings were written, and the end came before the days were rebuilt
        store.set_zone(&loaded.0.zone).map_err(|e| failed(&e))?;
    }
    let secrets = SecretFile::open(options.folder.join("secrets.json")).map_err(|e| {
        OpenError::new(
            NoticeCode::DatabaseReadOnly,
            format!(
                "The brokers' passwords can't be read ({e}). Check the file secrets.json in {}; if it is damaged, \
                 delete it and enter the passwords again.",
                options.folder.display()
            ),
        )
    })?;
    let (state, brokers, own_broker) = loaded;
    let secrets = Arc::new(secrets);
    let remade = document.remade;
    let share = Share::new(ShareParts {
        local,
        held: document.held,
        vault: options.keyring.clone(),
        file: Arc::new(TokenFile::new(secrets.clone())),
        browser: options.browser.clone(),
        device_name: options.device_name.clone(),
        folder: options.folder.clone(),
    });
    let changes = Arc::new(Changes::new());
    let writer = Writer::start(store, changes.clone(), damage).map_err(|e| {
        OpenError::new(NoticeCode::DatabaseReadOnly, format!("The home's writer can't be started ({e})."))
    })?;
    Ok(Opened { writer, changes, readers, state, brokers, own_broker, secrets, share, remade, rebuilt })
}

/// The home document, and what of sharing stays here. Before the rest is read: a home made by an
/// earlier program gets its document now, and a document says what is read.
fn open_document(store: &mut Store, options: &HomeOptions) -> Result<(Local, OpenedDoc), OpenError> {
    let refused = |e: &dyn std::fmt::Display| {
        OpenError::new(NoticeCode::DatabaseReadOnly, format!("The home can't be prepared for sharing: {e}"))
    };
    // an import brings what is read from a document, not the document itself: this home is one of
    // its own, and this device is not the one that it came from
    if store.reader().and_then(|r| r.shared(document::HOME_DOCUMENT)).map_err(|e| failed(&e))?.is_empty() {
        for id in [local::DEVICE, local::ACCOUNT, local::LINK, local::OFFER] {
            store.delete_document(local::SHARE, id).map_err(|e| failed(&e))?;
        }
    }
    let local = local::load(store, random_uuid).map_err(|e| match e {
        LocalError::Store(e) => failed(&e),
        LocalError::Api(e) => refused(&e),
    })?;
    let actor = document::random_actor().map_err(|e| refused(&e))?;
    let reader = store.reader().map_err(|e| failed(&e))?;
    let settings = match reader.document(documents::SETTINGS, documents::HOME).map_err(|e| failed(&e))? {
        Some(document) => document.parse().map_err(|e| failed(&e))?,
        None => defaults(options),
    };
    let load = || {
        Ok(project::steps(
            &settings,
            documents::all(&reader, documents::METER)?,
            documents::all(&reader, documents::TARIFF)?,
            documents::all(&reader, documents::BUDGET)?,
            documents::all(&reader, documents::ALERT)?,
        ))
    };
    let document = document::open(store, actor, local.device.recorder, options.clock.now(), &settings, load)
        .map_err(|e| failed(&e))?;
    Ok((local, document))
}

fn unusable(options: &HomeOptions, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::new(
        NoticeCode::DatabaseReadOnly,
        format!("The data folder {} can't be used: {error}.", options.folder.display()),
    )
}

fn failed(error: &StoreError) -> OpenError {
    OpenError::new(words::store_code(error), error.to_string())
}

/// Opens the database. A damaged one is moved aside, never deleted, and one built of what can be
/// read takes its place: the home goes on recording, and the household is told.
fn open_or_rebuild(
    options: &HomeOptions,
    store_options: StoreOptions,
) -> Result<(Store, OpenReport, Option<Recovered>), StoreError> {
    match Store::open(&options.folder, store_options.clone()) {
        Ok((store, report)) => Ok((store, report, None)),
        Err(damage) if damage.is_corrupt() => {
            tracing::error!(%damage, "the database is damaged and is being rebuilt");
            let rebuilt = hearthwatt_store::recover(&options.folder, store_options.clone())?;
            let (store, report) = Store::open(&options.folder, store_options)?;
            Ok((store, report, Some(rebuilt)))
        }
        Err(error) => Err(error),
    }
}

fn defaults(options: &HomeOptions) -> Settings {
    Settings {
        home_name: options.home_name.clone(),
        time_zone: TimeZone::get(&options.zone).map_or_else(|_| "UTC".into(), |_| options.zone.clone()),
        currency: options.currency.clone(),
        bill_day: 1,
        auto_adopt: false,
        notifications: true,
    }
}

/// Writes a new home's settings down at once: a home keeps the zone it was made in, wherever the
/// computer that opens it next is.
fn keep_defaults(store: &mut Store, options: &HomeOptions) -> Result<(), StoreError> {
    if store.reader()?.document(documents::SETTINGS, documents::HOME)?.is_some() {
        return Ok(());
    }
    match serde_json::to_value(defaults(options)) {
        Ok(json) => store.put_document(documents::SETTINGS, documents::HOME, &json),
        Err(_) => Ok(()),
    }
}

fn load(reader: &Reader, options: &HomeOptions) -> Result<(State, Vec<BrokerDoc>, bool), StoreError> {
    let settings = match reader.document(documents::SETTINGS, documents::HOME)? {
        Some(document) => document.parse()?,
        None => defaults(options),
    };
    let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
    let own = match reader.document(documents::SETTINGS, documents::OWN)? {
        Some(document) => document.parse::<OwnBrokerDoc>()?.enabled,
        None => false,
    };
    let keep_days = match reader.document(documents::SETTINGS, documents::RETENTION)? {
        Some(document) => document.parse::<RetentionDoc>()?.keep_days,
        None => None,
    };
    let tariffs: Vec<hearthwatt_domain::tariff::Tariff> = documents::all(reader, documents::TARIFF)?;
    let budgets: Vec<hearthwatt_domain::budget::Budget> = documents::all(reader, documents::BUDGET)?;
    let alerts: Vec<hearthwatt_domain::alert::Alert> = documents::all(reader, documents::ALERT)?;
    let meters: Vec<hearthwatt_domain::meter::Meter> = documents::all(reader, documents::METER)?;
    let state = State {
        settings,
        book: Arc::new(TariffBook::new(&tariffs, zone.clone())),
        zone,
        keep_days,
        tariffs,
        budgets: budgets.into_iter().map(|b| (b.id, b)).collect(),
        statuses: Default::default(),
        alerts: alerts.into_iter().map(|a| (a.id, a)).collect(),
        meters: Meters::load(meters),
        unsaved: Vec::new(),
    };
    Ok((state, documents::all(reader, documents::BROKER)?, own))
}

/// Starts all that runs.
async fn start(options: &HomeOptions, opened: Opened) -> Home {
    let (inbound, messages) = mpsc::channel(INBOUND_QUEUE);
    let core = Arc::new(Core::new(
        options,
        opened.state,
        opened.writer,
        opened.readers,
        opened.changes,
        opened.secrets,
        opened.share,
        inbound,
        broadcast::channel(EVENT_BACKLOG).0,
    ));
    let (stop, stopped) = watch::channel(false);
    let (stop_pipeline, pipeline_stopped) = watch::channel(false);
    let pipeline = tokio::spawn(Pipeline::new(core.clone()).run(messages, pipeline_stopped));
    if let Some(rebuilt) = opened.rebuilt {
        let words = words::rebuilt(&rebuilt);
        let mut told = notice(NoticeCode::DatabaseRebuilt, Severity::Warning, core.now(), words);
        told.detail = rebuilt.aside.display().to_string();
        core.health(|h| h.raise(told));
    }
    if opened.remade {
        let words = "The part of the database that the home's devices share was damaged. It has been made anew of \
                     what this device knew; the damaged part is kept.";
        core.health(|h| h.raise(notice(NoticeCode::DatabaseRebuilt, Severity::Warning, core.now(), words)));
    }
    core.connect_all(options, opened.brokers, opened.own_broker).await;
    let clocks = tasks::Clocks::read(core.now());
    let tasks = vec![
        tokio::spawn(discover::run(core.clone(), stopped.clone())),
        tokio::spawn(judge::run(core.clone(), stopped.clone())),
        tokio::spawn(tasks::look(core.clone(), stopped.clone(), clocks)),
        tokio::spawn(data::retain(core.clone(), stopped.clone())),
        tokio::spawn(tasks::trouble(core.clone(), stopped.clone())),
        tokio::spawn(link::run(core.clone(), stopped.clone())),
        tokio::spawn(blocks::run(core.clone(), stopped)),
    ];
    if let Ok(held) = core.document().await {
        core.look_at_document(&held);
    }
    Home { core, stop, stop_pipeline, tasks, pipeline }
}

impl Core {
    async fn connect_all(self: &Arc<Self>, options: &HomeOptions, stored: Vec<BrokerDoc>, own: bool) {
        for doc in stored {
            if doc.ignored {
                self.brokers().ignored.push(doc.id);
            } else {
                let password = self.secrets.get(&secret_name(doc.id));
                self.connect(doc, password, BrokerOrigin::Manual, false);
            }
        }
        for input in &options.brokers {
            match checked(input) {
                Ok(doc) => {
                    self.connect(doc, input.password.clone(), BrokerOrigin::Manual, true);
                }
                Err(error) => tracing::error!(%error, "a broker given at the start can't be used"),
            }
        }
        if own && let Err(error) = self.start_own_broker() {
            let now = self.now();
            let mut notice = notice(NoticeCode::BrokerUnreachable, Severity::Warning, now, error.message);
            notice.broker = Some(own_id());
            self.health(|h| h.raise(notice));
        }
    }

    async fn configure(&self, preset: Preset) -> Result<(), ApiError> {
        let _edit = self.edit.lock().await;
        let mut changes = Vec::new();
        for meter in &preset.meters {
            changes.push(put(documents::METER, meter.id, meter)?);
        }
        for tariff in &preset.tariffs {
            crate::answer::check_tariff(tariff)?;
            changes.push(put(documents::TARIFF, tariff.id, tariff)?);
        }
        for budget in &preset.budgets {
            crate::answer::check_budget(budget)?;
            changes.push(put(documents::BUDGET, budget.id, budget)?);
        }
        self.write(changes).await?;
        {
            let mut state = self.state();
            preset.meters.into_iter().for_each(|m| state.meters.put(m));
            for tariff in preset.tariffs {
                state.tariffs.retain(|t| t.id != tariff.id);
                state.tariffs.push(tariff);
            }
            state.reprice();
            state.budgets.extend(preset.budgets.into_iter().map(|b| (b.id, b)));
        }
        self.changes.all();
        for event in [Event::MetersChanged, Event::SettingsChanged, Event::BudgetsChanged] {
            self.tell(event);
        }
        Ok(())
    }
}

impl State {
    /// After tariffs or the zone changed.
    pub(crate) fn reprice(&mut self) {
        self.tariffs.sort_by_key(|t| (t.valid_from, t.id));
        self.book = Arc::new(TariffBook::new(&self.tariffs, self.zone.clone()));
    }
}
