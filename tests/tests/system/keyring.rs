//! Where the access to the account is kept: in the desktop's keyring, and where there is none in a
//! file, and the page says so.

use crate::sign_in::{SOON, signed_in_as};
use anyhow::{Context, Result, ensure};
use hearthwatt_api::{Account, AccountState, GetAccount, SignIn, SignOut, TokenStore};
use hearthwatt_tests::account::Person;
use hearthwatt_tests::hub::{Hub, HubOptions};
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::pass_over;
use hearthwatt_tests::process::has;
use hearthwatt_tests::server::Server;
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use zbus::zvariant::OwnedObjectPath;

/// gnome-keyring on a bus, unlocked, with nothing in it.
struct Keyring(Child);

impl Keyring {
    fn start(bus: &str, folder: &Path) -> Result<Keyring> {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--foreground", "--components=secrets"])
            .arg(format!("--control-directory={}", folder.join("control").display()))
            .env("DBUS_SESSION_BUS_ADDRESS", bus)
            .env("XDG_DATA_HOME", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // the password of the login keyring that is made with it
        child.stdin.take().context("piped")?.write_all(b"test")?;
        Ok(Keyring(child))
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many secrets of ours the keyring on this bus has.
async fn secrets(bus: &str) -> Result<usize> {
    let bus = zbus::connection::Builder::address(bus)?.build().await?;
    let service = "org.freedesktop.secrets";
    // to call what nobody owns yet would start a second daemon, whose keyring stays locked
    let owned = zbus::fdo::DBusProxy::new(&bus).await?.name_has_owner(service.try_into()?).await?;
    ensure!(owned, "no keyring yet");
    let attributes: HashMap<&str, &str> = HashMap::new();
    let reply = bus
        .call_method(
            Some(service),
            "/org/freedesktop/secrets",
            Some("org.freedesktop.Secret.Service"),
            "SearchItems",
            &attributes,
        )
        .await?;
    let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = reply.body().deserialize()?;
    Ok(unlocked.len() + locked.len())
}

fn on_bus(folder: &Path, bus: &str) -> Hub {
    let environment = vec![("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.to_owned())];
    Hub::start_with(folder, &HubOptions { environment, ..HubOptions::arguments(&["--discovery", "off"]) })
}

async fn sign_in(hub: &Hub, person: &mut Person, server: &Server) -> Result<Account> {
    let begun = hub.call(SignIn { server: server.url.clone() }).await;
    let AccountState::SigningIn { user_code: Some(code), .. } = begun.state else {
        anyhow::bail!("a hub shows a code: {begun:?}");
    };
    person.allow_code(&code).await?;
    let email = person.email.clone();
    Ok(hub.wait_for("signed in", SOON, GetAccount {}, |a| signed_in_as(a, &email)).await)
}

fn token_store(account: &Account) -> Option<TokenStore> {
    match &account.state {
        AccountState::SignedIn { token_store, .. } => Some(*token_store),
        _ => None,
    }
}

/// Files below a folder in which a text stands.
fn files_with(folder: &Path, text: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).is_ok_and(|b| b.windows(text.len()).any(|w| w == text)) {
            found.push(path);
        }
    }
    found
}

/// How refresh tokens begin.
const REFRESH: &[u8] = b"hwr_";

#[tokio::test(flavor = "multi_thread")]
async fn the_access_is_in_the_keyring_and_survives_a_restart() -> Result<()> {
    if !has("gnome-keyring-daemon") || !has("dbus-daemon") {
        pass_over("gnome-keyring-daemon or dbus-daemon is missing");
        return Ok(());
    }
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?];
    let [server_folder, home, keys] = &folders;
    let server = Server::start(server_folder.path(), &[]);
    let mut person = Person::first(&server, "Ada").await?;
    let desktop = Desktop::start().await?;
    let _keyring = Keyring::start(&desktop.address, keys.path())?;
    hearthwatt_tests::wait::until("the keyring answers", SOON, async || secrets(&desktop.address).await.ok())
        .await;

    let mut hub = on_bus(home.path(), &desktop.address);
    let account = sign_in(&hub, &mut person, &server).await?;
    ensure!(token_store(&account) == Some(TokenStore::Keyring), "{account:?}\n{}", hub.program.output());
    ensure!(secrets(&desktop.address).await? > 0, "the keyring has it");
    ensure!(
        files_with(home.path(), REFRESH).is_empty(),
        "and nothing else: {:?}",
        files_with(home.path(), REFRESH)
    );
    hub.program.terminate(SOON);

    let hub = on_bus(home.path(), &desktop.address);
    let email = person.email.clone();
    hub.wait_for("still signed in", SOON, GetAccount {}, |a| signed_in_as(a, &email)).await;
    hub.call(SignOut { wipe: false }).await;
    ensure!(secrets(&desktop.address).await? == 0, "signing out takes it away");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_a_private_file_has_it_and_the_answer_says_so() -> Result<()> {
    if !has("dbus-daemon") {
        pass_over("dbus-daemon is missing");
        return Ok(());
    }
    let (server_folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let server = Server::start(server_folder.path(), &[]);
    let mut person = Person::first(&server, "Ada").await?;
    let desktop = Desktop::start().await?;
    let mut hub = on_bus(home.path(), &desktop.address);
    let account = sign_in(&hub, &mut person, &server).await?;
    ensure!(token_store(&account) == Some(TokenStore::File), "{account:?}");
    let files = files_with(home.path(), REFRESH);
    ensure!(!files.is_empty(), "a file has it");
    for file in &files {
        let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
        ensure!(mode & 0o077 == 0, "{} is for its owner alone: {mode:o}", file.display());
    }
    hub.program.terminate(SOON);
    let hub = on_bus(home.path(), &desktop.address);
    let email = person.email.clone();
    hub.wait_for("still signed in", SOON, GetAccount {}, |a| signed_in_as(a, &email)).await;
    hub.call(SignOut { wipe: false }).await;
    ensure!(files_with(home.path(), REFRESH).is_empty(), "signing out takes it away");
    Ok(())
}
