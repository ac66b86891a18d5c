//! *Now*.

use super::first_run::FirstRun;
use crate::effects::use_ctx;
use crate::parts::PageHead;
use yew::prelude::*;

#[component]
pub fn Now() -> Html {
    let app = use_ctx();
    match &app.overview {
        Some(overview) if overview.adopted_meters == 0 => html! { <FirstRun overview={overview.clone()} /> },
        _ => html! { <PageHead title={app.t("nav-now")} /> },
    }
}
