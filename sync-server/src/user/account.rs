//! Accounts: who somebody is on this server.
//!
//! An account comes into being when its e-mail address has been proved (by a link, by the provider,
//! or because it is the first on a server that its owner sits at), so there are no half accounts
//! that could be prepared for somebody else.

use super::limits::{EMAIL, IDENTITIES_PER_ACCOUNT, NAME};
use super::records::{self, ACCOUNTS, BROWSERS, IDENTITIES, Kept};
use super::token;
use crate::App;
use crate::store::{Find, Inserted, StoreError};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::Me;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// As it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: Uuid,
    pub name: String,
    /// As written by its owner; empty if a provider gave none that it had verified.
    pub email: String,
    /// [`email_key`] of it: one account per mailbox.
    pub email_key: Option<String>,
    /// Argon2id, PHC string.
    pub password: Option<String>,
    /// `en` or `de`.
    pub language: Option<String>,
    pub created: UnixMillis,
    /// 1 for the account that set the server up: a field that is unique, so there is one at most.
    pub first: Option<i64>,
}

/// A person at a provider, linked to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub account: Uuid,
    pub issuer: String,
    pub subject: String,
    /// The provider's name when it was linked.
    pub provider: String,
}

impl Account {
    /// What a page or message calls this person.
    pub fn address(&self) -> &str {
        if self.email.is_empty() { &self.name } else { &self.email }
    }
}

/// Whether this can be an e-mail address: what a mailbox proves later need not be guessed here.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| {
        !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')')
    };
    text.len() <= EMAIL
        && !local.is_empty()
        && local.len() <= 64
        && !local.contains('@')
        && !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && text.chars().all(plain)
}

/// Equal for addresses that are the same mailbox as far as anybody outside can tell.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A name as people write it: no control characters, no runs of blanks, bounded.
pub fn clean_name(text: &str, limit: usize) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = words.join(" ");
    // characters that turn the direction of what stands beside them
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    (!name.is_empty() && name.chars().count() <= limit && !name.chars().any(hidden)).then_some(name)
}

/// As [`clean_name`] for a person's name.
pub fn person_name(text: &str) -> Option<String> {
    clean_name(text, NAME)
}

pub async fn get(app: &App, id: Uuid) -> Result<Option<Kept<Account>>, StoreError> {
    records::get(app.store.as_ref(), &ACCOUNTS, &id.to_string(), app.world.now()).await
}

pub async fn by_email(app: &App, email: &str) -> Result<Option<Kept<Account>>, StoreError> {
    let find = Find::equal("email_key", email_key(email)).limit(1);
    let found = records::find(app.store.as_ref(), &ACCOUNTS, find, app.world.now(), 1).await?;
    Ok(found.into_iter().next())
}

/// Whether there is no account at all.
pub async fn is_first(app: &App) -> Result<bool, StoreError> {
    Ok(app.store.find(&ACCOUNTS, Find::all().limit(1)).await?.records.is_empty())
}

/// A new account. `None` if the mailbox has one.
pub async fn create(app: &App, account: &Account) -> Result<bool, StoreError> {
    let inserted =
        records::insert(app.store.as_ref(), &ACCOUNTS, &account.id.to_string(), account, None).await?;
    Ok(matches!(inserted, Inserted::Stored))
}

/// Creates the first account of a server, if there is none. Of two at once the unique field lets
/// one through.
pub async fn create_first(app: &App, account: Account) -> Result<bool, StoreError> {
    if !is_first(app).await? {
        return Ok(false);
    }
    create(app, &Account { first: Some(1), ..account }).await
}

fn identity_key(issuer: &str, subject: &str) -> String {
    token::digest_of(&[issuer, subject])
}

pub async fn identity(app: &App, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
    let key = identity_key(issuer, subject);
    let found = records::get::<Identity>(app.store.as_ref(), &IDENTITIES, &key, app.world.now()).await?;
    Ok(found.map(|kept| kept.value))
}

/// Links a person at a provider to an account. Says whether it was free.
pub async fn link(app: &App, identity: &Identity) -> Result<bool, StoreError> {
    let key = identity_key(&identity.issuer, &identity.subject);
    let inserted = records::insert(app.store.as_ref(), &IDENTITIES, &key, identity, None).await?;
    Ok(matches!(inserted, Inserted::Stored))
}

pub async fn unlink(app: &App, identity: &Identity) -> Result<(), StoreError> {
    app.store.delete(&IDENTITIES, &identity_key(&identity.issuer, &identity.subject), None).await?;
    Ok(())
}

pub async fn identities(app: &App, account: Uuid) -> Result<Vec<Identity>, StoreError> {
    let find = Find::equal("account", account);
    let found =
        records::find(app.store.as_ref(), &IDENTITIES, find, app.world.now(), IDENTITIES_PER_ACCOUNT).await?;
    Ok(found.into_iter().map(|kept| kept.value).collect())
}

/// Signs the account out of all browsers.
pub async fn end_browsers(app: &App, account: Uuid) -> Result<(), StoreError> {
    records::delete_found(app.store.as_ref(), &BROWSERS, Find::equal("account", account)).await
}

/// The account as its owner sees it.
pub async fn view(app: &App, account: Account) -> Result<Me, StoreError> {
    let mut providers: Vec<String> =
        identities(app, account.id).await?.into_iter().map(|i| i.provider).collect();
    providers.sort();
    Ok(Me {
        id: account.id,
        name: account.name,
        email_verified: !account.email.is_empty(),
        email: account.email,
        language: account.language,
        has_password: account.password.is_some(),
        providers,
        created: account.created,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for right in ["ada@home.example", "a.b+c@x.y", "grüße@häuser.example", "ada@localhost"] {
            assert!(is_email(right), "{right}");
        }
        for wrong in [
            "",
            "ada",
            "@x.y",
            "ada@",
            "a@b@c",
            "ada@home.example\r\nBcc: x@y.z",
            "ada @x.y",
            "ada@.x",
            "ada@x.",
            "ada@x..y",
            "<ada@x.y>",
            "ada@x.y,bob@x.y",
        ] {
            assert!(!is_email(wrong), "{wrong:?}");
        }
        assert!(!is_email(&format!("{}@x.y", "a".repeat(300))));
        assert_eq!(email_key(" Ada@Home.Example "), "ada@home.example");
    }

    #[test]
    fn names() {
        assert_eq!(person_name("  Ada \t Lovelace\n").as_deref(), Some("Ada Lovelace"));
        for wrong in ["", "   ", "a\u{202e}b", "a\u{0}b", &"x".repeat(81)] {
            assert_eq!(person_name(wrong), None, "{wrong:?}");
        }
    }
}
