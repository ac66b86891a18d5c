//! How sharing stands, on every screen: a quiet line in the navigation, and a banner for what
//! needs somebody.

use super::words::{self, SyncWords};
use crate::browser::Timeout;
use crate::effects::{use_ctx, use_passing_time};
use crate::parts::Icon;
use crate::route::Route;
use hearthwatt_api::SyncState;
use yew::prelude::*;

/// Every edit waits for a moment: what passes within this is not worth a word.
const CALM_MS: i32 = 1_500;

/// The words of the state, without what is over before it could be read.
#[hook]
pub fn use_calm(now: SyncWords, is_passing: bool) -> SyncWords {
    let lasts = use_state(|| false);
    let calm = use_mut_ref(|| None::<SyncWords>);
    {
        let lasts = lasts.clone();
        use_effect_with(is_passing, move |is_passing| {
            lasts.set(false);
            let timer = is_passing.then(|| Timeout::after(CALM_MS, move || lasts.set(true)));
            move || drop(timer)
        });
    }
    if !is_passing {
        *calm.borrow_mut() = Some(now.clone());
        return now;
    }
    let before = calm.borrow().clone();
    if *lasts { now } else { before.unwrap_or(now) }
}

/// The navigation's way to *Sharing*, with the state under it. Its place has a fixed size, so that
/// nothing moves when the words change.
#[component]
pub fn SyncLine() -> Html {
    let app = use_ctx();
    use_passing_time();
    let current = (app.route == Route::Sharing).then_some("page");
    let shown = app.has_sync_line();
    let account = app.account.as_deref();
    let is_passing = account.is_some_and(|a| words::is_passing(&a.sync));
    let state = use_calm(words::line(&app.i18n, account, app.clock.now()), is_passing);
    let home = app.overview.as_ref().map(|o| o.home_name.clone()).filter(|n| !n.is_empty());
    let decide = app.conflicts.len();
    html! {
        <li class={classes!("sync-item", shown.then_some("on"))}>
            <a id="nav-sharing" data-testid="nav-sharing" href={Route::Sharing.href()} aria-current={current}>
                <Icon name="sharing" />
                // a phone has no other place for the name of the home
                <span class="sync-home" aria-hidden="true">{ home.unwrap_or_else(|| "Hearthwatt".to_owned()) }</span>
                <span class="sync-name">{ app.t("nav-sharing") }</span>
                if shown {
                    <span class="sync-words" data-testid="sync-line">
                        <span class={classes!("state", state.class)}>{ &state.words }</span>
                        if let Some(more) = &state.more {
                            <span class="sync-more">{ more }</span>
                        }
                    </span>
                }
                if decide > 0 {
                    <span class="badge" data-testid="conflicts-badge">
                        <span aria-hidden="true">{ decide }</span>
                        <span class="only-heard">{ app.i18n.ta("sync-to-decide", [("n", decide.into())]) }</span>
                    </span>
                }
            </a>
        </li>
    }
}

/// What ended or can't go on by itself; said once above every screen but the one that has it.
#[component]
pub fn SharingBanner() -> Html {
    let app = use_ctx();
    if app.route == Route::Sharing {
        return html! {};
    }
    let Some(account) = app.account.as_deref() else { return html! {} };
    let (class, text) = match &account.sync.state {
        SyncState::Removed => {
            let said = account.notice.as_ref().map(|n| words::notice(&app.i18n, n));
            ("banner over", said.unwrap_or_else(|| app.t("sharing-notice-device-removed")))
        }
        SyncState::ReadOnly { .. } => ("banner warn", app.t("sharing-locked-update")),
        _ => return html! {},
    };
    html! {
        <p {class} role="status" data-testid="sharing-banner">
            { text }{ " " }<a href={Route::Sharing.href()}>{ app.t("nav-sharing") }</a>
        </p>
    }
}
