//! The way to *Sharing*, with how it stands: on a phone the navigation has no place for it.

use crate::effects::{use_ctx, use_passing_time};
use crate::pages::sharing::words;
use crate::route::Route;
use yew::prelude::*;

#[component]
pub fn SharingCard() -> Html {
    let app = use_ctx();
    use_passing_time();
    let state = words::line(&app.i18n, app.account.as_deref(), app.clock.now());
    let shown = app.has_sync_line();
    html! {
        <section class="card" aria-labelledby="home-sharing">
            <div class="row spread">
                <h2 id="home-sharing">{ app.t("nav-sharing") }</h2>
                <a class="button" href={Route::Sharing.href()} data-testid="to-sharing">{ app.t(if shown { "sharing-open" } else { "sharing-begin" }) }</a>
            </div>
            if shown {
                <p><span class={classes!("state", state.class)}>{ state.words }</span></p>
            } else {
                <p class="muted small">{ app.t("sharing-alone") }</p>
            }
        </section>
    }
}
