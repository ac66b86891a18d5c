//! How the shared home of this device stands.

use super::line::use_calm;
use super::words;
use crate::effects::{use_ctx, use_passing_time};
use hearthwatt_api::{Account, SharedHome, SyncState};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct StateProps {
    pub account: Rc<Account>,
    pub home: SharedHome,
}

#[component]
pub fn State(props: &StateProps) -> Html {
    let app = use_ctx();
    use_passing_time();
    let (i18n, home) = (&app.i18n, &props.home);
    let sync = &props.account.sync;
    let state = use_calm(words::sync(i18n, sync, app.clock.now()), words::is_passing(sync));
    let role = i18n.t(&format!("sharing-you-{}", words::role_name(home.role)));
    let why = match &sync.state {
        SyncState::Unreachable { reason, .. } => html! {
            <>
                if !reason.is_empty() {
                    <p class="small">{ i18n.ta("sharing-reason", [("reason", reason.clone().into())]) }</p>
                }
                <p class="small muted">{ i18n.t("sharing-tries") }</p>
            </>
        },
        SyncState::ReadOnly { .. } => html! { <p class="small">{ i18n.t("sharing-read-only") }</p> },
        _ => html! {},
    };
    html! {
        <section class="card" aria-labelledby="sharing-home" data-testid="state-card">
            <h2 id="sharing-home" tabindex="-1">{ &home.name }</h2>
            <p class="muted small">{ role }</p>
            <div class="sync-state" role="status">
                <p><span class={classes!("state", state.class)} data-testid="sync-state">{ state.words }</span></p>
                if let Some(waiting) = words::waiting(i18n, sync).filter(|_| !words::is_passing(sync)) {
                    <p class="small">{ waiting }</p>
                }
                { why }
            </div>
            if home.members_pending > 0 {
                <p><a href="#sharing-members" onclick={to_members}>{ i18n.ta("members-waiting", [("n", home.members_pending.into())]) }</a></p>
            }
        </section>
    }
}

/// The fragment is the screen's address: a link inside the screen moves the focus instead.
fn to_members(e: MouseEvent) {
    e.prevent_default();
    crate::browser::focus("sharing-members");
}
