//! The home that is shown, and its changes: opened, failed, tried again, demo begun and left.

use crate::clock::SystemClock;
use crate::demo::{Demo, DemoTime};
use crate::events::{CAPACITY, Events};
use crate::failure::Failure;
use crate::folder::{Claim, DataFolder};
use crate::home::OpenHome;
use crate::locale;
use hearthwatt_api::{ApiError, Call, ErrorCode, Event, GetHealth, LeaveDemo, StartDemo};
use hearthwatt_engine::{Discovery, HomeOptions};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, broadcast, watch};

/// How often a home that could not be opened is tried again, where that may help.
const RETRY: Duration = Duration::from_secs(10);
/// A call waits this long for the home to be opened before it says so.
const OPENING_LIMIT: Duration = Duration::from_secs(20);

/// How a shell starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShellOptions {
    /// Begin with the demo home instead of the household's own.
    pub demo: bool,
    /// Where the household's own home looks for meters. The demo never leaves this computer.
    pub discovery: Discovery,
}

/// The home that is open, behind one handle that outlives changes of home. Clones are the same
/// shell.
#[derive(Clone)]
pub struct Shell(Arc<Inner>);

struct Inner {
    chosen: Option<PathBuf>,
    discovery: Discovery,
    /// Calls read, changes of home write: a change waits for the calls under way.
    homes: RwLock<Homes>,
    /// One change of home at a time; also holds the data folder once it is ours.
    change: Mutex<Option<DataFolder>>,
    demo_shown: Arc<AtomicBool>,
    events: broadcast::Sender<Event>,
    opened: watch::Sender<bool>,
    closed: watch::Sender<bool>,
}

/// The demo is shown if there is one, else the own home, else the failure.
#[derive(Default)]
struct Homes {
    own: Option<OpenHome>,
    demo: Option<Demo>,
    failure: Option<Failure>,
}

impl Homes {
    fn shown(&self) -> Option<&OpenHome> {
        self.demo.as_ref().map(Demo::home).or(self.own.as_ref())
    }
}

impl Shell {
    /// Starts opening the home and returns at once; [`Shell::opened`] waits for it. What goes
    /// wrong is in [`Shell::failure`] and in the answers.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start(claim: Claim, options: ShellOptions) -> Shell {
        let (folder, failure) = match claim.folder {
            Ok(folder) => (Some(folder), None),
            Err(failure) => (None, Some(failure)),
        };
        let shell = Shell(Arc::new(Inner {
            chosen: claim.chosen,
            discovery: options.discovery,
            homes: RwLock::new(Homes { failure, ..Homes::default() }),
            change: Mutex::new(folder),
            demo_shown: Arc::new(AtomicBool::new(false)),
            events: broadcast::channel(CAPACITY).0,
            opened: watch::Sender::new(false),
            closed: watch::Sender::new(false),
        }));
        let opening = shell.clone();
        tokio::spawn(async move { opening.open(options.demo).await });
        shell
    }

    /// Waits until the home is open, or known not to open. `Err` is the failure at that moment.
    ///
    /// # Errors
    /// The home can't be opened for now.
    pub async fn opened(&self) -> Result<(), Failure> {
        let _ = self.0.opened.subscribe().wait_for(|opened| *opened).await;
        self.failure().await.map_or(Ok(()), Err)
    }

    /// Why no home is shown, if that is so.
    pub async fn failure(&self) -> Option<Failure> {
        let homes = self.0.homes.read().await;
        if homes.shown().is_some() { None } else { homes.failure.clone() }
    }

    /// Answers one call of the page, by name.
    ///
    /// # Errors
    /// What the home says, or that there is none.
    pub async fn call(&self, name: &str, params: Value) -> Result<Value, ApiError> {
        let opened = async { self.0.opened.subscribe().wait_for(|opened| *opened).await.map(|_| ()) };
        if tokio::time::timeout(OPENING_LIMIT, opened).await.is_err() {
            return Err(unavailable(
                "The home is still being opened. This can take a while after a power cut; nothing is lost.",
            ));
        }
        match name {
            StartDemo::NAME => return self.whole(|shell| async move { shell.start_demo().await }).await,
            LeaveDemo::NAME => return self.whole(|shell| async move { shell.leave_demo().await }).await,
            _ => {}
        }
        let homes = self.0.homes.read().await;
        if let Some(home) = homes.shown() {
            return home.call(name, params).await;
        }
        match &homes.failure {
            Some(failure) if name == GetHealth::NAME => serde_json::to_value([failure.notice()])
                .map_err(|e| ApiError { code: ErrorCode::Internal, message: e.to_string(), retry: false }),
            Some(failure) => Err(failure.api_error()),
            None => Err(unavailable("Hearthwatt is stopping.")),
        }
    }

    /// What the home tells unasked, from now on.
    pub fn events(&self) -> Events {
        Events::new(self.0.events.subscribe())
    }

    /// Closes what is open; calls fail from here on. Twice is once.
    pub async fn close(&self) {
        self.0.closed.send_replace(true);
        let mut folder = self.0.change.lock().await;
        let homes = std::mem::take(&mut *self.0.homes.write().await);
        if let Some(demo) = homes.demo {
            demo.stop().await;
        }
        if let Some(own) = homes.own {
            own.close().await;
        }
        *folder = None;
        self.0.opened.send_replace(true);
    }

    async fn open(self, demo: bool) {
        let retry = if demo {
            match self.try_demo().await {
                Ok(()) => false,
                Err(failure) => self.failed(failure).await && self.0.change.lock().await.is_none(),
            }
        } else {
            self.try_own().await
        };
        self.0.opened.send_replace(true);
        if retry {
            self.retry_own().await;
        }
    }

    /// Tries the own home until it opens, can't, or is no longer asked for.
    async fn retry_own(self) {
        let mut closed = self.0.closed.subscribe();
        loop {
            tokio::select! {
                _ = tokio::time::sleep(RETRY) => {}
                _ = closed.wait_for(|closed| *closed) => return,
            }
            if self.0.homes.read().await.shown().is_some() {
                return;
            }
            if !self.try_own().await {
                return self.tell(Event::HomeReplaced);
            }
        }
    }

    /// Opens the household's own home; the answer is whether to try again later.
    async fn try_own(&self) -> bool {
        let mut folder = self.0.change.lock().await;
        if *self.0.closed.borrow() {
            return false;
        }
        if folder.is_none() {
            match DataFolder::claim(self.0.chosen.as_deref()) {
                Ok(claimed) => *folder = Some(claimed),
                Err(failure) => return self.failed(failure).await,
            }
        }
        let Some(folder) = folder.as_ref() else { return false };
        let mut options =
            HomeOptions::new(folder.home(), Arc::new(SystemClock), &locale::zone(), &locale::currency());
        options.discovery = self.0.discovery;
        let demo_shown = self.0.demo_shown.clone();
        // behind the demo the own home goes on, and what it must warn of still comes through
        let wanted =
            move |e: &Event| !demo_shown.load(Ordering::Relaxed) || matches!(e, Event::AlertRaised { .. });
        match OpenHome::open(options, self.0.events.clone(), wanted).await {
            Ok(home) => {
                let mut homes = self.0.homes.write().await;
                homes.own = Some(home);
                homes.failure = None;
                false
            }
            Err(failure) => self.failed(failure).await,
        }
    }

    async fn failed(&self, failure: Failure) -> bool {
        let may_pass = failure.may_pass();
        let mut homes = self.0.homes.write().await;
        let notices = vec![failure.notice()];
        let known = homes.failure.as_ref().is_some_and(|f| f.message == failure.message);
        if !known {
            tracing::error!("{failure}");
        }
        if !known || !*self.0.opened.borrow() {
            homes.failure = Some(failure);
            self.tell(Event::Health { notices });
        }
        may_pass
    }

    async fn try_demo(&self) -> Result<(), Failure> {
        let folder = self.0.change.lock().await;
        if *self.0.closed.borrow() || self.0.homes.read().await.demo.is_some() {
            return Ok(());
        }
        let Some(folder) = folder.as_ref() else {
            let homes = self.0.homes.read().await;
            return homes.failure.clone().map_or(Ok(()), Err);
        };
        let demo = Demo::start(folder.demo(), self.0.events.clone(), DemoTime::real()).await?;
        self.0.homes.write().await.demo = Some(demo);
        self.0.demo_shown.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Runs a change of home to its end, even if the one who asked has gone meanwhile.
    async fn whole<F>(&self, change: impl FnOnce(Shell) -> F) -> Result<Value, ApiError>
    where
        F: Future<Output = Result<(), ApiError>> + Send + 'static,
    {
        match tokio::spawn(change(self.clone())).await {
            Ok(result) => result.map(|()| Value::Null),
            Err(e) => Err(ApiError { code: ErrorCode::Internal, message: e.to_string(), retry: false }),
        }
    }

    async fn start_demo(&self) -> Result<(), ApiError> {
        self.try_demo().await.map_err(|f| f.api_error())?;
        self.tell(Event::HomeReplaced);
        Ok(())
    }

    /// The own home went on listening behind the demo; after a start with the demo it opens now.
    async fn leave_demo(&self) -> Result<(), ApiError> {
        if self.0.homes.read().await.own.is_none() && self.try_own().await {
            tokio::spawn(self.clone().retry_own());
        }
        let change = self.0.change.lock().await;
        let demo = self.0.homes.write().await.demo.take();
        self.0.demo_shown.store(false, Ordering::Relaxed);
        self.tell(Event::HomeReplaced);
        if let Some(demo) = demo {
            demo.stop().await;
        }
        drop(change);
        Ok(())
    }

    fn tell(&self, event: Event) {
        // nobody listening is fine
        let _ = self.0.events.send(event);
    }
}

fn unavailable(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Unavailable, message: message.into(), retry: true }
}
