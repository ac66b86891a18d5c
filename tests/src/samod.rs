//! `samod`, the automerge-repo of the Rust world, as a client and as a sync server.

use crate::repo::{Entry, open};
use anyhow::{Context, Result};
use automerge::Automerge;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use samod::{
    AcceptorHandle, BackoffConfig, DialError, Dialer, DocHandle, DocumentId, Repo, ShareConfig, Transport,
    Url,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

/// Dials again with the same credentials, as long as the repository lives.
struct WithToken(Entry);

impl Dialer for WithToken {
    type Error = tungstenite::Error;

    fn url(&self) -> Url {
        self.0.url.parse().expect("the server's address")
    }

    fn connect(&self) -> BoxFuture<'static, Result<Transport, DialError<Self::Error>>> {
        let entry = self.0.clone();
        Box::pin(async move { open(&entry).await.map(transport).map_err(DialError::transient) })
    }
}

fn transport<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(socket: WebSocketStream<S>) -> Transport {
    let (sink, stream) = socket.split();
    let stream = stream.filter_map(|message| async {
        match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes.to_vec())),
            Ok(_) => None,
            Err(e) => Some(Err(e)),
        }
    });
    let sink =
        sink.with(|bytes: Vec<u8>| async { Ok::<_, tungstenite::Error>(Message::Binary(bytes.into())) });
    Transport::new(Box::pin(stream), Box::pin(sink))
}

/// A client that keeps documents in memory.
pub struct Samod {
    repo: Repo,
}

impl Samod {
    pub async fn connect(entry: &Entry) -> Result<Samod> {
        let repo = Repo::build_tokio().load().await;
        let backoff = BackoffConfig {
            initial_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(500),
            ..BackoffConfig::default()
        };
        let dialer =
            repo.dial(backoff, Arc::new(WithToken(entry.clone()))).map_err(|e| anyhow::anyhow!("{e}"))?;
        // who has nobody to ask finds nothing
        dialer.established().await.map_err(|e| anyhow::anyhow!("{e:?}"))?;
        Ok(Samod { repo })
    }

    /// A document, once the server has it; none where it is unavailable.
    pub async fn find(&self, id: Uuid) -> Result<Option<DocHandle>> {
        let id = DocumentId::try_from(id.as_bytes().to_vec()).ok().context("16 bytes are an id")?;
        Ok(self.repo.find(id).await?)
    }

    pub async fn stop(self) {
        self.repo.stop().await;
    }
}

/// Heads in the writing that all clients share.
pub fn heads(document: &Automerge) -> Vec<String> {
    let mut heads: Vec<String> = document.get_heads().iter().map(ToString::to_string).collect();
    heads.sort();
    heads
}

/// A sync server over samod with its documents in a folder, for comparison. Runs until it is ended.
pub async fn serve(folder: &Path) -> Result<()> {
    let storage = samod::storage::TokioFilesystemStorage::new(folder);
    // it answers for documents it is asked for, and announces none
    let quiet = ShareConfig::read_write().with_announce(false);
    let repo = Repo::build_tokio().with_storage(storage).with_share_policy(quiet).load().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let acceptor: AcceptorHandle = repo.make_acceptor(url.parse()?).map_err(|e| anyhow::anyhow!("{e}"))?;
    println!("listening on {url}");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                let _ = acceptor.accept(transport(socket));
            }
        });
    }
}
