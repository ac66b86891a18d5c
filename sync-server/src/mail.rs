//! E-mail through an outbox.
//!
//! A message is a record before it is sent, under a key of what it is about, so the same message
//! asked for twice is one. A worker leases what is due, hands it to the mail server and marks it
//! sent; a crash in between sends it again after the lease, with the same `Message-ID`, which is how
//! mailboxes tell. What the mail server refuses for now is tried again, further and further apart;
//! what it refuses for good, or what nobody could use any more, is a dead letter and is logged.

mod courier;
mod outbox;

pub use courier::{Courier, Folder, Message, SendError, Smtp};
pub use outbox::{Outgoing, deliver_due, send};

use crate::Config;
use crate::app::{App, StartError};
use crate::config::read_secret;
use crate::store::Table;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What the service keeps in the store.
pub static TABLES: &[&Table] = &[&outbox::OUTBOX];

/// How often the outbox is looked at without being asked: messages of other processes, retries.
const LOOK: Duration = Duration::from_secs(10);

/// Options of the command line that concern e-mail.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "mail")]
pub struct Options {
    /// The mail server, `smtp://HOST:587` (STARTTLS), `smtps://HOST` (TLS) or, on this computer only,
    /// `smtp+plain://127.0.0.1:25`. Without it messages are written to the mail folder.
    #[arg(long = "smtp", env = "HEARTHWATT_SMTP")]
    pub smtp: Option<String>,
    /// User name at the mail server.
    #[arg(long = "smtp-user", env = "HEARTHWATT_SMTP_USER")]
    pub smtp_user: Option<String>,
    /// A file with the password at the mail server.
    #[arg(long = "smtp-password-file", env = "HEARTHWATT_SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// The sender of messages, `Hearthwatt <hearthwatt@home.example>`.
    #[arg(long = "mail-from", env = "HEARTHWATT_MAIL_FROM")]
    pub from: Option<String>,
    /// Where messages are written when there is no mail server.
    #[arg(long = "mail-folder", env = "HEARTHWATT_MAIL_FOLDER")]
    pub folder: Option<PathBuf>,
}

/// What the service keeps in memory.
pub struct State {
    courier: Arc<dyn Courier>,
    /// Messages reach a mail server.
    pub is_sent: bool,
    /// Wakes the worker.
    due: Notify,
}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let options = &config.mail;
        let courier: Arc<dyn Courier> = match &options.smtp {
            Some(url) => {
                let from = options.from.as_deref().ok_or_else(|| {
                    StartError::Config("--smtp needs --mail-from: the sender of the messages".into())
                })?;
                let password = options
                    .smtp_password_file
                    .as_deref()
                    .map(read_secret)
                    .transpose()
                    .map_err(StartError::Config)?;
                Arc::new(
                    Smtp::new(url, options.smtp_user.as_deref(), password, from)
                        .map_err(StartError::Config)?,
                )
            }
            None => {
                let folder = options.folder.clone().or_else(default_folder);
                let from = options.from.as_deref().unwrap_or("Hearthwatt <hearthwatt@localhost>");
                Arc::new(Folder::new(folder, from).map_err(StartError::Config)?)
            }
        };
        Ok(Self { courier, is_sent: options.smtp.is_some(), due: Notify::new() })
    }
}

/// Beside the database, in the data folder of this user.
fn default_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "hearthwatt-server").map(|dirs| dirs.data_dir().join("mail"))
}

/// Starts the worker.
pub fn start(app: &App) {
    let tasks = app.http.tasks.clone();
    let app = app.clone();
    tasks.spawn(async move {
        let stopped = app.http.stopped();
        tokio::pin!(stopped);
        loop {
            let more = match deliver_due(&app).await {
                Ok(more) => more,
                Err(e) => {
                    tracing::warn!(cause = %e, "the outbox can't be read");
                    false
                }
            };
            let pause = if more { Duration::ZERO } else { LOOK };
            tokio::select! {
                () = &mut stopped => return,
                () = app.mail.due.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
}
