//! The people of the shared home: roles, who waits to be let in, and who goes.

use super::{as_of, words};
use crate::browser::{self, Timeout};
use crate::effects::{use_ctx, use_query, use_slow_action};
use crate::forms::ask::Ask;
use crate::parts::Fault;
use crate::state::Topics;
use hearthwatt_api::{
    ConfirmMember, ListMembers, MemberRole, MemberState, MemberView, RemoveMember, Roster, SetRole,
};
use yew::prelude::*;

const HEAD: &str = "sharing-members";

#[component]
pub fn Members() -> Html {
    let app = use_ctx();
    let query = use_query(ListMembers {}, Topics::MEMBERS.and(Topics::ACCOUNT));
    let roster = query.data.clone();
    html! {
        <section class="card" aria-labelledby={HEAD} data-testid="members-card">
            <h2 id={HEAD} tabindex="-1">{ app.t("members-title") }</h2>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if let Some(roster) = roster {
                { as_of(&app, roster.as_of) }
                <ul class="lines">
                    { for in_order(&roster.members).into_iter().map(|m| html! {
                        <Row key={m.id.to_string()} member={m.clone()} manage={roster.may_manage} onroster={query.setter()} />
                    }) }
                </ul>
            }
        </section>
    }
}

/// Who waits first, then owners, members, viewers, each by name.
fn in_order(members: &[MemberView]) -> Vec<&MemberView> {
    let mut all: Vec<&MemberView> = members.iter().collect();
    all.sort_by_key(|m| (m.state != MemberState::Pending, m.role, m.name.to_lowercase(), m.id));
    all
}

#[derive(PartialEq, Properties)]
struct RowProps {
    member: MemberView,
    manage: bool,
    onroster: Callback<Roster>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let app = use_ctx();
    let m = &props.member;
    let (confirm, confirming) = use_slow_action::<ConfirmMember>(props.onroster.clone());
    let (remove, removing) = use_slow_action::<RemoveMember>(props.onroster.clone());
    let busy = confirming || removing;
    let named = |key: &str| AttrValue::from(app.i18n.ta(key, [("name", m.name.clone().into())]));
    let id = m.id;
    let is_pending = m.state == MemberState::Pending;
    let onremove = Callback::from(move |()| remove.emit(RemoveMember { member: id }));
    let let_in = move |_: MouseEvent| {
        confirm.emit(ConfirmMember { member: id });
        browser::focus(HEAD);
    };
    html! {
        <li data-testid="member-row" class={classes!(is_pending.then_some("pending"))}>
            <div class="grow">
                <strong>{ &m.name }</strong>
                if m.me {
                    { " " }<span class="muted">{ format!("({})", app.t("members-me")) }</span>
                }
                if let Some(email) = &m.email {
                    <p class="small muted">{ email }</p>
                }
                if is_pending {
                    <p class="small">{ app.t("members-pending") }{ " · " }{ words::role(&app.i18n, m.role) }</p>
                    if props.manage {
                        <p class="small muted">{ app.t("members-pending-what") }</p>
                    }
                }
            </div>
            if is_pending && props.manage {
                <span class="actions">
                <button type="button" class="primary" data-testid="member-confirm" aria-label={named("members-let-in-named")} disabled={busy} onclick={let_in}>{ app.t("members-let-in") }</button>
                <Ask id={format!("member-remove-{id}")} label={app.t("members-refuse")} named={named("members-refuse-named")}
                    question={named("members-remove-ask")} confirm={app.t("members-refuse")} onconfirm={onremove} then_focus={HEAD} disabled={busy} />
                </span>
            } else if !is_pending && props.manage && !m.me {
                <span class="actions">
                <RoleSelect member={m.clone()} onroster={props.onroster.clone()} />
                <Ask id={format!("member-remove-{id}")} label={app.t("members-remove")} named={named("members-remove-named")}
                    question={named("members-remove-ask")} confirm={app.t("members-remove")} onconfirm={onremove} then_focus={HEAD} disabled={busy} />
                </span>
            } else if !is_pending {
                <span class="muted">{ words::role(&app.i18n, m.role) }</span>
            }
        </li>
    }
}

#[derive(PartialEq, Properties)]
struct RoleSelectProps {
    member: MemberView,
    onroster: Callback<Roster>,
}

#[component]
fn RoleSelect(props: &RoleSelectProps) -> Html {
    let app = use_ctx();
    // a select keeps what was chosen even if the server refused it: then it is made anew
    let attempt = use_state(|| 0_u32);
    let m = &props.member;
    let dom_id = format!("member-role-{}", m.id);
    let onchange = {
        let (app, attempt, m, set, dom_id) =
            (app.clone(), attempt.clone(), m.clone(), props.onroster.clone(), dom_id.clone());
        move |e: Event| {
            let value = e.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
            let Some(role) = words::parse_role(&value) else { return };
            let (app, attempt, m, set, dom_id) =
                (app.clone(), attempt.clone(), m.clone(), set.clone(), dom_id.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match app.backend.call(SetRole { member: m.id, role }).await {
                    Ok(roster) => {
                        let role = words::role(&app.i18n, role);
                        app.tell(
                            app.i18n.ta("members-role-now", [("name", m.name.into()), ("role", role.into())]),
                        );
                        set.emit(roster);
                    }
                    Err(error) => {
                        app.tell_error(&error);
                        attempt.set(*attempt + 1);
                        Timeout::after(0, move || browser::focus(&dom_id)).forget();
                    }
                }
            });
        }
    };
    let label = app.i18n.ta("members-role", [("name", m.name.clone().into())]);
    html! {
        <select key={format!("{}-{}", words::role_name(m.role), *attempt)} id={dom_id} aria-label={label} data-testid="member-role" {onchange}>
            { for words::ROLES.into_iter().map(|role: MemberRole| html! {
                <option value={words::role_name(role)} selected={role == m.role}>{ words::role(&app.i18n, role) }</option>
            }) }
        </select>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_stands_first_and_owners_before_viewers() {
        let member = |n: u8, name: &str, role, state| MemberView {
            id: uuid::Uuid::from_bytes([n; 16]),
            name: name.into(),
            email: None,
            role,
            state,
            me: false,
        };
        let all = [
            member(1, "Zoe", MemberRole::Viewer, MemberState::Active),
            member(2, "anna", MemberRole::Member, MemberState::Active),
            member(3, "Ben", MemberRole::Member, MemberState::Active),
            member(4, "Mara", MemberRole::Owner, MemberState::Active),
            member(5, "Xaver", MemberRole::Viewer, MemberState::Pending),
        ];
        let names: Vec<&str> = in_order(&all).iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["Xaver", "Mara", "anna", "Ben", "Zoe"]);
    }
}
