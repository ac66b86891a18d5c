//! One copy of a document and the only way to change it: stage changes on a clone, prove that
//! the clone survives being saved and loaded, then swap it in.
//!
//! **The proof.** A change that Automerge applies may still ruin the document: saved, it does not
//! load again. So whatever is staged is exported again from the clone and compared, which is cheap
//! and finds most, and then the whole clone is saved and loaded, which costs about 2.5 µs for each
//! change of the history. There is no way around the second: of changes mutated at random, with
//! their checksums right, one in some thousands comes out of the clone as it went in and yet keeps
//! the document from loading. Messages that bring many changes pay once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use automerge::{ActorId, Automerge, Change, ChangeHash, ReadDoc};

use super::caught::caught;
use super::chunk::Chunk;
use super::{Author, Limits, Refusal};

/// The last change of an actor.
#[derive(Debug, Clone, Copy)]
struct Tail {
    seq: u64,
    max_op: u64,
}

/// A document with its actors at hand.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    doc: Automerge,
    /// Last change of each actor; `recent` lies over `settled`, so that a clone is cheap.
    settled: Arc<BTreeMap<ActorId, Tail>>,
    recent: BTreeMap<ActorId, Tail>,
    max_op: u64,
}

/// What came of staging.
pub(super) struct Staged {
    /// The document with the changes, if any could be applied.
    pub(super) next: Option<Next>,
    /// Changes whose dependencies are not here yet.
    pub(super) ahead: Vec<Change>,
}

/// The document as it would be.
pub(super) struct Next {
    pub(super) replica: Replica,
    pub(super) changes: Vec<(ChangeHash, Vec<u8>)>,
    pub(super) authors: Vec<Author>,
}

impl Replica {
    /// Takes a document that is trusted: our own, or one the store proved.
    pub(super) fn new(doc: Automerge) -> Self {
        let mut actors: BTreeMap<ActorId, Tail> = BTreeMap::new();
        let mut max_op = 0;
        for change in doc.get_changes_meta(&[]) {
            max_op = max_op.max(change.max_op);
            let tail = Tail { seq: change.seq, max_op: change.max_op };
            actors
                .entry(change.actor.into_owned())
                .and_modify(|known| {
                    if known.seq < tail.seq {
                        *known = tail;
                    }
                })
                .or_insert(tail);
        }
        Self { doc, settled: Arc::new(actors), recent: BTreeMap::new(), max_op }
    }

    pub(super) fn doc(&self) -> &Automerge {
        &self.doc
    }

    pub(super) fn doc_mut(&mut self) -> &mut Automerge {
        &mut self.doc
    }

    /// Sorted.
    pub(super) fn heads(&self) -> Vec<ChangeHash> {
        let mut heads = self.doc.get_heads();
        heads.sort_unstable();
        heads
    }

    pub(super) fn len(&self) -> u64 {
        self.doc.stats().num_changes
    }

    /// Those of the hashes that are not in the document.
    pub(super) fn missing(&self, hashes: &[ChangeHash]) -> Vec<ChangeHash> {
        self.doc.get_missing_deps(hashes)
    }

    fn has(&self, hash: ChangeHash) -> bool {
        self.missing(&[hash]).is_empty()
    }

    /// Whether the chunks bring anything that isn't here.
    pub(super) fn is_news(&self, chunks: &[Chunk<'_>]) -> bool {
        chunks.iter().any(|chunk| match chunk {
            Chunk::Change { hash, .. } => !self.has(*hash),
            Chunk::Document { heads, .. } => !self.missing(heads).is_empty(),
        })
    }

    /// The changes in the chunks that are not here.
    pub(super) fn unknown(&self, chunks: Vec<Chunk<'_>>) -> Result<Vec<Change>, Refusal> {
        let mut unknown = Vec::new();
        for chunk in chunks {
            match chunk {
                Chunk::Change { hash, bytes } => {
                    if !self.has(hash) {
                        unknown.push(change(hash, bytes)?);
                    }
                }
                Chunk::Document { heads, bytes } => {
                    if !self.missing(&heads).is_empty() {
                        let changes = caught(|| {
                            Automerge::load(bytes)
                                .map(|doc| doc.get_changes(&[]))
                                .map_err(|error| Refusal::Damaging(error.to_string()))
                        })?;
                        unknown.extend(changes.into_iter().filter(|c| !self.has(c.hash())));
                    }
                }
            }
        }
        Ok(unknown)
    }

    /// The document with these changes, proven; this one is not touched.
    pub(super) fn stage(&self, changes: Vec<Change>, limits: &Limits) -> Result<Staged, Refusal> {
        let (ready, ahead) = self.in_causal_order(changes);
        if ready.is_empty() {
            return Ok(Staged { next: None, ahead });
        }
        let mut replica = self.clone();
        let authors = replica.number(&ready)?;
        let len = self.len() + ready.len() as u64;
        bounded("changes in the document", len, limits.document_changes)?;
        let heads = self.heads();
        let applied = caught(|| {
            replica
                .doc
                .apply_changes(ready.iter().cloned())
                .map_err(|error| Refusal::Damaging(error.to_string()))?;
            replica.prove_new(&heads, &ready)?;
            bounded("operations in the document", replica.doc.stats().num_ops, limits.document_ops)?;
            let bytes = replica.prove_whole()?;
            bounded("bytes of the document", bytes, limits.inflated_bytes)?;
            Ok(replica)
        });
        Ok(Staged {
            next: Some(Next {
                replica: applied?,
                changes: ready.into_iter().map(into_bytes).collect(),
                authors,
            }),
            ahead,
        })
    }

    /// Sorts changes so that each comes after those it depends on, and apart those that wait for
    /// others. Of several that could be next the one with the lowest operation is, which is the
    /// order in which they were made.
    fn in_causal_order(&self, changes: Vec<Change>) -> (Vec<Change>, Vec<Change>) {
        let mut pool: HashMap<ChangeHash, Change> = HashMap::with_capacity(changes.len());
        for change in changes {
            if !self.has(change.hash()) {
                pool.insert(change.hash(), change);
            }
        }
        let deps: Vec<ChangeHash> = pool.values().flat_map(|c| c.deps().iter().copied()).collect();
        let missing: HashSet<ChangeHash> = self.missing(&deps).into_iter().collect();
        let mut waits: HashMap<ChangeHash, usize> = HashMap::new();
        let mut needed_by: HashMap<ChangeHash, Vec<ChangeHash>> = HashMap::new();
        let mut next = BinaryHeap::new();
        for (hash, change) in &pool {
            let open: HashSet<_> = change.deps().iter().filter(|d| missing.contains(d)).collect();
            if open.is_empty() {
                next.push(Reverse((change.start_op(), *hash)));
            } else {
                waits.insert(*hash, open.len());
                for dep in open {
                    needed_by.entry(*dep).or_default().push(*hash);
                }
            }
        }
        let mut ready = Vec::with_capacity(pool.len());
        let mut max_op = self.max_op;
        while let Some(Reverse((start_op, hash))) = next.pop() {
            if start_op.get() > max_op + 1 {
                // Its author had operations that are not here, nor in any that could be next: so
                // it waits, and with it all that come later. Else one peer could use up all the
                // numbers that there are.
                break;
            }
            let Some(change) = pool.remove(&hash) else {
                continue;
            };
            max_op = max_op.max(start_op.get() - 1 + change.len() as u64);
            for waiting in needed_by.remove(&hash).unwrap_or_default() {
                let Some(open) = waits.get_mut(&waiting) else {
                    continue;
                };
                *open -= 1;
                if *open == 0
                    && let Some(change) = pool.get(&waiting)
                {
                    next.push(Reverse((change.start_op(), waiting)));
                }
            }
            ready.push(change);
        }
        let mut ahead: Vec<Change> = pool.into_values().collect();
        ahead.sort_unstable_by_key(|change| (change.start_op(), change.hash()));
        (ready, ahead)
    }

    /// Takes the numbers of changes and operations into account, which must go on where their
    /// actor stopped: else operations would be named twice.
    fn number(&mut self, ready: &[Change]) -> Result<Vec<Author>, Refusal> {
        let mut authors: BTreeMap<&ActorId, Author> = BTreeMap::new();
        for change in ready {
            let refuse = |why| Err(Refusal::Change { hash: change.hash(), why });
            let actor = change.actor_id();
            let tail = self.recent.get(actor).or_else(|| self.settled.get(actor));
            let tail = tail.copied().unwrap_or(Tail { seq: 0, max_op: 0 });
            let (seq, start_op) = (change.seq(), change.start_op().get());
            if seq <= tail.seq {
                return refuse("its actor has another change of this number");
            }
            if seq > tail.seq + 1 {
                return refuse("it skips changes of its actor");
            }
            if start_op <= tail.max_op {
                return refuse("it reuses numbers of operations");
            }
            let max_op = start_op - 1 + change.len() as u64;
            self.max_op = self.max_op.max(max_op);
            self.recent.insert(actor.clone(), Tail { seq, max_op });
            authors.entry(actor).and_modify(|author| author.last = seq).or_insert_with(|| Author {
                actor: actor.clone(),
                first: seq,
                last: seq,
            });
        }
        Ok(authors.into_values().collect())
    }

    /// The new changes come out of the document as they went in, and the heads are theirs.
    fn prove_new(&self, before: &[ChangeHash], ready: &[Change]) -> Result<(), Refusal> {
        let fail = |why: &str| Err(Refusal::Damaging(why.to_owned()));
        let mut heads: HashSet<ChangeHash> = before.iter().copied().collect();
        heads.extend(ready.iter().map(Change::hash));
        for dep in ready.iter().flat_map(Change::deps) {
            heads.remove(dep);
        }
        let now = self.doc.get_heads();
        if now.len() != heads.len() || !now.iter().all(|head| heads.contains(head)) {
            return fail("the heads are not those of the changes");
        }
        let exported = self.doc.get_changes(before);
        if exported.len() != ready.len() {
            return fail("changes are lost");
        }
        let exported: HashMap<ChangeHash, &Change> =
            exported.iter().map(|change| (change.hash(), change)).collect();
        for change in ready {
            match exported.get(&change.hash()) {
                Some(twin) if twin.raw_bytes() == change.raw_bytes() => {}
                _ => return fail("a change does not come out as it went in"),
            }
        }
        Ok(())
    }

    /// The whole document saves and loads. Returns its size in bytes.
    pub(super) fn prove_whole(&self) -> Result<u64, Refusal> {
        let saved = self.doc.save_nocompress();
        let loaded = Automerge::load(&saved).map_err(|error| Refusal::Damaging(error.to_string()))?;
        let (is, was) = (loaded.stats(), self.doc.stats());
        if loaded.get_heads() != self.doc.get_heads()
            || is.num_changes != was.num_changes
            || is.num_ops != was.num_ops
        {
            return Err(Refusal::Damaging("it loads as another document".to_owned()));
        }
        Ok(saved.len() as u64)
    }

    /// After the swap: makes the next clone cheap again.
    pub(super) fn settle(&mut self) {
        if let Some(settled) = Arc::get_mut(&mut self.settled) {
            settled.append(&mut self.recent);
        }
    }
}

/// A change of this hash, its operations checked by Automerge.
pub(super) fn change(hash: ChangeHash, bytes: Vec<u8>) -> Result<Change, Refusal> {
    let change =
        caught(|| Change::from_bytes(bytes).map_err(|_| Refusal::Change { hash, why: "it can't be read" }))?;
    if change.hash() == hash {
        Ok(change)
    } else {
        Err(Refusal::Change { hash, why: "it hashes to something else" })
    }
}

fn into_bytes(mut change: Change) -> (ChangeHash, Vec<u8>) {
    (change.hash(), change.bytes().into_owned())
}

pub(super) fn bounded(what: &'static str, is: u64, limit: usize) -> Result<(), Refusal> {
    let limit = limit as u64;
    if is > limit {
        return Err(Refusal::TooMuch { what, is, limit });
    }
    Ok(())
}
