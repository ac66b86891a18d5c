//! Our own sync client over a WebSocket, as the app uses it: it connects again by itself, keeps
//! what is edited offline, and knows what the server has acknowledged.

use crate::repo::{Entry, open};
use anyhow::{Context, Result, bail};
use automerge::transaction::Transactable;
use automerge::{Automerge, ObjType, ROOT, ReadDoc, ScalarValue, Value};
use futures_util::{SinkExt, StreamExt};
use hearthwatt_sync::session::{Client, Event, Limits};
use hearthwatt_sync::wire::{DocumentId, PeerId, PeerMetadata};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

struct Inside {
    client: Client,
    documents: HashMap<Uuid, Automerge>,
    unavailable: HashSet<Uuid>,
    /// Refusals and what the server said it can't take, in words.
    complaints: Vec<String>,
    /// Why a connection ended last.
    ended: Option<String>,
    online: bool,
}

pub struct OurPeer {
    inside: Arc<Mutex<Inside>>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for OurPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OurPeer {
    pub fn connect(entry: Entry) -> OurPeer {
        let me = PeerId::from(format!("ours-{}", Uuid::new_v4()));
        let inside = Arc::new(Mutex::new(Inside {
            client: Client::new(me, PeerMetadata::default(), Limits::default()),
            documents: HashMap::new(),
            unavailable: HashSet::new(),
            complaints: Vec::new(),
            ended: None,
            online: true,
        }));
        let wake = Arc::new(Notify::new());
        let task = tokio::spawn(run(entry, inside.clone(), wake.clone()));
        OurPeer { inside, wake, task }
    }

    /// Begins to keep a document in step.
    pub fn open(&self, id: Uuid, document: Automerge) -> Result<()> {
        let mut inside = self.inside.lock().expect("nobody panics");
        inside.unavailable.remove(&id);
        inside.client.open(DocumentId::from(id), document.clone(), &[])?;
        inside.documents.insert(id, document);
        drop(inside);
        self.wake.notify_one();
        Ok(())
    }

    /// Opens a document of which nothing is known here, and waits until it came. An error that says
    /// so where it is unavailable.
    pub async fn find(&self, id: Uuid, within: Duration) -> Result<()> {
        self.open(id, Automerge::new())?;
        let until = Instant::now() + within;
        loop {
            {
                let inside = self.inside.lock().expect("nobody panics");
                if inside.unavailable.contains(&id) {
                    bail!("{id} is unavailable");
                }
                if !inside.documents[&id].get_heads().is_empty() {
                    return Ok(());
                }
            }
            anyhow::ensure!(
                Instant::now() < until,
                "{id} did not come: {:?} {:?}",
                self.complaints(),
                self.ended()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sets what stands at `path`, making maps where there are none.
    pub fn put(&self, id: Uuid, path: &[&str], value: impl Into<ScalarValue>) -> Result<()> {
        let mut inside = self.inside.lock().expect("nobody panics");
        let Inside { client, documents, .. } = &mut *inside;
        let document = documents.get_mut(&id).context("a document that is open")?;
        let before = document.get_heads();
        put(document, path, value)?;
        let changes: Vec<Vec<u8>> =
            document.get_changes(&before).iter().map(|c| c.raw_bytes().to_vec()).collect();
        client.edited(DocumentId::from(id), changes.iter().map(Vec::as_slice))?;
        drop(inside);
        self.wake.notify_one();
        Ok(())
    }

    pub fn read<T>(&self, id: Uuid, look: impl Fn(&Automerge) -> T) -> Option<T> {
        self.inside.lock().expect("nobody panics").documents.get(&id).map(look)
    }

    pub fn heads(&self, id: Uuid) -> Vec<String> {
        self.read(id, crate::samod::heads).unwrap_or_default()
    }

    /// The server has everything of this document that is here.
    pub fn is_acknowledged(&self, id: Uuid) -> bool {
        let inside = self.inside.lock().expect("nobody panics");
        let status = inside.client.status(DocumentId::from(id));
        status.is_some_and(|s| s.compared && s.waiting == 0)
    }

    /// Why the last connection ended, if it did not end by itself.
    pub fn ended(&self) -> Option<String> {
        self.inside.lock().expect("nobody panics").ended.clone()
    }

    pub fn complaints(&self) -> Vec<String> {
        self.inside.lock().expect("nobody panics").complaints.clone()
    }

    pub fn set_online(&self, online: bool) {
        self.inside.lock().expect("nobody panics").online = online;
        self.wake.notify_one();
    }
}

async fn run(entry: Entry, inside: Arc<Mutex<Inside>>, wake: Arc<Notify>) {
    loop {
        if inside.lock().expect("nobody panics").online
            && let Err(e) = connection(&entry, &inside, &wake).await
        {
            inside.lock().expect("nobody panics").ended = Some(format!("{e:#}"));
        }
        inside.lock().expect("nobody panics").client.disconnected();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn connection(entry: &Entry, inside: &Mutex<Inside>, wake: &Notify) -> Result<()> {
    let mut socket = open(entry).await?;
    inside.lock().expect("nobody panics").client.connected();
    loop {
        loop {
            let frame = {
                let mut inside = inside.lock().expect("nobody panics");
                if !inside.online {
                    return Ok(());
                }
                inside.client.poll()
            };
            let Some(frame) = frame else { break };
            socket.send(Message::Binary(frame.into())).await?;
        }
        tokio::select! {
            () = wake.notified() => {}
            message = socket.next() => match message {
                None => return Ok(()),
                Some(Ok(Message::Binary(frame))) => take(inside, &frame)?,
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.into()),
            }
        }
    }
}

fn take(inside: &Mutex<Inside>, frame: &[u8]) -> Result<()> {
    let mut inside = inside.lock().expect("nobody panics");
    let Inside { client, documents, unavailable, complaints, .. } = &mut *inside;
    for event in client.receive(frame)? {
        match event {
            Event::Changes { document, changes } => {
                let document = documents.get_mut(&document.into()).context("a document that is open")?;
                let changes: Result<Vec<_>, _> =
                    changes.into_iter().map(|(_, bytes)| automerge::Change::from_bytes(bytes)).collect();
                document.apply_changes(changes?)?;
            }
            Event::Unavailable { document } => drop(unavailable.insert(document.into())),
            Event::Refused { document, refusal } => complaints.push(format!("{document}: {refusal}")),
            Event::Error { message } => complaints.push(message),
            Event::Joined { .. } | Event::Acknowledged { .. } => {}
        }
    }
    Ok(())
}

/// Sets what stands at `path` in a document, making maps where there are none.
pub fn put(document: &mut Automerge, path: &[&str], value: impl Into<ScalarValue>) -> Result<()> {
    let (last, maps) = path.split_last().context("a path")?;
    let mut transaction = document.transaction();
    let mut at = ROOT;
    for key in maps {
        at = match transaction.get(&at, *key)? {
            Some((Value::Object(_), id)) => id,
            _ => transaction.put_object(&at, *key, ObjType::Map)?,
        };
    }
    transaction.put(&at, *last, value)?;
    transaction.commit();
    Ok(())
}

/// What stands at `path`.
pub fn get(document: &Automerge, path: &[&str]) -> Option<ScalarValue> {
    let (last, maps) = path.split_last()?;
    let mut at = ROOT;
    for key in maps {
        at = document.get(&at, *key).ok()??.1;
    }
    let (value, _) = document.get(&at, *last).ok()??;
    value.into_scalar().ok()
}
