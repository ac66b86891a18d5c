//! The load: writing and reading clients of the automerge-repo protocol, one task each.

use anyhow::{Context, Result, ensure};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, ChangeHash, ROOT};
use hearthwatt_tests::repo::{Copy, Entry, Peer, Said};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

/// No phase takes longer on the slowest server.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Household {
    pub writer: Entry,
    pub reader: Entry,
    pub documents: Vec<Uuid>,
}

/// A client with its connection and its copies.
struct Client {
    entry: Entry,
    peer: Peer,
    copies: BTreeMap<Uuid, Copy>,
}

pub struct Load {
    pairs: Vec<(Client, Client)>,
}

/// When each change was sent.
type Sent = Arc<Mutex<HashMap<ChangeHash, Instant>>>;

/// What a reader found: which document, after how many milliseconds.
type Seen = (Uuid, f64);

impl Load {
    /// Connects all clients; each document is there, with its first change, on both sides.
    pub async fn start(households: Vec<Household>) -> Result<Load> {
        // all at once: who says nothing for long is put out
        let mut tasks = JoinSet::new();
        for household in households {
            tasks.spawn(async move {
                let mut writer = Client::connect(household.writer).await?;
                let mut reader = Client::connect(household.reader).await?;
                for id in household.documents {
                    let mut mine = Copy::new(id, first_change());
                    mine.settle(&mut writer.peer, PATIENCE).await.context("the writer's first change")?;
                    writer.copies.insert(id, mine);
                    let mut theirs = Copy::new(id, Automerge::new());
                    theirs.settle(&mut reader.peer, PATIENCE).await.context("the reader's first look")?;
                    reader.copies.insert(id, theirs);
                }
                anyhow::Ok((writer, reader))
            });
        }
        let mut pairs = Vec::new();
        while let Some(done) = tasks.join_next().await {
            pairs.push(done??);
        }
        let load = Load { pairs };
        load.check()?;
        Ok(load)
    }

    /// Both sides of each document are the same.
    pub fn check(&self) -> Result<()> {
        for (writer, reader) in &self.pairs {
            for (id, copy) in &writer.copies {
                ensure!(reader.copies[id].heads() == copy.heads(), "{id} differs");
            }
        }
        Ok(())
    }

    /// Every writer changes all its documents offline, returns, and everything reaches the readers.
    pub async fn bulk(&mut self, changes: usize) -> Result<Duration> {
        let mut ready = Vec::new();
        for (mut writer, reader) in self.pairs.drain(..) {
            writer.peer.close().await;
            let mut expected = HashMap::new();
            for (id, copy) in &mut writer.copies {
                for n in 0..changes {
                    change(&mut copy.document, n);
                }
                copy.reconnected();
                expected.insert(*id, copy.heads());
            }
            ready.push((writer.entry, writer.copies, reader, expected));
        }
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for (entry, mut copies, mut reader, expected) in ready {
            tasks.spawn(async move {
                let reading = async {
                    let arrived = |copies: &BTreeMap<Uuid, Copy>| {
                        expected.iter().all(|(id, heads)| copies[id].heads() == *heads)
                    };
                    while !arrived(&reader.copies) {
                        reader.hear().await?;
                    }
                    anyhow::Ok(Instant::now())
                };
                let writing = async {
                    let mut peer = Peer::join(&entry).await?;
                    for copy in copies.values_mut() {
                        copy.say_all(&mut peer).await?;
                    }
                    let mut writer = Client { entry, peer, copies };
                    while !writer.copies.values().all(Copy::is_acknowledged) {
                        writer.hear().await?;
                    }
                    anyhow::Ok(writer)
                };
                let (at, writer) = tokio::try_join!(reading, writing)?;
                anyhow::Ok((at, writer, reader))
            });
        }
        let mut last = begun;
        while let Some(done) = tokio::time::timeout(PATIENCE, tasks.join_next()).await.context("bulk")? {
            let (at, writer, reader) = done??;
            last = last.max(at);
            self.pairs.push((writer, reader));
        }
        Ok(last - begun)
    }

    /// Every document changes as soon as its reader has the last change. Returns the time for all,
    /// and that of each change in milliseconds.
    pub async fn live(&mut self, changes: usize) -> Result<(Duration, Vec<f64>)> {
        let begun = Instant::now();
        let delays = self.each(move |writer, sent, seen| writer.follow(changes, sent, seen)).await?;
        Ok((begun.elapsed(), delays))
    }

    /// Changes at a fixed pace over all documents. Returns how long each took to its reader.
    pub async fn paced(&mut self, pace: Duration, duration: Duration) -> Result<Vec<f64>> {
        let pace = pace * self.pairs.len() as u32;
        self.each(move |writer, sent, seen| writer.keep_pace(pace, duration, sent, seen)).await
    }

    /// Runs writers as `write` says while the readers tell them what arrives.
    async fn each<F, W>(&mut self, write: F) -> Result<Vec<f64>>
    where
        F: Fn(Client, Sent, mpsc::UnboundedReceiver<Seen>) -> W,
        W: Future<Output = Result<(Client, Vec<f64>)>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for (writer, mut reader) in self.pairs.drain(..) {
            let sent = Sent::default();
            let (tell, seen) = mpsc::unbounded_channel();
            let mut writing = Box::pin(write(writer, sent.clone(), seen));
            tasks.spawn(async move {
                loop {
                    // only waiting may be interrupted: what was heard is answered to the end
                    let said = tokio::select! {
                        said = reader.peer.next() => said?,
                        written = &mut writing => {
                            let (writer, delays) = written?;
                            return anyhow::Ok((writer, reader, delays));
                        }
                    };
                    let Some(id) = reader.take(said).await? else { continue };
                    for head in reader.copies[&id].document.get_heads() {
                        let at = sent.lock().expect("nobody panics").remove(&head);
                        if let Some(at) = at {
                            // the writer has what it waited for, or is gone
                            let _ = tell.send((id, at.elapsed().as_secs_f64() * 1000.0));
                        }
                    }
                }
            });
        }
        let mut delays = Vec::new();
        while let Some(done) = tokio::time::timeout(PATIENCE, tasks.join_next()).await.context("live")? {
            let (writer, reader, mut some) = done??;
            self.pairs.push((writer, reader));
            delays.append(&mut some);
        }
        Ok(delays)
    }
}

impl Client {
    async fn connect(entry: Entry) -> Result<Client> {
        let peer = Peer::join(&entry).await?;
        Ok(Client { entry, peer, copies: BTreeMap::new() })
    }

    /// The next frame, and the answer to it. Returns which document it was about.
    async fn hear(&mut self) -> Result<Option<Uuid>> {
        let said = self.peer.next().await?;
        self.take(said).await
    }

    async fn take(&mut self, said: Option<Said>) -> Result<Option<Uuid>> {
        match said.context("the server closed the connection")? {
            Said::Sync { document, data } => {
                let copy = self.copies.get_mut(&document).context("a document that nobody asked for")?;
                copy.hear(&data)?;
                copy.say_all(&mut self.peer).await?;
                Ok(Some(document))
            }
            Said::Error { message } => anyhow::bail!("the server says: {message}"),
            Said::Unavailable { document } => anyhow::bail!("{document} is unavailable"),
            Said::Peer { .. } | Said::Other(_) => Ok(None),
        }
    }

    /// Changes a document and sends the change.
    async fn write(&mut self, id: Uuid, n: usize, sent: &Sent) -> Result<()> {
        let copy = self.copies.get_mut(&id).context("a document of this client")?;
        let hash = change(&mut copy.document, n);
        sent.lock().expect("nobody panics").insert(hash, Instant::now());
        copy.say_all(&mut self.peer).await
    }

    async fn follow(
        mut self,
        changes: usize,
        sent: Sent,
        mut seen: mpsc::UnboundedReceiver<Seen>,
    ) -> Result<(Client, Vec<f64>)> {
        let mut made: BTreeMap<Uuid, usize> = self.copies.keys().map(|id| (*id, 0)).collect();
        let ids: Vec<Uuid> = made.keys().copied().collect();
        for id in ids {
            self.write(id, 0, &sent).await?;
        }
        let mut delays = Vec::new();
        let total = made.len() * changes;
        while delays.len() < total {
            tokio::select! {
                said = self.peer.next() => {
                    let said = said?;
                    self.take(said).await?;
                }
                Some((id, ms)) = seen.recv() => {
                    delays.push(ms);
                    let n = made.get_mut(&id).context("a document of this client")?;
                    *n += 1;
                    if *n < changes {
                        let n = *n;
                        self.write(id, n, &sent).await?;
                    }
                }
            }
        }
        Ok((self, delays))
    }

    async fn keep_pace(
        mut self,
        pace: Duration,
        duration: Duration,
        sent: Sent,
        mut seen: mpsc::UnboundedReceiver<Seen>,
    ) -> Result<(Client, Vec<f64>)> {
        let ids: Vec<Uuid> = self.copies.keys().copied().collect();
        let total = (duration.as_secs_f64() / pace.as_secs_f64()) as usize;
        let mut ticks = tokio::time::interval(pace);
        let (mut made, mut delays) = (0, Vec::new());
        while delays.len() < total {
            tokio::select! {
                said = self.peer.next() => {
                    let said = said?;
                    self.take(said).await?;
                }
                Some((_, ms)) = seen.recv() => delays.push(ms),
                _ = ticks.tick(), if made < total => {
                    self.write(ids[made % ids.len()], made, &sent).await?;
                    made += 1;
                }
            }
        }
        Ok((self, delays))
    }
}

/// What a home starts from on this load.
fn first_change() -> Automerge {
    let mut document = Automerge::new().with_actor(ActorId::random());
    change(&mut document, 0);
    document
}

/// One small edit, as a person makes it: the amount of a budget.
fn change(document: &mut Automerge, n: usize) -> ChangeHash {
    // the same value again would be no change
    static LAST: AtomicI64 = AtomicI64::new(0);
    let value = LAST.fetch_add(1, Ordering::Relaxed);
    let mut transaction = document.transaction();
    transaction.put(ROOT, format!("amount-{}", n % 10), value).expect("the root is a map");
    transaction.commit().0.expect("something changed")
}
