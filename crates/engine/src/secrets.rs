//! Passwords, apart from the database: backups and exports of the home never carry them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Keeps passwords by name. Implementations never log a value.
pub trait SecretStore: Send + Sync + 'static {
    fn get(&self, name: &str) -> Option<String>;
    /// `None` forgets it.
    ///
    /// # Errors
    /// It can't be kept; the old one stays.
    fn set(&self, name: &str, secret: Option<&str>) -> std::io::Result<()>;
}

/// `secrets.json` in the home's folder, readable by its owner alone.
pub struct SecretFile {
    path: PathBuf,
    held: Mutex<BTreeMap<String, String>>,
}

impl SecretFile {
    /// # Errors
    /// The file is there and can't be read, or is none of ours.
    pub fn open(path: impl Into<PathBuf>) -> std::io::Result<Self> {
        let path = path.into();
        let held = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                // serde's message may quote the content
                .map_err(|_| {
                    std::io::Error::new(std::io::ErrorKind::InvalidData, "secrets.json is damaged")
                })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(e),
        };
        Ok(Self { path, held: Mutex::new(held) })
    }

    /// Written beside and renamed, so that a crash leaves the old or the new one.
    fn write(&self, secrets: &BTreeMap<String, String>) -> std::io::Result<()> {
        let beside = self.path.with_extension("json.new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let _ = std::fs::remove_file(&beside); // one left by a crash could have other permissions
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec(secrets)?)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&beside, &self.path)
    }
}

impl SecretStore for SecretFile {
    fn get(&self, name: &str) -> Option<String> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn set(&self, name: &str, secret: Option<&str>) -> std::io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = held.clone();
        match secret {
            Some(s) => next.insert(name.to_owned(), s.to_owned()),
            None => next.remove(name),
        };
        if next != *held {
            self.write(&next)?;
            *held = next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_and_are_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        let secrets = SecretFile::open(&path).unwrap();
        secrets.set("a", Some("hunter2")).unwrap();
        secrets.set("b", Some("x")).unwrap();
        secrets.set("b", None).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = SecretFile::open(&path).unwrap();
        assert_eq!((again.get("a").as_deref(), again.get("b")), (Some("hunter2"), None));
    }

    #[test]
    fn a_damaged_file_is_an_error_without_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        std::fs::write(&path, "{\"a\": hunter2").unwrap();
        let error = SecretFile::open(&path).err().unwrap();
        assert!(!error.to_string().contains("hunter2"));
    }
}
