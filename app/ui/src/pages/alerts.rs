//! *Alerts*.

use crate::effects::use_ctx;
use crate::parts::PageHead;
use yew::prelude::*;

#[component]
pub fn Alerts() -> Html {
    let app = use_ctx();
    html! { <PageHead title={app.t("nav-alerts")} /> }
}
