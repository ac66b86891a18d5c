//! One home on several devices: the account, the document behind the store, blocks of usage, and
//! the way to the server.

use crate::core::Core;
use hearthwatt_api::*;

fn signed_out() -> ApiError {
    ApiError {
        code: ErrorCode::SignedOut,
        message: "This device is not signed in at a server: sign in first.".into(),
        retry: false,
    }
}

impl Core {
    pub(crate) fn account(&self) -> Account {
        Account {
            state: AccountState::SignedOut,
            sync: SyncView::OFF,
            home: None,
            homes: Vec::new(),
            last_server: None,
            notice: None,
        }
    }

    pub(crate) async fn sign_in(&self, _: SignIn) -> Result<Account, ApiError> {
        Err(ApiError {
            code: ErrorCode::Server,
            message: "Signing in is not possible yet.".into(),
            retry: false,
        })
    }

    pub(crate) async fn cancel_sign_in(&self) -> Result<Account, ApiError> {
        Ok(self.account())
    }

    pub(crate) async fn sign_out(&self, _: SignOut) -> Result<Account, ApiError> {
        Ok(self.account())
    }

    pub(crate) async fn share_home(&self) -> Result<Account, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn join_home(&self, _: JoinHome) -> Result<Account, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn leave_home(&self) -> Result<Account, ApiError> {
        Err(signed_out())
    }

    pub(crate) fn members(&self) -> Result<Roster, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn set_role(&self, _: SetRole) -> Result<Roster, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn remove_member(&self, _: RemoveMember) -> Result<Roster, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn confirm_member(&self, _: ConfirmMember) -> Result<Roster, ApiError> {
        Err(signed_out())
    }

    pub(crate) fn devices(&self) -> Result<DeviceList, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn remove_device(&self, _: RemoveDevice) -> Result<DeviceList, ApiError> {
        Err(signed_out())
    }

    pub(crate) fn invitations(&self) -> Result<InvitationList, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn invite(&self, _: Invite) -> Result<Invitation, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn revoke_invitation(&self, _: RevokeInvitation) -> Result<InvitationList, ApiError> {
        Err(signed_out())
    }

    pub(crate) async fn accept_invitation(&self, _: AcceptInvitation) -> Result<Account, ApiError> {
        Err(signed_out())
    }

    pub(crate) fn conflicts(&self) -> Result<Vec<ConflictView>, ApiError> {
        Ok(Vec::new())
    }

    pub(crate) async fn resolve_conflict(&self, _: ResolveConflict) -> Result<Vec<ConflictView>, ApiError> {
        Err(crate::words::not_found("conflict"))
    }
}
