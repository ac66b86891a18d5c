//! The chunks of Automerge's format, measured before Automerge sees them.
//!
//! Automerge inflates whatever a chunk holds and spells out its runs: 255 KiB become 770 MiB. So
//! the headers are read here, everything deflated is inflated under a budget, and the runs of all
//! columns are counted. What comes out has a right checksum and a known, bounded cost; whether it
//! makes sense is Automerge's to say.

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

use super::Refusal;
use super::budget::Budget;
use super::columns::{Deflated, Directory};
use super::cursor::Cursor;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const DOCUMENT: u8 = 0;
const CHANGE: u8 = 1;
const DEFLATED_CHANGE: u8 = 2;

const HASH_BYTES: u64 = 32;
/// Operations are numbered in 32 bits.
const MOST_OPS: u64 = u32::MAX as u64;

/// A chunk that was measured.
pub(super) enum Chunk<'a> {
    /// One change, inflated.
    Change { hash: ChangeHash, bytes: Vec<u8> },
    /// A whole history, as it came.
    Document { heads: Vec<ChangeHash>, bytes: &'a [u8] },
}

/// Measures all chunks in `bytes`.
pub(super) fn measure<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<Vec<Chunk<'a>>, Refusal> {
    let mut chunks = Vec::new();
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_empty() {
        chunks.push(next(&mut cursor, budget)?);
    }
    Ok(chunks)
}

fn next<'a>(cursor: &mut Cursor<'a>, budget: &mut Budget) -> Result<Chunk<'a>, Refusal> {
    let whole = cursor.rest();
    if cursor.take(4)? != MAGIC {
        return Err(Refusal::Malformed("not a chunk"));
    }
    let checksum = cursor.take(4)?;
    let kind = cursor.byte()?;
    let body = cursor.counted()?;
    let bytes = &whole[..whole.len() - cursor.rest().len()];
    match kind {
        CHANGE => {
            budget.charge_inflated(body.len() as u64)?;
            let hash = checked(checksum, CHANGE, body)?;
            change(body, hash, budget)?;
            Ok(Chunk::Change { hash, bytes: bytes.to_vec() })
        }
        DEFLATED_CHANGE => {
            let body = budget.inflate(body)?;
            let hash = checked(checksum, CHANGE, &body)?;
            change(&body, hash, budget)?;
            Ok(Chunk::Change { hash, bytes: chunk_of(checksum, &body) })
        }
        DOCUMENT => {
            checked(checksum, DOCUMENT, body)?;
            budget.charge_inflated(body.len() as u64)?;
            let heads = document(body, budget)?;
            Ok(Chunk::Document { heads, bytes })
        }
        // Bundles are experimental, and nothing we speak with sends them.
        _ => Err(Refusal::Malformed("a chunk of unknown kind")),
    }
}

/// The hash of a chunk's body, if the checksum is its beginning.
fn checked(checksum: &[u8], kind: u8, body: &[u8]) -> Result<ChangeHash, Refusal> {
    let mut sha = Sha256::new();
    sha.update([kind]);
    sha.update(leb128(body.len()));
    sha.update(body);
    let hash: [u8; 32] = sha.finalize().into();
    if checksum != &hash[..4] {
        return Err(Refusal::Malformed("a wrong checksum"));
    }
    Ok(ChangeHash(hash))
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(10);
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// The plain chunk of a change that came deflated.
fn chunk_of(checksum: &[u8], body: &[u8]) -> Vec<u8> {
    [&MAGIC[..], checksum, &[CHANGE], &leb128(body.len()), body].concat()
}

/// Measures the body of a change.
fn change(body: &[u8], hash: ChangeHash, budget: &mut Budget) -> Result<(), Refusal> {
    let most = budget.limits().changes;
    let mut cursor = Cursor::new(body);
    cursor.items(HASH_BYTES, most)?; // what it depends on
    cursor.counted()?; // actor
    let _seq = cursor.number()?;
    let start_op = cursor.number()?;
    let _time = cursor.signed()?;
    cursor.counted()?; // message
    for _ in 0..cursor.number()? {
        cursor.counted()?; // other actors
    }
    let size = Directory::read(&mut cursor)?.walk(&mut cursor, Deflated::Refused, budget)?;
    budget.charge_ops(size.longest)?;
    budget.charge_changes(1)?;
    if start_op.saturating_add(size.longest) > MOST_OPS {
        return Err(Refusal::Change { hash, why: "its operations are numbered beyond 32 bits" });
    }
    Ok(())
}

/// Measures the body of a document; answers with its heads.
fn document(body: &[u8], budget: &mut Budget) -> Result<Vec<ChangeHash>, Refusal> {
    let most = budget.limits().changes;
    let mut cursor = Cursor::new(body);
    for _ in 0..cursor.number()? {
        cursor.counted()?; // actors
    }
    let heads = cursor.items(HASH_BYTES, most)?;
    let changes = Directory::read(&mut cursor)?;
    let ops = Directory::read(&mut cursor)?;
    let changes = changes.walk(&mut cursor, Deflated::Allowed, budget)?;
    let ops = ops.walk(&mut cursor, Deflated::Allowed, budget)?;
    budget.charge_changes(changes.rows)?;
    // Dependencies are the one thing a change has several of.
    budget.charge_expanded(changes.longest.saturating_mul(HASH_BYTES))?;
    budget.charge_ops(ops.longest)?;
    Ok(hashes(heads))
}

/// Hashes that lie side by side.
pub(super) fn hashes(bytes: &[u8]) -> Vec<ChangeHash> {
    bytes
        .chunks_exact(HASH_BYTES as usize)
        .filter_map(|bytes| bytes.try_into().ok().map(ChangeHash))
        .collect()
}
