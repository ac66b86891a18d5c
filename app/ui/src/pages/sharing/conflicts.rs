//! What two devices set differently, in words, each choice one click: all of them on *Sharing*,
//! and one by one where the thing is edited.

use super::words;
use crate::browser;
use crate::effects::{use_ctx, use_slow_action};
use crate::parts::Icon;
use crate::state::Action;
use hearthwatt_api::{ConflictView, ResolveConflict, SharedKind};
use uuid::Uuid;
use yew::prelude::*;

const HEAD: &str = "sharing-conflicts";

#[component]
pub fn Conflicts() -> Html {
    let app = use_ctx();
    if app.conflicts.is_empty() {
        return html! {};
    }
    html! {
        <section class="card conflicts" aria-labelledby={HEAD}>
            <h2 id={HEAD} tabindex="-1">{ app.t("conflicts-title") }</h2>
            <p class="muted small">{ app.t("conflicts-what") }</p>
            <ul class="lines">
                { for app.conflicts.iter().map(|c| html! {
                    <li key={c.id.clone()} data-testid="conflict-row"><Choices conflict={c.clone()} focus={HEAD} /></li>
                }) }
            </ul>
        </section>
    }
}

#[derive(PartialEq, Properties)]
pub struct ConflictHintProps {
    pub kind: SharedKind,
    /// Nil: of the home itself.
    pub entity: Uuid,
}

/// What is to be decided about one thing; nothing, mostly.
#[component]
pub fn ConflictHint(props: &ConflictHintProps) -> Html {
    let app = use_ctx();
    html! {
        <>
            { for app.conflicts.iter().filter(|c| c.kind == props.kind && c.entity == props.entity).map(|c| html! {
                <div key={c.id.clone()} class="conflict-hint" data-testid="conflict-hint"><Choices conflict={c.clone()} focus="content" /></div>
            }) }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct ChoicesProps {
    conflict: ConflictView,
    /// Id of what takes the focus when this is decided and gone.
    focus: &'static str,
}

#[component]
fn Choices(props: &ChoicesProps) -> Html {
    let app = use_ctx();
    let done = {
        let (app, focus) = (app.clone(), props.focus);
        Callback::from(move |left: Vec<ConflictView>| {
            // the section goes with its last conflict
            let next = if left.is_empty() { "content" } else { focus };
            app.dispatch(Action::Conflicts(left));
            app.tell(app.t("conflict-decided"));
            browser::Timeout::after(0, move || browser::focus(next)).forget();
        })
    };
    let (resolve, busy) = use_slow_action::<ResolveConflict>(done);
    let c = &props.conflict;
    let title = words::conflict_title(&app.i18n, c);
    html! {
        <div class="conflict" role="group" aria-label={title.clone()}>
            <p class="conflict-head"><Icon name="decide" /><strong>{ title }</strong></p>
            <p>{ words::conflict_sentence(&app.i18n, c) }</p>
            <span class="actions">
                { for c.choices.iter().zip(0_u32..).map(|(choice, i)| {
                    let (resolve, id) = (resolve.clone(), c.id.clone());
                    let onclick = move |_: MouseEvent| resolve.emit(ResolveConflict { id: id.clone(), choice: i });
                    html! {
                        <button key={i} type="button" data-testid="conflict-choice" disabled={busy || app.lock().is_some()} {onclick}>
                            { words::choice(&app.i18n, c, choice, i == c.chosen) }
                        </button>
                    }
                }) }
            </span>
        </div>
    }
}
