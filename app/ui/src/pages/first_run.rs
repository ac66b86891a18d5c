//! The first minutes: what is on the network, and how to get it to speak.

use crate::effects::use_ctx;
use hearthwatt_api::Overview;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct FirstRunProps {
    pub overview: Rc<Overview>,
}

/// In place of *Now* for as long as no meter is adopted.
#[component]
pub fn FirstRun(_props: &FirstRunProps) -> Html {
    let app = use_ctx();
    html! { <section id="first-run" data-testid="first-run"><h1>{ app.t("first-run-looking") }</h1></section> }
}
