//! *History*.

use crate::effects::use_ctx;
use crate::parts::PageHead;
use crate::route::HistoryQuery;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct HistoryProps {
    pub query: HistoryQuery,
}

#[component]
pub fn HistoryPage(_props: &HistoryProps) -> Html {
    let app = use_ctx();
    html! { <PageHead title={app.t("nav-history")} /> }
}
