//! One adopted meter: value now, last seen, health in words, used today.

use super::Refused;
use crate::effects::{use_action, use_ctx};
use crate::i18n::I18n;
use crate::pages::sharing::conflicts::ConflictHint;
use crate::parts::LivePower;
use crate::route::{HistoryQuery, Route};
use hearthwatt_api::{IgnoreMeter, MeterHealth, MeterList, MeterView, SharedKind};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Meter, Role};
use yew::prelude::*;

pub fn edit_id(id: MeterId) -> String {
    format!("meter-edit-{id}")
}

/// Name of a role in `value` attributes and Fluent keys.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Grid => "grid",
        Role::Solar => "solar",
        Role::Battery => "battery",
        Role::Load => "load",
    }
}

/// "Grid · Shelly Pro 3EM"
pub fn kind_words(i18n: &I18n, meter: &Meter) -> String {
    let mut parts = vec![i18n.t(&format!("meter-role-{}", role_name(meter.role)))];
    let device = [meter.manufacturer.trim(), meter.model.trim()]
        .iter()
        .filter(|s| !s.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    if !device.is_empty() {
        parts.push(device);
    }
    parts.join(" · ")
}

fn health_name(health: MeterHealth) -> (&'static str, &'static str) {
    match health {
        MeterHealth::Well => ("ok", "meter-health-well"),
        MeterHealth::Quiet => ("warn", "meter-health-quiet"),
        MeterHealth::Offline => ("over", "meter-health-offline"),
        MeterHealth::Refused => ("over", "meter-health-refused"),
        MeterHealth::Unknown => ("warn", "meter-health-unknown"),
    }
}

#[derive(PartialEq, Properties)]
pub struct RowProps {
    pub view: MeterView,
    pub depth: usize,
    pub onedit: Callback<MeterId>,
    pub onlist: Callback<MeterList>,
}

#[component]
pub fn Row(props: &RowProps) -> Html {
    let app = use_ctx();
    let (i18n, v) = (&app.i18n, &props.view);
    let id = v.meter.id;
    let ignore = use_action::<IgnoreMeter>(props.onlist.clone());
    let (class, health) = health_name(v.health);
    let seen = match v.last_seen {
        Some(at) => i18n.ta("meter-last-seen", [("when", i18n.ago(at, app.clock.now()).into())]),
        None => i18n.t("meter-never-seen"),
    };
    let notices = app.notices.iter().filter(|n| n.meter == Some(id));
    let named = |key: &str| i18n.ta(key, [("name", v.meter.name.clone().into())]);
    let history = Route::History(HistoryQuery { meter: Some(id), ..HistoryQuery::default() }).href();
    let onedit = props.onedit.clone();
    let depth = props.depth.min(4);
    html! {
        <li class={classes!("meter", format!("depth-{depth}"))} data-testid="meter-row" id={format!("meter-{id}")}>
            <div class="meter-name">
                <h3><a href={history} aria-label={named("meter-history-named")}>{ &v.meter.name }</a></h3>
                <p class="muted small">
                    if !v.meter.room.is_empty() { { format!("{} · ", v.meter.room) } }
                    { kind_words(i18n, &v.meter) }
                    if v.meter.inverted { { format!(" · {}", i18n.t("meter-inverted-short")) } }
                </p>
            </div>
            <p class="meter-power" data-testid="meter-power"><LivePower meter={id} /></p>
            <p class="meter-today small"><span class="muted">{ app.t("meter-today") }{ " " }</span><span class="num">{ i18n.energy(v.used_today).to_string() }</span></p>
            <p class="meter-health small">
                <span class={classes!("state", class)} data-testid="meter-health">{ app.t(health) }</span>{ " " }
                <span class="muted">{ seen }</span>
            </p>
            <div class="actions">
                <button type="button" class="quiet" id={edit_id(id)} data-testid="meter-edit" aria-label={named("meter-edit-named")}
                    onclick={move |_| onedit.emit(id)}>{ app.t("form-edit") }</button>
                <button type="button" class="quiet" data-testid="meter-ignore" aria-label={named("meter-ignore-named")}
                    onclick={move |_| ignore.emit(IgnoreMeter { id })}>{ app.t("meter-ignore") }</button>
            </div>
            <div class="meter-more">
                <ConflictHint kind={SharedKind::Meter} entity={id.0} />
                { for notices.map(|n| html! { <p class="banner warn">{ app.i18n.notice(n) }</p> }) }
                if v.refused > 0 {
                    <Refused meter={Some(id)} title={i18n.ta("meter-refused-some", [("n", v.refused.into()), ("ok", v.accepted.into())])} />
                }
            </div>
        </li>
    }
}
