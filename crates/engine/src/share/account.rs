//! The account as the page sees it, and its end: signed out here, or access taken away there.

use super::local::{ACCOUNT, AccountDoc, DEVICE, DeviceDoc, LINK, LinkDoc, put_or_delete};
use super::server::Trouble;
use super::swap::Swap;
use crate::core::Core;
use hearthwatt_api::{
    Account, AccountNotice, AccountNoticeCode, AccountState, ApiError, Event, SharedHome, SignOut, SyncState,
    SyncView,
};
use hearthwatt_server_api::oauth::{CLIENT_ID, RevokeRequest};
use hearthwatt_server_api::{Secret, paths};
use std::sync::Arc;
use std::time::Duration;

/// Signing out does not wait longer for the server than this.
const FAREWELL: Duration = Duration::from_secs(5);

impl Core {
    pub(crate) fn account(&self) -> Account {
        let known = self.share.known();
        let state = match (&known.account, &known.signing_in) {
            (Some(a), _) => AccountState::SignedIn {
                server: a.server.clone(),
                name: a.name.clone(),
                email: a.email.clone(),
                device: self.share.device,
                device_name: self.share.device_name.clone(),
                token_store: a.token_store,
            },
            (None, Some(pending)) => pending.shown.clone(),
            (None, None) => AccountState::SignedOut,
        };
        let home = known.link.as_ref().filter(|l| l.is_live() && known.account.is_some()).map(|l| {
            SharedHome { id: l.id, name: l.name.clone(), role: l.role, members_pending: known.pending }
        });
        Account {
            state,
            sync: known.sync.clone(),
            homes: known.homes.clone(),
            home,
            last_server: known.last_server.clone(),
            notice: known.notice.clone(),
        }
    }

    /// The tokens are kept: the account is now true. A home that was shared through another
    /// server stays here, on its own.
    pub(crate) async fn signed_in(&self, account: AccountDoc) -> Result<(), ApiError> {
        let link = self.share.known().link.clone();
        let link = link.filter(|l| l.server == account.server);
        let device =
            DeviceDoc { notice: None, last_server: Some(account.server.clone()), ..self.device_doc() };
        let documents = vec![
            put_or_delete(ACCOUNT, Some(&account))?,
            put_or_delete(LINK, link.as_ref())?,
            put_or_delete(DEVICE, Some(&device))?,
        ];
        self.writer.run(move |store| store.put_documents(&documents)).await?;
        let mut known = self.share.known();
        known.last_server = Some(account.server.clone());
        known.notice = None;
        known.account = Some(account);
        known.link = link;
        known.homes.clear();
        known.homes_asked = None;
        Ok(())
    }

    pub(crate) fn device_doc(&self) -> DeviceDoc {
        let known = self.share.known();
        DeviceDoc {
            device: self.share.device,
            recorder: self.share.recorder,
            last_server: known.last_server.clone(),
            notice: known.notice.clone(),
        }
    }

    pub(crate) async fn sign_out(self: &Arc<Self>, call: SignOut) -> Result<Account, ApiError> {
        let _moving = self.share.moving.lock().await;
        if self.demo {
            return Err(crate::words::invalid("Leave the demo first."));
        }
        self.share.known().signing_in = None;
        let account = self.share.known().account.clone();
        if call.wipe {
            // from here on the home goes, whatever comes between
            Swap::wipe().write(&self.share.folder)?;
        }
        if let Some(account) = account {
            let refresh = self.share.access.forget(account.token_store, self.share.device).await;
            self.forget_account(None).await?;
            if let Some(token) = refresh {
                self.revoke(account.server, token).await;
            }
        }
        if call.wipe {
            self.share.known().reopen = true;
        }
        self.share.wake.notify_one();
        self.tell(Event::AccountChanged);
        self.tell(Event::MembersChanged);
        Ok(self.account())
    }

    /// Tells the server, as far as it can be reached now.
    async fn revoke(self: &Arc<Self>, server: String, token: Secret) {
        let request = RevokeRequest {
            client_id: CLIENT_ID.into(),
            token,
            token_type_hint: Some("refresh_token".into()),
        };
        let core = self.clone();
        let told = tokio::spawn(async move {
            core.share.http.form::<serde_json::Value>(&server, paths::REVOKE, &request).await
        });
        match tokio::time::timeout(FAREWELL, told).await {
            Ok(Ok(Ok(_) | Err(Trouble::NotOurs(_)))) => {}
            _ => tracing::warn!("the server could not be told that this device signed out"),
        }
    }

    /// The account is gone from this device; the home stays, and with it where it was shared.
    async fn forget_account(&self, notice: Option<AccountNotice>) -> Result<(), ApiError> {
        let (device, link) = {
            let mut known = self.share.known();
            known.notice = notice;
            (known.last_server.clone(), known.link.clone())
        };
        let _ = device;
        let documents = vec![
            put_or_delete::<AccountDoc>(ACCOUNT, None)?,
            put_or_delete(LINK, link.as_ref())?,
            put_or_delete(DEVICE, Some(&self.device_doc()))?,
        ];
        self.writer.run(move |store| store.put_documents(&documents)).await?;
        let mut known = self.share.known();
        known.account = None;
        known.homes.clear();
        known.members = Default::default();
        known.devices = Default::default();
        known.invitations = Default::default();
        known.pending = 0;
        known.sync = match &known.link {
            Some(link) if link.ended => SyncView { state: SyncState::Removed, ..known.sync.clone() },
            _ => SyncView::OFF,
        };
        Ok(())
    }

    /// The server ended this device's access: the tokens go at once, the home stays.
    pub(crate) async fn access_ended(self: &Arc<Self>) {
        let Some(account) = self.share.known().account.clone() else { return };
        tracing::warn!("the server ended this device's access");
        self.share.access.forget(account.token_store, self.share.device).await;
        if let Some(link) = &mut self.share.known().link {
            link.ended = true;
        }
        let notice = self.notice_of(
            AccountNoticeCode::DeviceRemoved,
            "This device's access to the account was ended. The home stays on this device as it is, and is no longer \
             shared. Sign in again to share it.",
        );
        if let Err(error) = self.forget_account(Some(notice)).await {
            tracing::warn!(%error, "what is left of the account can't be deleted for now");
        }
        self.told_of_the_end();
    }

    /// The account goes on, but is no member of this home any more.
    pub(crate) async fn membership_ended(&self) {
        let notice = self.notice_of(
            AccountNoticeCode::MembershipEnded,
            "This device's access to the shared home was ended, or the home was deleted. What is on this device stays \
             as it is.",
        );
        let link = {
            let mut known = self.share.known();
            known.notice = Some(notice);
            known.sync.state = SyncState::Removed;
            known.members = Default::default();
            known.devices = Default::default();
            known.invitations = Default::default();
            known.link.as_mut().map(|link| {
                link.ended = true;
                link.clone()
            })
        };
        self.keep_link(link.as_ref()).await;
        self.told_of_the_end();
    }

    fn told_of_the_end(&self) {
        self.share.outbox.close();
        let sync = self.share.known().sync.clone();
        self.tell(Event::SyncChanged { sync });
        self.tell(Event::AccountChanged);
        self.tell(Event::MembersChanged);
        self.share.wake.notify_one();
    }

    /// Writes where the home is shared; a failure costs at most a repetition.
    pub(crate) async fn keep_link(&self, link: Option<&LinkDoc>) {
        let written = match (put_or_delete(LINK, link), put_or_delete(DEVICE, Some(&self.device_doc()))) {
            (Ok(link), Ok(device)) => {
                self.writer.run(move |store| store.put_documents(&[link, device])).await
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "how far the home is shared can't be written for now");
        }
    }

    fn notice_of(&self, code: AccountNoticeCode, message: &str) -> AccountNotice {
        AccountNotice { code, message: message.into(), at: self.now() }
    }

    /// Something that the page shows until the next attempt.
    pub(crate) async fn notice(&self, code: AccountNoticeCode, message: String) {
        tracing::warn!(?code, message, "signing in");
        let notice = AccountNotice { code, message, at: self.now() };
        self.share.known().notice = Some(notice);
    }

    pub(crate) async fn clear_notice(&self) -> Result<(), ApiError> {
        self.share.known().notice = None;
        let device = put_or_delete(DEVICE, Some(&self.device_doc()))?;
        self.writer.run(move |store| store.put_documents(&[device])).await
    }

    /// The server just answered.
    pub(crate) fn reached(&self) {
        self.share.known().sync.last_reached = Some(self.now());
    }
}
