//! A peer of the automerge-repo protocol, as plain as the protocol allows. It shares no code with
//! ours, so that a mistake can't hide on both sides; it can be a thousand peers at once, and it
//! can say what no honest peer would.

use anyhow::{Context, Result, bail, ensure};
use automerge::sync::{Message as SyncMessage, State, SyncDoc};
use automerge::{Automerge, ChangeHash};
use ciborium::Value;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

/// What a server said.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Peer {
        name: String,
    },
    Sync {
        document: Uuid,
        data: Vec<u8>,
    },
    Unavailable {
        document: Uuid,
    },
    Error {
        message: String,
    },
    /// Anything else, by its type.
    Other(String),
}

/// How to get in.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// `ws://127.0.0.1:PORT/sync`
    pub url: String,
    /// For the `Authorization` header.
    pub token: Option<String>,
    /// For `X-Forwarded-For`: who a proxy would say is calling.
    pub forwarded: Option<String>,
}

impl Entry {
    pub fn new(url: impl Into<String>) -> Entry {
        Entry { url: url.into(), ..Entry::default() }
    }
}

pub struct Peer {
    socket: WebSocketStream<TcpStream>,
    pub name: String,
    server: String,
}

/// The WebSocket alone, before anything was said.
pub async fn open(entry: &Entry) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = entry.url.as_str().into_client_request()?;
    let headers = request.headers_mut();
    if let Some(token) = &entry.token {
        headers.insert("authorization", format!("Bearer {token}").parse().expect("a token is ASCII"));
    }
    if let Some(from) = &entry.forwarded {
        headers.insert("x-forwarded-for", from.parse().expect("an address is ASCII"));
    }
    let authority = request.uri().authority().expect("the address names a host").as_str().to_owned();
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    // what the peers of this test send is theirs to bound
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    Ok(tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?.0)
}

impl Peer {
    /// Connects and introduces itself.
    pub async fn join(entry: &Entry) -> Result<Peer> {
        let socket = open(entry).await?;
        let name = format!("test-{}", Uuid::new_v4());
        let mut peer = Peer { socket, name, server: String::new() };
        let join = vec![
            ("type", text("join")),
            ("senderId", text(&peer.name)),
            ("peerMetadata", Value::Map(vec![(text("isEphemeral"), Value::Bool(true))])),
            ("supportedProtocolVersions", Value::Array(vec![text("1")])),
        ];
        peer.send_raw(encode(join)).await?;
        match peer.next().await? {
            Some(Said::Peer { name }) => peer.server = name,
            other => bail!("the server did not introduce itself: {other:?}"),
        }
        Ok(peer)
    }

    /// A message of the sync protocol. `first` asks for a document of which nothing is known yet.
    pub async fn sync(&mut self, document: Uuid, data: Vec<u8>, first: bool) -> Result<()> {
        let frame = self.sync_frame(document, data, first);
        self.send_raw(frame).await
    }

    pub fn sync_frame(&self, document: Uuid, data: Vec<u8>, first: bool) -> Vec<u8> {
        encode(vec![
            ("type", text(if first { "request" } else { "sync" })),
            ("senderId", text(&self.name)),
            ("targetId", text(&self.server)),
            ("documentId", text(&document_id(document))),
            ("data", Value::Bytes(data)),
        ])
    }

    pub async fn send_raw(&mut self, bytes: Vec<u8>) -> Result<()> {
        Ok(self.socket.send(Message::Binary(bytes.into())).await?)
    }

    /// Any message of the WebSocket.
    pub async fn send_message(&mut self, message: Message) -> Result<()> {
        Ok(self.socket.send(message).await?)
    }

    /// The next thing the server says; none when it closed.
    pub async fn next(&mut self) -> Result<Option<Said>> {
        loop {
            match self.socket.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => return decode(&bytes).map(Some),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.into()),
            }
        }
    }

    pub async fn next_within(&mut self, within: Duration) -> Result<Option<Said>> {
        tokio::time::timeout(within, self.next()).await.context("the server says nothing")?
    }

    /// Tells whether the server closes the connection in time, whatever it says before.
    pub async fn is_closed_within(&mut self, within: Duration) -> bool {
        let closed = async { while let Ok(Some(_)) = self.next().await {} };
        tokio::time::timeout(within, closed).await.is_ok()
    }

    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}

/// One document at this peer, and what it knows of the server's.
pub struct Copy {
    pub id: Uuid,
    pub document: Automerge,
    state: State,
    asked: bool,
}

impl Copy {
    pub fn new(id: Uuid, document: Automerge) -> Copy {
        Copy { id, document, state: State::new(), asked: false }
    }

    pub fn heads(&self) -> Vec<ChangeHash> {
        sorted(self.document.get_heads())
    }

    /// A new connection knows nothing of what was said on the last.
    pub fn reconnected(&mut self) {
        self.state = State::new();
        self.asked = false;
    }

    /// What there is to say, as a frame's data and whether it is the question for an unknown document.
    pub fn say(&mut self) -> Option<(Vec<u8>, bool)> {
        let message = self.document.generate_sync_message(&mut self.state)?;
        let first = !self.asked && self.document.is_empty();
        self.asked = true;
        Some((message.encode(), first))
    }

    pub fn hear(&mut self, data: &[u8]) -> Result<()> {
        let message = SyncMessage::decode(data)?;
        Ok(self.document.receive_sync_message(&mut self.state, message)?)
    }

    /// Says all there is to say.
    pub async fn say_all(&mut self, peer: &mut Peer) -> Result<()> {
        while let Some((data, first)) = self.say() {
            peer.sync(self.id, data, first).await?;
        }
        Ok(())
    }

    /// The server said that it has all that this peer has.
    pub fn is_acknowledged(&self) -> bool {
        let theirs = self.state.their_heads.clone().map(sorted);
        let shared = sorted(self.state.shared_heads.clone());
        theirs.is_some() && !shared.is_empty() && shared == self.heads()
    }

    /// What the server said last that it has.
    pub fn their_heads(&self) -> Option<Vec<ChangeHash>> {
        self.state.their_heads.clone()
    }

    /// Speaks with the server until it has all that this peer has, and this peer all that it announced.
    pub async fn settle(&mut self, peer: &mut Peer, within: Duration) -> Result<()> {
        let talk = async {
            loop {
                self.say_all(peer).await?;
                if self.is_acknowledged() && self.state.their_heads.clone().map(sorted) == Some(self.heads())
                {
                    return Ok(());
                }
                match peer.next().await? {
                    Some(Said::Sync { document, data }) if document == self.id => self.hear(&data)?,
                    Some(Said::Unavailable { document }) if document == self.id => {
                        bail!("{document} is unavailable")
                    }
                    Some(Said::Error { message }) => bail!("the server says: {message}"),
                    None => bail!("the server closed the connection"),
                    Some(_) => {}
                }
            }
        };
        tokio::time::timeout(within, talk).await.context("the document does not settle")?
    }
}

pub fn sorted(mut heads: Vec<ChangeHash>) -> Vec<ChangeHash> {
    heads.sort();
    heads
}

/// A document's id in automerge-repo's writing: base58 with a checksum.
pub fn document_id(id: Uuid) -> String {
    bs58::encode(id.as_bytes()).with_check().into_string()
}

pub fn document_of(id: &str) -> Result<Uuid> {
    Ok(Uuid::from_slice(&bs58::decode(id).with_check(None).into_vec()?)?)
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

/// A map with text keys, as CBOR.
pub fn encode(fields: Vec<(&str, Value)>) -> Vec<u8> {
    let map = Value::Map(fields.into_iter().map(|(k, v)| (text(k), v)).collect());
    let mut bytes = Vec::new();
    ciborium::into_writer(&map, &mut bytes).expect("memory takes what is written");
    bytes
}

fn decode(bytes: &[u8]) -> Result<Said> {
    let Value::Map(fields) = ciborium::from_reader(bytes)? else { bail!("not a map") };
    let mut kind = String::new();
    let (mut sender, mut document, mut message, mut data) = (String::new(), None, String::new(), None);
    for (key, value) in fields {
        match (key.as_text().unwrap_or_default(), value) {
            ("type", Value::Text(s)) => kind = s,
            ("senderId", Value::Text(s)) => sender = s,
            ("documentId", Value::Text(s)) => document = Some(document_of(&s)?),
            ("message", Value::Text(s)) => message = s,
            ("data", Value::Bytes(b)) => data = Some(b),
            ("data", Value::Tag(..)) => bail!("byte strings carry no tag in this protocol"),
            _ => {}
        }
    }
    let document = document.context("the frame names no document");
    Ok(match kind.as_str() {
        "peer" => {
            ensure!(!sender.is_empty(), "a server has a name");
            Said::Peer { name: sender }
        }
        "sync" | "request" => Said::Sync { document: document?, data: data.context("no data")? },
        "doc-unavailable" => Said::Unavailable { document: document? },
        "error" => Said::Error { message },
        _ => Said::Other(kind),
    })
}
