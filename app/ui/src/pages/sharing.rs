//! *Sharing*: the account, and who has this home. Signed out it says what sharing is; everything
//! else of Hearthwatt works without it.

mod account;
pub mod address;
mod carry;
pub mod conflicts;
mod devices;
mod homes;
mod invitations;
pub mod line;
mod members;
mod sign_in;
mod state;
pub mod words;

use crate::browser;
use crate::effects::{use_account_action, use_ctx};
use crate::parts::PageHead;
use hearthwatt_api::{AcceptInvitation, AccountState};
use hearthwatt_domain::time::UnixMillis;
use yew::prelude::*;

/// An invitation that waits for its reader to be signed in; kept while the tab is open.
const INVITATION_KEY: &str = "hearthwatt-invitation";

#[component]
pub fn Sharing() -> Html {
    let app = use_ctx();
    let title = html! { <PageHead title={app.t("nav-sharing")} /> };
    if app.overview.as_ref().is_some_and(|o| o.demo) {
        return html! { <>{ title }<p class="empty" data-testid="sharing-demo">{ app.t("sharing-demo") }</p></> };
    }
    let Some(account) = app.account.clone() else {
        return title;
    };
    let body = match &account.state {
        AccountState::SignedOut => html! { <sign_in::SignedOut account={account.clone()} /> },
        AccountState::SigningIn { .. } => html! { <sign_in::SigningIn account={account.clone()} /> },
        AccountState::SignedIn { .. } => html! {
            <>
                <Invited />
                if let Some(home) = account.home.clone() {
                    <conflicts::Conflicts />
                    <state::State account={account.clone()} home={home.clone()} />
                    <members::Members />
                    <invitations::Invitations />
                    <devices::Devices />
                } else {
                    <homes::Homes account={account.clone()} />
                }
                <account::AccountCard account={account.clone()} />
            </>
        },
    };
    html! { <>{ title }<div class="stack sections sharing">{ body }</div></> }
}

/// Accepts the invitation that was put in before signing in.
#[component]
fn Invited() -> Html {
    let app = use_ctx();
    let told = app.clone();
    let (accept, _) = use_account_action::<AcceptInvitation>(Callback::from(move |()| {
        told.tell(told.t("sharing-accepted"));
    }));
    use_effect_with((), move |()| {
        let waiting = browser::session(INVITATION_KEY).filter(|i| !i.is_empty());
        if let Some(code_or_link) = waiting {
            browser::set_session(INVITATION_KEY, "");
            accept.emit(AcceptInvitation { code_or_link });
        }
    });
    html! {}
}

/// Says how old a list is, where the server can't be asked for a newer one.
fn as_of(app: &crate::effects::App, at: Option<UnixMillis>) -> Html {
    let is_away = app
        .account
        .as_ref()
        .is_some_and(|a| matches!(a.sync.state, hearthwatt_api::SyncState::Unreachable { .. }));
    match at {
        None => html! { <p class="muted small">{ app.t("sharing-not-heard") }</p> },
        Some(at) if is_away => {
            let when = crate::pages::words::at_moment(&app.i18n, at, app.clock.now());
            html! { <p class="muted small">{ app.i18n.ta("sharing-as-of", [("when", when.into())]) }</p> }
        }
        Some(_) => html! {},
    }
}
