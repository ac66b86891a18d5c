//! What a home needs of the machine it runs on to be shared: a name for the list of devices, a
//! browser to sign in with, a keyring for the access.

use hearthwatt_engine::{HomeOptions, OpenUrl, TokenVault};
use std::sync::Arc;

/// In the keyring, what the entries belong to.
const SERVICE: &str = "Hearthwatt";
const NAME_MAX_CHARS: usize = 64;

/// The machine as a home sees it.
#[derive(Clone)]
pub struct Machine {
    /// What other devices of the household call this one.
    pub name: String,
    /// Sends the system's browser to a page. `None`: signing in shows a code instead.
    pub browser: Option<OpenUrl>,
    /// `None`: the access to an account is kept in a file.
    pub keyring: Option<Arc<dyn TokenVault>>,
}

impl Machine {
    /// Without a browser and without a keyring.
    pub fn bare(name: &str) -> Self {
        Self { name: name.to_owned(), browser: None, keyring: None }
    }

    /// This machine with its keyring, under its own name.
    pub fn this(browser: Option<OpenUrl>) -> Self {
        Self { name: host_name(), browser, keyring: Some(Arc::new(Keyring)) }
    }

    pub(crate) fn equip(&self, options: &mut HomeOptions) {
        options.device_name = self.name.clone();
        options.browser = self.browser.clone();
        options.keyring = self.keyring.clone();
    }
}

/// The computer's own name.
fn host_name() -> String {
    #[cfg(unix)]
    let found = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let found = std::env::var("COMPUTERNAME").unwrap_or_default();
    tidy(&found)
}

fn tidy(name: &str) -> String {
    let name = name.strip_suffix(".local").unwrap_or(name).trim();
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX_CHARS).collect();
    if name.is_empty() || name == "localhost" { "This computer".into() } else { name }
}

/// The system's keyring: Secret Service, Keychain, Credential Manager. Its calls block, and may
/// wait for a person to unlock it.
struct Keyring;

impl TokenVault for Keyring {
    fn get(&self, name: &str) -> Result<Option<String>, String> {
        match entry(name)?.get_password() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::v1::Error::NoEntry) => Ok(None),
            Err(e) => Err(e.to_string()),
        }
    }

    fn set(&self, name: &str, secret: Option<&str>) -> Result<(), String> {
        let entry = entry(name)?;
        let done = match secret {
            Some(secret) => entry.set_password(secret),
            None => match entry.delete_credential() {
                Err(keyring::v1::Error::NoEntry) => Ok(()),
                done => done,
            },
        };
        done.map_err(|e| e.to_string())
    }
}

fn entry(name: &str) -> Result<keyring::v1::Entry, String> {
    keyring::v1::Entry::new(SERVICE, name).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_name_that_fits_the_list() {
        assert_eq!(tidy("kitchen.local"), "kitchen");
        assert_eq!(tidy("  "), "This computer");
        assert_eq!(tidy("localhost"), "This computer");
        assert_eq!(tidy(&"x".repeat(200)).len(), NAME_MAX_CHARS);
        assert!(!host_name().is_empty());
    }
}
