//! *Home*: whose home, which prices, which brokers, which data, how the page looks.

mod autostart;
pub mod broker_form;
pub mod brokers;
mod data;
mod look;
mod place;
mod sharing;
pub mod tariff_form;
mod tariffs;

use crate::effects::use_ctx;
use crate::parts::{LockedReason, PageHead};
use yew::prelude::*;

#[component]
pub fn Home() -> Html {
    let app = use_ctx();
    html! {
        <>
            <PageHead title={app.t("nav-home")} />
            <LockedReason />
            <div class="stack sections">
                <place::Place />
                <tariffs::Tariffs />
                <sharing::SharingCard />
                <brokers::Brokers />
                <data::Data />
                <look::Look />
            </div>
        </>
    }
}
