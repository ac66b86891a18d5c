//! The data folder: where it is, and that only one Hearthwatt uses it at a time.
//!
//! ```text
//! <data>/lock            held while a Hearthwatt uses the folder
//! <data>/home/           the household's own home
//! <data>/demo/           the demo home, built anew each time
//! <data>/incoming/       a file that is being taken in
//! <data>/logs/           the program's log, bounded
//! <data>/hub-token       the hub's token, once it listens beyond this computer
//! ```

use crate::clock::SystemClock;
use crate::failure::Failure;
use hearthwatt_api::NoticeCode;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A data folder that is ours until dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Held, never read: the operating system lets go of it when the process ends, however it ends.
    _lock: File,
}

/// The attempt to get hold of the data folder, and how to make it again.
#[derive(Debug)]
pub struct Claim {
    pub(crate) chosen: Option<PathBuf>,
    pub(crate) folder: Result<DataFolder, Failure>,
}

impl Claim {
    /// Claims `chosen`, or the platform's place for this program's data.
    pub fn new(chosen: Option<PathBuf>) -> Self {
        let folder = DataFolder::claim(chosen.as_deref());
        Self { chosen, folder }
    }

    pub fn folder(&self) -> Result<&DataFolder, &Failure> {
        self.folder.as_ref()
    }
}

impl DataFolder {
    /// # Errors
    /// Another Hearthwatt has the folder, or it can't be made or written.
    pub fn claim(chosen: Option<&Path>) -> Result<Self, Failure> {
        let path = match chosen {
            Some(path) => path.to_owned(),
            None => default_path().ok_or_else(|| failure(
                NoticeCode::DatabaseReadOnly,
                "This account has no folder for programs' data. Nothing can be stored. Start Hearthwatt with --data and a folder.".into(),
            ))?,
        };
        let unusable = |what: &str, error: &io::Error| {
            let (code, why) = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    (NoticeCode::DiskFull, "the disk is full; make room".to_owned())
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
                    NoticeCode::DatabaseReadOnly,
                    "this account may not write there; allow it, or choose another folder with --data"
                        .to_owned(),
                ),
                _ => (NoticeCode::DatabaseReadOnly, format!("{error}; choose another folder with --data")),
            };
            failure(
                code,
                format!("{what} {} can't be used: {why}. No readings are being stored.", path.display()),
            )
        };
        create_private(&path).map_err(|e| unusable("The data folder", &e))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(|e| unusable("The data folder", &e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(failure(
                NoticeCode::SecondInstance,
                format!(
                    "Another Hearthwatt already uses {}. It goes on storing readings. Use that one, or stop it first; --data starts one with a folder of its own.",
                    path.display()
                ),
            )),
            Err(TryLockError::Error(e)) => Err(unusable("The lock of the data folder", &e)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub fn demo(&self) -> PathBuf {
        self.path.join("demo")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.path.join("incoming")
    }

    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }
}

/// Where the platform keeps this program's data; `None` without a home directory.
fn default_path() -> Option<PathBuf> {
    directories::ProjectDirs::from("org", "Hearthwatt", "Hearthwatt").map(|dirs| dirs.data_dir().to_owned())
}

/// When a home is used is nobody else's business: on Unix the folder is made for this account only.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn failure(code: NoticeCode, message: String) -> Failure {
    Failure { code, message, since: SystemClock.now() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = dir.path().join("made/for/it");
        let first = DataFolder::claim(Some(&chosen)).unwrap();
        let second = DataFolder::claim(Some(&chosen)).unwrap_err();
        assert_eq!(second.code, NoticeCode::SecondInstance);
        assert!(second.may_pass());
        drop(first);
        DataFolder::claim(Some(&chosen)).unwrap();
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = dir.path().join("file");
        std::fs::write(&chosen, "").unwrap();
        let failure = DataFolder::claim(Some(&chosen)).unwrap_err();
        assert_eq!(failure.code, NoticeCode::DatabaseReadOnly);
        assert!(failure.message.contains(&chosen.display().to_string()), "{failure}");
    }
}
