//! Language and colours of this page, and start at login of this computer.

use super::autostart::Autostart;
use crate::effects::use_ctx;
use crate::forms::fields::SelectField;
use crate::i18n::Lang;
use crate::parts::Choice;
use crate::state::Theme;
use yew::prelude::*;

#[component]
pub fn Look() -> Html {
    let app = use_ctx();
    let languages: Vec<(AttrValue, AttrValue)> =
        Lang::ALL.map(|l| (l.tag().into(), l.own_name().into())).to_vec();
    let themes: Vec<(AttrValue, AttrValue)> =
        Theme::ALL.map(|t| (t.name().into(), app.t(&format!("look-theme-{}", t.name())).into())).to_vec();
    let speak = {
        let app = app.clone();
        Callback::from(move |tag: String| {
            if let Some(lang) = Lang::ALL.into_iter().find(|l| l.tag() == tag) {
                app.speak(lang);
            }
        })
    };
    let paint = {
        let app = app.clone();
        Callback::from(move |name: AttrValue| app.paint(Theme::parse(&name)))
    };
    html! {
        <section class="card form" aria-labelledby="home-look">
            <h2 id="home-look">{ app.t("look-title") }</h2>
            <p class="muted small">{ app.t("look-detail") }</p>
            <SelectField form="look" name="language" label={app.t("look-language")} options={languages} value={app.lang.tag()} onchange={speak} />
            <div class="field">
                <span class="label" aria-hidden="true">{ app.t("look-theme") }</span>
                <Choice id="theme" label={app.t("look-theme")} options={themes} value={app.theme.name()} onchange={paint} />
            </div>
            <Autostart />
        </section>
    }
}
