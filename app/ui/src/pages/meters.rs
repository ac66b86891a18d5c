//! *Meters*.

use crate::effects::use_ctx;
use crate::parts::PageHead;
use yew::prelude::*;

#[component]
pub fn Meters() -> Html {
    let app = use_ctx();
    html! { <PageHead title={app.t("nav-meters")} /> }
}
