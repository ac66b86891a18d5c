//! Compaction: a snapshot takes the place of many changes. Nothing is deleted that a snapshot in the
//! store doesn't hold, as read back from the store; and of two snapshots only the lesser is, by an
//! order that all processes see alike, so that two of them can't delete each other's.

use crate::store::{Hash, Listing, Snapshot, Store, StoreError, Stored};
use automerge::{Automerge, ChangeHash, ReadDoc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Why a document was not compacted. Everything that was stored still is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what is stored of a document can't be read: {0}")]
    Unreadable(String),
    #[error("a snapshot came back from the store as something else")]
    NotTheSame,
    #[error("no thread to work on: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

pub fn hash_of(hash: &ChangeHash) -> Hash {
    Hash(hash.0)
}

/// All of a document that is stored.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn join(stored: &Stored) -> Result<Automerge, Error> {
    let unreadable = |e: automerge::AutomergeError| Error::Unreadable(e.to_string());
    let mut document = Automerge::new();
    for bytes in stored.snapshots.iter().map(|s| &s.bytes).chain(stored.changes.iter().map(|c| &c.bytes)) {
        document.load_incremental(bytes).map_err(unreadable)?;
    }
    Ok(document)
}

fn load(bytes: &[u8]) -> Result<Automerge, Error> {
    Automerge::load(bytes).map_err(|e| Error::Unreadable(e.to_string()))
}

/// The changes of a snapshot that don't lie behind `heads`.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn changes_of(snapshot: &[u8], heads: &[ChangeHash]) -> Result<Vec<Vec<u8>>, Error> {
    let document = load(snapshot)?;
    let known: Vec<ChangeHash> =
        heads.iter().filter(|head| document.get_change_by_hash(head).is_some()).copied().collect();
    Ok(document.get_changes(&known).iter().map(|c| c.raw_bytes().to_vec()).collect())
}

fn holds(document: &Automerge, heads: &[ChangeHash]) -> bool {
    heads.iter().all(|head| document.get_change_by_hash(head).is_some())
}

/// What `own`, which was read back from the store, replaces of what is there.
fn replaced(own: &Snapshot, others: &[Snapshot], listing: &Listing) -> Result<(Vec<Hash>, Vec<Hash>), Error> {
    let document = load(&own.bytes)?;
    let heads = document.get_heads();
    let mut snapshots = Vec::new();
    for other in others.iter().filter(|s| s.id != own.id) {
        let theirs = load(&other.bytes)?.get_heads();
        // equal contents can have different bytes: then the lower name goes, everywhere
        let lesser = if theirs == heads { other.id < own.id } else { holds(&document, &theirs) };
        if lesser {
            snapshots.push(other.id);
        }
    }
    let held = |hash: &&Hash| document.get_change_by_hash(&ChangeHash(hash.0)).is_some();
    Ok((snapshots, listing.changes.iter().filter(held).copied().collect()))
}

/// Stores a snapshot, reads it back, and deletes what it holds. Returns how many changes went.
///
/// # Errors
/// Nothing was deleted, except that the store may have failed while it was deleting.
pub async fn compact(store: &dyn Store, document: Uuid, bytes: Vec<u8>) -> Result<usize, Error> {
    let id = Hash(Sha256::digest(&bytes).into());
    store.put_snapshot(document, &Snapshot { id, bytes }).await?;
    let listing = store.list(document).await?;
    let mut stored = store.snapshots(document, &listing.snapshots).await?;
    let own = stored.iter().position(|s| s.id == id).map(|i| stored.swap_remove(i));
    // replaced by a greater one already: whoever did that deletes what is left
    let Some(own) = own else { return Ok(0) };
    if Hash(Sha256::digest(&own.bytes).into()) != id {
        return Err(Error::NotTheSame);
    }
    let plan = tokio::task::spawn_blocking(move || replaced(&own, &stored, &listing));
    let (snapshots, changes) = plan.await??;
    store.delete_chunks(document, &snapshots, &changes).await?;
    Ok(changes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Change;
    use crate::store::sqlite::Sqlite;
    use automerge::transaction::Transactable;
    use automerge::{ActorId, AutoCommit, ROOT};

    const DOCUMENT: Uuid = Uuid::from_u128(1);

    fn changes(document: &mut AutoCommit) -> Vec<Change> {
        let change =
            |c: &automerge::Change| Change { hash: hash_of(&c.hash()), bytes: c.raw_bytes().to_vec() };
        document.get_changes(&[]).iter().map(change).collect()
    }

    fn edited(actor: u8, edits: u8) -> AutoCommit {
        let mut document = AutoCommit::new().with_actor(ActorId::from(vec![actor; 16]));
        for n in 0..edits {
            document.put(ROOT, format!("{actor}/{n}"), i64::from(n)).unwrap();
            document.commit();
        }
        document
    }

    async fn whole(store: &dyn Store) -> Vec<ChangeHash> {
        join(&store.load(DOCUMENT).await.unwrap()).unwrap().get_heads()
    }

    /// Two processes compact at once, each knowing something that the other doesn't, while a third
    /// writes; after each round everything is still there.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn compacting_at_once_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Sqlite::open(&folder.path().join("server.db")).unwrap();
        let (one, two, three) = (open(), open(), open());
        let mut all = AutoCommit::new();
        for round in 0..30_u8 {
            let (mut a, mut b, mut c) =
                (edited(3 * round, 4), edited(3 * round + 1, 4), edited(3 * round + 2, 4));
            for document in [&mut a, &mut b] {
                one.append_changes(DOCUMENT, &changes(document)).await.unwrap();
            }
            let (mut mine, mut theirs) = (all.fork(), all.fork());
            mine.merge(&mut a).unwrap();
            theirs.merge(&mut b).unwrap();
            if round % 3 == 0 {
                // the same contents in other bytes
                mine.merge(&mut b).unwrap();
                theirs.merge(&mut a).unwrap();
            }
            let late = changes(&mut c);
            let (x, y, z) = tokio::join!(
                compact(&one, DOCUMENT, mine.save()),
                compact(&two, DOCUMENT, theirs.save()),
                three.append_changes(DOCUMENT, &late),
            );
            x.unwrap();
            y.unwrap();
            z.unwrap();
            for document in [&mut a, &mut b, &mut c] {
                all.merge(document).unwrap();
            }
            assert_eq!(whole(&three).await, all.get_heads(), "round {round}");
        }
        // once more with everything: one snapshot is left
        compact(&one, DOCUMENT, all.save()).await.unwrap();
        let left = one.list(DOCUMENT).await.unwrap();
        assert_eq!((left.snapshots.len(), left.changes.len()), (1, 0));
        assert_eq!(whole(&two).await, all.get_heads());
    }

    #[test]
    fn equal_contents_in_other_bytes_leave_exactly_one() {
        let mut document = edited(1, 3);
        let bytes = document.save();
        // two names for the same contents
        let [low, high] = [1, 2].map(|n| Snapshot { id: Hash([n; 32]), bytes: bytes.clone() });
        let listing = Listing::default();
        let both = [low.clone(), high.clone()];
        assert_eq!(replaced(&low, &both, &listing).unwrap().0, []);
        assert_eq!(replaced(&high, &both, &listing).unwrap().0, [low.id]);
        // a lesser one never deletes a greater one, nor what it doesn't hold
        let mut greater = document.fork();
        greater.put(ROOT, "more", 1).unwrap();
        greater.commit();
        let greater = Snapshot { id: Hash([0; 32]), bytes: greater.save() };
        let three = [low.clone(), high.clone(), greater.clone()];
        assert_eq!(replaced(&high, &three, &listing).unwrap().0, [low.id]);
        assert_eq!(replaced(&greater, &three, &listing).unwrap().0, [low.id, high.id]);
        let foreign = changes(&mut edited(9, 1));
        let own = changes(&mut document);
        let listing = Listing { changes: vec![foreign[0].hash, own[0].hash], ..Listing::default() };
        assert_eq!(replaced(&low, &both, &listing).unwrap().1, [own[0].hash]);
    }
}
