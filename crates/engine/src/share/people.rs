//! Members, devices and invitations of the shared home: the server knows, this device remembers.

use super::local::LinkDoc;
use super::server::{Body, Trouble};
use super::{forbidden, not_shared, signed_out};
use crate::core::Core;
use crate::words::cut;
use hearthwatt_api::{
    AcceptInvitation, Account, ApiError, ConfirmMember, DeviceList, DeviceView, Event, HomeChoice,
    Invitation, InvitationList, InvitationView, Invite, MemberRole, MemberState, MemberView, RemoveDevice,
    RemoveMember, RevokeInvitation, Roster, SetRole,
};
use hearthwatt_server_api as server;
use hearthwatt_server_api::{ProblemCode, paths};
use reqwest::Method;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Asking again for a list within this time gets the one there is, milliseconds.
const FRESH_MS: i64 = 3_000;

pub(crate) fn role(role: server::MemberRole) -> MemberRole {
    match role {
        server::MemberRole::Owner => MemberRole::Owner,
        server::MemberRole::Member => MemberRole::Member,
        server::MemberRole::Viewer => MemberRole::Viewer,
    }
}

fn role_out(role: MemberRole) -> server::MemberRole {
    match role {
        MemberRole::Owner => server::MemberRole::Owner,
        MemberRole::Member => server::MemberRole::Member,
        MemberRole::Viewer => server::MemberRole::Viewer,
    }
}

fn state(state: server::MemberState) -> MemberState {
    match state {
        server::MemberState::Active => MemberState::Active,
        server::MemberState::Pending => MemberState::Pending,
    }
}

impl Core {
    fn shared(&self) -> Result<LinkDoc, ApiError> {
        if self.share.known().account.is_none() {
            return Err(signed_out());
        }
        self.share.live().ok_or_else(not_shared)
    }

    fn owned(&self) -> Result<LinkDoc, ApiError> {
        let link = self.shared()?;
        if link.role != MemberRole::Owner {
            return Err(forbidden("Only an owner of the home can do that."));
        }
        Ok(link)
    }

    /// Asks the server for all lists again, behind.
    pub(crate) fn refresh_people(self: &Arc<Self>) {
        let core = self.clone();
        tokio::spawn(async move {
            if let Err(trouble) = core.refresh().await {
                if matches!(trouble, Trouble::Ended) {
                    core.access_ended().await;
                }
                tracing::debug!(%trouble, "members and devices can't be asked for now");
            }
        });
    }

    /// Looks behind whether somebody waits to be let in: an owner is told without asking.
    pub(crate) fn look_for_waiting(self: &Arc<Self>) {
        let Some(link) = self.share.live().filter(|l| l.role == MemberRole::Owner) else { return };
        let before = self.share.known().pending;
        let core = self.clone();
        tokio::spawn(async move {
            let asked = async {
                core.refresh_homes().await?;
                if core.share.known().pending == before {
                    return Ok(());
                }
                core.refresh_members(&link).await
            };
            if let Err(trouble) = asked.await {
                tracing::debug!(%trouble, "who waits to be let in can't be asked for now");
            }
        });
    }

    fn refresh_if_old(self: &Arc<Self>, as_of: Option<hearthwatt_domain::time::UnixMillis>) {
        if as_of.is_none_or(|at| self.now().since(at).abs() > FRESH_MS) {
            self.refresh_people();
        }
    }

    /// Homes that the account got since, asked for behind while the page looks at the account.
    pub(crate) fn refresh_homes_if_old(self: &Arc<Self>) {
        let now = self.now();
        {
            let mut known = self.share.known();
            if known.account.is_none() || known.homes_asked.is_some_and(|at| now.since(at).abs() < FRESH_MS) {
                return;
            }
            known.homes_asked = Some(now);
        }
        let core = self.clone();
        tokio::spawn(async move {
            if let Err(Trouble::Ended) = core.refresh_homes().await {
                core.access_ended().await;
            }
        });
    }

    pub(crate) async fn refresh(self: &Arc<Self>) -> Result<(), Trouble> {
        self.refresh_homes().await?;
        if let Some(link) = self.share.live() {
            self.refresh_members(&link).await?;
            self.refresh_devices(&link).await?;
            if link.role == MemberRole::Owner {
                self.refresh_invitations(&link).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn refresh_homes(&self) -> Result<(), Trouble> {
        let homes: server::Homes = self.ask_get(paths::HOMES).await?;
        let (changed, link) = {
            let mut known = self.share.known();
            let here = known.link.as_ref().filter(|l| l.is_live()).map(|l| l.id);
            let choices: Vec<HomeChoice> = homes
                .homes
                .iter()
                .map(|h| HomeChoice {
                    id: h.id,
                    name: cut(&h.name),
                    role: role(h.role),
                    state: state(h.state),
                    here: here == Some(h.id),
                })
                .collect();
            let mut changed = choices != known.homes;
            known.homes = choices;
            let mut kept = None;
            let mine = homes.homes.iter().find(|h| here == Some(h.id));
            if let Some(h) = mine {
                changed |= known.pending != h.pending;
                known.pending = h.pending;
                if let Some(link) = &mut known.link
                    && (link.role, &link.name) != (role(h.role), &cut(&h.name))
                {
                    (link.role, link.name) = (role(h.role), cut(&h.name));
                    kept = Some(link.clone());
                    changed = true;
                }
            }
            (changed, kept)
        };
        if link.is_some() {
            self.keep_link(link.as_ref()).await;
        }
        if changed {
            self.tell(Event::AccountChanged);
        }
        Ok(())
    }

    async fn refresh_members(&self, link: &LinkDoc) -> Result<(), Trouble> {
        let roster: server::Roster = self.ask_get(&paths::members(link.id)).await?;
        let members: Vec<MemberView> = roster
            .members
            .into_iter()
            .map(|m| MemberView {
                id: m.id,
                name: cut(&m.name),
                email: m.email.as_deref().map(cut),
                role: role(m.role),
                state: state(m.state),
                me: m.you,
            })
            .collect();
        let now = self.now();
        let changed = {
            let mut known = self.share.known();
            let changed = known.members.0 != members || known.members.1.is_none();
            known.members = (members, Some(now));
            changed
        };
        self.members_told(changed);
        Ok(())
    }

    async fn refresh_devices(&self, link: &LinkDoc) -> Result<(), Trouble> {
        let devices: server::HomeDevices = self.ask_get(&paths::home_devices(link.id)).await?;
        let me = self.share.known().members.0.iter().find(|m| m.me).map(|m| m.id);
        let owner = link.role == MemberRole::Owner;
        let views: Vec<DeviceView> = devices
            .devices
            .iter()
            .map(|d| DeviceView {
                id: d.id,
                name: cut(&d.name),
                owner: cut(&d.member_name),
                last_seen: Some(d.last_seen),
                here: d.current,
                removable: !d.current && (owner || Some(d.member) == me),
            })
            .collect();
        let authors: HashMap<String, (Uuid, String)> =
            devices.authors.into_iter().map(|a| (a.actor, (a.device, cut(&a.name)))).collect();
        let now = self.now();
        let (changed, renamed) = {
            let mut known = self.share.known();
            let changed = known.devices.0 != views || known.devices.1.is_none();
            known.devices = (views, Some(now));
            let renamed = known.authors != authors;
            known.authors = authors;
            (changed, renamed)
        };
        self.members_told(changed);
        if renamed && let Ok(held) = self.document().await {
            self.look_for_conflicts(&held); // they name devices
        }
        Ok(())
    }

    async fn refresh_invitations(&self, link: &LinkDoc) -> Result<(), Trouble> {
        let open: server::Invitations = self.ask_get(&paths::invitations(link.id)).await?;
        let views: Vec<InvitationView> = open
            .invitations
            .into_iter()
            .map(|i| InvitationView { id: i.id, role: role(i.role), expires: i.expires, by: cut(&i.by) })
            .collect();
        let now = self.now();
        let changed = {
            let mut known = self.share.known();
            let changed = known.invitations.0 != views || known.invitations.1.is_none();
            known.invitations = (views, Some(now));
            changed
        };
        self.members_told(changed);
        Ok(())
    }

    fn members_told(&self, changed: bool) {
        if changed {
            self.tell(Event::MembersChanged);
        }
    }

    pub(crate) fn members(self: &Arc<Self>) -> Result<Roster, ApiError> {
        let link = self.shared()?;
        let (members, as_of) = self.share.known().members.clone();
        self.refresh_if_old(as_of);
        Ok(Roster { members, may_manage: link.role == MemberRole::Owner, as_of })
    }

    pub(crate) fn devices(self: &Arc<Self>) -> Result<DeviceList, ApiError> {
        self.shared()?;
        let (devices, as_of) = self.share.known().devices.clone();
        self.refresh_if_old(as_of);
        Ok(DeviceList { devices, as_of })
    }

    pub(crate) fn invitations(self: &Arc<Self>) -> Result<InvitationList, ApiError> {
        let link = self.shared()?;
        if link.role != MemberRole::Owner {
            return Ok(InvitationList { invitations: Vec::new(), as_of: None });
        }
        let (invitations, as_of) = self.share.known().invitations.clone();
        self.refresh_if_old(as_of);
        Ok(InvitationList { invitations, as_of })
    }

    pub(crate) async fn set_role(self: &Arc<Self>, call: SetRole) -> Result<Roster, ApiError> {
        let link = self.owned()?;
        let body = Body::json(&server::PatchMember { role: role_out(call.role) })?;
        self.ask_bytes(Method::PATCH, &paths::member(link.id, call.member), &body).await?;
        self.members_after(&link).await
    }

    pub(crate) async fn remove_member(self: &Arc<Self>, call: RemoveMember) -> Result<Roster, ApiError> {
        let link = self.owned()?;
        self.ask_bytes(Method::DELETE, &paths::member(link.id, call.member), &Body::None).await?;
        self.members_after(&link).await
    }

    pub(crate) async fn confirm_member(self: &Arc<Self>, call: ConfirmMember) -> Result<Roster, ApiError> {
        let link = self.owned()?;
        self.ask_bytes(Method::POST, &paths::confirm_member(link.id, call.member), &Body::None).await?;
        self.members_after(&link).await
    }

    /// The list as it is after an act; the act itself is done, whatever becomes of asking.
    async fn members_after(self: &Arc<Self>, link: &LinkDoc) -> Result<Roster, ApiError> {
        let _ = self.refresh_members(link).await;
        let _ = self.refresh_homes().await;
        self.members()
    }

    pub(crate) async fn remove_device(self: &Arc<Self>, call: RemoveDevice) -> Result<DeviceList, ApiError> {
        let link = self.shared()?;
        self.ask_bytes(Method::DELETE, &paths::home_device(link.id, call.device), &Body::None).await?;
        let _ = self.refresh_devices(&link).await;
        self.devices()
    }

    pub(crate) async fn invite(self: &Arc<Self>, call: Invite) -> Result<Invitation, ApiError> {
        let link = self.owned()?;
        let body = Body::json(&server::NewInvitation { role: role_out(call.role), expires: None })?;
        let made: server::CreatedInvitation =
            self.ask(Method::POST, &paths::invitations(link.id), &body).await?;
        let _ = self.refresh_invitations(&link).await;
        Ok(Invitation {
            id: made.id,
            link: made.link.expose().to_owned(),
            code: made.code.expose().to_owned(),
            role: role(made.role),
            expires: made.expires,
        })
    }

    pub(crate) async fn revoke_invitation(
        self: &Arc<Self>,
        call: RevokeInvitation,
    ) -> Result<InvitationList, ApiError> {
        let link = self.owned()?;
        let path = paths::home_invitation(link.id, call.id);
        match self.ask_bytes(Method::DELETE, &path, &Body::None).await {
            Err(trouble) if trouble.code() != Some(ProblemCode::NotFound) => return Err(trouble.into()),
            _ => {}
        }
        let _ = self.refresh_invitations(&link).await;
        self.invitations()
    }

    pub(crate) async fn accept_invitation(
        self: &Arc<Self>,
        call: AcceptInvitation,
    ) -> Result<Account, ApiError> {
        if self.share.known().account.is_none() {
            return Err(signed_out());
        }
        let code = paths::invitation_code(&call.code_or_link);
        if code.is_empty() {
            return Err(crate::words::invalid("Invitation: paste the link or the code."));
        }
        self.ask_bytes(Method::POST, &paths::accept_invitation(&code), &Body::None).await?;
        self.refresh_homes().await?;
        Ok(self.account())
    }
}
