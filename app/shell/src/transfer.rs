//! Everything of the home out into a file, and a file into the place of the home.
//!
//! What comes in is first written down whole, then turned into a database beside the home's, and
//! only when that was read to its end does it take the home's place; the old database is kept.

use crate::clock::SystemClock;
use crate::home::OpenHome;
use crate::locale;
use crate::shell::{Shell, unavailable};
use hearthwatt_api::{ApiError, ErrorCode, Event};
use hearthwatt_engine::{Export, prepare_import, put_in_place};
use jiff::tz::TimeZone;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

/// Largest file that is taken in, bytes.
pub const IMPORT_MAX_BYTES: u64 = 64 << 30;
/// Names tried for an export before giving up.
const NAMES_MAX: u32 = 1_000;

/// A file on its way in. Dropped, it is gone.
#[derive(Debug)]
pub struct Upload {
    folder: PathBuf,
    file: File,
    bytes: u64,
    _place: OwnedSemaphorePermit,
}

impl Upload {
    fn begin(folder: PathBuf, place: OwnedSemaphorePermit) -> io::Result<Self> {
        // left behind by a program that was killed
        match std::fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        std::fs::create_dir_all(&folder)?;
        let file = File::create(folder.join("file"))?;
        Ok(Self { folder, file, bytes: 0, _place: place })
    }

    /// Takes the next part. Blocks.
    ///
    /// # Errors
    /// `Invalid`: larger than [`IMPORT_MAX_BYTES`]. `Storage`: the disk takes no more.
    pub fn write(&mut self, part: &[u8]) -> Result<(), ApiError> {
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        if self.bytes > IMPORT_MAX_BYTES {
            return Err(invalid(format!(
                "A file of more than {} GiB can't be taken in.",
                IMPORT_MAX_BYTES >> 30
            )));
        }
        self.file.write_all(part).map_err(|e| disk("The file can't be taken in", &e))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What an export made now is called.
pub fn export_name() -> String {
    let zone = TimeZone::get(&locale::zone()).unwrap_or(TimeZone::UTC);
    let day = SystemClock.now().to_jiff().map(|t| t.to_zoned(zone).date().to_string());
    format!("hearthwatt-{}.jsonl", day.unwrap_or_default())
}

impl Shell {
    /// The way to everything of the home that is shown.
    ///
    /// # Errors
    /// What the home says, or that there is none.
    pub async fn export(&self) -> Result<Export, ApiError> {
        self.wait_until_opened().await?;
        let homes = self.0.homes.read().await;
        match (homes.shown(), &homes.failure) {
            (Some(home), _) => home.home().export().await,
            (None, Some(failure)) => Err(failure.api_error()),
            (None, None) => Err(stopping()),
        }
    }

    /// Writes everything into a new file in `folder`, and gives its path.
    ///
    /// # Errors
    /// What the home says; `Storage` when the file can't be written: then there is none.
    pub async fn export_into(&self, folder: PathBuf) -> Result<PathBuf, ApiError> {
        let export = self.export().await?;
        blocking(move || {
            let (path, file) = new_file(&folder, &export_name())
                .map_err(|e| disk(&format!("A file in {} can't be written", folder.display()), &e))?;
            let written = export.write(&file).and_then(|_| {
                file.sync_all().map_err(|e| disk(&format!("{} can't be written", path.display()), &e))
            });
            match written {
                Ok(()) => Ok(path),
                Err(error) => {
                    let _ = std::fs::remove_file(&path);
                    Err(error)
                }
            }
        })
        .await
    }

    /// Begins to take in a file; one at a time.
    ///
    /// # Errors
    /// `Unavailable` while another one is under way; `Storage`.
    pub async fn upload(&self) -> Result<Upload, ApiError> {
        self.wait_until_opened().await?;
        let Ok(place) = self.0.uploads.clone().try_acquire_owned() else {
            return Err(unavailable("Another file is being taken in: wait for it."));
        };
        let folder = self.0.change.lock().await.as_ref().ok_or_else(stopping)?.incoming();
        blocking(move || Upload::begin(folder, place).map_err(|e| disk("The file can't be taken in", &e)))
            .await
    }

    /// Puts what was taken in (an export, or a copy of a database) in the place of the household's
    /// own home, and opens it. It goes on to the end even if the caller goes away.
    ///
    /// # Errors
    /// `Invalid` says what is wrong with the file; then nothing has changed.
    pub async fn import(&self, upload: Upload) -> Result<(), ApiError> {
        let shell = self.clone();
        let whole = tokio::spawn(async move { shell.import_whole(&upload).await });
        whole.await.map_err(|e| internal(&e.to_string()))?
    }

    async fn import_whole(&self, upload: &Upload) -> Result<(), ApiError> {
        let demo = || invalid("Leave the demo home first: an import takes the place of your own home.");
        if self.0.homes.read().await.demo.is_some() {
            return Err(demo());
        }
        let (file, into) = (upload.folder.join("file"), upload.folder.join("home"));
        let database = blocking(move || prepare_import(&file, &into)).await?;

        let folder = self.0.change.lock().await;
        let folder = folder.as_ref().filter(|_| !*self.0.closed.borrow()).ok_or_else(stopping)?.home();
        // calls wait until there is a home again
        let mut homes = self.0.homes.write().await;
        if homes.demo.is_some() {
            return Err(demo());
        }
        if let Some(own) = homes.own.take() {
            own.close().await;
        }
        let (opened, result) = match self.replace(&folder, &database).await {
            Ok(home) => (Ok(home), Ok(())),
            Err(error) => (self.open_in(folder).await, Err(error)),
        };
        match opened {
            Ok(home) => (homes.own, homes.failure) = (Some(home), None),
            Err(failure) => homes.failure = Some(failure),
        }
        let other = result.is_ok() || homes.own.is_none();
        drop(homes);
        if other {
            self.tell(Event::HomeReplaced);
        }
        result
    }

    /// Puts the database in its place if a home opens with it; otherwise the old one is back.
    async fn replace(&self, folder: &Path, database: &Path) -> Result<OpenHome, ApiError> {
        let place = |database: PathBuf| {
            let folder = folder.to_owned();
            blocking(move || put_in_place(&folder, &database))
        };
        let old = place(database.to_owned()).await?;
        match self.open_in(folder.to_owned()).await {
            Ok(home) => Ok(home),
            Err(failure) => {
                if let Some(old) = old {
                    place(old).await?;
                }
                Err(invalid(format!(
                    "No home opens with this file. {failure} The present home was not changed."
                )))
            }
        }
    }
}

/// A file that was not there before, for this account only: `name`, or with a number.
fn new_file(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for n in 1..NAMES_MAX {
        let name = if n == 1 { name.to_owned() } else { format!("{stem} ({n}).{end}") };
        let path = folder.join(name);
        match options.open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (path, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.map_err(|e| internal(&e.to_string()))?
}

fn stopping() -> ApiError {
    unavailable("Hearthwatt is stopping.")
}

fn internal(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Internal, message: message.to_owned(), retry: false }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::Invalid, message: message.into(), retry: false }
}

fn disk(what: &str, error: &io::Error) -> ApiError {
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{what}: the disk is full. Make room and try again.")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{what}: this account may not write there.")
        }
        _ => format!("{what} ({error})."),
    };
    ApiError { code: ErrorCode::Storage, message, retry: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Claim, ShellOptions};
    use hearthwatt_api::Settings;
    use hearthwatt_engine::Discovery;
    use serde_json::{Value, json};

    fn shell(folder: &Path) -> Shell {
        let options = ShellOptions { demo: false, discovery: Discovery::Off };
        Shell::start(Claim::new(Some(folder.to_owned())), options)
    }

    async fn name(shell: &Shell) -> String {
        let settings = shell.call("settings", json!({})).await.unwrap();
        serde_json::from_value::<Settings>(settings).unwrap().home_name
    }

    async fn rename(shell: &Shell, name: &str) {
        let mut settings: Value = shell.call("settings", json!({})).await.unwrap();
        settings["home_name"] = name.into();
        shell.call("save_settings", json!({ "settings": settings })).await.unwrap();
    }

    async fn import(shell: &Shell, content: &[u8]) -> Result<(), ApiError> {
        let mut upload = shell.upload().await?;
        for part in content.chunks(1000) {
            upload.write(part)?;
        }
        shell.import(upload).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_home_moves_to_another_computer_in_one_file() {
        let (here, there, files) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let old = shell(here.path());
        rename(&old, "Lindenweg 3").await;
        let first = old.export_into(files.path().into()).await.unwrap();
        let second = old.export_into(files.path().into()).await.unwrap();
        assert!(second.to_string_lossy().ends_with(" (2).jsonl"), "{second:?}: nothing is overwritten");
        old.close().await;

        let new = shell(there.path());
        rename(&new, "Nowhere").await;
        let mut events = new.events();
        import(&new, &std::fs::read(first).unwrap()).await.unwrap();
        assert_eq!(name(&new).await, "Lindenweg 3");
        let told = async { while events.next().await != Some(Event::HomeReplaced) {} };
        tokio::time::timeout(std::time::Duration::from_secs(10), told).await.unwrap();
        assert!(!there.path().join("incoming").exists(), "nothing is left behind");

        // the home that was there is kept, and can be put back as it is
        let kept: Vec<PathBuf> = std::fs::read_dir(there.path().join("home"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "sqlite") && !p.ends_with("home.sqlite"))
            .collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        import(&new, &std::fs::read(&kept[0]).unwrap()).await.unwrap();
        assert_eq!(name(&new).await, "Nowhere");
        new.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_no_home_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(folder.path());
        rename(&shell, "Mine").await;
        let whole = shell.export_into(folder.path().into()).await.unwrap();
        let whole = std::fs::read(whole).unwrap();
        let cut = &whole[..whole.len() - 10];
        let magic = b"SQLite format 3\0 but then something else";
        for (content, says) in
            [(&b"holiday photos"[..], "Line 1"), (cut, "Line"), (magic, "backup"), (b"", "Line 1")]
        {
            let error = import(&shell, content).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::Invalid, "{error}");
            assert!(error.message.contains(says), "{error}");
            assert_eq!(name(&shell).await, "Mine");
        }
        let _first = shell.upload().await.unwrap();
        assert_eq!(shell.upload().await.unwrap_err().code, ErrorCode::Unavailable, "one at a time");
        shell.close().await;
    }
}
