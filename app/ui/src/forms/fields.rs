//! The fields of forms: a label, a hint and an error that belong together for everyone.

use crate::effects::use_ctx;
use crate::forms::Errors;
use yew::prelude::*;

/// Id of a field's input: unique on a page, and where the focus goes on an error.
pub fn field_id(form: &str, name: &str) -> String {
    format!("{form}-{name}")
}

/// Puts the focus on the first field that something is wrong with.
pub fn focus_first(form: &'static str, errors: &Errors) {
    if let Some(field) = errors.first() {
        let id = field_id(form, field);
        // the error text is drawn first, so that it is read with the field
        crate::browser::Timeout::after(0, move || crate::browser::focus(&id)).forget();
    }
}

#[derive(PartialEq, Properties)]
struct FrameProps {
    id: AttrValue,
    label: AttrValue,
    hint: Option<AttrValue>,
    error: Option<AttrValue>,
    children: Html,
}

#[component]
fn Frame(props: &FrameProps) -> Html {
    let id = &props.id;
    html! {
        <div class={classes!("field", props.error.is_some().then_some("wrong"))}>
            <label for={id.clone()}>{ &props.label }</label>
            { props.children.clone() }
            if let Some(hint) = &props.hint {
                <p class="hint" id={format!("{id}-hint")}>{ hint }</p>
            }
            if let Some(error) = &props.error {
                <p class="error" id={format!("{id}-error")}>{ error }</p>
            }
        </div>
    }
}

fn described_by(id: &str, hint: bool, error: bool) -> Option<String> {
    let ids: Vec<String> = [(error, "error"), (hint, "hint")]
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, what)| format!("{id}-{what}"))
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

#[derive(PartialEq, Properties)]
pub struct TextFieldProps {
    pub form: AttrValue,
    pub name: AttrValue,
    pub label: AttrValue,
    pub value: AttrValue,
    pub oninput: Callback<String>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// Stands behind the input ("kWh").
    #[prop_or_default]
    pub suffix: Option<AttrValue>,
    #[prop_or("text".into())]
    pub kind: AttrValue,
    #[prop_or_default]
    pub inputmode: Option<AttrValue>,
    #[prop_or("off".into())]
    pub autocomplete: AttrValue,
    #[prop_or_default]
    pub placeholder: Option<AttrValue>,
    /// Id of a `<datalist>`.
    #[prop_or_default]
    pub list: Option<AttrValue>,
    /// More than one line.
    #[prop_or_default]
    pub tall: bool,
    #[prop_or_default]
    pub onblur: Callback<()>,
}

#[component]
pub fn TextField(props: &TextFieldProps) -> Html {
    let id = field_id(&props.form, &props.name);
    let invalid = props.error.is_some().then_some("true");
    let described = described_by(&id, props.hint.is_some(), props.error.is_some());
    let typed = props.oninput.clone();
    let left = props.onblur.clone();
    let onblur = move |_: FocusEvent| left.emit(());
    let input = if props.tall {
        let oninput = move |e: InputEvent| {
            typed.emit(e.target_unchecked_into::<web_sys::HtmlTextAreaElement>().value())
        };
        html! {
            <textarea id={id.clone()} name={props.name.clone()} rows="5" spellcheck="false" value={props.value.clone()}
                aria-invalid={invalid} aria-describedby={described} autocomplete={props.autocomplete.clone()}
                placeholder={props.placeholder.clone()} {oninput} {onblur} />
        }
    } else {
        let oninput =
            move |e: InputEvent| typed.emit(e.target_unchecked_into::<web_sys::HtmlInputElement>().value());
        html! {
            <span class="with-suffix">
                <input id={id.clone()} name={props.name.clone()} type={props.kind.clone()} value={props.value.clone()}
                    aria-invalid={invalid} aria-describedby={described} autocomplete={props.autocomplete.clone()}
                    inputmode={props.inputmode.clone()} placeholder={props.placeholder.clone()} list={props.list.clone()}
                    spellcheck="false" {oninput} {onblur} />
                if let Some(suffix) = &props.suffix {
                    <span class="suffix">{ suffix }</span>
                }
            </span>
        }
    };
    html! {
        <Frame id={id} label={props.label.clone()} hint={props.hint.clone()} error={props.error.clone()}>{ input }</Frame>
    }
}

#[derive(PartialEq, Properties)]
pub struct SelectFieldProps {
    pub form: AttrValue,
    pub name: AttrValue,
    pub label: AttrValue,
    /// Value and text.
    pub options: Vec<(AttrValue, AttrValue)>,
    pub value: AttrValue,
    pub onchange: Callback<String>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
}

#[component]
pub fn SelectField(props: &SelectFieldProps) -> Html {
    let id = field_id(&props.form, &props.name);
    let described = described_by(&id, props.hint.is_some(), props.error.is_some());
    let chosen = props.onchange.clone();
    let onchange =
        move |e: Event| chosen.emit(e.target_unchecked_into::<web_sys::HtmlSelectElement>().value());
    html! {
        <Frame id={id.clone()} label={props.label.clone()} hint={props.hint.clone()} error={props.error.clone()}>
            <select id={id.clone()} name={props.name.clone()} aria-describedby={described}
                aria-invalid={props.error.is_some().then_some("true")} {onchange}>
                { for props.options.iter().map(|(value, text)| html! {
                    <option key={value.to_string()} value={value.clone()} selected={*value == props.value}>{ text }</option>
                }) }
            </select>
        </Frame>
    }
}

#[derive(PartialEq, Properties)]
pub struct CheckFieldProps {
    pub form: AttrValue,
    pub name: AttrValue,
    pub label: AttrValue,
    pub checked: bool,
    pub onchange: Callback<bool>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub disabled: bool,
}

#[component]
pub fn CheckField(props: &CheckFieldProps) -> Html {
    let id = field_id(&props.form, &props.name);
    let described = described_by(&id, props.hint.is_some(), false);
    let changed = props.onchange.clone();
    let onchange =
        move |e: Event| changed.emit(e.target_unchecked_into::<web_sys::HtmlInputElement>().checked());
    html! {
        <div class="field check">
            <label for={id.clone()}>
                <input id={id.clone()} name={props.name.clone()} type="checkbox" checked={props.checked}
                    disabled={props.disabled} aria-describedby={described} {onchange} />
                <span>{ &props.label }</span>
            </label>
            if let Some(hint) = &props.hint {
                <p class="hint" id={format!("{id}-hint")}>{ hint }</p>
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub struct UndoBarProps {
    pub id: AttrValue,
    /// What was done; `None`: nothing to take back.
    pub text: Option<AttrValue>,
    pub onundo: Callback<()>,
    pub onclose: Callback<()>,
    /// Takes the focus, which would be lost with what was deleted.
    #[prop_or_default]
    pub take_focus: bool,
}

/// Says what was done and takes it back. It stays until closed: nobody is hurried.
#[component]
pub fn UndoBar(props: &UndoBarProps) -> Html {
    let app = use_ctx();
    let button = format!("{}-undo", props.id);
    {
        let button = button.clone();
        use_effect_with((props.text.clone(), props.take_focus), move |(text, take)| {
            if *take && text.is_some() {
                crate::browser::focus(&button);
            }
        });
    }
    let (undo, close) = (props.onundo.clone(), props.onclose.clone());
    html! {
        <div role="status" class="undo-region" id={props.id.clone()}>
            if let Some(text) = &props.text {
                <p class="undo" data-testid="undo">
                    <span>{ text }</span>
                    <button type="button" id={button} onclick={move |_| undo.emit(())}>{ app.t("form-undo") }</button>
                    <button type="button" class="quiet square" aria-label={app.t("toast-close")} onclick={move |_| close.emit(())}>{ "×" }</button>
                </p>
            }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_before_the_hint() {
        assert_eq!(described_by("f-x", true, true).as_deref(), Some("f-x-error f-x-hint"));
        assert_eq!(described_by("f-x", false, false), None);
    }
}
