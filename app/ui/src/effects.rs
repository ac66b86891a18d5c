//! Everything the page does to the world, and hears from it: the connection, asking, asking
//! again, acting, the address. Screens use the hooks; nothing else talks to the backend.

use crate::backend::{Backend, Signal};
use crate::browser::{self, Interval, Listener, Timeout};
use crate::i18n::{I18n, Lang};
use crate::live::{LiveHub, LiveKey, LiveNumber};
use crate::route::Route;
use crate::state::{Action, State, Theme, Topics};
use hearthwatt_api::{
    Account, ApiError, Call, ErrorCode, Event, Flow, GetAccount, GetHealth, GetOverview, ListConflicts,
};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;
use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Changes that arrive together are asked for together.
const DEBOUNCE_MS: i32 = 400;
/// After an error that may pass.
const RETRY_MS: i32 = 5_000;
/// The overview is asked at least this often: silence of meters makes no event.
const OVERVIEW_EVERY_MS: i32 = 30_000;
const TOAST_MS: i32 = 6_000;
/// How often words like "4 min ago" are looked at again.
const PASSING_MS: i32 = 30_000;

pub const LANG_KEY: &str = "hearthwatt-lang";
pub const THEME_KEY: &str = "hearthwatt-theme";
/// Whether there was a line about sharing.
const SYNC_LINE_KEY: &str = "hearthwatt-sync-line";

/// The home's clock: the viewer's, corrected by what the engine last said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clock(Rc<Cell<i64>>);

impl Clock {
    pub fn now(&self) -> UnixMillis {
        browser::now().plus_ms(self.0.get())
    }
    fn set(&self, home: UnixMillis) {
        self.0.set(home.since(browser::now()));
    }
}

/// What every screen has at hand; `state` by way of dereferencing.
#[derive(Clone, PartialEq)]
pub struct App {
    pub store: UseReducerHandle<Store>,
    pub backend: Backend,
    pub live: LiveHub,
    pub clock: Clock,
    pub i18n: I18n,
}

impl Deref for App {
    type Target = State;
    fn deref(&self) -> &State {
        &self.store.0
    }
}

impl App {
    pub fn dispatch(&self, action: Action) {
        self.store.dispatch(action);
    }
    /// The text of a key in the chosen language.
    pub fn t(&self, key: &str) -> String {
        self.i18n.t(key)
    }
    pub fn tell(&self, text: String) {
        self.dispatch(Action::Tell { text, is_error: false });
    }
    pub fn tell_error(&self, error: &ApiError) {
        let text = match (error.code, self.lock()) {
            // known here, and so in the reader's language
            (ErrorCode::Forbidden, Some(lock)) => crate::pages::sharing::words::lock(&self.i18n, lock),
            _ => error_words(&self.i18n, error),
        };
        self.dispatch(Action::Tell { text, is_error: true });
    }
    pub fn today(&self) -> jiff::civil::Date {
        self.i18n.day_of(self.clock.now())
    }
    /// The stored choice; the page changes at once.
    pub fn speak(&self, lang: Lang) {
        browser::store(LANG_KEY, lang.tag());
        self.dispatch(Action::Speak(lang));
    }
    pub fn paint(&self, theme: Theme) {
        browser::store(THEME_KEY, theme.name());
        self.dispatch(Action::Paint(theme));
    }
}

/// An error in the reader's language where its code says enough; the engine's words, which name
/// the field or the file, where they say more.
pub fn error_words(i18n: &I18n, error: &ApiError) -> String {
    match error.code {
        ErrorCode::Unavailable => i18n.t("error-unavailable"),
        ErrorCode::Unauthorized => i18n.t("error-unauthorized"),
        ErrorCode::SignedOut => i18n.t("error-signed-out"),
        _ => error.message.clone(),
    }
}

/// The reducer's shell for Yew.
#[derive(Debug, Clone, PartialEq)]
pub struct Store(pub State);

impl Reducible for Store {
    type Action = Action;
    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(Store(Rc::unwrap_or_clone(self).0.reduce(action)))
    }
}

/// The page's state, with its connection, address and clock running. Once, at the root.
#[hook]
pub fn use_app() -> App {
    let store = use_reducer(|| {
        let preferred = browser::languages();
        let lang = Lang::pick(
            browser::stored(LANG_KEY).as_deref().into_iter().chain(preferred.iter().map(String::as_str)),
        );
        let theme = browser::stored(THEME_KEY).map(|t| Theme::parse(&t)).unwrap_or_default();
        let had_sync_line = browser::stored(SYNC_LINE_KEY).is_some_and(|v| v == "1");
        let mut state = State::new(Route::parse(&browser::hash()), lang, theme);
        state.had_sync_line = had_sync_line;
        Store(state)
    });
    let backend = use_memo((), |()| Backend::detect());
    let live = use_memo((), |()| LiveHub::default());
    let clock = use_memo((), |()| Clock::default());

    use_connection(store.dispatcher(), (*backend).clone(), (*live).clone());
    use_address(store.dispatcher());
    use_overview(&store, (*backend).clone(), (*live).clone(), (*clock).clone());
    use_account(&store, (*backend).clone());
    use_root_marks(store.0.lang, store.0.theme);
    use_toasts(&store);

    let words = use_memo(store.0.lang, |lang| I18n::new(*lang));
    let home = store.0.overview.as_ref().map(|o| (o.time_zone.clone(), o.currency.clone()));
    let i18n = use_memo((store.0.lang, home), |(_, home)| match home {
        Some((zone, currency)) => words.for_home(zone, currency),
        None => (*words).clone(),
    });
    App {
        store,
        backend: (*backend).clone(),
        live: (*live).clone(),
        clock: (*clock).clone(),
        i18n: (*i18n).clone(),
    }
}

#[hook]
fn use_connection(dispatch: UseReducerDispatcher<Store>, backend: Backend, live: LiveHub) {
    use_effect_with((), move |()| {
        backend.listen(Callback::from(move |signal| match signal {
            Signal::Up => dispatch.dispatch(Action::Link(crate::state::Link::Up)),
            Signal::Down => dispatch.dispatch(Action::Link(crate::state::Link::Down)),
            Signal::Event(Event::Live(values)) => live.publish(&values),
            Signal::Event(event) => {
                if event == Event::HomeReplaced {
                    live.forget_all();
                }
                dispatch.dispatch(Action::Heard(event));
            }
        }));
    });
}

#[hook]
fn use_address(dispatch: UseReducerDispatcher<Store>) {
    use_effect_with((), move |()| {
        let listener = Listener::on(&browser::window(), "hashchange", move |_| {
            dispatch.dispatch(Action::Go(Route::parse(&browser::hash())));
        });
        move || drop(listener)
    });
}

#[hook]
fn use_overview(store: &UseReducerHandle<Store>, backend: Backend, live: LiveHub, clock: Clock) {
    let tick = use_state(|| 0_u32);
    let asked = use_mut_ref(|| false);
    {
        let tick = tick.clone();
        let count = use_mut_ref(|| 0_u32);
        use_effect_with((), move |()| {
            let timer = Interval::every(OVERVIEW_EVERY_MS, move || {
                *count.borrow_mut() += 1;
                tick.set(*count.borrow());
            });
            move || drop(timer)
        });
    }
    let retry = store.0.trouble.is_some();
    let key = (store.0.revisions, store.0.generation, *tick);
    let dispatch = store.dispatcher();
    {
        let (dispatch, backend, live, clock) = (dispatch.clone(), backend.clone(), live, clock);
        use_effect_with((key, retry), move |(_, retry)| {
            let first = !std::mem::replace(&mut *asked.borrow_mut(), true);
            let pause = match (first, retry) {
                (true, _) => 0,
                (_, true) => RETRY_MS,
                _ => DEBOUNCE_MS,
            };
            let timer = Timeout::after(pause, move || {
                spawn_local(async move {
                    let reply = backend.call(GetOverview {}).await.map(Rc::new);
                    if let Ok(overview) = &reply {
                        clock.set(overview.at);
                        live.publish_overview(overview);
                    }
                    dispatch.dispatch(Action::Overview(reply));
                });
            });
            move || drop(timer)
        });
    }
    use_effect_with(store.0.revisions.of(Topics::HEALTH), move |_| {
        spawn_local(async move {
            if let Ok(notices) = backend.call(GetHealth {}).await {
                dispatch.dispatch(Action::Notices(notices));
            }
        });
    });
}

/// Who is signed in and what waits for a decision: on every screen.
#[hook]
fn use_account(store: &UseReducerHandle<Store>, backend: Backend) {
    let again = use_state(|| 0_u32);
    let state = &store.0;
    let key = (state.revisions.of(Topics::ACCOUNT), state.generation, *again);
    {
        let (backend, dispatch) = (backend.clone(), store.dispatcher());
        use_effect_with(key, move |_| {
            let retry = Rc::new(Cell::new(None::<Timeout>));
            let (later, next) = (retry.clone(), *again + 1);
            let asked = Rc::new(Cell::new(true));
            let still = asked.clone();
            spawn_local(async move {
                match backend.call(GetAccount {}).await {
                    Ok(account) => dispatch.dispatch(Action::Account(account)),
                    Err(error) if error.retry && still.get() => {
                        later.set(Some(Timeout::after(RETRY_MS, move || again.set(next))));
                    }
                    Err(_) => {}
                }
            });
            move || {
                asked.set(false);
                retry.take();
            }
        });
    }
    let heard = state.account.is_some();
    let has_line = state.has_sync_line();
    use_effect_with((heard, has_line), |(heard, has_line)| {
        if *heard {
            browser::store(SYNC_LINE_KEY, if *has_line { "1" } else { "0" });
        }
    });
    let home = state.account.as_ref().and_then(|a| a.home.as_ref().map(|h| h.id));
    let dispatch = store.dispatcher();
    use_effect_with((home, state.revisions.of(Topics::CONFLICTS), state.generation), move |(home, ..)| {
        if home.is_some() {
            spawn_local(async move {
                if let Ok(conflicts) = backend.call(ListConflicts {}).await {
                    dispatch.dispatch(Action::Conflicts(conflicts));
                }
            });
        }
    });
}

/// Language and theme on the root element, where the style sheet and screen readers look.
#[hook]
fn use_root_marks(lang: Lang, theme: Theme) {
    use_effect_with((lang, theme), |(lang, theme)| {
        if let Some(root) = browser::document().document_element() {
            let _ = root.set_attribute("lang", lang.tag());
            let _ = root.set_attribute("data-theme", theme.name());
        }
    });
}

#[hook]
fn use_toasts(store: &UseReducerHandle<Store>) {
    let oldest = store.0.toasts.first().map(|t| t.id);
    let dispatch = store.dispatcher();
    use_effect_with(oldest, move |oldest| {
        let timer = oldest.map(|id| Timeout::after(TOAST_MS, move || dispatch.dispatch(Action::Untell(id))));
        move || drop(timer)
    });
}

/// The page's state and tools, anywhere below the root.
#[hook]
pub fn use_ctx() -> App {
    #[allow(clippy::expect_used, reason = "a screen outside the root is a mistake in the program text")]
    use_context::<App>().expect("inside the root")
}

/// What a screen asked for. Old data stays while new is on its way, so nothing flickers.
pub struct Query<R> {
    pub data: Option<Rc<R>>,
    pub error: Option<ApiError>,
    /// Whether `data` answers an earlier question than the one now asked.
    pub stale: bool,
    set: Callback<R>,
}

impl<R> Query<R> {
    /// Puts a reply that another call brought (a list after a change) in place of the asked one.
    pub fn setter(&self) -> Callback<R> {
        self.set.clone()
    }
}

struct Answered<C, R> {
    question: Option<C>,
    data: Option<Rc<R>>,
    error: Option<ApiError>,
}

/// Asks at once, again when the question changes, and (shortly after) when one of `topics` does.
#[hook]
pub fn use_query<C>(call: C, topics: Topics) -> Query<C::Reply>
where
    C: Call + Clone + PartialEq + 'static,
    C::Reply: 'static,
{
    let app = use_ctx();
    let answered = use_mut_ref(|| Answered::<C, C::Reply> { question: None, data: None, error: None });
    let asked = use_mut_ref(|| (0_u32, None::<C>));
    let redraw = use_force_update();
    let again = use_state(|| 0_u32);

    let key = (call.clone(), app.revisions.of(topics), app.generation, *again);
    {
        let (backend, answered, again, redraw) =
            (app.backend.clone(), answered.clone(), again.clone(), redraw.clone());
        use_effect_with(key, move |(call, ..)| {
            let (number, changed) = {
                let mut a = asked.borrow_mut();
                a.0 += 1;
                let changed = a.1.as_ref() != Some(call);
                a.1 = Some(call.clone());
                (a.0, changed)
            };
            let call = call.clone();
            let retry = Rc::new(Cell::new(None::<Timeout>));
            let retry_later = retry.clone();
            let timer = Timeout::after(if changed { 0 } else { DEBOUNCE_MS }, move || {
                spawn_local(async move {
                    let reply = backend.call(call.clone()).await;
                    if asked.borrow().0 != number {
                        return; // a newer question is on its way
                    }
                    let mut now = answered.borrow_mut();
                    match reply {
                        Ok(reply) => {
                            *now = Answered { question: Some(call), data: Some(Rc::new(reply)), error: None };
                        }
                        Err(error) => {
                            if error.retry {
                                let next = *again + 1;
                                retry_later.set(Some(Timeout::after(RETRY_MS, move || again.set(next))));
                            }
                            now.error = Some(error);
                        }
                    }
                    drop(now);
                    redraw.force_update();
                });
            });
            move || {
                drop(timer);
                retry.take();
            }
        });
    }

    let set = {
        let (answered, call) = (answered.clone(), call.clone());
        Callback::from(move |reply| {
            *answered.borrow_mut() =
                Answered { question: Some(call.clone()), data: Some(Rc::new(reply)), error: None };
            redraw.force_update();
        })
    };
    let now = answered.borrow();
    Query {
        data: now.data.clone(),
        error: now.error.clone(),
        stale: now.data.is_some() && now.question.as_ref() != Some(&call),
        set,
    }
}

/// A way to act: sends the call, hands the reply on, says what went wrong otherwise.
#[hook]
pub fn use_action<C>(done: Callback<C::Reply>) -> Callback<C>
where
    C: Call + 'static,
    C::Reply: 'static,
{
    let app = use_ctx();
    Callback::from(move |call: C| {
        let (app, done) = (app.clone(), done.clone());
        spawn_local(async move {
            match app.backend.call(call).await {
                Ok(reply) => done.emit(reply),
                Err(error) => app.tell_error(&error),
            }
        });
    })
}

/// The same, and whether an answer is still awaited: for what takes a server's time.
#[hook]
pub fn use_slow_action<C>(done: Callback<C::Reply>) -> (Callback<C>, bool)
where
    C: Call + 'static,
    C::Reply: 'static,
{
    let app = use_ctx();
    let busy = use_state(|| false);
    let is_busy = *busy;
    let act = Callback::from(move |call: C| {
        if is_busy {
            return;
        }
        busy.set(true);
        let (app, done, busy) = (app.clone(), done.clone(), busy.clone());
        spawn_local(async move {
            let reply = app.backend.call(call).await;
            busy.set(false);
            match reply {
                Ok(reply) => done.emit(reply),
                Err(error) => app.tell_error(&error),
            }
        });
    });
    (act, is_busy)
}

/// An action that leaves the account changed; `done` comes after every screen knows.
#[hook]
pub fn use_account_action<C>(done: Callback<()>) -> (Callback<C>, bool)
where
    C: Call<Reply = Account> + 'static,
{
    let app = use_ctx();
    use_slow_action::<C>(Callback::from(move |account| {
        app.dispatch(Action::Account(account));
        done.emit(());
    }))
}

/// Draws the component again every half minute, for times that are told as "4 min ago".
#[hook]
pub fn use_passing_time() {
    let redraw = use_force_update();
    use_effect_with((), move |()| {
        let timer = Interval::every(PASSING_MS, move || redraw.force_update());
        move || drop(timer)
    });
}

/// The flow now, at most one change a second.
#[hook]
pub fn use_live_flow() -> Flow {
    let app = use_ctx();
    let shown = use_state(|| app.live.flow());
    {
        let shown = shown.clone();
        use_effect_with(app.live.clone(), move |live| {
            shown.set(live.flow());
            let watch = live.watch(
                LiveKey::Flow,
                Callback::from(move |value| {
                    if let LiveNumber::Flow(flow) = value {
                        shown.set(flow);
                    }
                }),
            );
            move || drop(watch)
        });
    }
    *shown
}

/// One meter's power now, at most one change a second.
#[hook]
pub fn use_live_power(meter: MeterId) -> Option<Power> {
    let app = use_ctx();
    let shown = use_state(|| app.live.power(meter));
    {
        let shown = shown.clone();
        use_effect_with((app.live.clone(), meter), move |(live, meter)| {
            shown.set(live.power(*meter));
            let watch = live.watch(
                LiveKey::Meter(*meter),
                Callback::from(move |value| {
                    if let LiveNumber::Power(power) = value {
                        shown.set(power);
                    }
                }),
            );
            move || drop(watch)
        });
    }
    *shown
}
