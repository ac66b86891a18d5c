//! A home and who belongs to it: one record, so that each rule holds at any time, whoever else
//! writes. This file is pure; `homes` stores.

use super::limits::{EXCLUDED_PER_HOME, INVITATIONS_PER_HOME, MEMBERS_PER_HOME};
use crate::http::Problem;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::{MemberRole, MemberState, ProblemCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// As it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Also the id of its document.
    pub id: Uuid,
    pub name: String,
    pub created: UnixMillis,
    pub members: Vec<Member>,
    pub invitations: Vec<Invitation>,
    /// Devices that an owner took out.
    pub excluded: Vec<Excluded>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub account: Uuid,
    pub role: MemberRole,
    pub state: MemberState,
    pub joined: UnixMillis,
    /// The document of this member's preferences.
    pub prefs: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: Uuid,
    /// Digest of the code.
    pub code: String,
    pub role: MemberRole,
    pub by: Uuid,
    pub created: UnixMillis,
    pub expires: UnixMillis,
}

/// A device without access to this home, until its person signs in on it anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    pub account: Uuid,
    pub device: Uuid,
    pub sign_in: Uuid,
}

fn nobody() -> Problem {
    Problem::not_found("There is no such member.")
}

fn last_owner() -> Problem {
    Problem::new(
        ProblemCode::LastOwner,
        "The home would be without an owner. Make someone else an owner first.",
    )
}

fn spent() -> Problem {
    Problem::new(
        ProblemCode::InvitationSpent,
        "The invitation was used, withdrawn, or is too old. Ask for a new one.",
    )
}

impl Home {
    pub fn new(id: Uuid, name: String, owner: Uuid, prefs: Uuid, now: UnixMillis) -> Self {
        let owner = Member {
            account: owner,
            role: MemberRole::Owner,
            state: MemberState::Active,
            joined: now,
            prefs,
        };
        Self { id, name, created: now, members: vec![owner], invitations: Vec::new(), excluded: Vec::new() }
    }

    pub fn member(&self, account: Uuid) -> Option<&Member> {
        self.members.iter().find(|m| m.account == account)
    }

    /// The role of a confirmed member.
    pub fn role(&self, account: Uuid) -> Option<MemberRole> {
        self.member(account).filter(|m| m.state == MemberState::Active).map(|m| m.role)
    }

    /// The role of a member through this device.
    pub fn role_through(&self, account: Uuid, device: Uuid, sign_in: Uuid) -> Option<MemberRole> {
        let excluded = Excluded { account, device, sign_in };
        if self.excluded.contains(&excluded) { None } else { self.role(account) }
    }

    fn owners(&self) -> usize {
        self.members.iter().filter(|m| m.role == MemberRole::Owner && m.state == MemberState::Active).count()
    }

    pub fn count(&self, state: MemberState) -> u32 {
        self.members.iter().filter(|m| m.state == state).count() as u32
    }

    /// Whether the home has an owner besides this account.
    pub fn has_other_owner(&self, account: Uuid) -> bool {
        self.members
            .iter()
            .any(|m| m.account != account && m.role == MemberRole::Owner && m.state == MemberState::Active)
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// `not_found`; `last_owner`.
    pub fn set_role(&mut self, account: Uuid, role: MemberRole) -> Result<(), Problem> {
        let owners = self.owners();
        let member = self.members.iter_mut().find(|m| m.account == account).ok_or_else(nobody)?;
        let is_owner = member.role == MemberRole::Owner && member.state == MemberState::Active;
        if is_owner && role != MemberRole::Owner && owners == 1 {
            return Err(last_owner());
        }
        member.role = role;
        if role != MemberRole::Owner {
            self.invitations.retain(|i| i.by != account);
        }
        Ok(())
    }

    /// Lets a member in who has accepted an invitation.
    ///
    /// # Errors
    /// `not_found`.
    pub fn confirm(&mut self, account: Uuid) -> Result<(), Problem> {
        let member = self.members.iter_mut().find(|m| m.account == account).ok_or_else(nobody)?;
        member.state = MemberState::Active;
        Ok(())
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// `not_found`; `last_owner`.
    pub fn remove(&mut self, account: Uuid) -> Result<Member, Problem> {
        let place = self.members.iter().position(|m| m.account == account).ok_or_else(nobody)?;
        let is_owner =
            self.members[place].role == MemberRole::Owner && self.members[place].state == MemberState::Active;
        if is_owner && self.owners() == 1 {
            return Err(last_owner());
        }
        self.excluded.retain(|e| e.account != account);
        // who no longer belongs to it invites nobody
        self.invitations.retain(|i| i.by != account);
        Ok(self.members.remove(place))
    }

    /// Adds an invitation.
    ///
    /// # Errors
    /// `limit_reached`.
    pub fn invite(&mut self, invitation: Invitation, now: UnixMillis) -> Result<(), Problem> {
        self.invitations.retain(|i| i.expires > now);
        if self.invitations.len() >= INVITATIONS_PER_HOME {
            return Err(Problem::new(
                ProblemCode::LimitReached,
                "Too many invitations are open. Withdraw one first.",
            ));
        }
        self.invitations.push(invitation);
        Ok(())
    }

    /// The open invitation with this code.
    pub fn invitation(&self, code: &str, now: UnixMillis) -> Option<&Invitation> {
        self.invitations.iter().find(|i| i.code == code && i.expires > now)
    }

    /// Uses an invitation up. In this one step it is gone and the member there, so it works once.
    ///
    /// # Errors
    /// `invitation_spent`; `conflict` if the account belongs to the home; `limit_reached`.
    pub fn accept(&mut self, code: &str, account: Uuid, prefs: Uuid, now: UnixMillis) -> Result<(), Problem> {
        let place =
            self.invitations.iter().position(|i| i.code == code && i.expires > now).ok_or_else(spent)?;
        if self.member(account).is_some() {
            return Err(Problem::conflict("You belong to this home already."));
        }
        if self.members.len() >= MEMBERS_PER_HOME {
            return Err(Problem::new(ProblemCode::LimitReached, "The home has too many members."));
        }
        let invitation = self.invitations.remove(place);
        let (role, state) = (invitation.role, MemberState::Pending);
        self.members.push(Member { account, role, state, joined: now, prefs });
        Ok(())
    }

    /// Withdraws an invitation. Says whether it was open.
    pub fn withdraw(&mut self, id: Uuid) -> Option<Invitation> {
        let place = self.invitations.iter().position(|i| i.id == id)?;
        Some(self.invitations.remove(place))
    }

    /// Takes a device out.
    ///
    /// # Errors
    /// `limit_reached`.
    pub fn exclude(&mut self, excluded: Excluded) -> Result<(), Problem> {
        // an earlier sign-in of the same device has ended anyway
        self.excluded.retain(|e| (e.account, e.device) != (excluded.account, excluded.device));
        if self.excluded.len() >= EXCLUDED_PER_HOME {
            return Err(Problem::new(
                ProblemCode::LimitReached,
                "Too many devices are kept out. Remove the member instead.",
            ));
        }
        self.excluded.push(excluded);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_764_000_000_000);
    const ADA: Uuid = Uuid::from_u128(1);
    const BOB: Uuid = Uuid::from_u128(2);
    const EVE: Uuid = Uuid::from_u128(3);

    fn home() -> Home {
        Home::new(Uuid::from_u128(100), "Elm Street".into(), ADA, Uuid::from_u128(101), NOW)
    }

    fn invitation(role: MemberRole) -> Invitation {
        let (id, expires) = (Uuid::from_u128(7), NOW.plus_ms(1000));
        Invitation { id, code: "digest".into(), role, by: ADA, created: NOW, expires }
    }

    fn with_bob(role: MemberRole) -> Home {
        let mut home = home();
        home.invite(invitation(role), NOW).unwrap();
        home.accept("digest", BOB, Uuid::from_u128(102), NOW).unwrap();
        home
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T, Problem>, code: ProblemCode) {
        assert_eq!(result.unwrap_err().code(), code);
    }

    #[test]
    fn an_invitation_works_once_and_the_owner_confirms() {
        let mut home = with_bob(MemberRole::Member);
        refused(home.accept("digest", EVE, Uuid::nil(), NOW), ProblemCode::InvitationSpent);
        assert_eq!(home.role(BOB), None, "not before an owner confirms");
        home.confirm(BOB).unwrap();
        assert_eq!(home.role(BOB), Some(MemberRole::Member));
        refused(home.confirm(EVE), ProblemCode::NotFound);
    }

    #[test]
    fn old_withdrawn_and_own_invitations_are_refused() {
        let mut home = home();
        home.invite(invitation(MemberRole::Owner), NOW).unwrap();
        refused(home.accept("digest", ADA, Uuid::nil(), NOW), ProblemCode::Conflict);
        refused(home.accept("other", BOB, Uuid::nil(), NOW), ProblemCode::InvitationSpent);
        refused(home.accept("digest", BOB, Uuid::nil(), NOW.plus_ms(1000)), ProblemCode::InvitationSpent);
        assert!(home.withdraw(Uuid::from_u128(7)).is_some());
        refused(home.accept("digest", BOB, Uuid::nil(), NOW), ProblemCode::InvitationSpent);
    }

    #[test]
    fn a_home_is_never_without_an_owner() {
        let mut home = with_bob(MemberRole::Owner);
        // an owner who isn't confirmed doesn't count
        refused(home.remove(ADA), ProblemCode::LastOwner);
        refused(home.set_role(ADA, MemberRole::Member), ProblemCode::LastOwner);
        assert!(!home.has_other_owner(ADA));
        home.confirm(BOB).unwrap();
        home.set_role(ADA, MemberRole::Viewer).unwrap();
        refused(home.set_role(BOB, MemberRole::Member), ProblemCode::LastOwner);
        home.remove(ADA).unwrap();
        refused(home.remove(BOB), ProblemCode::LastOwner);
        refused(home.remove(EVE), ProblemCode::NotFound);
    }

    #[test]
    fn a_device_that_was_taken_out_comes_back_only_by_a_new_sign_in() {
        let mut home = home();
        let (device, old, new) = (Uuid::from_u128(9), Uuid::from_u128(10), Uuid::from_u128(11));
        home.exclude(Excluded { account: ADA, device, sign_in: old }).unwrap();
        assert_eq!(home.role_through(ADA, device, old), None);
        assert_eq!(home.role_through(ADA, device, new), Some(MemberRole::Owner));
        assert_eq!(home.role_through(ADA, Uuid::from_u128(8), old), Some(MemberRole::Owner));
    }

    #[test]
    fn everything_is_bounded() {
        let mut home = home();
        for n in 0..INVITATIONS_PER_HOME {
            home.invite(Invitation { id: Uuid::from_u128(n as u128), ..invitation(MemberRole::Viewer) }, NOW)
                .unwrap();
        }
        refused(home.invite(invitation(MemberRole::Viewer), NOW), ProblemCode::LimitReached);
        home.invite(invitation(MemberRole::Viewer), NOW.plus_ms(5000)).unwrap();
        for n in 0..EXCLUDED_PER_HOME {
            home.exclude(Excluded { account: BOB, device: Uuid::from_u128(n as u128), sign_in: ADA })
                .unwrap();
        }
        refused(
            home.exclude(Excluded { account: EVE, device: EVE, sign_in: EVE }),
            ProblemCode::LimitReached,
        );
    }
}
