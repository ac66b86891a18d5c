//! *Alerts*: what happened, why, what can be done. Newest first.

pub mod words;

use crate::browser;
use crate::effects::{use_action, use_ctx, use_query};
use crate::parts::{Fault, PageHead};
use crate::route::Route;
use crate::state::Topics;
use hearthwatt_api::{AcknowledgeAlert, ListAlerts, ListBudgets};
use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::budget::Scope;
use hearthwatt_domain::ids::{AlertId, MeterId};
use yew::prelude::*;

fn row_id(id: AlertId) -> String {
    format!("alert-{id}")
}

#[derive(PartialEq, Properties)]
pub struct AlertsProps {
    /// The one that a notification or a link is about.
    #[prop_or_default]
    pub focus: Option<AlertId>,
}

#[component]
pub fn Alerts(props: &AlertsProps) -> Html {
    let app = use_ctx();
    let alerts = use_query(ListAlerts { unacknowledged_only: false }, Topics::ALERTS);
    let budgets = use_query(ListBudgets {}, Topics::BUDGETS);
    let list: Vec<Alert> = alerts.data.as_ref().map(|l| (**l).clone()).unwrap_or_default();
    let open: Vec<AlertId> = list.iter().filter(|a| a.acknowledged_at.is_none()).map(|a| a.id).collect();

    // once its row is there, the alert that was asked for takes the focus
    let asked = props.focus.filter(|id| list.iter().any(|a| a.id == *id));
    use_effect_with(asked, |asked| {
        if let Some(id) = asked {
            browser::focus(&row_id(*id));
        }
    });

    let replace = {
        let (set, list) = (alerts.setter(), list.clone());
        Callback::from(move |alert: Alert| {
            let mut list = list.clone();
            if let Some(old) = list.iter_mut().find(|a| a.id == alert.id) {
                *old = alert;
            }
            set.emit(list);
        })
    };
    let after = {
        let replace = replace.clone();
        Callback::from(move |alert: Alert| {
            // its button is gone: the focus stays with the alert
            let id = row_id(alert.id);
            replace.emit(alert);
            browser::Timeout::after(0, move || browser::focus(&id)).forget();
        })
    };
    let acknowledge = use_action::<AcknowledgeAlert>(after);
    let all = {
        let (app, set, list, open) = (app.clone(), alerts.setter(), list.clone(), open.clone());
        move |_: MouseEvent| {
            let (app, set, mut list, open) = (app.clone(), set.clone(), list.clone(), open.clone());
            wasm_bindgen_futures::spawn_local(async move {
                for id in open {
                    match app.backend.call(AcknowledgeAlert { id }).await {
                        Ok(done) => list.iter_mut().filter(|a| a.id == id).for_each(|a| *a = done.clone()),
                        Err(error) => {
                            app.tell_error(&error);
                            break;
                        }
                    }
                }
                set.emit(list);
                browser::focus("content");
            });
        }
    };
    let meter_of = |alert: &Alert| -> Option<MeterId> {
        budgets.data.iter().flat_map(|l| l.iter()).find(|s| s.budget.id == alert.budget).and_then(|s| match s
            .budget
            .scope
        {
            Scope::Meter(id) => Some(id),
            Scope::Home => None,
        })
    };

    html! {
        <>
            <PageHead title={app.t("nav-alerts")}>
                if open.len() > 1 {
                    <button type="button" data-testid="alert-ack-all" onclick={all}>{ app.i18n.ta("alert-ack-all", [("n", open.len().into())]) }</button>
                }
            </PageHead>
            if let Some(error) = alerts.error.clone() {
                <Fault {error} />
            }
            if props.focus.is_some() && asked.is_none() && alerts.data.is_some() {
                <p class="banner" role="status">{ app.t("alert-gone") }</p>
            }
            if alerts.data.is_some() && list.is_empty() {
                <div class="empty" data-testid="alerts-empty">
                    <h2>{ app.t("alert-none") }</h2>
                    <p>{ app.t("alert-none-do") }{ " " }<a href={Route::Budgets.href()}>{ app.t("alert-to-budgets") }</a></p>
                </div>
            }
            <ol class="stack alerts">
                { for list.iter().map(|alert| {
                    let (acknowledge, id) = (acknowledge.clone(), alert.id);
                    let is_open = alert.acknowledged_at.is_none();
                    let now = app.clock.now();
                    let (class, word) = match alert.cause {
                        Cause::Threshold { percent } if percent >= 100 => ("over", "alert-word-over"),
                        Cause::Threshold { .. } => ("warn", "alert-word-threshold"),
                        Cause::Forecast { .. } => ("warn", "alert-word-forecast"),
                    };
                    let sentence = words::sentence(&app.i18n, alert, now);
                    let sentence_id = format!("alert-text-{id}");
                    html! {
                        <li key={id.to_string()} id={row_id(id)} tabindex="-1" data-testid="alert-row" aria-labelledby={sentence_id.clone()}
                            class={classes!("card", "alert", class, is_open.then_some("open"), (asked == Some(id)).then_some("asked"))}>
                            <p class="alert-head">
                                <strong class="alert-word">{ app.t(word) }</strong>
                                <time class="muted small" datetime={alert.raised_at.to_jiff().map(|t| t.to_string())}>{ app.i18n.moment(alert.raised_at, now) }</time>
                            </p>
                            <p id={sentence_id}>{ sentence }</p>
                            <div class="actions">
                                <a class="button quiet" href={words::chart_of(&app.i18n, alert, meter_of(alert)).href()}>{ app.t("alert-see-chart") }</a>
                                if let Some(at) = alert.acknowledged_at {
                                    <span class="muted small">{ app.i18n.ta("alert-acknowledged", [("when", app.i18n.moment(at, now).into())]) }</span>
                                } else {
                                    <button type="button" data-testid="alert-ack" aria-describedby={format!("alert-text-{id}")}
                                        onclick={move |_| acknowledge.emit(AcknowledgeAlert { id })}>{ app.t("alert-ack") }</button>
                                }
                            </div>
                        </li>
                    }
                }) }
            </ol>
        </>
    }
}
