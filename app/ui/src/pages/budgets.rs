//! *Budgets*: will it hold? One line per budget, and the form that makes one.

mod editor;
pub mod form;
mod row;

use crate::browser;
use crate::effects::{use_action, use_ctx, use_query};
use crate::forms::fields::UndoBar;
use crate::forms::separators;
use crate::parts::{Editable, Fault, LockedReason, PageHead};
use crate::state::Topics;
use editor::Editor;
use form::BudgetForm;
use hearthwatt_api::{DeleteBudget, GetSettings, ListBudgets, ListMeters, SaveBudget};
use hearthwatt_domain::budget::{Budget, BudgetStatus};
use hearthwatt_domain::ids::{BudgetId, MeterId};
use row::Row;
use yew::prelude::*;

/// Id of the button that begins a budget: where the focus returns to.
const NEW_BUTTON: &str = "budget-new";

#[component]
pub fn Budgets() -> Html {
    let app = use_ctx();
    let budgets = use_query(ListBudgets {}, Topics::BUDGETS.and(Topics::USAGE));
    let meters = use_query(ListMeters {}, Topics::METERS);
    let settings = use_query(GetSettings {}, Topics::SETTINGS);
    let editing = use_state(|| None::<BudgetForm>);
    let deleted = use_state(|| None::<Budget>);

    let names: Vec<(MeterId, String)> = meters
        .data
        .iter()
        .flat_map(|list| list.adopted.iter().map(|v| (v.meter.id, v.meter.name.clone())))
        .collect();
    let bill_day = settings.data.as_ref().map_or(1, |s| s.bill_day);
    let list: Vec<BudgetStatus> = budgets.data.as_ref().map(|l| (**l).clone()).unwrap_or_default();

    let begin = {
        let (app, editing) = (app.clone(), editing.clone());
        move |_: MouseEvent| {
            let id = BudgetId(browser::random_uuid());
            editing.set(Some(BudgetForm::new(id, app.clock.now(), app.t("budget-default-name"), bill_day)));
        }
    };
    let edit = {
        let (app, editing) = (app.clone(), editing.clone());
        Callback::from(move |b: Budget| {
            editing.set(Some(BudgetForm::of(&b, separators(app.i18n.lang), bill_day)));
        })
    };
    let close = {
        let editing = editing.clone();
        let list = list.clone();
        Callback::from(move |id: BudgetId| {
            editing.set(None);
            let known = list.iter().any(|s| s.budget.id == id);
            let back = if known { row::edit_id(id) } else { NEW_BUTTON.to_owned() };
            browser::Timeout::after(0, move || browser::focus(&back)).forget();
        })
    };
    let delete = {
        let (app, deleted, set, list) = (app.clone(), deleted.clone(), budgets.setter(), list.clone());
        Callback::from(move |b: Budget| {
            let (app, deleted, set, list) = (app.clone(), deleted.clone(), set.clone(), list.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match app.backend.call(DeleteBudget { id: b.id }).await {
                    Ok(()) => {
                        set.emit(list.into_iter().filter(|s| s.budget.id != b.id).collect());
                        deleted.set(Some(b));
                    }
                    Err(error) => app.tell_error(&error),
                }
            });
        })
    };
    let restored = {
        let (deleted, set, list) = (deleted.clone(), budgets.setter(), list.clone());
        Callback::from(move |status: BudgetStatus| {
            let id = status.budget.id;
            let mut list: Vec<BudgetStatus> = list.iter().filter(|s| s.budget.id != id).cloned().collect();
            list.push(status);
            set.emit(list);
            deleted.set(None);
            browser::Timeout::after(50, move || browser::focus(&row::edit_id(id))).forget();
        })
    };
    let save_again = use_action::<SaveBudget>(restored.clone());
    let undo = {
        let deleted = deleted.clone();
        Callback::from(move |()| {
            if let Some(budget) = (*deleted).clone() {
                save_again.emit(SaveBudget { budget });
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
    let saved = {
        let (editing, set, list) = (editing.clone(), budgets.setter(), list.clone());
        Callback::from(move |status: BudgetStatus| {
            let id = status.budget.id;
            let mut list = list.clone();
            match list.iter_mut().find(|s| s.budget.id == id) {
                Some(old) => *old = status,
                None => list.push(status),
            }
            set.emit(list);
            editing.set(None);
            browser::Timeout::after(50, move || browser::focus(&row::edit_id(id))).forget();
        })
    };

    let undo_text = (*deleted)
        .as_ref()
        .map(|b| AttrValue::from(app.i18n.ta("budget-deleted", [("name", b.name.clone().into())])));
    let is_new = (*editing).as_ref().is_some_and(|f| list.iter().all(|s| s.budget.id != f.id));
    html! {
        <Editable>
            <PageHead title={app.t("nav-budgets")}>
                <button type="button" class="primary" id={NEW_BUTTON} data-testid="budget-new" onclick={begin}>{ app.t("budget-new") }</button>
            </PageHead>
            <LockedReason />
            <UndoBar id="budget-undo" text={undo_text} onundo={undo} onclose={forget} take_focus=true />
            if let Some(error) = budgets.error.clone() {
                <Fault {error} />
            }
            if let Some(initial) = (*editing).clone().filter(|_| is_new) {
                <Editor key={initial.id.to_string()} initial={initial.clone()} is_new=true meters={names.clone()} onsaved={saved.clone()} onclose={close.clone()} />
            }
            if budgets.data.is_some() && list.is_empty() && (*editing).is_none() {
                <div class="empty" data-testid="budgets-empty">
                    <h2>{ app.t("budget-none") }</h2>
                    <p>{ app.t("budget-none-do") }</p>
                </div>
            }
            <ul class="stack budgets">
                { for list.iter().map(|status| {
                    let id = status.budget.id;
                    match (*editing).clone().filter(|f| f.id == id) {
                        Some(initial) => html! {
                            <li key={id.to_string()}>
                                <Editor {initial} is_new=false meters={names.clone()} onsaved={saved.clone()} onclose={close.clone()} />
                            </li>
                        },
                        None => html! {
                            <Row key={id.to_string()} status={status.clone()} meters={names.clone()} onedit={edit.clone()} ondelete={delete.clone()} />
                        },
                    }
                }) }
            </ul>
        </Editable>
    }
}
