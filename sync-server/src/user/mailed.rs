//! Links that are sent by e-mail: to make an account, to set a new password.
//!
//! Asking for one does the same whether there is an account or not: look it up, note the token, put
//! a message into the outbox. What differs is the message, which only the mailbox's owner reads.

use super::account::{self, Account};
use super::lang::Lang;
use super::limits::{RESET, VERIFY};
use super::records::{self, Kept, MAIL_TOKENS};
use super::redirect::host_of;
use super::throttle;
use super::token;
use super::visit::Visit;
use super::words::fill;
use crate::App;
use crate::http::Problem;
use crate::mail::{self, Outgoing};
use crate::store::StoreError;
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a link is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailToken {
    pub purpose: Purpose,
    pub email: String,
    /// Of a reset: whose. Of a link that is only there to take as long: nobody's.
    pub account: Option<Uuid>,
    /// Where to go on to.
    pub next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Verify,
    Reset,
}

/// Whether another message may go to this mailbox, asked for from this address. One that has had
/// enough gets none, and the one who asks isn't told.
async fn may_send(app: &App, visit: &Visit, email: &str) -> Result<bool, Problem> {
    throttle::attempt(app, &throttle::MAIL_FROM, &visit.address.to_string()).await?;
    match throttle::attempt(app, &throttle::MAIL_TO, &account::email_key(email)).await {
        Ok(()) => Ok(true),
        Err(problem) if problem.status() == axum::http::StatusCode::TOO_MANY_REQUESTS => Ok(false),
        Err(problem) => Err(problem),
    }
}

async fn note(app: &App, value: &MailToken, life: i64) -> Result<(String, UnixMillis), Problem> {
    let until = app.world.now().plus_ms(life);
    let token = token::mint(app.world.as_ref(), token::MAIL)?;
    records::insert(app.store.as_ref(), &MAIL_TOKENS, &token::digest(&token), value, Some(until)).await?;
    Ok((token, until))
}

struct Letter<'a> {
    kind: &'a str,
    subject: &'a str,
    text: &'a str,
    name: &'a str,
    link: String,
}

async fn post(
    app: &App,
    to: &str,
    token: &str,
    until: UnixMillis,
    letter: Letter<'_>,
) -> Result<(), Problem> {
    let public_url = app.config.public_url();
    let values = [("server", host_of(&public_url)), ("name", letter.name), ("link", &letter.link)];
    let message = Outgoing {
        key: format!("{}/{}", letter.kind, token::digest(token)),
        to: to.to_owned(),
        subject: letter.subject.to_owned(),
        text: fill(letter.text, &values),
        useless_after: until,
    };
    mail::send(app, message).await
}

/// Sends the link to make an account; to somebody who has one, a message that says so.
///
/// # Errors
/// Too many from this address; the store failed.
pub async fn offer_account(app: &App, visit: &Visit, email: &str, next: Option<&str>) -> Result<(), Problem> {
    if !may_send(app, visit, email).await? {
        return Ok(());
    }
    let found = account::by_email(app, email).await?.map(|kept| kept.value);
    let value = MailToken {
        purpose: Purpose::Verify,
        email: email.to_owned(),
        account: None,
        next: next.map(str::to_owned),
    };
    let (token, until) = note(app, &value, VERIFY).await?;
    let words = found.as_ref().and_then(Lang::of_account).unwrap_or(visit.lang).words();
    let public_url = app.config.public_url();
    let letter = match &found {
        None => Letter {
            kind: "verify",
            subject: words.mail_verify_subject,
            text: words.mail_verify_text,
            name: "",
            link: format!("{public_url}/account/verify?token={token}"),
        },
        Some(account) => Letter {
            kind: "exists",
            subject: words.mail_verify_subject,
            text: words.mail_exists_text,
            name: &account.name,
            link: format!("{public_url}/account/sign-in"),
        },
    };
    post(app, email, &token, until, letter).await
}

/// Sends the link to set a new password; to a mailbox without an account, a message that says so.
///
/// # Errors
/// Too many from this address; the store failed.
pub async fn offer_reset(app: &App, visit: &Visit, email: &str, next: Option<&str>) -> Result<(), Problem> {
    if !may_send(app, visit, email).await? {
        return Ok(());
    }
    let found = account::by_email(app, email).await?.map(|kept| kept.value);
    let value = MailToken {
        purpose: Purpose::Reset,
        // to the address as its owner wrote it, not as somebody else just did
        email: found.as_ref().map_or(email, |a| a.email.as_str()).to_owned(),
        account: found.as_ref().map(|a| a.id),
        next: next.map(str::to_owned),
    };
    let (token, until) = note(app, &value, RESET).await?;
    let words = found.as_ref().and_then(Lang::of_account).unwrap_or(visit.lang).words();
    let public_url = app.config.public_url();
    let letter = match &found {
        Some(account) => Letter {
            kind: "reset",
            subject: words.mail_reset_subject,
            text: words.mail_reset_text,
            name: &account.name,
            link: format!("{public_url}/account/reset?token={token}"),
        },
        // says that there is no account: to the mailbox, not to whoever asked
        None => Letter {
            kind: "unknown",
            subject: words.mail_reset_subject,
            text: words.mail_unknown_text,
            name: "",
            link: format!("{public_url}/account/register"),
        },
    };
    post(app, &value.email, &token, until, letter).await
}

/// Tells the owner that the password was changed.
///
/// # Errors
/// The store failed.
pub async fn tell_changed(app: &App, account: &Account, lang: Lang) -> Result<(), Problem> {
    if account.email.is_empty() {
        return Ok(());
    }
    let words = Lang::of_account(account).unwrap_or(lang).words();
    let until = app.world.now().plus_ms(VERIFY);
    let unique = token::mint(app.world.as_ref(), token::MAIL)?;
    let letter = Letter {
        kind: "changed",
        subject: words.mail_changed_subject,
        text: words.mail_changed_text,
        name: &account.name,
        link: format!("{}/account/forgot", app.config.public_url()),
    };
    post(app, &account.email, &unique, until, letter).await
}

/// What a link is good for, if it still is. Looking at it doesn't use it up: mail programs look too.
///
/// # Errors
/// The store failed.
pub async fn look(app: &App, token: &str, purpose: Purpose) -> Result<Option<Kept<MailToken>>, StoreError> {
    if !token::is_shaped(token, token::MAIL) {
        return Ok(None);
    }
    let found =
        records::get::<MailToken>(app.store.as_ref(), &MAIL_TOKENS, &token::digest(token), app.world.now())
            .await?;
    Ok(found.filter(|kept| kept.value.purpose == purpose))
}

/// Uses a link up. Of two at once, one gets `true`.
///
/// # Errors
/// The store failed.
pub async fn use_up(app: &App, kept: &Kept<MailToken>) -> Result<bool, StoreError> {
    app.store.delete(&MAIL_TOKENS, &kept.key, None).await
}
