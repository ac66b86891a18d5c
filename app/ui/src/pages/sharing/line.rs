//! How sharing stands, on every screen: a quiet line in the navigation, and a banner for what
//! needs somebody.

use super::words;
use crate::effects::{use_ctx, use_passing_time};
use crate::parts::Icon;
use crate::route::Route;
use hearthwatt_api::SyncState;
use yew::prelude::*;

/// The navigation's way to *Sharing*, with the state under it. Its place has a fixed size, so that
/// nothing moves when the words change.
#[component]
pub fn SyncLine() -> Html {
    let app = use_ctx();
    use_passing_time();
    let current = (app.route == Route::Sharing).then_some("page");
    let shown = app.has_sync_line();
    let state = words::line(&app.i18n, app.account.as_deref(), app.clock.now());
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
