//! What energy costs: the versions of the tariff, and the form for one.

use super::tariff_form::{ALL_DAYS, MAX_WINDOWS, Per, TariffForm, WEEKEND, WORKDAYS, WindowForm};
use crate::browser;
use crate::effects::{use_action, use_ctx, use_query};
use crate::forms::edit::use_edit;
use crate::forms::fields::{CheckField, SelectField, TextField, UndoBar};
use crate::forms::{Errors, separators};
use crate::i18n::{I18n, Lang};
use crate::pages::sharing::conflicts::ConflictHint;
use crate::parts::{Choice, Editable, Fault};
use crate::state::Topics;
use hearthwatt_api::{DeleteTariff, ListTariffs, SaveTariff, SharedKind};
use hearthwatt_domain::ids::TariffId;
use hearthwatt_domain::tariff::{PriceSchedule, Tariff};
use hearthwatt_domain::units::Money;
use jiff::civil::Date;
use yew::prelude::*;

const FORM: &str = "tariff-form";
const NEW_BUTTON: &str = "tariff-new";

#[component]
pub fn Tariffs() -> Html {
    let app = use_ctx();
    let query = use_query(ListTariffs {}, Topics::SETTINGS);
    let editing = use_state(|| None::<TariffForm>);
    let deleted = use_state(|| None::<Tariff>);
    let mut list: Vec<Tariff> = query.data.as_ref().map(|l| (**l).clone()).unwrap_or_default();
    // newest first: the one that holds now is what one looks for
    list.sort_by_key(|t| std::cmp::Reverse(t.valid_from));
    let today = app.today();
    let current =
        list.iter().find(|t| t.valid_from <= today && t.valid_to.is_none_or(|to| today < to)).map(|t| t.id);

    let begin = {
        let (app, editing, newest) = (app.clone(), editing.clone(), list.first().cloned());
        move |_: MouseEvent| {
            let id = TariffId(browser::random_uuid());
            editing.set(Some(match &newest {
                Some(t) => TariffForm::next_version(t, id, app.today(), separators(app.i18n.lang)),
                // the readings so far had a price too
                None => TariffForm::new(id, app.t("tariff-default-name"), app.today().first_of_year()),
            }));
        }
    };
    let close = {
        let editing = editing.clone();
        Callback::from(move |()| {
            editing.set(None);
            browser::Timeout::after(0, || browser::focus(NEW_BUTTON)).forget();
        })
    };
    let saved = {
        let (set, close) = (query.setter(), close.clone());
        Callback::from(move |list: Vec<Tariff>| {
            set.emit(list);
            close.emit(());
        })
    };
    let restore = {
        let (set, deleted) = (query.setter(), deleted.clone());
        use_action::<SaveTariff>(Callback::from(move |list| {
            set.emit(list);
            deleted.set(None);
            browser::focus(NEW_BUTTON);
        }))
    };
    let delete = {
        let (app, set, deleted) = (app.clone(), query.setter(), deleted.clone());
        Callback::from(move |t: Tariff| {
            let (app, set, deleted) = (app.clone(), set.clone(), deleted.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match app.backend.call(DeleteTariff { id: t.id }).await {
                    Ok(list) => {
                        set.emit(list);
                        deleted.set(Some(t));
                    }
                    Err(error) => app.tell_error(&error),
                }
            });
        })
    };
    let undo = {
        let deleted = deleted.clone();
        Callback::from(move |()| {
            if let Some(tariff) = (*deleted).clone() {
                restore.emit(SaveTariff { tariff });
            }
        })
    };
    let forget = {
        let deleted = deleted.clone();
        Callback::from(move |()| {
            deleted.set(None);
            browser::focus(NEW_BUTTON);
        })
    };
    let undo_text = (*deleted)
        .as_ref()
        .map(|t| AttrValue::from(app.i18n.ta("tariff-deleted", [("name", t.name.clone().into())])));
    html! {
        <section class="card" aria-labelledby="home-tariffs"><Editable>
            <div class="row spread">
                <h2 id="home-tariffs">{ app.t("tariff-title") }</h2>
                <button type="button" id={NEW_BUTTON} data-testid="tariff-new" onclick={begin}>
                    { app.t(if list.is_empty() { "tariff-first" } else { "tariff-new-version" }) }
                </button>
            </div>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if query.data.is_some() && list.is_empty() && editing.is_none() {
                <p class="muted">{ app.t("tariff-none") }</p>
            }
            <UndoBar id="tariff-undo" text={undo_text} onundo={undo} onclose={forget} take_focus=true />
            if let Some(initial) = (*editing).clone() {
                <TariffEditor key={initial.id.to_string()} initial={initial.clone()} first={list.is_empty()} onsaved={saved} onclose={close} />
            }
            <ul class="lines tariffs">
                { for list.iter().map(|t| {
                    let (for_edit, for_delete) = (t.clone(), t.clone());
                    let (app2, editing, delete) = (app.clone(), editing.clone(), delete.clone());
                    let named = |key: &str| app.i18n.ta(key, [("name", t.name.clone().into()), ("from", app.i18n.day_of_year(t.valid_from).into())]);
                    html! {
                        <li key={t.id.to_string()} data-testid="tariff-row">
                            <div class="grow">
                                <strong>{ &t.name }</strong>
                                if current == Some(t.id) { { " " }<span class="state ok">{ app.t("tariff-now") }</span> }
                                <p class="small muted">{ validity(&app.i18n, t, &list) }</p>
                                <p class="small">{ prices(&app.i18n, t) }</p>
                            </div>
                            <span class="actions">
                                <button type="button" class="quiet" aria-label={named("tariff-edit-named")}
                                    onclick={move |_| editing.set(Some(TariffForm::of(&for_edit, separators(app2.i18n.lang))))}>{ app.t("form-edit") }</button>
                                <button type="button" class="quiet" aria-label={named("tariff-delete-named")}
                                    onclick={move |_| delete.emit(for_delete.clone())}>{ app.t("form-delete") }</button>
                            </span>
                            <ConflictHint kind={SharedKind::Tariff} entity={t.id.0} />
                        </li>
                    }
                }) }
            </ul>
        </Editable></section>
    }
}

/// Until when a version holds: its end, or the day the next one begins.
fn end_of(t: &Tariff, all: &[Tariff]) -> Option<Date> {
    all.iter().map(|o| o.valid_from).filter(|from| *from > t.valid_from).chain(t.valid_to).min()
}

fn validity(i18n: &I18n, t: &Tariff, all: &[Tariff]) -> String {
    let from = i18n.day_of_year(t.valid_from);
    // the last day, as people say it: the stored end is the day after
    match end_of(t, all).and_then(|to: Date| to.yesterday().ok()) {
        Some(last) => {
            i18n.ta("tariff-from-to", [("from", from.into()), ("to", i18n.day_of_year(last).into())])
        }
        None => i18n.ta("tariff-from", [("from", from.into())]),
    }
}

fn prices(i18n: &I18n, t: &Tariff) -> String {
    let mut parts = vec![match &t.import {
        PriceSchedule::Flat { price } => i18n.price(*price),
        PriceSchedule::TimeOfUse { windows, otherwise } => {
            let all = windows.iter().map(|w| w.price).chain([*otherwise]);
            let (low, high) = all.fold((*otherwise, *otherwise), |(l, h), p| (l.min(p), h.max(p)));
            i18n.ta("tariff-between", [("low", i18n.price(low).into()), ("high", i18n.price(high).into())])
        }
    }];
    if t.standing_charge_per_day != Money::ZERO {
        parts.push(
            i18n.ta("tariff-standing-a-day", [("amount", i18n.money(t.standing_charge_per_day).into())]),
        );
    }
    if let Some(PriceSchedule::Flat { price }) = t.export {
        parts.push(i18n.ta("tariff-for-export", [("price", i18n.price(price).into())]));
    }
    parts.join(" · ")
}

#[derive(PartialEq, Properties)]
struct TariffEditorProps {
    initial: TariffForm,
    first: bool,
    onsaved: Callback<Vec<Tariff>>,
    onclose: Callback<()>,
}

fn parse(form: &mut TariffForm, lang: Lang) -> Result<SaveTariff, Errors> {
    form.parse(separators(lang)).map(|tariff| SaveTariff { tariff })
}

#[component]
fn TariffEditor(props: &TariffEditorProps) -> Html {
    let app = use_ctx();
    let initial = props.initial.clone();
    let form =
        use_edit(FORM, Some("price"), move || initial, parse, props.onsaved.clone(), props.onclose.clone());
    let text = |field: &str| form.error(field);
    let currency = app.i18n.currency().to_owned();
    let per_kwh = AttrValue::from(format!("{currency}/kWh"));
    let decimal = AttrValue::from("decimal");
    let kinds =
        vec![("flat".into(), app.t("tariff-flat").into()), ("tou".into(), app.t("tariff-tou").into())];
    let pers =
        Per::ALL.map(|p| (p.name().into(), app.t(&format!("tariff-per-{}", p.name())).into())).to_vec();
    let add_window = form.change(|f, _: MouseEvent| f.windows.push(WindowForm::default()));
    let windows_error = text("windows");
    html! {
        <form class="form inset" data-testid="tariff-form" onsubmit={form.onsubmit.clone()} onkeydown={form.onkeydown.clone()} novalidate=true aria-labelledby="tariff-form-title">
            <h3 id="tariff-form-title">{ app.t(if props.first { "tariff-form-first" } else { "tariff-form-title" }) }</h3>
            <TextField form={FORM} name="name" label={app.t("tariff-name")} value={form.name.clone()} error={text("name")}
                oninput={form.change(|f, v: String| f.name = v)} />
            <TextField form={FORM} name="valid-from" kind="date" label={app.t("tariff-valid-from")} hint={AttrValue::from(app.t("tariff-valid-from-hint"))}
                value={form.valid_from.clone()} error={text("valid-from")} oninput={form.change(|f, v: String| f.valid_from = v)} />
            <div class="field">
                <span class="label" aria-hidden="true">{ app.t("tariff-kind") }</span>
                <Choice id="tariff-kind" label={app.t("tariff-kind")} options={kinds} value={if form.time_of_use { "tou" } else { "flat" }}
                    onchange={form.change(|f, v: AttrValue| f.time_of_use = v == "tou")} />
            </div>
            if form.time_of_use {
                <fieldset class="field windows" id="tariff-form-windows" tabindex="-1" aria-describedby={windows_error.is_some().then_some("tariff-windows-error")}>
                    <legend>{ app.t("tariff-windows") }</legend>
                    <p class="hint">{ app.t("tariff-windows-hint") }</p>
                    if let Some(error) = &windows_error {
                        <p class="error" id="tariff-windows-error">{ error }</p>
                    }
                    { for form.windows.iter().enumerate().map(|(i, w)| html! { <Window key={i} index={i} window={w.clone()} per_kwh={per_kwh.clone()}
                        onchange={form.change(move |f, w: WindowForm| if let Some(slot) = f.windows.get_mut(i) { *slot = w })}
                        onremove={form.change(move |f, ()| { f.windows.remove(i); })} /> }) }
                    if form.windows.len() < MAX_WINDOWS {
                        <button type="button" data-testid="tariff-add-window" onclick={add_window}>{ app.t("tariff-add-window") }</button>
                    }
                </fieldset>
            }
            <TextField form={FORM} name="price" label={app.t(if form.time_of_use { "tariff-otherwise" } else { "tariff-price" })} value={form.price.clone()} error={text("price")}
                suffix={per_kwh.clone()} inputmode={decimal.clone()} hint={AttrValue::from(app.t("tariff-price-hint"))}
                oninput={form.change(|f, v: String| f.price = v)} />
            <div class="pair">
                <TextField form={FORM} name="standing" label={app.t("tariff-standing")} value={form.standing.clone()} error={text("standing")}
                    suffix={AttrValue::from(currency)} inputmode={decimal.clone()} oninput={form.change(|f, v: String| f.standing = v)} />
                <SelectField form={FORM} name="per" label={app.t("tariff-per")} options={pers} value={form.per.name()}
                    onchange={form.change(|f, v: String| f.per = Per::parse(&v))} />
            </div>
            <TextField form={FORM} name="export" label={app.t("tariff-export")} value={form.export.clone()} error={text("export")}
                suffix={per_kwh} inputmode={decimal} hint={AttrValue::from(app.t("tariff-export-hint"))} oninput={form.change(|f, v: String| f.export = v)} />
            <div class="actions">
                <button type="submit" class="primary" data-testid="tariff-save" disabled={form.busy}>{ app.t("form-save") }</button>
                <button type="button" onclick={form.oncancel.clone()}>{ app.t("form-cancel") }</button>
            </div>
        </form>
    }
}

#[derive(PartialEq, Properties)]
struct WindowProps {
    index: usize,
    window: WindowForm,
    per_kwh: AttrValue,
    onchange: Callback<WindowForm>,
    onremove: Callback<()>,
}

/// One part of the week and its price.
#[component]
fn Window(props: &WindowProps) -> Html {
    let app = use_ctx();
    let w = &props.window;
    let name = |part: &str| format!("window-{}-{part}", props.index);
    let with = |f: fn(&mut WindowForm, String)| {
        let (window, onchange) = (w.clone(), props.onchange.clone());
        Callback::from(move |v: String| {
            let mut next = window.clone();
            f(&mut next, v);
            onchange.emit(next);
        })
    };
    let preset = |days: u8, key: &str| {
        let (window, onchange) = (w.clone(), props.onchange.clone());
        html! {
            <button type="button" class="quiet small" aria-pressed={(w.days == days).to_string()}
                onclick={move |_| onchange.emit(WindowForm { days, ..window.clone() })}>{ app.t(key) }</button>
        }
    };
    let onremove = props.onremove.clone();
    let number = props.index + 1;
    html! {
        <fieldset class="window">
            <legend>{ app.i18n.ta("tariff-window", [("n", number.into())]) }</legend>
            <div class="ticks">
                { for (0..7_u8).map(|bit| {
                    let (window, onchange) = (w.clone(), props.onchange.clone());
                    let onchange = Callback::from(move |on: bool| {
                        let days = if on { window.days | 1 << bit } else { window.days & !(1 << bit) };
                        onchange.emit(WindowForm { days, ..window.clone() });
                    });
                    html! {
                        <CheckField key={bit} form={FORM} name={name(&format!("day-{}", bit + 1))} checked={w.days >> bit & 1 == 1}
                            label={app.t(&format!("weekday-short-{}", bit + 1))} {onchange} />
                    }
                }) }
            </div>
            <div class="row">
                { preset(ALL_DAYS, "tariff-all-days") }{ preset(WORKDAYS, "tariff-workdays") }{ preset(WEEKEND, "tariff-weekend") }
            </div>
            <div class="pair three">
                <TextField form={FORM} name={name("from")} kind="time" label={app.t("tariff-window-from")} value={w.from.clone()} oninput={with(|w, v| w.from = v)} />
                <TextField form={FORM} name={name("to")} kind="time" label={app.t("tariff-window-to")} value={w.to.clone()} oninput={with(|w, v| w.to = v)} />
                <TextField form={FORM} name={name("price")} label={app.t("tariff-price")} value={w.price.clone()} suffix={props.per_kwh.clone()}
                    inputmode={AttrValue::from("decimal")} oninput={with(|w, v| w.price = v)} />
            </div>
            <button type="button" class="quiet" onclick={move |_| onremove.emit(())}>{ app.i18n.ta("tariff-remove-window", [("n", number.into())]) }</button>
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::tests::{languages, plain};
    use hearthwatt_domain::units::Price;
    use jiff::civil::date;

    fn version(from: Date, to: Option<Date>) -> Tariff {
        Tariff {
            id: TariffId::derive(&[&from.to_string()]),
            name: "Basic".into(),
            valid_from: from,
            valid_to: to,
            import: PriceSchedule::Flat { price: Price(329_000) },
            export: Some(PriceSchedule::Flat { price: Price(78_600) }),
            standing_charge_per_day: Money(390_000),
        }
    }

    #[test]
    fn a_version_ends_where_the_next_begins() {
        let (en, _) = languages();
        let all = [
            version(date(2026, 1, 1), None),
            version(date(2025, 1, 1), None),
            version(date(2024, 1, 1), Some(date(2024, 7, 1))),
        ];
        let said: Vec<String> = all.iter().map(|t| validity(&en, t, &all)).collect();
        assert_eq!(said, ["from 1 Jan 2026", "1 Jan 2025 to 31 Dec 2025", "1 Jan 2024 to 30 Jun 2024"]);
        assert_eq!(
            plain(&prices(&en, &all[0])),
            "0.329 €/kWh · 0.39 € a day · 0.0786 €/kWh for what you send"
        );
    }
}
