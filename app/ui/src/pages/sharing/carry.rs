//! A link to be carried to another device: to copy, or to scan.

use crate::browser;
use crate::effects::use_ctx;
use crate::qr;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct QrCodeProps {
    pub text: AttrValue,
    /// What it is, for those who can't scan it.
    pub label: AttrValue,
}

/// Dark on light whatever the theme: half of the readers take nothing else.
#[component]
pub fn QrCode(props: &QrCodeProps) -> Html {
    let drawing = use_memo(props.text.clone(), |text| qr::draw(text));
    let Some(drawing) = drawing.as_ref() else { return html! {} };
    html! {
        <svg class="qr" role="img" aria-label={props.label.clone()} data-testid="qr" shape-rendering="crispEdges"
            viewBox={format!("0 0 {0} {0}", drawing.size)} width="208" height="208">
            <rect width="100%" height="100%" fill="#FFFFFF" />
            <path d={drawing.path.clone()} fill="#000000" />
        </svg>
    }
}

#[derive(PartialEq, Properties)]
pub struct CopyFieldProps {
    pub id: AttrValue,
    pub label: AttrValue,
    pub text: AttrValue,
}

/// A text to take along: marked by a click, copied by the button.
#[component]
pub fn CopyField(props: &CopyFieldProps) -> Html {
    let app = use_ctx();
    let mark = {
        let id = props.id.clone();
        move |_: MouseEvent| browser::mark(&id)
    };
    let copy = {
        let (app, id, text) = (app.clone(), props.id.clone(), props.text.clone());
        move |_: MouseEvent| {
            let (app, id, text) = (app.clone(), id.clone(), text.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let key =
                    if browser::copy(&id, &text).await { "sharing-copied" } else { "sharing-copy-by-hand" };
                app.tell(app.t(key));
            });
        }
    };
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ &props.label }</label>
            <span class="with-suffix">
                <input id={props.id.clone()} type="text" readonly=true value={props.text.clone()} onclick={mark} />
                <button type="button" data-testid={format!("{}-copy", props.id)} onclick={copy}>{ app.t("sharing-copy") }</button>
            </span>
        </div>
    }
}
