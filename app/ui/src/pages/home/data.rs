//! The data as a whole: how much there is, how long seconds are kept, all of it out and in.

use crate::backend::Exported;
use crate::browser;
use crate::effects::{error_words, use_ctx, use_query};
use crate::forms::fields::SelectField;
use crate::i18n::I18n;
use crate::parts::Fault;
use crate::state::Topics;
use hearthwatt_api::{DataView, GetData, SetRetention};
use hearthwatt_domain::time::UnixMillis;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

const FORM: &str = "data-form";
const KEEP: &str = "data-form-keep";
const KEEP_AS_IT_IS: &str = "data-keep-as-it-is";
const EXPORT: &str = "data-export";
const IMPORT: &str = "data-import";
const NOT_IMPORT: &str = "data-import-not";
/// Times that are offered, days; besides them for ever, and whatever is set.
const CHOICES: [u32; 4] = [730, 365, 90, 30];
const DAY_MS: i64 = 86_400_000;
/// Room inside the database is worth a word from this size and this share of it on.
const FREE_BYTES: u64 = 10_000_000;
const FREE_SHARE: u64 = 20;

#[component]
pub fn Data() -> Html {
    let app = use_ctx();
    let query = use_query(GetData {}, Topics::SETTINGS);
    html! {
        <section class="card form" aria-labelledby="home-data" data-testid="data">
            <h2 id="home-data">{ app.t("data-title") }</h2>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if let Some(view) = query.data.clone() {
                <p class="small" data-testid="data-size">{ about(&app.i18n, &view, app.clock.now()) }</p>
                <Keep view={view.clone()} onsaved={query.setter()} />
            }
            <Export />
            <Import />
        </section>
    }
}

fn about(i18n: &I18n, view: &DataView, now: UnixMillis) -> String {
    let size = |key: &str, bytes| i18n.ta(key, [("size", i18n.bytes(bytes).to_string().into())]);
    let mut sentences = vec![size("data-size", view.database_bytes)];
    if view.free_bytes >= FREE_BYTES.max(view.database_bytes / FREE_SHARE) {
        sentences.push(size("data-free", view.free_bytes));
    }
    if let Some(since) = view.readings_since {
        sentences.push(i18n.ta("data-since", [("when", i18n.moment(since, now).into())]));
    }
    sentences.join(" ")
}

/// Value and text of what can be chosen: for ever first, then from long to short.
fn choices(i18n: &I18n, now: Option<u32>) -> Vec<(AttrValue, AttrValue)> {
    let mut days: Vec<u32> = CHOICES.into_iter().chain(now).collect();
    days.sort_unstable_by_key(|d| std::cmp::Reverse(*d));
    days.dedup();
    let text = |days: u32| match days {
        365 => i18n.t("data-keep-year"),
        d if d % 365 == 0 => i18n.ta("data-keep-years", [("n", (d / 365).into())]),
        d => i18n.ta("data-keep-days", [("n", d.into())]),
    };
    let forever = (AttrValue::from(""), AttrValue::from(i18n.t("data-keep-forever")));
    let chosen = days.into_iter().map(|d| (AttrValue::from(d.to_string()), AttrValue::from(text(d))));
    std::iter::once(forever).chain(chosen).collect()
}

/// Whether readings go that would have stayed.
fn is_shorter(wanted: Option<u32>, now: Option<u32>) -> bool {
    wanted.is_some_and(|wanted| now.is_none_or(|now| wanted < now))
}

#[derive(PartialEq, Properties)]
struct KeepProps {
    view: Rc<DataView>,
    onsaved: Callback<DataView>,
}

/// How long readings by the second are kept. A shorter time deletes, so it is asked about first.
#[component]
fn Keep(props: &KeepProps) -> Html {
    let app = use_ctx();
    let asking = use_state(|| None::<u32>);
    let said = use_state(String::new);
    let now = props.view.keep_days;

    let send = {
        let (app, asking, said, onsaved) = (app.clone(), asking.clone(), said.clone(), props.onsaved.clone());
        Callback::from(move |keep_days: Option<u32>| {
            let (app, asking, said, onsaved) = (app.clone(), asking.clone(), said.clone(), onsaved.clone());
            spawn_local(async move {
                match app.backend.call(SetRetention { keep_days }).await {
                    Ok(view) => {
                        asking.set(None);
                        said.set(app.t("data-kept"));
                        onsaved.emit(view);
                        browser::focus(KEEP);
                    }
                    Err(error) => app.tell_error(&error),
                }
            });
        })
    };
    let onchange = {
        let (asking, said, send) = (asking.clone(), said.clone(), send.clone());
        Callback::from(move |value: String| {
            let wanted = value.parse().ok();
            said.set(String::new());
            if is_shorter(wanted, now) {
                asking.set(wanted);
                browser::Timeout::after(0, || browser::focus(KEEP_AS_IT_IS)).forget();
            } else {
                asking.set(None);
                if wanted != now {
                    send.emit(wanted);
                }
            }
        })
    };
    let keep = {
        let asking = asking.clone();
        move |_: MouseEvent| {
            asking.set(None);
            browser::focus(KEEP);
        }
    };
    let value = asking.or(now).map(|d| d.to_string()).unwrap_or_default();
    let ask = asking.map(|days| {
        let before = app.clock.now().plus_ms(-i64::from(days) * DAY_MS);
        let when = app.i18n.day(app.i18n.day_of(before), app.today());
        (days, app.i18n.ta("data-shorten", [("when", when.into())]))
    });
    html! {
        <>
            <SelectField form={FORM} name="keep" label={app.t("data-keep")} hint={AttrValue::from(app.t("data-keep-hint"))} options={choices(&app.i18n, now)} {value} {onchange} />
            if let Some((days, words)) = ask {
                <div class="ask" role="group" aria-label={words.clone()} data-testid="data-shorten">
                    <p class="small">{ words }</p>
                    <span class="actions">
                        <button type="button" class="primary" onclick={move |_| send.emit(Some(days))}>{ app.t("data-shorten-do") }</button>
                        <button type="button" id={KEEP_AS_IT_IS} onclick={keep}>{ app.t("form-keep") }</button>
                    </span>
                </div>
            }
            <p role="status" class="small muted">{ &*said }</p>
        </>
    }
}

#[component]
fn Export() -> Html {
    let app = use_ctx();
    let busy = use_state(|| false);
    let said = use_state(String::new);
    let onclick = {
        let (app, busy, said) = (app.clone(), busy.clone(), said.clone());
        move |_: MouseEvent| {
            if *busy {
                return;
            }
            busy.set(true);
            said.set(app.t("data-exporting"));
            let (app, busy, said) = (app.clone(), busy.clone(), said.clone());
            spawn_local(async move {
                match app.backend.export().await {
                    Ok(Exported::Download) => said.set(app.t("data-export-download")),
                    Ok(Exported::File(path)) => {
                        said.set(app.i18n.ta("data-export-file", [("path", path.into())]))
                    }
                    // stays until read: a message that goes by itself would be too short for it
                    Err(error) => said.set(error_words(&app.i18n, &error)),
                }
                busy.set(false);
            });
        }
    };
    html! {
        <div class="field">
            <span class="actions">
                <button type="button" id={EXPORT} data-testid="data-export" aria-describedby="data-export-hint" aria-disabled={busy.then_some("true")} {onclick}>
                    { app.t("data-export") }
                </button>
            </span>
            <p class="hint" id="data-export-hint">{ app.t("data-export-hint") }</p>
            <p role="status" class="small path" data-testid="data-export-said">{ &*said }</p>
        </div>
    }
}

#[component]
fn Import() -> Html {
    let app = use_ctx();
    let chosen = use_state(|| None::<web_sys::File>);
    let busy = use_state(|| false);
    let said = use_state(String::new);
    let demo = app.overview.as_ref().is_some_and(|o| o.demo);
    let input = use_node_ref();

    let onchange = {
        let (chosen, said) = (chosen.clone(), said.clone());
        move |e: Event| {
            let files = e.target_unchecked_into::<web_sys::HtmlInputElement>().files();
            chosen.set(files.and_then(|f| f.get(0)));
            said.set(String::new());
            browser::Timeout::after(0, || browser::focus(NOT_IMPORT)).forget();
        }
    };
    // the same file can be chosen again
    let forget = {
        let (chosen, input) = (chosen.clone(), input.clone());
        move || {
            chosen.set(None);
            if let Some(input) = input.cast::<web_sys::HtmlInputElement>() {
                input.set_value("");
            }
            browser::focus(IMPORT);
        }
    };
    let begin = {
        let (app, chosen, busy, said, forget) =
            (app.clone(), chosen.clone(), busy.clone(), said.clone(), forget.clone());
        move |_: MouseEvent| {
            let Some(file) = (*chosen).clone() else { return };
            busy.set(true);
            said.set(app.t("data-importing"));
            let (app, busy, said, forget) = (app.clone(), busy.clone(), said.clone(), forget.clone());
            spawn_local(async move {
                let name = file.name();
                match app.backend.import(file).await {
                    // another home is shown, and this part of the page begins anew
                    Ok(()) => app.tell(app.i18n.ta("data-imported", [("name", name.into())])),
                    // stays until read: a message that goes by itself would be too short for it
                    Err(error) => said.set(error_words(&app.i18n, &error)),
                }
                busy.set(false);
                forget();
            });
        }
    };
    let ask = (*chosen).as_ref().filter(|_| !*busy).map(|file| {
        let size = app.i18n.bytes(file.size() as u64).to_string();
        app.i18n.ta("data-import-ask", [("name", file.name().into()), ("size", size.into())])
    });
    let hint = app.t(if demo { "data-leave-demo" } else { "data-import-hint" });
    html! {
        <div class="field">
            <label for={IMPORT}>{ app.t("data-import") }</label>
            <input ref={input} id={IMPORT} type="file" accept=".jsonl,.sqlite" data-testid="data-import" disabled={demo || *busy}
                aria-describedby="data-import-hint" {onchange} />
            <p class="hint" id="data-import-hint">{ hint }</p>
            if let Some(words) = ask {
                <div class="ask" role="group" aria-label={words.clone()}>
                    <p class="small path">{ words }</p>
                    <span class="actions">
                        <button type="button" class="primary" data-testid="data-import-do" onclick={begin}>{ app.t("data-import-do") }</button>
                        <button type="button" id={NOT_IMPORT} onclick={move |_| forget()}>{ app.t("form-cancel") }</button>
                    </span>
                </div>
            }
            <p role="status" class="small path" data-testid="data-import-said">{ &*said }</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn only_a_shorter_time_deletes() {
        for (wanted, now, shorter) in [
            (Some(30), None, true),
            (Some(30), Some(90), true),
            (Some(90), Some(30), false),
            (Some(30), Some(30), false),
            (None, Some(30), false),
            (None, None, false),
        ] {
            assert_eq!(is_shorter(wanted, now), shorter, "{wanted:?} instead of {now:?}");
        }
    }

    #[test]
    fn what_is_set_can_be_chosen_in_its_place() {
        let list = |now| -> Vec<String> {
            choices(&I18n::new(Lang::English), now).into_iter().map(|(_, text)| text.to_string()).collect()
        };
        let plain = |list: Vec<String>| -> Vec<String> {
            list.into_iter().map(|t| t.replace(['\u{2068}', '\u{2069}'], "")).collect()
        };
        assert_eq!(
            plain(list(Some(60))),
            ["for ever", "for 2 years", "for a year", "for 90 days", "for 60 days", "for 30 days"]
        );
        assert_eq!(list(Some(90)).len(), 5);
    }

    #[test]
    fn sizes_are_said_with_what_matters_of_them() {
        let view =
            DataView { database_bytes: 61_000_000, free_bytes: 0, keep_days: None, readings_since: None };
        let words = about(&I18n::new(Lang::English), &view, UnixMillis(0)).replace('\u{a0}', " ");
        assert!(words.ends_with("runs: 61 MB."), "{words}");
        let view = DataView { free_bytes: 30_000_000, ..view };
        assert!(about(&I18n::new(Lang::English), &view, UnixMillis(0)).contains("30"));
    }
}
