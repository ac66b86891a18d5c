//! Name, zone, currency and bill day of the home; saved as they are typed, with a way back.

use crate::browser::Timeout;
use crate::effects::{use_ctx, use_query};
use crate::forms::fields::{CheckField, SelectField, TextField, UndoBar};
use crate::forms::{Errors, NAME_MAX_CHARS};
use crate::pages::budgets::form::parse_month_day;
use crate::pages::sharing::conflicts::ConflictHint;
use crate::parts::{Editable, Fault};
use crate::state::Topics;
use hearthwatt_api::{GetSettings, Settings, SharedKind};
use jiff::tz::TimeZone;
use std::rc::Rc;
use yew::prelude::*;

const FORM: &str = "home-form";
/// After the last key.
const SAVE_AFTER_MS: i32 = 700;
const CURRENCIES: [&str; 21] = [
    "EUR", "CHF", "GBP", "USD", "DKK", "NOK", "SEK", "PLN", "CZK", "HUF", "RON", "BGN", "ISK", "TRY", "CAD",
    "AUD", "NZD", "JPY", "INR", "ZAR", "BRL",
];

/// What is typed; kept apart from the settings so that half a word is no setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub name: String,
    pub zone: String,
    pub currency: String,
    pub bill_day: String,
    pub auto_adopt: bool,
    pub notifications: bool,
}

impl Typed {
    pub fn of(s: &Settings) -> Self {
        Self {
            name: s.home_name.clone(),
            zone: s.time_zone.clone(),
            currency: s.currency.clone(),
            bill_day: s.bill_day.to_string(),
            auto_adopt: s.auto_adopt,
            notifications: s.notifications,
        }
    }

    pub fn parse(&self) -> Result<Settings, Errors> {
        let mut errors = Errors::default();
        let home_name = errors.take("home-name", parse_home_name(&self.name));
        let time_zone = errors.take("time-zone", parse_zone(&self.zone));
        let bill_day = errors.take("bill-day", parse_month_day(&self.bill_day));
        match (home_name, time_zone, bill_day) {
            (Some(home_name), Some(time_zone), Some(bill_day)) => Ok(Settings {
                home_name,
                time_zone,
                currency: self.currency.clone(),
                bill_day,
                auto_adopt: self.auto_adopt,
                notifications: self.notifications,
            }),
            _ => Err(errors),
        }
    }
}

/// A home may go without a name: it has none before somebody gives it one.
fn parse_home_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.chars().count() > NAME_MAX_CHARS { Err("form-error-name-long") } else { Ok(name.to_owned()) }
}

/// An IANA name as the tz database writes it, however it was typed.
fn parse_zone(text: &str) -> Result<String, &'static str> {
    let wanted = text.trim().replace(' ', "_");
    if wanted.is_empty() {
        return Err("form-error-empty");
    }
    let zone = TimeZone::get(&wanted).map_err(|_| "home-error-zone")?;
    zone.iana_name().map(str::to_owned).ok_or("home-error-zone")
}

#[component]
pub fn Place() -> Html {
    let app = use_ctx();
    let query = use_query(GetSettings {}, Topics::SETTINGS);
    html! {
        <section class="card form" aria-labelledby="home-place">
            <h2 id="home-place">{ app.t("home-place") }</h2>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if let Some(settings) = query.data.clone() {
                <PlaceForm {settings} onsaved={query.setter()} />
            }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct PlaceFormProps {
    settings: Rc<Settings>,
    onsaved: Callback<Settings>,
}

#[component]
fn PlaceForm(props: &PlaceFormProps) -> Html {
    let app = use_ctx();
    let typed = use_state(|| Typed::of(&props.settings));
    // what stood before the changes that "undo" takes back
    let before = use_state(|| None::<Settings>);
    let pending = use_mut_ref(|| None::<Timeout>);
    let saved = use_mut_ref(|| (*props.settings).clone());

    // a change from elsewhere (another page, the window) shows unless something is being typed
    {
        let (typed, saved, pending) = (typed.clone(), saved.clone(), pending.clone());
        use_effect_with(props.settings.clone(), move |now| {
            if pending.borrow().is_none() && *saved.borrow() != **now {
                *saved.borrow_mut() = (**now).clone();
                typed.set(Typed::of(now));
            }
        });
    }

    let send = {
        let (app, before, saved, onsaved) =
            (app.clone(), before.clone(), saved.clone(), props.onsaved.clone());
        Callback::from(move |(settings, keep): (Settings, bool)| {
            let old = saved.borrow().clone();
            if old == settings {
                return;
            }
            let (app, before, saved, onsaved) = (app.clone(), before.clone(), saved.clone(), onsaved.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match app.backend.call(hearthwatt_api::SaveSettings { settings }).await {
                    Ok(now) => {
                        *saved.borrow_mut() = now.clone();
                        before.set(keep.then_some(old));
                        onsaved.emit(now);
                    }
                    Err(error) => app.tell_error(&error),
                }
            });
        })
    };
    let change = {
        let (typed, pending, send) = (typed.clone(), pending.clone(), send.clone());
        move |f: fn(&mut Typed, String)| {
            let (typed, pending, send) = (typed.clone(), pending.clone(), send.clone());
            Callback::from(move |value: String| {
                let mut next = (*typed).clone();
                f(&mut next, value);
                typed.set(next.clone());
                let (send, slot) = (send.clone(), pending.clone());
                let timer = Timeout::after(SAVE_AFTER_MS, move || {
                    if let Some(timer) = slot.borrow_mut().take() {
                        // its closure runs right now and must outlive this call
                        timer.forget();
                    }
                    if let Ok(settings) = next.parse() {
                        send.emit((settings, true));
                    }
                });
                *pending.borrow_mut() = Some(timer);
            })
        }
    };
    let tick = {
        let (typed, send) = (typed.clone(), send.clone());
        move |f: fn(&mut Typed, bool)| {
            let (typed, send) = (typed.clone(), send.clone());
            Callback::from(move |on: bool| {
                let mut next = (*typed).clone();
                f(&mut next, on);
                typed.set(next.clone());
                if let Ok(settings) = next.parse() {
                    send.emit((settings, true));
                }
            })
        }
    };
    let undo = {
        let (typed, before, send) = (typed.clone(), before.clone(), send.clone());
        Callback::from(move |()| {
            if let Some(old) = (*before).clone() {
                typed.set(Typed::of(&old));
                send.emit((old, false));
                crate::browser::focus(&format!("{FORM}-home-name"));
            }
        })
    };
    let close = {
        let before = before.clone();
        Callback::from(move |()| before.set(None))
    };

    let errors = typed.parse().err().unwrap_or_default();
    let text = |field: &str| errors.text(&app.i18n, field).map(AttrValue::from);
    let mut currencies: Vec<(AttrValue, AttrValue)> =
        CURRENCIES.iter().map(|c| ((*c).into(), (*c).into())).collect();
    if !CURRENCIES.contains(&typed.currency.as_str()) {
        currencies.insert(0, (typed.currency.clone().into(), typed.currency.clone().into()));
    }
    let zones = use_memo((), |()| zone_names());
    let undo_text = before.is_some().then(|| AttrValue::from(app.t("home-saved")));
    html! {
        <>
            <ConflictHint kind={SharedKind::Profile} entity={uuid::Uuid::nil()} />
            <Editable>
            <TextField form={FORM} name="home-name" label={app.t("home-name")} value={typed.name.clone()} error={text("home-name")}
                oninput={change(|t, v| t.name = v)} />
            <TextField form={FORM} name="time-zone" label={app.t("home-zone")} hint={AttrValue::from(app.t("home-zone-hint"))} value={typed.zone.clone()}
                error={text("time-zone")} list={AttrValue::from("time-zones")} oninput={change(|t, v| t.zone = v)} />
            <datalist id="time-zones">{ for zones.iter().map(|z| html! { <option value={z.clone()} /> }) }</datalist>
            <SelectField form={FORM} name="currency" label={app.t("home-currency")} options={currencies} value={typed.currency.clone()}
                onchange={change(|t, v| t.currency = v)} />
            <TextField form={FORM} name="bill-day" label={app.t("home-bill-day")} hint={AttrValue::from(app.t("form-month-day-hint"))} value={typed.bill_day.clone()}
                error={text("bill-day")} inputmode={AttrValue::from("numeric")} oninput={change(|t, v| t.bill_day = v)} />
            </Editable>
            <CheckField form={FORM} name="auto-adopt" label={app.t("home-auto-adopt")} hint={AttrValue::from(app.t("home-auto-adopt-hint"))} checked={typed.auto_adopt}
                onchange={tick(|t, v| t.auto_adopt = v)} />
            <CheckField form={FORM} name="notifications" label={app.t("home-notifications")} hint={AttrValue::from(app.t("home-notifications-hint"))} checked={typed.notifications}
                onchange={tick(|t, v| t.notifications = v)} />
            <UndoBar id="home-undo" text={undo_text} onundo={undo} onclose={close} />
        </>
    }
}

/// Places of the tz database, without the abbreviations and zones of ships.
fn zone_names() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db()
        .available()
        .map(|n| n.as_str().to_owned())
        .filter(|n| n.contains('/') && !n.starts_with("Etc/") && !n.starts_with("SystemV/"))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            home_name: "Lindenweg 3".into(),
            time_zone: "Europe/Berlin".into(),
            currency: "EUR".into(),
            bill_day: 15,
            auto_adopt: false,
            notifications: true,
        }
    }

    #[test]
    fn settings_come_back_from_what_is_typed() {
        assert_eq!(Typed::of(&settings()).parse(), Ok(settings()));
        let sloppy =
            Typed { zone: " europe/berlin".into(), bill_day: "15.".into(), ..Typed::of(&settings()) };
        assert_eq!(sloppy.parse(), Ok(settings()));
        let newer = Typed { zone: "America/new york".into(), ..Typed::of(&settings()) };
        assert_eq!(newer.parse().map(|s| s.time_zone), Ok("America/New_York".into()));
    }

    #[test]
    fn a_home_without_a_name_can_be_set_up() {
        let new = Settings { home_name: String::new(), ..settings() };
        assert_eq!(Typed::of(&new).parse(), Ok(new));
    }

    #[test]
    fn half_a_word_is_no_setting() {
        let t = Typed {
            name: "x".repeat(NAME_MAX_CHARS + 1),
            zone: "Europe/Berl".into(),
            bill_day: "0".into(),
            ..Typed::of(&settings())
        };
        let errors = t.parse().unwrap_err();
        assert_eq!(errors.of("home-name"), Some("form-error-name-long"));
        assert_eq!(errors.of("time-zone"), Some("home-error-zone"));
        assert_eq!(errors.of("bill-day"), Some("form-error-month-day"));
    }

    #[test]
    fn the_list_of_zones_has_the_places_people_live() {
        let names = zone_names();
        for zone in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Auckland", "Africa/Lagos"] {
            assert!(names.iter().any(|n| n == zone), "{zone}");
        }
        assert!(names.iter().all(|n| parse_zone(n).is_ok()));
    }
}
