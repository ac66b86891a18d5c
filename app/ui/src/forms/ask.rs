//! A button for what can't be taken back: it asks first, in its place, and names what will happen.

use crate::browser::{self, Timeout};
use crate::effects::use_ctx;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct AskProps {
    /// Of the button; unique on the page.
    pub id: AttrValue,
    pub label: AttrValue,
    /// What a screen reader calls the button, where the label alone does not say of what.
    #[prop_or_default]
    pub named: Option<AttrValue>,
    pub question: AttrValue,
    /// On the button that does it.
    pub confirm: AttrValue,
    pub onconfirm: Callback<()>,
    /// Takes the focus afterwards, as the button may be gone.
    pub then_focus: AttrValue,
    #[prop_or_default]
    pub disabled: bool,
    #[prop_or("quiet".into())]
    pub class: AttrValue,
}

#[component]
pub fn Ask(props: &AskProps) -> Html {
    let app = use_ctx();
    let open = use_state(|| false);
    let keep_id = format!("{}-keep", props.id);
    {
        let keep_id = keep_id.clone();
        use_effect_with(*open, move |open| {
            if *open {
                browser::focus(&keep_id);
            }
        });
    }
    if !*open {
        let ask = {
            let open = open.clone();
            move |_: MouseEvent| open.set(true)
        };
        return html! {
            <button type="button" id={props.id.clone()} class={props.class.clone()} aria-label={props.named.clone()}
                disabled={props.disabled} onclick={ask}>{ &props.label }</button>
        };
    }
    let close = {
        let (open, id) = (open.clone(), props.id.clone());
        Callback::from(move |()| {
            open.set(false);
            let id = id.clone();
            Timeout::after(0, move || browser::focus(&id)).forget();
        })
    };
    let keep = {
        let close = close.clone();
        move |_: MouseEvent| close.emit(())
    };
    let onkeydown = move |e: KeyboardEvent| {
        if e.key() == "Escape" {
            e.stop_propagation();
            close.emit(());
        }
    };
    let confirm = {
        let (open, done, next) = (open.clone(), props.onconfirm.clone(), props.then_focus.clone());
        move |_: MouseEvent| {
            open.set(false);
            done.emit(());
            let next = next.clone();
            Timeout::after(0, move || browser::focus(&next)).forget();
        }
    };
    html! {
        <div class="ask" role="group" aria-label={props.question.clone()} data-testid="ask" {onkeydown}>
            <p>{ &props.question }</p>
            <span class="actions">
                <button type="button" class="primary" data-testid="ask-confirm" onclick={confirm}>{ &props.confirm }</button>
                <button type="button" id={keep_id} onclick={keep}>{ app.t("sharing-cancel") }</button>
            </span>
        </div>
    }
}
