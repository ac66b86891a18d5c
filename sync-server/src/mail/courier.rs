//! Who carries a message: a mail server, or a folder for whoever runs a server without one.

use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::path::PathBuf;
use std::time::Duration;

/// How long the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A message, whole.
#[derive(Clone, Debug)]
pub struct Message {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub message_id: String,
    pub date: UnixMillis,
}

/// Why a message wasn't taken.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// Trying again would not help.
    pub is_permanent: bool,
    pub reason: String,
}

impl SendError {
    fn temporary(reason: impl ToString) -> Self {
        Self { is_permanent: false, reason: reason.to_string() }
    }
    fn permanent(reason: impl ToString) -> Self {
        Self { is_permanent: true, reason: reason.to_string() }
    }
}

/// Takes messages away.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    /// Returns when somebody else has taken responsibility for the message.
    async fn carry(&self, message: &Message) -> Result<(), SendError>;
}

fn sender(from: &str) -> Result<Mailbox, String> {
    from.parse().map_err(|e| format!("--mail-from {from:?} is not a sender: {e}"))
}

fn build(from: &Mailbox, message: &Message) -> Result<lettre::Message, SendError> {
    let to: Mailbox = message.to.parse().map_err(SendError::permanent)?;
    let date = std::time::UNIX_EPOCH + Duration::from_millis(message.date.0.max(0).unsigned_abs());
    let builder: MessageBuilder = lettre::Message::builder()
        .from(from.clone())
        .to(to)
        .subject(message.subject.clone())
        .message_id(Some(message.message_id.clone()))
        .date(date)
        .header(ContentType::TEXT_PLAIN);
    builder.body(message.text.clone()).map_err(SendError::permanent)
}

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// # Errors
    /// The address is not one of a mail server, in words.
    pub fn new(url: &str, user: Option<&str>, password: Option<String>, from: &str) -> Result<Self, String> {
        let wrong =
            || format!("--smtp {url:?} is not smtp://HOST, smtps://HOST or smtp+plain://127.0.0.1:PORT");
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| wrong())?)),
            None => (rest, None),
        };
        if host.is_empty() || host.contains(['/', '@', '?']) {
            return Err(wrong());
        }
        let encrypted = |host: &str| TlsParameters::new(host.to_owned()).map_err(|e| e.to_string());
        let (tls, standard) = match scheme {
            "smtp" => (Tls::Required(encrypted(host)?), 587),
            "smtps" => (Tls::Wrapper(encrypted(host)?), 465),
            // a password in the clear stays on this computer
            "smtp+plain" if crate::user::redirect::is_loopback_host(host) => (Tls::None, 25),
            _ => return Err(wrong()),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or(standard))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some(user) = user {
            builder = builder.credentials(Credentials::new(user.to_owned(), password.unwrap_or_default()));
        }
        Ok(Self { transport: builder.build(), from: sender(from)? })
    }
}

#[async_trait]
impl Courier for Smtp {
    async fn carry(&self, message: &Message) -> Result<(), SendError> {
        let message = build(&self.from, message)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(e) if e.is_permanent() => Err(SendError::permanent(e)),
            Err(e) => Err(SendError::temporary(e)),
        }
    }
}

/// A folder of `.eml` files, which any mail program opens.
pub struct Folder {
    folder: Option<PathBuf>,
    from: Mailbox,
}

impl Folder {
    /// # Errors
    /// The sender is none, in words.
    pub fn new(folder: Option<PathBuf>, from: &str) -> Result<Self, String> {
        Ok(Self { folder, from: sender(from)? })
    }
}

#[async_trait]
impl Courier for Folder {
    async fn carry(&self, message: &Message) -> Result<(), SendError> {
        let Some(folder) = self.folder.clone() else {
            return Err(SendError::permanent(
                "there is neither a mail server (--smtp) nor a mail folder (--mail-folder)",
            ));
        };
        let bytes = build(&self.from, message)?.formatted();
        let id: String = message.message_id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let name = format!("{}-{id}.eml", message.date.0);
        let write = move || -> std::io::Result<PathBuf> {
            std::fs::create_dir_all(&folder)?;
            let (path, draft) = (folder.join(&name), folder.join(format!(".{name}")));
            write_private(&draft, &bytes)?;
            std::fs::rename(&draft, &path)?;
            Ok(path)
        };
        let path = tokio::task::spawn_blocking(write).await.map_err(SendError::temporary)?;
        let path = path.map_err(SendError::temporary)?;
        tracing::warn!(path = %path.display(), "no mail server is set up: a message was written to a file");
        Ok(())
    }
}

/// A file that only this user can read: it holds links that let somebody in.
fn write_private(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_cross_no_network_in_the_clear() {
        for right in [
            "smtp://mail.example",
            "smtp://mail.example:2525",
            "smtps://mail.example/",
            "smtp+plain://127.0.0.1:1025",
        ] {
            assert!(Smtp::new(right, None, None, "H <h@home.example>").is_ok(), "{right}");
        }
        for wrong in [
            "",
            "mail.example",
            "smtp://",
            "smtp+plain://mail.example",
            "http://mail.example",
            "smtp://u:p@mail.example",
            "smtp://x:port",
        ] {
            assert!(Smtp::new(wrong, None, None, "H <h@home.example>").is_err(), "{wrong}");
        }
        assert!(Smtp::new("smtp://mail.example", None, None, "nobody").is_err());
    }

    #[test]
    fn a_message_keeps_its_id_and_injects_nothing() {
        let from = sender("Hearthwatt <h@home.example>").unwrap();
        let message = Message {
            to: "ada@home.example".into(),
            subject: "Ihr Zuhause\r\nBcc: eve@evil.example".into(),
            text: "Grüße\n".into(),
            message_id: "<abc@home.example>".into(),
            date: UnixMillis(1_764_000_000_000),
        };
        let text = String::from_utf8(build(&from, &message).unwrap().formatted()).unwrap();
        assert!(text.contains("Message-ID: <abc@home.example>\r\n"), "{text}");
        assert!(!text.contains("\r\nBcc:"), "{text}");
        let hostile = Message { to: "ada@home.example\r\nBcc: eve@evil.example".into(), ..message };
        assert!(build(&from, &hostile).is_err());
    }
}
