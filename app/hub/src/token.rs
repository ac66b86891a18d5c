//! The token that a browser away from this computer has to show.

use anyhow::Context;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "hub-token";
const BYTES: usize = 32;

/// The token, and whether it was made just now (then, and only then, it is shown).
pub struct Token {
    pub value: String,
    pub path: PathBuf,
    pub is_new: bool,
}

/// Reads the token of this data folder, or makes one that only this account can read.
///
/// # Errors
/// The file can't be read, made, or does not hold a token; the message says which.
pub fn load(folder: &Path) -> anyhow::Result<Token> {
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let value = text.trim().to_owned();
            anyhow::ensure!(
                value.len() >= 32 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{} holds no token. Delete it to have a new one made",
                path.display()
            );
            Ok(Token { value, path, is_new: false })
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let value = random()?;
            write_private(&path, &value)
                .with_context(|| format!("can't write the token to {}", path.display()))?;
            Ok(Token { value, path, is_new: true })
        }
        Err(e) => Err(e).with_context(|| format!("can't read the token in {}", path.display())),
    }
}

/// A secret that nobody guesses.
pub fn random() -> anyhow::Result<String> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness for a token: {e}"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Whole or not at all: a power cut must not leave half a token behind.
fn write_private(path: &Path, value: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    writeln!(file, "{value}")?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = load(dir.path()).unwrap();
        let second = load(dir.path()).unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.value, second.value);
        assert_eq!(first.value.len(), 2 * BYTES);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load(other.path()).unwrap().value, first.value);
    }

    #[test]
    fn an_empty_token_file_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "\n").unwrap();
        assert!(load(dir.path()).is_err());
    }
}
