//! The WebSocket to the server, opened through the client of all other requests: one set of
//! certificates, proxies and time limits.

use super::random;
use super::server::{Http, Trouble, odd, unreachable};
use futures_util::{SinkExt, StreamExt};
use hearthwatt_server_api::{Secret, paths};
use reqwest::StatusCode;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// No frame of the server is larger.
const MESSAGE_MAX: usize = 8 * 1024 * 1024;
/// A server that takes nothing for this long is gone.
const SEND: Duration = Duration::from_secs(30);
const HANDSHAKE: Duration = Duration::from_secs(20);
pub(crate) const PING_EVERY: Duration = Duration::from_secs(20);
/// Two pings without any answer.
const SILENCE: Duration = Duration::from_secs(50);

pub(crate) struct Socket {
    stream: WebSocketStream<reqwest::Upgraded>,
    heard: Instant,
}

impl Socket {
    pub(crate) async fn open(http: &Http, server: &str, token: &Secret) -> Result<Self, Opening> {
        timeout(HANDSHAKE, Self::handshake(http, server, token))
            .await
            .unwrap_or(Err(Opening::Trouble(Trouble::Unreachable("no answer in time".into()))))
    }

    async fn handshake(http: &Http, server: &str, token: &Secret) -> Result<Self, Opening> {
        let key = standard_base64(&random::<16>().map_err(|e| Trouble::Here(e.message))?);
        let response = http
            .client()?
            .get(format!("{server}{}", paths::SYNC))
            .bearer_auth(token.expose())
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            return Err(Opening::Unauthorized);
        }
        if status != StatusCode::SWITCHING_PROTOCOLS {
            let body = response.bytes().await.unwrap_or_default();
            return Err(odd(status, &body).into());
        }
        let accepted = response.headers().get("sec-websocket-accept").map(|v| v.as_bytes());
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(Trouble::NotOurs(
                "This is no Hearthwatt server: it can't be synchronised with.".into(),
            )
            .into());
        }
        let upgraded = response.upgrade().await.map_err(unreachable)?;
        let config =
            WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        Ok(Self { stream, heard: Instant::now() })
    }

    pub(crate) async fn send(&mut self, frame: Vec<u8>) -> Result<(), Trouble> {
        self.message(Message::Binary(Bytes::from(frame))).await
    }

    /// Asks for a sign of life; an error if there has been none for too long.
    pub(crate) async fn ping(&mut self) -> Result<(), Trouble> {
        if self.heard.elapsed() > SILENCE {
            return Err(Trouble::Unreachable("it has gone silent".into()));
        }
        self.message(Message::Ping(Bytes::new())).await
    }

    async fn message(&mut self, message: Message) -> Result<(), Trouble> {
        match timeout(SEND, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(Trouble::Unreachable(e.to_string())),
            Err(_) => Err(Trouble::Unreachable("it takes nothing any more".into())),
        }
    }

    /// The next frame. Safe to give up and call again.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>, Trouble> {
        loop {
            let Some(message) = self.stream.next().await else {
                return Err(Trouble::Unreachable("it closed the connection".into()));
            };
            self.heard = Instant::now();
            match message {
                Ok(Message::Binary(bytes)) => return Ok(bytes.to_vec()),
                Ok(Message::Close(why)) => {
                    let why = why.map(|f| f.reason.to_string()).filter(|r| !r.is_empty());
                    return Err(Trouble::Unreachable(
                        why.unwrap_or_else(|| "it closed the connection".into()),
                    ));
                }
                Ok(_) => {}
                Err(e) => return Err(Trouble::Unreachable(e.to_string())),
            }
        }
    }

    pub(crate) async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }
}

/// Why there is no connection.
pub(crate) enum Opening {
    /// The token is not good (any more).
    Unauthorized,
    Trouble(Trouble),
}

impl From<Trouble> for Opening {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// RFC 4648 4, with padding: what the handshake's key is written in.
fn standard_base64(bytes: &[u8]) -> String {
    let mut text: String = super::server::base64url(bytes)
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_padded() {
        assert_eq!(standard_base64(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(standard_base64(&[0xfb, 0xff, 0xff]), "+///");
    }
}
