//! A form that is sent: what is typed, what is wrong with it, sending it, giving it up.

use super::Errors;
use super::fields::focus_first;
use crate::browser;
use crate::effects::{App, use_ctx};
use crate::i18n::Lang;
use hearthwatt_api::Call;
use std::ops::Deref;
use yew::prelude::*;

/// What is typed, by way of dereferencing, and what the form's elements do.
pub struct Edit<F: 'static> {
    typed: UseStateHandle<F>,
    errors: UseStateHandle<Errors>,
    app: App,
    /// Sent and not answered yet.
    pub busy: bool,
    pub onsubmit: Callback<SubmitEvent>,
    pub oncancel: Callback<MouseEvent>,
    /// Escape gives up.
    pub onkeydown: Callback<KeyboardEvent>,
}

impl<F> Deref for Edit<F> {
    type Target = F;
    fn deref(&self) -> &F {
        &self.typed
    }
}

impl<F: Clone + 'static> Edit<F> {
    /// A callback that changes what is typed.
    pub fn change<T: 'static>(&self, f: impl Fn(&mut F, T) + 'static) -> Callback<T> {
        let typed = self.typed.clone();
        Callback::from(move |value| {
            let mut next = (*typed).clone();
            f(&mut next, value);
            typed.set(next);
        })
    }

    /// What is wrong with a field, in words.
    pub fn error(&self, field: &str) -> Option<AttrValue> {
        self.errors.text(&self.app.i18n, field).map(AttrValue::from)
    }
}

/// The form `name` whose first field gets the focus (none: it was not asked for). `parse` may
/// tidy what is typed; it gives the call to send or the errors of the fields.
#[hook]
pub fn use_edit<F, C>(
    name: &'static str,
    first: Option<&'static str>,
    initial: impl FnOnce() -> F,
    parse: fn(&mut F, Lang) -> Result<C, Errors>,
    onsaved: Callback<C::Reply>,
    onclose: Callback<()>,
) -> Edit<F>
where
    F: Clone + PartialEq + 'static,
    C: Call + 'static,
    C::Reply: 'static,
{
    let app = use_ctx();
    let typed = use_state(initial);
    let errors = use_state(Errors::default);
    let busy = use_state(|| false);
    use_effect_with((), move |()| {
        if let Some(first) = first {
            browser::focus(&super::fields::field_id(name, first));
        }
    });
    let onsubmit = {
        let (app, typed, errors, busy) = (app.clone(), typed.clone(), errors.clone(), busy.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            if *busy {
                return;
            }
            let mut tidy = (*typed).clone();
            let parsed = parse(&mut tidy, app.i18n.lang);
            if tidy != *typed {
                typed.set(tidy);
            }
            match parsed {
                Err(wrong) => {
                    focus_first(name, &wrong);
                    errors.set(wrong);
                }
                Ok(call) => {
                    errors.set(Errors::default());
                    busy.set(true);
                    let (app, busy, saved) = (app.clone(), busy.clone(), onsaved.clone());
                    wasm_bindgen_futures::spawn_local(async move {
                        let reply = app.backend.call(call).await;
                        busy.set(false);
                        match reply {
                            Ok(reply) => saved.emit(reply),
                            Err(error) => app.tell_error(&error),
                        }
                    });
                }
            }
        })
    };
    let oncancel = {
        let close = onclose.clone();
        Callback::from(move |_: MouseEvent| close.emit(()))
    };
    let onkeydown = Callback::from(move |e: KeyboardEvent| {
        if e.key() == "Escape" {
            e.stop_propagation();
            onclose.emit(());
        }
    });
    Edit { busy: *busy, typed, errors, app, onsubmit, oncancel, onkeydown }
}
