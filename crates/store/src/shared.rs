//! A shared document as bytes (a snapshot and the changes since), written together with the
//! documents that are read from it, so that the two agree after a crash at any moment.

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::{Store, write_documents};
use crate::types::DocumentChange;
use rusqlite::{OptionalExtension, TransactionBehavior, params};

/// Changes of a shared document and what follows from them: all of it or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SharedWrite {
    /// Our name of the document.
    pub document: String,
    /// The whole document up to now: takes the place of all that is stored of it.
    pub snapshot: Option<Vec<u8>>,
    /// Changes by their hash, on top of what is stored; those already there are left alone.
    pub changes: Vec<([u8; 32], Vec<u8>)>,
    /// What is read from the document, as it is after these changes.
    pub documents: Vec<DocumentChange>,
}

/// What is stored of a shared document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharedBytes {
    pub snapshot: Option<Vec<u8>>,
    /// In the order in which they came.
    pub changes: Vec<Vec<u8>>,
}

impl SharedBytes {
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.changes.is_empty()
    }
}

impl Store {
    /// Writes changes of a shared document with what follows from them, in one transaction.
    ///
    /// # Errors
    /// Nothing of it is stored then.
    pub fn put_shared(&mut self, write: &SharedWrite) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(snapshot) = &write.snapshot {
            tx.execute("DELETE FROM change WHERE document=?1", [&write.document])?;
            tx.execute("INSERT OR REPLACE INTO snapshot VALUES(?1,?2)", params![write.document, snapshot])?;
        }
        {
            let mut insert =
                tx.prepare_cached("INSERT OR IGNORE INTO change(document, hash, bytes) VALUES(?1,?2,?3)")?;
            for (hash, bytes) in &write.changes {
                insert.execute(params![write.document, hash, bytes])?;
            }
        }
        write_documents(&tx, &write.documents)?;
        Ok(tx.commit()?)
    }
}

impl Reader {
    /// All that is stored of a shared document; empty when there is none.
    pub fn shared(&self, document: &str) -> Result<SharedBytes, StoreError> {
        let snapshot = self
            .conn
            .prepare_cached("SELECT bytes FROM snapshot WHERE document=?1")?
            .query_row([document], |r| r.get(0))
            .optional()?;
        let mut stmt = self.conn.prepare_cached("SELECT bytes FROM change WHERE document=?1 ORDER BY no")?;
        let changes = stmt.query_map([document], |r| r.get(0))?.collect::<Result<_, _>>()?;
        Ok(SharedBytes { snapshot, changes })
    }
}
