//! Inviting: a link that works once, to send or to scan, and those that were not used yet.

use super::carry::{CopyField, QrCode};
use super::words;
use crate::browser::{self, Timeout};
use crate::effects::{App, use_ctx, use_query, use_slow_action};
use crate::parts::{Choice, Fault};
use crate::state::Topics;
use hearthwatt_api::{
    Invitation, InvitationList, InvitationView, Invite, ListInvitations, ListMembers, MemberRole,
    RevokeInvitation,
};
use hearthwatt_domain::time::UnixMillis;
use yew::prelude::*;

const HEAD: &str = "sharing-invite";
const MADE: &str = "invitation-made";
const MAKE: &str = "invitation-make";
/// Whom one invites; an owner is made of a member.
const ROLES: [MemberRole; 2] = [MemberRole::Member, MemberRole::Viewer];

/// Only for those who may invite.
#[component]
pub fn Invitations() -> Html {
    let app = use_ctx();
    let roster = use_query(ListMembers {}, Topics::MEMBERS.and(Topics::ACCOUNT));
    if !roster.data.as_ref().is_some_and(|r| r.may_manage) {
        return html! {};
    }
    html! {
        <section class="card" aria-labelledby={HEAD} data-testid="invite-card">
            <h2 id={HEAD} tabindex="-1">{ app.t("invite-title") }</h2>
            <Inviting />
        </section>
    }
}

#[component]
fn Inviting() -> Html {
    let app = use_ctx();
    let query = use_query(ListInvitations {}, Topics::MEMBERS);
    let role = use_state(|| MemberRole::Member);
    let made = use_state(|| None::<Invitation>);
    let (invite, busy) = {
        let made = made.clone();
        use_slow_action::<Invite>(Callback::from(move |invitation| {
            made.set(Some(invitation));
            Timeout::after(50, || browser::focus(MADE)).forget();
        }))
    };
    let make = {
        let role = *role;
        move |_: MouseEvent| invite.emit(Invite { role })
    };
    let done = {
        let made = made.clone();
        move |_: MouseEvent| {
            made.set(None);
            Timeout::after(0, || browser::focus(MAKE)).forget();
        }
    };
    let choose = {
        let role = role.clone();
        Callback::from(move |name: AttrValue| {
            if let Some(r) = words::parse_role(&name) {
                role.set(r);
            }
        })
    };
    let options: Vec<(AttrValue, AttrValue)> =
        ROLES.map(|r| (words::role_name(r).into(), words::role(&app.i18n, r).into())).to_vec();
    let shown = made.as_ref().map(|i| i.id);
    let open: Vec<InvitationView> = query
        .data
        .iter()
        .flat_map(|l| l.invitations.iter())
        .filter(|i| Some(i.id) != shown)
        .cloned()
        .collect();
    html! {
        <>
            if let Some(invitation) = (*made).clone() {
                <Made {invitation} />
                <div class="actions"><button type="button" data-testid="invitation-done" onclick={done}>{ app.t("invite-done") }</button></div>
            } else {
                <div class="row">
                    <span class="label" aria-hidden="true">{ app.t("invite-as") }</span>
                    <Choice id="invite-role" label={app.t("invite-as")} {options} value={words::role_name(*role)} onchange={choose} />
                    <span class="muted small grow">{ app.t(&format!("role-{}-what", words::role_name(*role))) }</span>
                    <button type="button" class="primary" id={MAKE} data-testid="invite" disabled={busy} onclick={make}>{ app.t("invite-make") }</button>
                </div>
            }
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if !open.is_empty() {
                <h3 class="below">{ app.t("invite-open") }</h3>
                <ul class="lines">
                    { for open.iter().map(|i| html! { <Open key={i.id.to_string()} invitation={i.clone()} onlist={query.setter()} /> }) }
                </ul>
            }
        </>
    }
}

fn until(app: &App, at: UnixMillis) -> String {
    app.i18n.moment(at, app.clock.now())
}

#[derive(PartialEq, Properties)]
struct MadeProps {
    invitation: Invitation,
}

#[component]
fn Made(props: &MadeProps) -> Html {
    let app = use_ctx();
    let i = &props.invitation;
    let how = app.i18n.ta("invite-how", [("when", until(&app, i.expires).into())]);
    html! {
        <div class="carry" data-testid="invitation" role="group" aria-labelledby={MADE}>
            <div class="carry-words">
                <p id={MADE} tabindex="-1"><strong>{ words::role(&app.i18n, i.role) }</strong>{ ": " }{ how }</p>
                <CopyField id="invitation-link" label={app.t("invite-link")} text={i.link.clone()} />
                <p class="small muted">{ app.t("invite-once") }</p>
            </div>
            <div class="carry-code"><QrCode text={i.link.clone()} label={app.t("invite-qr")} /></div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct OpenProps {
    invitation: InvitationView,
    onlist: Callback<InvitationList>,
}

#[component]
fn Open(props: &OpenProps) -> Html {
    let app = use_ctx();
    let i = &props.invitation;
    let revoked = {
        let (app, set) = (app.clone(), props.onlist.clone());
        Callback::from(move |list| {
            app.tell(app.t("invite-revoked"));
            set.emit(list);
            browser::focus(HEAD);
        })
    };
    let (revoke, busy) = use_slow_action::<RevokeInvitation>(revoked);
    let args = || [("role", words::role(&app.i18n, i.role).into()), ("when", until(&app, i.expires).into())];
    let id = i.id;
    html! {
        <li data-testid="invitation-row">
            <div class="grow">
                <span>{ app.i18n.ta("invite-open-line", args()) }</span>
                if !i.by.is_empty() {
                    <p class="small muted">{ app.i18n.ta("invite-by", [("name", i.by.clone().into())]) }</p>
                }
            </div>
            <button type="button" class="quiet" aria-label={app.i18n.ta("invite-revoke-named", args())} disabled={busy}
                onclick={move |_| revoke.emit(RevokeInvitation { id })}>{ app.t("invite-revoke") }</button>
        </li>
    }
}
