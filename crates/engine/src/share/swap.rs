//! Another home in this one's folder: the one that is there is put aside or deleted, and the next
//! opening makes the new one.
//!
//! What is to happen stands in a file, written before anything is done and deleted when all is
//! done; opening goes on from wherever the last attempt ended. The database is moved first and its
//! log after it, so that a database in its place beside one that was put aside is the new one.

use crate::documents::put;
use crate::share::document::HOME_DOCUMENT;
use crate::share::local::{ACCOUNT, AccountDoc, DEVICE, DeviceDoc, LINK, LinkDoc, SHARE};
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_store::{DocumentChange, SharedWrite, Store, StoreError, StoreOptions};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

const FILE: &str = "next-home.json";
const DATABASE: &str = "home.sqlite";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Swap {
    /// Folder, inside the home's, for the home that was here; `None`: it is deleted.
    aside: Option<String>,
    /// Of the new home; `None`: it begins anew.
    next: Option<Next>,
}

/// What the new home starts with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Next {
    documents: Vec<(String, String, serde_json::Value)>,
    /// The shared document, in hexadecimal.
    snapshot: String,
}

impl Swap {
    pub(crate) fn wipe() -> Self {
        Self { aside: None, next: None }
    }

    /// A shared home takes the place of the one here, which is kept as `aside`. `kept` are the
    /// documents that belong to this device, not to a home.
    pub(crate) fn replace(
        aside: String,
        kept: Vec<(String, String, serde_json::Value)>,
        device: &DeviceDoc,
        account: &AccountDoc,
        link: &LinkDoc,
        snapshot: &[u8],
    ) -> Result<Self, ApiError> {
        let mut documents = kept;
        for change in [put(SHARE, DEVICE, device)?, put(SHARE, ACCOUNT, account)?, put(SHARE, LINK, link)?] {
            if let DocumentChange::Put { kind, id, json } = change {
                documents.push((kind, id, json));
            }
        }
        Ok(Self { aside: Some(aside), next: Some(Next { documents, snapshot: hex(snapshot) }) })
    }

    /// Says durably what is to happen.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ApiError> {
        let failed = |e: std::io::Error| ApiError {
            code: ErrorCode::Storage,
            message: format!("The data folder can't be written to ({e}). Nothing was changed."),
            retry: true,
        };
        let path = folder.join(FILE);
        let beside = folder.join(format!("{FILE}.new"));
        let _ = std::fs::remove_file(&beside);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside).map_err(failed)?;
        file.write_all(&serde_json::to_vec(self).map_err(|e| failed(e.into()))?).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&beside, &path).map_err(failed)?;
        sync_folder(folder);
        Ok(())
    }
}

/// Does what was decided, before the home is opened. The lock of the data folder is held above.
///
/// # Errors
/// In words; what was done so far stays done, and the next opening goes on.
pub(crate) fn finish(folder: &Path, options: &StoreOptions) -> Result<(), SwapError> {
    let path = folder.join(FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let Ok(swap) = serde_json::from_slice::<Swap>(&bytes) else {
        // never half-written: it is renamed into place
        std::fs::rename(&path, folder.join(format!("{FILE}.damaged")))?;
        return Ok(());
    };
    let begun = swap.aside.as_ref().is_some_and(|name| folder.join(name).join(DATABASE).exists());
    if folder.join(DATABASE).exists() && !begun {
        // nobody else has it open, and its log is in it; a damaged one is moved as it is
        match Store::open(folder, options.clone()) {
            Ok((store, _)) => store.close()?,
            Err(e) if e.is_locked() => return Err(e.into()),
            Err(_) => {}
        }
    }
    match &swap.aside {
        Some(name) => put_aside(folder, &folder.join(name))?,
        None => delete(folder)?,
    }
    if let Some(next) = &swap.next {
        let snapshot = unhex(&next.snapshot).ok_or(SwapError::Damaged)?;
        let documents = next
            .documents
            .iter()
            .map(|(kind, id, json)| DocumentChange::Put {
                kind: kind.clone(),
                id: id.clone(),
                json: json.clone(),
            })
            .collect();
        let (mut store, _) = Store::open(folder, options.clone())?;
        store.put_shared(&SharedWrite {
            document: HOME_DOCUMENT.into(),
            snapshot: Some(snapshot),
            changes: Vec::new(),
            documents,
        })?;
        store.close()?;
    }
    std::fs::remove_file(&path)?;
    sync_folder(folder);
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SwapError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file {FILE} is damaged")]
    Damaged,
}

fn put_aside(folder: &Path, aside: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(aside)?;
    let here = |suffix: &str| folder.join(format!("{DATABASE}{suffix}"));
    let there = |suffix: &str| aside.join(format!("{DATABASE}{suffix}"));
    let moved = there("").exists();
    if moved && here("").exists() {
        return Ok(()); // the new one
    }
    for suffix in ["", "-wal", "-shm"] {
        if here(suffix).exists() {
            std::fs::rename(here(suffix), there(suffix))?;
        }
    }
    sync_folder(aside);
    sync_folder(folder);
    Ok(())
}

fn delete(folder: &Path) -> std::io::Result<()> {
    let mut doomed: Vec<PathBuf> = vec![folder.join("secrets.json")];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // the damaged ones of this home too
        if name.starts_with("home.") && name.contains(".sqlite") {
            doomed.push(path);
        }
    }
    for path in doomed {
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    sync_folder(folder);
    Ok(())
}

/// Renames are durable when their folder is; where folders can't be opened they are anyway.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|d| char::from_digit(d.into(), 16)).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|p| p.iter().fold(0, |n, d| n << 4 | d)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_with(folder: &Path, mark: &str) {
        let (mut store, _) = Store::open(folder, StoreOptions::default()).unwrap();
        store.put_document("mark", mark, &serde_json::json!(1)).unwrap();
        store.close().unwrap();
    }

    fn has(folder: &Path, mark: &str) -> bool {
        let (store, _) = Store::open(folder, StoreOptions::default()).unwrap();
        store.reader().unwrap().document("mark", mark).unwrap().is_some()
    }

    fn swap() -> Swap {
        let documents = vec![("mark".to_owned(), "new".to_owned(), serde_json::json!(1))];
        Swap { aside: Some("aside-1".into()), next: Some(Next { documents, snapshot: "00ff".into() }) }
    }

    #[test]
    fn a_home_is_put_aside_wherever_the_last_attempt_ended() {
        // 0: nothing done yet; 1: put aside; 2: the new one begun; 3: the new one written
        for done in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            home_with(dir.path(), "old");
            swap().write(dir.path()).unwrap();
            let aside = dir.path().join("aside-1");
            if done >= 1 {
                put_aside(dir.path(), &aside).unwrap();
            }
            if done == 2 {
                Store::open(dir.path(), StoreOptions::default()).unwrap().0.close().unwrap();
            }
            if done == 3 {
                home_with(dir.path(), "new");
            }
            finish(dir.path(), &StoreOptions::default()).unwrap();
            assert!(has(dir.path(), "new") && !has(dir.path(), "old"), "{done}");
            assert!(has(&aside, "old"), "{done}");
            assert!(!dir.path().join(FILE).exists());
            finish(dir.path(), &StoreOptions::default()).unwrap();
            assert!(has(dir.path(), "new"), "{done}");
        }
    }

    #[test]
    fn a_wiped_home_leaves_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        home_with(dir.path(), "old");
        std::fs::write(dir.path().join("home.damaged-1.sqlite"), "x").unwrap();
        std::fs::write(dir.path().join("secrets.json"), "{}").unwrap();
        Swap::wipe().write(dir.path()).unwrap();
        finish(dir.path(), &StoreOptions::default()).unwrap();
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["home.lock"]);
        assert!(!has(dir.path(), "old"));
    }

    #[test]
    fn hexadecimal_there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!((unhex("0"), unhex("zz"), unhex("é0")), (None, None, None));
    }
}
