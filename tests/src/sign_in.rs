//! What a person does in their browser while an app signs in: the server's pages, in Chromium.

use crate::account::PASSWORD;
use crate::browser::{Browser, find, text_when};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;

const SOON: Duration = Duration::from_secs(20);

async fn fill(driver: &WebDriver, fields: &[(&str, &str)]) -> Result<()> {
    for (name, value) in fields {
        let field = find(driver, &format!("input[name={name}]")).await?;
        field.clear().await?;
        field.send_keys(*value).await?;
    }
    Ok(())
}

/// Makes the first account of a server on its front page.
pub async fn first_account(browser: &Browser, server: &str, name: &str, email: &str) -> Result<()> {
    browser.driver.goto(server).await?;
    fill(&browser.driver, &[("name", name), ("email", email), ("password", PASSWORD)]).await?;
    find(&browser.driver, "form button[type=submit]").await?.click().await?;
    address_when(browser, |a| a.ends_with("/account")).await.map(drop)
}

/// Signs in on the page that is open.
pub async fn with_password(browser: &Browser, email: &str) -> Result<()> {
    fill(&browser.driver, &[("email", email), ("password", PASSWORD)]).await?;
    Ok(find(&browser.driver, "form[action='/account/sign-in'] button[type=submit]").await?.click().await?)
}

/// Signs in at npm's `oidc-provider`, from the page of the server that offers it.
pub async fn with_provider(browser: &Browser, who: &str) -> Result<()> {
    find(&browser.driver, "a[href^='/oidc/']").await?.click().await?;
    fill(&browser.driver, &[("login", who), ("password", "any")]).await?;
    find(&browser.driver, "button[type=submit]").await?.click().await?;
    // the provider asks whether the server may know; its page has no fields by then
    text_when(&browser.driver, "body", SOON, |t| t.contains("Authorize") || t.contains("Continue")).await?;
    let until = Instant::now() + SOON;
    while browser.driver.find_all(By::Css("input[name=login]")).await?.iter().len() > 0 {
        ensure!(Instant::now() < until, "the provider does not take the name");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(find(&browser.driver, "button[type=submit]").await?.click().await?)
}

/// Lets the device in that the open page asks about.
pub async fn allow(browser: &Browser) -> Result<()> {
    Ok(find(&browser.driver, "button[value=allow]").await?.click().await?)
}

/// The address of the open page, once it fits.
pub async fn address_when(browser: &Browser, fits: impl Fn(&str) -> bool) -> Result<String> {
    let until = Instant::now() + SOON;
    loop {
        let address = browser.driver.current_url().await?.to_string();
        if fits(&address) {
            return Ok(address);
        }
        let page = async { browser.driver.find(By::Css("body")).await?.text().await };
        ensure!(
            Instant::now() < until,
            "the browser is at {address}: {}",
            page.await.context("the page has no body")?
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
