//! Homes that begin or cease to be shared, or to be shown here.

use super::document::{HOME_DOCUMENT, random_actor, refused_bytes};
use super::local::{LINK, LinkDoc, OFFER, OfferDoc, SHARE, get, put_or_delete};
use super::people::role;
use super::server::{Body, Trouble};
use super::socket::{Opening, Socket};
use super::swap::Swap;
use super::{not_shared, project, random_uuid, signed_out};
use crate::core::Core;
use crate::documents::{BROKER, OWN, SETTINGS};
use crate::words::{invalid, not_found};
use hearthwatt_api::{Account, ApiError, Event, JoinHome, JoinMode, MemberRole, SyncState, SyncView};
use hearthwatt_server_api::{self as server, ProblemCode, paths};
use hearthwatt_store::SharedWrite;
use hearthwatt_sync::doc::{EntityId, HomeDoc, merge_homes};
use hearthwatt_sync::session::{Client, Event as Happened, Limits};
use hearthwatt_sync::wire::{DocumentId, PeerId, PeerMetadata};
use reqwest::Method;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A home that is joined has to arrive within this time.
const ARRIVAL: Duration = Duration::from_secs(60);

impl Core {
    fn signed_in_at(&self) -> Result<super::local::AccountDoc, ApiError> {
        self.share.known().account.clone().ok_or_else(signed_out)
    }

    pub(crate) async fn share_home(self: &Arc<Self>) -> Result<Account, ApiError> {
        let _moving = self.share.moving.lock().await;
        let account = self.signed_in_at()?;
        if self.share.live().is_some() {
            return Err(invalid("This home is shared already."));
        }
        if self.demo {
            return Err(invalid("The demo home can't be shared: leave the demo first."));
        }
        // the id is kept before the server hears it: asking again does not make a second home
        let kept = self.readers.run(|reader| get::<OfferDoc>(reader, OFFER)).await?;
        let id = match kept {
            Some(offer) => offer.id,
            None => {
                let id = random_uuid()?;
                let offer = put_or_delete(OFFER, Some(&OfferDoc { id }))?;
                self.writer.run(move |store| store.put_documents(&[offer])).await?;
                id
            }
        };
        let name = self.state().settings.home_name.trim().to_owned();
        let name = if name.is_empty() { "Home".to_owned() } else { name };
        let body = Body::json(&server::NewHome { id, name })?;
        let home: server::Home = self.ask(Method::POST, paths::HOMES, &body).await?;
        let link = self.link_to(&account.server, &home);
        self.linked(link, Vec::new()).await?;
        Ok(self.account())
    }

    fn link_to(&self, server: &str, home: &server::Home) -> LinkDoc {
        LinkDoc {
            server: server.to_owned(),
            id: home.id,
            name: crate::words::cut(&home.name),
            role: role(home.role),
            ended: false,
            acknowledged: Vec::new(),
            last_reached: Some(self.now()),
        }
    }

    /// The home here is this shared one from now on.
    async fn linked(
        self: &Arc<Self>,
        link: LinkDoc,
        mut documents: Vec<hearthwatt_store::DocumentChange>,
    ) -> Result<(), ApiError> {
        documents.push(put_or_delete(LINK, Some(&link))?);
        documents.push(put_or_delete::<OfferDoc>(OFFER, None)?);
        self.writer
            .run(move |store| {
                store.put_documents(&documents)?;
                store.restart_blocks()
            })
            .await?;
        self.now_linked(link);
        Ok(())
    }

    fn now_linked(self: &Arc<Self>, link: LinkDoc) {
        {
            let mut known = self.share.known();
            known.link = Some(link);
            known.notice = None;
            known.sync.state = SyncState::Connecting;
        }
        self.share.wake.notify_one();
        self.share.blocks.notify_one();
        self.refresh_people();
        self.tell(Event::AccountChanged);
    }

    pub(crate) async fn join_home(self: &Arc<Self>, call: JoinHome) -> Result<Account, ApiError> {
        let _moving = self.share.moving.lock().await;
        let account = self.signed_in_at()?;
        if self.share.live().is_some_and(|l| l.id == call.home) {
            return Err(invalid("This home is shown here already."));
        }
        if self.demo {
            return Err(invalid("Leave the demo first."));
        }
        let home: server::Home = self.ask_get(&paths::home(call.home)).await?;
        if home.state != server::MemberState::Active {
            return Err(invalid("An owner of the home has to confirm you first."));
        }
        let link = self.link_to(&account.server, &home);
        // the same home again, after this device's access had ended
        if self.share.known().link.as_ref().is_some_and(|l| l.id == call.home && l.server == account.server) {
            self.linked(link, Vec::new()).await?;
            return Ok(self.account());
        }
        let theirs = tokio::time::timeout(ARRIVAL, self.fetch(call.home))
            .await
            .map_err(|_| Trouble::Unreachable("the home did not arrive in time".into()))??;
        match call.mode {
            JoinMode::Merge => self.merge(link, theirs).await?,
            JoinMode::Replace => self.replace(&account, &link, &theirs).await?,
        }
        Ok(self.account())
    }

    /// Both homes become one. The one that others live in holds where the two differ.
    async fn merge(self: &Arc<Self>, link: LinkDoc, theirs: HomeDoc) -> Result<(), ApiError> {
        let _edit = self.edit.lock().await;
        let mut held = self.document().await?;
        let mut merged = theirs;
        if link.role == MemberRole::Viewer {
            return Err(super::forbidden("Who may only look at a home can't merge another into it."));
        }
        merge_homes(self.now(), &mut merged, &held.doc().save()).map_err(refused_bytes)?;
        let settings = self.state().settings.clone();
        let mut documents = project::whole(&merged, &settings)?;
        documents.push(put_or_delete(LINK, Some(&link))?);
        documents.push(put_or_delete::<OfferDoc>(OFFER, None)?);
        let write = SharedWrite {
            document: HOME_DOCUMENT.into(),
            snapshot: Some(merged.save()),
            changes: Vec::new(),
            documents,
        };
        self.writer
            .run(move |store| {
                store.put_shared(&write)?;
                store.restart_blocks()
            })
            .await?;
        held.replace(merged);
        let ids = everything(held.doc());
        self.now_true(&held, &ids, true).await?;
        self.look_at_document(&held);
        drop(held);
        self.now_linked(link);
        Ok(())
    }

    /// The home here is put aside when it is opened the next time, which whoever opened it is
    /// asked to do now.
    async fn replace(
        self: &Arc<Self>,
        account: &super::local::AccountDoc,
        link: &LinkDoc,
        theirs: &HomeDoc,
    ) -> Result<(), ApiError> {
        let mut device = self.device_doc();
        device.recorder = random_uuid()?;
        device.notice = None;
        let kept = self
            .readers
            .run(|reader| {
                let mut kept = Vec::new();
                for d in reader.documents(BROKER)? {
                    kept.push((BROKER.to_owned(), d.id, d.json));
                }
                kept.extend(reader.document(SETTINGS, OWN)?.map(|d| (SETTINGS.to_owned(), d.id, d.json)));
                Ok(kept)
            })
            .await?;
        let zone = jiff::tz::TimeZone::UTC;
        let stamp = self.now().to_jiff().map(|t| t.to_zoned(zone).strftime("%Y-%m-%d-%H%M%S").to_string());
        let aside =
            format!("aside-{}", stamp.unwrap_or_else(|| random_uuid().unwrap_or_default().to_string()));
        Swap::replace(aside, kept, &device, account, link, &theirs.save())?.write(&self.share.folder)?;
        self.share.known().reopen = true;
        self.share.wake.notify_one();
        Ok(())
    }

    /// A home's document as the server has it.
    async fn fetch(&self, home: Uuid) -> Result<HomeDoc, ApiError> {
        let doc = HomeDoc::start(random_actor()?);
        let me = PeerId::from(format!("{}-{}", self.share.device, random_uuid()?));
        let mut client = Client::new(me, PeerMetadata::default(), Limits::default());
        let id = DocumentId::from(home);
        let odd = |e: &dyn std::fmt::Display| Trouble::NotOurs(format!("The home can't be read ({e})."));
        client.open(id, doc.automerge().clone(), &[]).map_err(|e| odd(&e))?;
        let (server, token) = self.token().await?;
        let mut socket = match Socket::open(&self.share.http, &server, &token).await {
            Ok(socket) => socket,
            Err(Opening::Unauthorized) => return Err(Trouble::Ended.into()),
            Err(Opening::Trouble(trouble)) => return Err(trouble.into()),
        };
        client.connected();
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            while let Some(frame) = client.poll() {
                socket.send(frame).await?;
            }
            // the server's heads are ours: all of it is here
            let all_here = client.status(id).is_some_and(|s| {
                let mut there = s.acknowledged;
                there.sort_unstable();
                s.compared && there == s.heads
            });
            if all_here {
                break;
            }
            for event in client.receive(&socket.next().await?).map_err(|e| odd(&e))? {
                match event {
                    Happened::Changes { changes, .. } => all.extend(changes.into_iter().map(|(_, b)| b)),
                    Happened::Unavailable { .. } => return Err(not_found("home")),
                    Happened::Refused { refusal, .. } => return Err(odd(&refusal).into()),
                    Happened::Error { message } => return Err(odd(&crate::words::cut(&message)).into()),
                    _ => {}
                }
            }
        }
        socket.close().await;
        let mut doc = doc;
        doc.apply(&all).map_err(refused_bytes)?;
        Ok(doc)
    }

    pub(crate) async fn leave_home(self: &Arc<Self>) -> Result<Account, ApiError> {
        let _moving = self.share.moving.lock().await;
        self.signed_in_at()?;
        let link = self.share.live().ok_or_else(not_shared)?;
        let roster: server::Roster = self.ask_get(&paths::members(link.id)).await?;
        let me = roster.members.iter().find(|m| m.you).ok_or_else(|| not_found("member"))?;
        // the last one turns off the light: a home of nobody is not kept
        let left = if roster.members.len() == 1 {
            self.ask_bytes(Method::DELETE, &paths::home(link.id), &Body::None).await
        } else {
            self.ask_bytes(Method::DELETE, &paths::member(link.id, me.id), &Body::None).await
        };
        match left {
            Err(trouble) if trouble.code() != Some(ProblemCode::NotFound) => return Err(trouble.into()),
            _ => {}
        }
        self.writer
            .run(move |store| {
                store.delete_document(SHARE, LINK)?;
                store.note_days(false, false)
            })
            .await?;
        {
            let mut known = self.share.known();
            known.link = None;
            known.sync = SyncView::OFF;
            known.members = Default::default();
            known.devices = Default::default();
            known.invitations = Default::default();
            known.pending = 0;
            known.homes.retain(|h| h.id != link.id);
        }
        self.share.outbox.close();
        self.share.wake.notify_one();
        self.tell(Event::SyncChanged { sync: SyncView::OFF });
        self.tell(Event::AccountChanged);
        self.tell(Event::MembersChanged);
        Ok(self.account())
    }
}

/// All that a document holds.
fn everything(doc: &HomeDoc) -> Vec<EntityId> {
    let mut ids: Vec<EntityId> = doc.meters().items.iter().map(|m| EntityId::Meter(m.id)).collect();
    ids.extend(doc.tariffs().items.iter().map(|t| EntityId::Tariff(t.id)));
    ids.extend(doc.budgets().items.iter().map(|b| EntityId::Budget(b.id)));
    ids.extend(doc.alerts().items.iter().map(|a| EntityId::Alert(a.id)));
    ids.extend(doc.corrections().items.iter().map(|c| EntityId::Correction(c.id)));
    ids
}
