//! Messages as records: leased, tried again, marked sent or dead.

use super::courier::Message;
use crate::App;
use crate::http::Problem;
use crate::store::{Find, Inserted, Replaced, StoreError, Table, body};
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub static OUTBOX: Table = Table { name: "outbox", unique: &[], index: &["due"] };

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
/// A worker that has not reported back by then has died.
const LEASE: i64 = 120 * SECOND;
/// The first retry; each further one waits twice as long.
const RETRY_FIRST: i64 = 15 * SECOND;
const RETRY_LONGEST: i64 = 6 * HOUR;
const ATTEMPTS: u32 = 12;
/// What has been sent is remembered so that it isn't sent again; dead letters for whoever looks.
const REMEMBERED: i64 = 30 * 24 * HOUR;
/// Messages handed over in one go.
const BATCH: usize = 16;

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What it is about; the same key again is the same message.
    pub key: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// After that nobody could use it.
    pub useless_after: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Sent,
    Dead,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    state: State,
    to: String,
    /// Emptied with the text when it has been sent: it may hold a link that lets somebody in.
    subject: String,
    text: String,
    message_id: String,
    attempts: u32,
    /// When to try (again); nothing once it is over.
    due: Option<i64>,
    created: UnixMillis,
    useless_after: UnixMillis,
    last_error: Option<String>,
}

/// Puts a message into the outbox; durable on return. The same key again does nothing.
///
/// # Errors
/// The store failed.
pub async fn send(app: &App, message: Outgoing) -> Result<(), Problem> {
    let now = app.world.now();
    let public_url = app.config.public_url();
    let host = crate::user::redirect::host_of(&public_url);
    let digest = Sha256::digest(format!("{host}/{}", message.key));
    let id: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    // an identifier has no port and no brackets
    let domain =
        host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']).replace(':', "-");
    let entry = Entry {
        state: State::Waiting,
        to: message.to,
        subject: message.subject,
        text: message.text,
        message_id: format!("<{id}@{domain}>"),
        attempts: 0,
        due: Some(now.0),
        created: now,
        useless_after: message.useless_after,
        last_error: None,
    };
    let expires = Some(now.plus_ms(REMEMBERED));
    if let Inserted::Stored = app.store.insert(&OUTBOX, &message.key, body(&entry)?, expires).await? {
        app.mail.due.notify_one();
    }
    Ok(())
}

/// How long to wait after so many attempts, in milliseconds.
fn backoff(attempts: u32) -> i64 {
    (RETRY_FIRST << attempts.saturating_sub(1).min(20)).min(RETRY_LONGEST)
}

/// Hands over what is due. Says whether there may be more.
///
/// # Errors
/// The store failed.
pub async fn deliver_due(app: &App) -> Result<bool, StoreError> {
    let due = app.store.find(&OUTBOX, Find::up_to("due", app.world.now().0).limit(BATCH)).await?;
    let more = due.next.is_some();
    for record in due.records {
        let mut entry: Entry = record.read()?;
        let now = app.world.now();
        let expires = Some(now.plus_ms(REMEMBERED));
        entry.attempts += 1;
        entry.due = Some(now.plus_ms(LEASE).0);
        let leased = app.store.replace(&OUTBOX, &record.key, record.revision, body(&entry)?, expires).await?;
        // stale: another process has it
        let Replaced::Stored { revision } = leased else { continue };
        deliver(app, &record.key, &mut entry).await;
        app.store.replace(&OUTBOX, &record.key, revision, body(&entry)?, expires).await?;
    }
    Ok(more)
}

/// One attempt, and what it makes of the entry.
async fn deliver(app: &App, key: &str, entry: &mut Entry) {
    let now = app.world.now();
    // the key names what it is about, never whom
    let kind = key.split('/').next().unwrap_or_default().to_owned();
    if now > entry.useless_after {
        tracing::warn!(
            kind,
            attempts = entry.attempts,
            error = entry.last_error,
            "a message came too late to be of use"
        );
        bury(entry);
        return;
    }
    let message = Message {
        to: entry.to.clone(),
        subject: entry.subject.clone(),
        text: entry.text.clone(),
        message_id: entry.message_id.clone(),
        date: entry.created,
    };
    match app.mail.courier.carry(&message).await {
        Ok(()) => {
            tracing::info!(kind, attempts = entry.attempts, "a message was sent");
            entry.state = State::Sent;
            entry.last_error = None;
            close(entry);
        }
        Err(e) if e.is_permanent || entry.attempts >= ATTEMPTS => {
            tracing::error!(kind, attempts = entry.attempts, error = %e.reason, "a message could not be sent");
            entry.last_error = Some(e.reason);
            bury(entry);
        }
        Err(e) => {
            tracing::warn!(kind, attempts = entry.attempts, error = %e.reason, "a message will be tried again");
            entry.last_error = Some(e.reason);
            entry.due = Some(now.plus_ms(backoff(entry.attempts)).0);
        }
    }
}

fn bury(entry: &mut Entry) {
    entry.state = State::Dead;
    close(entry);
}

fn close(entry: &mut Entry) {
    entry.due = None;
    entry.text.clear();
    entry.subject.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_drift_apart_and_stay_bounded() {
        let waits: Vec<i64> = (1..=ATTEMPTS).map(|n| backoff(n) / SECOND).collect();
        assert_eq!(&waits[..5], [15, 30, 60, 120, 240]);
        assert!(waits.windows(2).all(|w| w[0] <= w[1]) && waits[11] <= 6 * 3600);
        assert_eq!(backoff(u32::MAX), RETRY_LONGEST);
    }
}
