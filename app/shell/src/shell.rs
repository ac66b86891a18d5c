//! The home that is shown, and its changes: opened, failed, tried again, demo begun and left.

use crate::clock::SystemClock;
use crate::demo::{Demo, DemoTime};
use crate::events::{CAPACITY, Events};
use crate::failure::Failure;
use crate::folder::{Claim, DataFolder};
use crate::home::OpenHome;
use crate::locale;
use crate::machine::Machine;
use hearthwatt_api::{ApiError, Call, ErrorCode, Event, GetHealth, LeaveDemo, StartDemo};
use hearthwatt_engine::{Discovery, HomeOptions};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, Semaphore, broadcast, watch};

/// How often a home that could not be opened is tried again, where that may help.
const RETRY: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };
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
pub struct Shell(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    chosen: Option<PathBuf>,
    discovery: Discovery,
    machine: Machine,
    /// Calls read, changes of home write: a change waits for the calls under way.
    pub(crate) homes: RwLock<Homes>,
    /// One change of home at a time; also holds the data folder once it is ours.
    pub(crate) change: Mutex<Option<DataFolder>>,
    /// One file is taken in at a time.
    pub(crate) uploads: Arc<Semaphore>,
    demo_shown: Arc<AtomicBool>,
    events: broadcast::Sender<Event>,
    opened: watch::Sender<bool>,
    pub(crate) closed: watch::Sender<bool>,
}

/// The demo is shown if there is one, else the own home, else the failure.
#[derive(Default)]
pub(crate) struct Homes {
    pub(crate) own: Option<OpenHome>,
    pub(crate) demo: Option<Demo>,
    pub(crate) failure: Option<Failure>,
}

impl Homes {
    pub(crate) fn shown(&self) -> Option<&OpenHome> {
        self.demo.as_ref().map(Demo::home).or(self.own.as_ref())
    }
}

impl Shell {
    /// Starts opening the home and returns at once; [`Shell::opened`] waits for it. What goes
    /// wrong is in [`Shell::failure`] and in the answers.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start(claim: Claim, options: ShellOptions) -> Shell {
        Self::start_on(claim, options, Machine::bare("Hearthwatt"))
    }

    /// The same, with what the machine has for sharing the home.
    pub fn start_on(claim: Claim, options: ShellOptions, machine: Machine) -> Shell {
        let (folder, failure) = match claim.folder {
            Ok(folder) => (Some(folder), None),
            Err(failure) => (None, Some(failure)),
        };
        let shell = Shell(Arc::new(Inner {
            chosen: claim.chosen,
            discovery: options.discovery,
            machine,
            homes: RwLock::new(Homes { failure, ..Homes::default() }),
            change: Mutex::new(folder),
            uploads: Arc::new(Semaphore::new(1)),
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
        self.wait_until_opened().await?;
        match name {
            StartDemo::NAME => return self.whole(|shell| async move { shell.start_demo().await }).await,
            LeaveDemo::NAME => return self.whole(|shell| async move { shell.leave_demo().await }).await,
            _ => {}
        }
        let homes = self.0.homes.read().await;
        if let Some(home) = homes.shown() {
            let answer = home.call(name, params).await;
            if home.reopen() {
                drop(homes);
                self.whole(|shell| async move { shell.replaced().await }).await?;
            }
            return answer;
        }
        match &homes.failure {
            Some(failure) if name == GetHealth::NAME => serde_json::to_value([failure.notice()])
                .map_err(|e| ApiError { code: ErrorCode::Internal, message: e.to_string(), retry: false }),
            Some(failure) => Err(failure.api_error()),
            None => Err(unavailable("Hearthwatt is stopping.")),
        }
    }

    pub(crate) async fn wait_until_opened(&self) -> Result<(), ApiError> {
        let opened = async { self.0.opened.subscribe().wait_for(|opened| *opened).await.map(|_| ()) };
        tokio::time::timeout(OPENING_LIMIT, opened).await.map(drop).map_err(|_| {
            unavailable(
                "The home is still being opened. This can take a while after a power cut; nothing is lost.",
            )
        })
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
        let again = self.attempt(demo).await;
        self.0.opened.send_replace(true);
        if again {
            self.retry(demo).await;
        }
    }

    /// Opens the home asked for; the answer is whether to try again later.
    async fn attempt(&self, demo: bool) -> bool {
        let opened = if demo { self.open_demo().await } else { self.open_own().await };
        match opened {
            Ok(()) => false,
            Err(failure) => self.failed(failure).await,
        }
    }

    /// Tries until the home opens, can't, or is no longer asked for.
    async fn retry(self, demo: bool) {
        let mut closed = self.0.closed.subscribe();
        loop {
            tokio::select! {
                _ = tokio::time::sleep(RETRY) => {}
                _ = closed.wait_for(|closed| *closed) => return,
            }
            if self.0.homes.read().await.shown().is_some() {
                return;
            }
            if !self.attempt(demo).await {
                return self.tell(Event::HomeReplaced);
            }
        }
    }

    /// The data folder, claimed again if another Hearthwatt had it the last time.
    fn claimed<'a>(&self, folder: &'a mut Option<DataFolder>) -> Result<&'a DataFolder, Failure> {
        Ok(match folder.take() {
            Some(claimed) => folder.insert(claimed),
            None => folder.insert(DataFolder::claim(self.0.chosen.as_deref())?),
        })
    }

    async fn open_own(&self) -> Result<(), Failure> {
        let mut folder = self.0.change.lock().await;
        if *self.0.closed.borrow() || self.0.homes.read().await.own.is_some() {
            return Ok(());
        }
        let folder = self.claimed(&mut folder)?.home();
        let home = self.open_in(folder).await?;
        let mut homes = self.0.homes.write().await;
        homes.own = Some(home);
        homes.failure = None;
        Ok(())
    }

    /// Opens the household's own home in its folder.
    pub(crate) async fn open_in(&self, folder: PathBuf) -> Result<OpenHome, Failure> {
        OpenHome::open(self.own_options(folder), self.0.events.clone(), self.wanted()).await
    }

    fn own_options(&self, folder: PathBuf) -> HomeOptions {
        let mut options =
            HomeOptions::new(folder, Arc::new(SystemClock), &locale::zone(), &locale::currency());
        options.discovery = self.0.discovery;
        self.0.machine.equip(&mut options);
        options
    }

    fn wanted(&self) -> impl Fn(&Event) -> bool + Send + 'static {
        let demo_shown = self.0.demo_shown.clone();
        // behind the demo the own home goes on, and what it must warn of still comes through
        move |e| !demo_shown.load(Ordering::Relaxed) || matches!(e, Event::AlertRaised { .. })
    }

    /// Another home took the place of the own one in its folder: it is opened, and calls wait for
    /// it. One that does not open is tried again as at the start.
    async fn replaced(&self) -> Result<(), ApiError> {
        let mut folder = self.0.change.lock().await;
        let mut homes = self.0.homes.write().await;
        // another call may have been faster
        if *self.0.closed.borrow() || !homes.own.as_ref().is_some_and(OpenHome::reopen) {
            return Ok(());
        }
        if let Some(old) = homes.own.take() {
            old.close().await;
        }
        let opened = match self.claimed(&mut folder) {
            Ok(folder) => {
                let folder = folder.home();
                self.open_in(folder).await
            }
            Err(failure) => Err(failure),
        };
        match opened {
            Ok(home) => (homes.own, homes.failure) = (Some(home), None),
            Err(failure) => {
                drop((homes, folder));
                if self.failed(failure).await {
                    tokio::spawn(self.clone().retry(false));
                }
            }
        }
        self.tell(Event::HomeReplaced);
        Ok(())
    }

    async fn open_demo(&self) -> Result<(), Failure> {
        let mut folder = self.0.change.lock().await;
        if *self.0.closed.borrow() || self.0.homes.read().await.demo.is_some() {
            return Ok(());
        }
        let folder = self.claimed(&mut folder)?.demo();
        let demo = Demo::start(folder, self.0.events.clone(), DemoTime::real()).await?;
        self.0.homes.write().await.demo = Some(demo);
        self.0.demo_shown.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the failure for those who ask; the answer is whether it may pass.
    async fn failed(&self, failure: Failure) -> bool {
        let mut homes = self.0.homes.write().await;
        let may_pass = failure.may_pass();
        // said once, not every few seconds; the claim's failure is in here since the start
        let said =
            *self.0.opened.borrow() && homes.failure.as_ref().is_some_and(|f| f.message == failure.message);
        if !said {
            tracing::error!("{failure}");
            self.tell(Event::Health { notices: vec![failure.notice()] });
            homes.failure = Some(failure);
        }
        may_pass
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
        self.open_demo().await.map_err(|f| f.api_error())?;
        self.tell(Event::HomeReplaced);
        Ok(())
    }

    /// The own home went on listening behind the demo; after a start with the demo it opens now.
    async fn leave_demo(&self) -> Result<(), ApiError> {
        if self.0.homes.read().await.own.is_none() && self.attempt(false).await {
            tokio::spawn(self.clone().retry(false));
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

    pub(crate) fn tell(&self, event: Event) {
        // nobody listening is fine
        let _ = self.0.events.send(event);
    }
}

pub(crate) fn unavailable(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Unavailable, message: message.into(), retry: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::{NoticeCode, Overview};
    use serde_json::json;

    const OPTIONS: ShellOptions = ShellOptions { demo: false, discovery: Discovery::Off };

    #[tokio::test(flavor = "multi_thread")]
    async fn a_home_in_use_is_opened_when_it_becomes_free() {
        let dir = tempfile::tempdir().unwrap();
        let first = Shell::start(Claim::new(Some(dir.path().into())), OPTIONS);
        first.opened().await.unwrap();
        let overview = first.call("overview", json!({})).await.unwrap();
        assert!(!serde_json::from_value::<Overview>(overview).unwrap().demo);

        let second = Shell::start(Claim::new(Some(dir.path().into())), OPTIONS);
        let mut events = second.events();
        assert_eq!(second.opened().await.unwrap_err().code, NoticeCode::SecondInstance);
        let health = second.call("health", json!({})).await.unwrap();
        assert_eq!(health[0]["code"], "second_instance");
        let refused = second.call("overview", json!({})).await.unwrap_err();
        assert_eq!((refused.code, refused.retry), (ErrorCode::Storage, true));

        first.close().await;
        assert_eq!(first.call("overview", json!({})).await.unwrap_err().code, ErrorCode::Unavailable);
        let told = async { while events.next().await != Some(Event::HomeReplaced) {} };
        tokio::time::timeout(Duration::from_secs(20), told).await.unwrap();
        second.call("overview", json!({})).await.unwrap();
        second.close().await;
    }

    #[tokio::test]
    async fn what_stands_in_the_way_is_data() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("home"), "not a folder").unwrap();
        let shell = Shell::start(Claim::new(Some(dir.path().into())), OPTIONS);
        let failure = shell.opened().await.unwrap_err();
        let health = shell.call("health", json!({})).await.unwrap();
        assert_eq!(health[0]["message"], failure.message);
        assert_eq!(health[0]["severity"], "error");
        shell.close().await;
    }
}
