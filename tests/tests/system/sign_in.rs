//! Signing in, end to end: the real window and the hub's page, the person's browser, the server,
//! and a real OpenID provider.

use anyhow::{Result, ensure};
use hearthwatt_api::{Account, AccountState, GetAccount, SignOut, TokenStore};
use hearthwatt_tests::browser::{self, Browser, find, text_when};
use hearthwatt_tests::foreign::Oidc;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::process::free_port;
use hearthwatt_tests::server::Server;
use hearthwatt_tests::window::{self, Screen, Window, next_opened};
use hearthwatt_tests::{pass_over, screens, sign_in};
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;

pub const SOON: Duration = Duration::from_secs(30);

pub fn ready() -> bool {
    let ready = browser::available() && window::available();
    if !ready {
        pass_over("Chromium, Xvfb, WebKitWebDriver or dbus-daemon is missing");
    }
    ready
}

pub fn signed_in_as(account: Account, email: &str) -> Option<Account> {
    matches!(&account.state, AccountState::SignedIn { email: e, .. } if e == email).then_some(account)
}

/// Types the server's address into *Sharing*.
pub async fn begin(driver: &WebDriver, server: &str) -> Result<()> {
    driver.execute("location.hash = '#/sharing'", vec![]).await?;
    let field =
        find(driver, "[data-testid=sign-in-form] input[name=server], [data-testid=sign-in-form] input")
            .await?;
    // the last server is offered again
    field.clear().await?;
    field.send_keys(server).await?;
    Ok(find(driver, "[data-testid=sign-in]").await?.click().await?)
}

/// A server that offers a real OpenID provider.
pub struct WithProvider {
    pub server: Server,
    _provider: Oidc,
    _folder: TempDir,
}

impl WithProvider {
    pub fn start() -> Result<WithProvider> {
        let folder = tempfile::tempdir()?;
        let port = free_port();
        let provider = Oidc::start(&format!("http://127.0.0.1:{port}/oidc/village/callback"));
        let secret = folder.path().join("secret");
        std::fs::write(&secret, Oidc::SECRET)?;
        let store = format!("sqlite:{}", folder.path().join("server.sqlite").display());
        let secret = secret.display().to_string();
        let arguments = [
            ["--oidc-issuer", provider.issuer.as_str()],
            ["--oidc-client-id", Oidc::CLIENT],
            ["--oidc-client-secret-file", &secret],
            ["--oidc-name", "Village"],
        ];
        let server = Server::start_on(&store, folder.path(), port, arguments.as_flattened());
        Ok(WithProvider { server, _provider: provider, _folder: folder })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_signs_in_through_the_browser_with_an_account_and_with_a_provider() -> Result<()> {
    if !ready() {
        return Ok(());
    }
    let site = WithProvider::start()?;
    let url = &site.server.url;
    let browser = Browser::open().await?;
    sign_in::first_account(&browser, url, "Ada", "ada@example.org").await?;
    screens::save("server-account", &browser.picture().await?);

    let screen = Screen::start();
    let desktop = Desktop::start().await?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&screen, &desktop.address, folder.path(), &["--discovery", "off"]).await?;
    begin(&window.driver, url).await?;
    find(&window.driver, "[data-testid=signing-in]").await?;
    let address = next_opened(folder.path(), 0).await;
    ensure!(address.starts_with(&format!("{url}/oauth/authorize?")), "{address}");
    browser.driver.goto(&address).await?;
    // this browser is signed in already: it asks about the device at once
    text_when(&browser.driver, "main", SOON, |t| !t.is_empty()).await?;
    screens::save("server-consent", &browser.picture().await?);
    sign_in::allow(&browser).await?;
    let account =
        window.wait_for("signed in", SOON, GetAccount {}, |a| signed_in_as(a, "ada@example.org")).await;
    // there is no keyring on this bus, and the page says so
    ensure!(matches!(account.state, AccountState::SignedIn { token_store: TokenStore::File, .. }));
    text_when(&window.driver, "[data-testid=account-name]", SOON, |t| t.contains("Ada")).await?;
    find(&window.driver, "[data-testid=token-file]").await?;
    screens::save("window-signed-in", &window.driver.screenshot_as_png().await?);

    // out, and in again as somebody whom the provider knows, in a browser of their own
    window.call(SignOut { wipe: false }).await?;
    find(&window.driver, "[data-testid=sign-in-form]").await?;
    browser.close().await?;
    let browser = Browser::open().await?;
    begin(&window.driver, url).await?;
    let address = next_opened(folder.path(), 1).await;
    browser.driver.goto(&address).await?;
    find(&browser.driver, "form[action='/account/sign-in']").await?;
    screens::save("server-sign-in", &browser.picture().await?);
    sign_in::with_provider(&browser, "grace").await?;
    sign_in::allow(&browser).await?;
    window.wait_for("signed in", SOON, GetAccount {}, |a| signed_in_as(a, "grace@example.org")).await;
    text_when(&window.driver, "[data-testid=account-name]", SOON, |t| t.contains("grace")).await?;
    window.close().await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_page_signs_in_with_a_code_typed_on_another_device() -> Result<()> {
    if !browser::available() {
        pass_over("Chromium or its driver is missing");
        return Ok(());
    }
    let site = WithProvider::start()?;
    let person = Browser::open().await?;
    sign_in::first_account(&person, &site.server.url, "Ada", "ada@example.org").await?;

    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let page = Browser::open().await?;
    page.driver.goto(&hub.url).await?;
    begin(&page.driver, &site.server.url).await?;
    let code = text_when(&page.driver, "[data-testid=user-code]", SOON, |t| t.len() >= 8).await?;
    screens::save("hub-code", &page.picture().await?);

    // somebody else's browser: no account there yet, so it comes from the provider
    let guest = Browser::open().await?;
    guest.driver.goto(format!("{}/device", site.server.url)).await?;
    sign_in::with_provider(&guest, "grace").await?;
    sign_in::address_when(&guest, |a| a.contains("/device")).await?;
    find(&guest.driver, "input[name=user_code]").await?.send_keys(code.trim()).await?;
    find(&guest.driver, "form button[type=submit]").await?.click().await?;
    sign_in::allow(&guest).await?;
    hub.wait_for("signed in", SOON, GetAccount {}, |a| signed_in_as(a, "grace@example.org")).await;
    text_when(&page.driver, "[data-testid=account-name]", SOON, |t| t.contains("grace")).await?;
    for browser in [person, page, guest] {
        browser.close().await?;
    }
    Ok(())
}
