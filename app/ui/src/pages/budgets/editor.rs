//! The form that makes or changes a budget.

use super::form::{BudgetForm, Kind, PeriodKind, USUAL_THRESHOLDS};
use crate::effects::use_ctx;
use crate::forms::edit::use_edit;
use crate::forms::fields::{CheckField, SelectField, TextField};
use crate::forms::{Errors, separators};
use crate::i18n::Lang;
use crate::parts::Choice;
use hearthwatt_api::SaveBudget;
use hearthwatt_domain::budget::{BudgetStatus, Scope};
use hearthwatt_domain::ids::{BudgetId, MeterId};
use yew::prelude::*;

const FORM: &str = "budget-form";

#[derive(PartialEq, Properties)]
pub struct EditorProps {
    pub initial: BudgetForm,
    pub is_new: bool,
    pub meters: Vec<(MeterId, String)>,
    pub onsaved: Callback<BudgetStatus>,
    pub onclose: Callback<BudgetId>,
}

fn parse(form: &mut BudgetForm, lang: Lang) -> Result<SaveBudget, Errors> {
    form.parse(separators(lang)).map(|budget| SaveBudget { budget })
}

#[component]
pub fn Editor(props: &EditorProps) -> Html {
    let app = use_ctx();
    let close = {
        let (id, close) = (props.initial.id, props.onclose.clone());
        Callback::from(move |()| close.emit(id))
    };
    let initial = props.initial.clone();
    let form = use_edit(FORM, Some("limit"), move || initial, parse, props.onsaved.clone(), close);
    let text = |field: &str| form.error(field);
    let kinds = vec![
        ("energy".into(), app.t("budget-kind-energy").into()),
        ("money".into(), app.t("budget-kind-money").into()),
    ];
    let periods = PeriodKind::ALL
        .map(|p| (p.name().into(), app.t(&format!("budget-period-{}", p.name())).into()))
        .to_vec();
    let mut scopes: Vec<(AttrValue, AttrValue)> = vec![("home".into(), app.t("budget-scope-home").into())];
    scopes.extend(props.meters.iter().map(|(id, name)| (id.to_string().into(), name.clone().into())));
    let scope = match form.scope {
        Scope::Home => "home".to_owned(),
        Scope::Meter(id) => {
            if props.meters.iter().all(|(m, _)| *m != id) {
                scopes.push((id.to_string().into(), app.t("budget-scope-gone").into()));
            }
            id.to_string()
        }
    };
    let unit = if form.kind == Kind::Energy { "kWh".to_owned() } else { app.i18n.currency().to_owned() };
    let kind = if form.kind == Kind::Energy { "energy" } else { "money" };
    let threshold_error = text("others");
    let ticked = &form.ticked;
    html! {
        <form class="card form" data-testid="budget-form" onsubmit={form.onsubmit.clone()} onkeydown={form.onkeydown.clone()} novalidate=true aria-labelledby="budget-form-title">
            <h2 id="budget-form-title">{ app.t(if props.is_new { "budget-form-new" } else { "budget-form-edit" }) }</h2>
            <TextField form={FORM} name="name" label={app.t("form-name")} value={form.name.clone()} error={text("name")}
                oninput={form.change(|f, v: String| f.name = v)} />
            <div class="field">
                <span class="label" aria-hidden="true">{ app.t("budget-kind") }</span>
                <Choice id="budget-kind" label={app.t("budget-kind")} options={kinds} value={kind}
                    onchange={form.change(|f, v: AttrValue| f.kind = if v == "money" { Kind::Money } else { Kind::Energy })} />
            </div>
            <TextField form={FORM} name="limit" label={app.t("budget-limit")} value={form.limit.clone()} error={text("limit")}
                suffix={AttrValue::from(unit)} inputmode={AttrValue::from("decimal")}
                hint={(form.kind == Kind::Money).then(|| AttrValue::from(app.t("budget-limit-money")))}
                oninput={form.change(|f, v: String| f.limit = v)} />
            <SelectField form={FORM} name="period" label={app.t("budget-period")} options={periods} value={form.period.name()}
                onchange={form.change(|f, v: String| f.period = PeriodKind::parse(&v))} />
            if form.period == PeriodKind::BillMonth {
                <TextField form={FORM} name="start-day" label={app.t("budget-start-day")} value={form.start_day.clone()} error={text("start-day")}
                    inputmode={AttrValue::from("numeric")} hint={AttrValue::from(app.t("form-month-day-hint"))}
                    oninput={form.change(|f, v: String| f.start_day = v)} />
            }
            <SelectField form={FORM} name="scope" label={app.t("budget-scope")} options={scopes} value={scope}
                onchange={form.change(|f, v: String| f.scope = v.parse().map_or(Scope::Home, Scope::Meter))} />
            <fieldset class="field" aria-describedby={threshold_error.is_some().then_some("budget-form-others-error")}>
                <legend>{ app.t("budget-tell-me") }</legend>
                <div class="ticks">
                    { for USUAL_THRESHOLDS.into_iter().map(|percent| {
                        let onchange = form.change(move |f, on| f.tick(percent, on));
                        html! {
                            <CheckField key={percent} form={FORM} name={format!("at-{percent}")} checked={ticked.contains(&percent)}
                                label={app.i18n.percent(f64::from(percent) / 100.0)} {onchange} />
                        }
                    }) }
                </div>
                <TextField form={FORM} name="others" label={app.t("budget-other-thresholds")} value={form.others.clone()} error={threshold_error}
                    suffix={AttrValue::from("%")} placeholder={AttrValue::from("60, 75")} oninput={form.change(|f, v: String| f.others = v)} />
                <CheckField form={FORM} name="warn-on-forecast" label={app.t("budget-warn-ahead")} checked={form.warn_on_forecast}
                    onchange={form.change(|f, v: bool| f.warn_on_forecast = v)} />
            </fieldset>
            <div class="actions">
                <button type="submit" class="primary" data-testid="budget-save" disabled={form.busy}>{ app.t("form-save") }</button>
                <button type="button" data-testid="budget-cancel" onclick={form.oncancel.clone()}>{ app.t("form-cancel") }</button>
            </div>
        </form>
    }
}
