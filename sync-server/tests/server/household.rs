//! A household without accounts: who may do what is set by the test. And servers and peers for it.

use async_trait::async_trait;
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ChangeHash, ROOT, ReadDoc};
use futures_util::{SinkExt, StreamExt};
use hearthwatt_server::app::RealWorld;
use hearthwatt_server::http::auth::{Access, Caller, Gate, Right, Scope};
use hearthwatt_server::store::{Store, StoreError};
use hearthwatt_server::{App, Config};
use hearthwatt_sync::session::{Client, Event, Limits};
use hearthwatt_sync::wire::{DocumentId, PeerId, PeerMetadata};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// Nothing here takes longer, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

pub fn id() -> Uuid {
    Uuid::from_bytes(crate::mongo::random())
}

/// Tokens are `{account}.{device}`; a ticket is a token.
#[derive(Default)]
pub struct Household {
    rights: Mutex<HashMap<(Uuid, Uuid), Right>>,
    signed_out: Mutex<Vec<Uuid>>,
}

impl Household {
    pub fn allow(&self, account: Uuid, document: Uuid, home: Uuid, access: Access) {
        self.rights.lock().unwrap().insert((account, document), Right { home, access });
    }

    pub fn forbid(&self, account: Uuid, document: Uuid) {
        self.rights.lock().unwrap().remove(&(account, document));
    }

    pub fn sign_out(&self, device: Uuid) {
        self.signed_out.lock().unwrap().push(device);
    }
}

#[async_trait]
impl Gate for Household {
    async fn authenticate(&self, app: &App, token: &str) -> Result<Option<Caller>, StoreError> {
        let Some((account, device)) = token.split_once('.') else { return Ok(None) };
        let (Ok(account), Ok(device)) = (account.parse(), device.parse()) else { return Ok(None) };
        let caller = Caller { account, device, sign_in: device, scope: Scope::App };
        Ok(self.is_signed_in(app, &caller).await?.then_some(caller))
    }

    async fn redeem_ticket(&self, app: &App, ticket: &str) -> Result<Option<Caller>, StoreError> {
        self.authenticate(app, ticket).await
    }

    async fn is_signed_in(&self, _: &App, caller: &Caller) -> Result<bool, StoreError> {
        Ok(!self.signed_out.lock().unwrap().contains(&caller.device))
    }

    async fn rights(&self, _: &App, caller: &Caller, document: Uuid) -> Result<Option<Right>, StoreError> {
        Ok(self.rights.lock().unwrap().get(&(caller.account, document)).copied())
    }
}

/// A server of this process.
pub struct Server {
    pub address: SocketAddr,
    pub app: App,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

pub async fn app(store: Arc<dyn Store>, household: Arc<Household>, arguments: &[&str]) -> App {
    let arguments = [&["hearthwatt-server"], arguments].concat();
    let config = <Config as clap::Parser>::parse_from(arguments);
    App::with_gate(config, store, Arc::new(RealWorld), household).await.unwrap()
}

impl Server {
    pub async fn start(store: Arc<dyn Store>, household: Arc<Household>) -> Self {
        Self::start_with(store, household, &[]).await
    }

    pub async fn start_with(store: Arc<dyn Store>, household: Arc<Household>, arguments: &[&str]) -> Self {
        let app = app(store, household, arguments).await;
        app.start();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(hearthwatt_server::http::serve(listener, None, app.clone(), async {
            let _ = stopped.await;
        }));
        Self { address, app, stop: Some(stop), task }
    }

    /// Asks it to stop, as SIGTERM does.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub async fn stopped(mut self) {
        self.stop();
        tokio::time::timeout(LIMIT, &mut self.task).await.unwrap().unwrap();
    }
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket; the status if it is refused, 0 if the connection is cut.
pub async fn open(address: SocketAddr, token: &str) -> Result<Socket, u16> {
    let mut request = format!("ws://{address}/sync").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    // small frames go at once, as every client has them do
    match tokio_tungstenite::connect_async_with_config(request, None, true).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        // cut before an answer
        Err(_) => Err(0),
    }
}

/// A device with one document, its own copy of it, and a connection (or none).
pub struct Device {
    pub account: Uuid,
    pub device: Uuid,
    pub document: DocumentId,
    pub copy: AutoCommit,
    pub client: Client,
    pub socket: Option<Socket>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How the server closed the connection.
    pub closed: Option<(u16, String)>,
}

impl Device {
    /// A new device of an account, whose copy is empty.
    pub fn new(account: Uuid, document: Uuid) -> Self {
        let device = id();
        let mut copy = AutoCommit::new().with_actor(crate::mongo::random().to_vec().into());
        let me = PeerId::from(device.to_string());
        let mut client = Client::new(me, PeerMetadata::default(), Limits::default());
        let document = DocumentId::from(document);
        client.open(document, copy.document().clone(), &[]).unwrap();
        Self { account, device, document, copy, client, socket: None, events: Vec::new(), closed: None }
    }

    pub fn token(&self) -> String {
        format!("{}.{}", self.account, self.device)
    }

    pub async fn connect(&mut self, address: SocketAddr) {
        self.socket = Some(open(address, &self.token()).await.unwrap());
        self.closed = None;
        self.client.connected();
    }

    pub fn disconnect(&mut self) {
        self.socket = None;
        self.client.disconnected();
    }

    pub fn heads(&mut self) -> Vec<ChangeHash> {
        self.copy.get_heads()
    }

    /// One change.
    pub fn put(&mut self, key: &str, value: &str) -> ChangeHash {
        self.copy.put(ROOT, key, value).unwrap();
        let hash = self.copy.commit().unwrap();
        let bytes = self.copy.get_change_by_hash(&hash).unwrap().raw_bytes().to_vec();
        self.client.edited(self.document, [bytes.as_slice()]).unwrap();
        hash
    }

    pub fn get(&self, key: &str) -> Option<String> {
        self.copy.get(ROOT, key).unwrap().and_then(|(value, _)| value.as_str().map(str::to_owned))
    }

    pub fn is_acknowledged(&self) -> bool {
        self.client.status(self.document).is_some_and(|s| s.compared && s.waiting == 0)
    }

    async fn send_all(&mut self) {
        while let Some(frame) = self.client.poll() {
            let Some(socket) = &mut self.socket else { return };
            if socket.send(Message::Binary(frame.into())).await.is_err() {
                self.disconnect();
            }
        }
    }

    /// One frame in, everything that follows from it out.
    pub async fn step(&mut self) {
        self.send_all().await;
        let Some(socket) = &mut self.socket else { return std::future::pending().await };
        match socket.next().await {
            Some(Ok(Message::Binary(frame))) => {
                for event in self.client.receive(&frame).unwrap() {
                    if let Event::Changes { changes, .. } = &event {
                        for (_, bytes) in changes {
                            self.copy.load_incremental(bytes).unwrap();
                        }
                    }
                    self.events.push(event);
                }
                self.send_all().await;
            }
            Some(Ok(Message::Close(frame))) => {
                self.closed =
                    Some(frame.map_or((0, String::new()), |f| (f.code.into(), f.reason.to_string())));
                self.disconnect();
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                self.closed.get_or_insert((0, "cut".into()));
                self.disconnect();
            }
        }
    }

    /// Goes on until it is so.
    pub async fn until(&mut self, what: &str, done: impl Fn(&mut Self) -> bool) {
        self.send_all().await;
        let steps = async {
            while !done(self) {
                self.step().await;
            }
        };
        let ended = tokio::time::timeout(LIMIT, steps).await;
        assert!(ended.is_ok(), "not in time: {what}; closed: {:?}, events: {:?}", self.closed, self.events);
    }

    pub async fn until_acknowledged(&mut self) {
        self.until("acknowledged", |d| d.is_acknowledged()).await;
    }

    pub async fn until_closed(&mut self) -> (u16, String) {
        self.until("closed", |d| d.closed.is_some()).await;
        self.closed.clone().unwrap()
    }

    /// Goes on for a while in which nothing is to happen.
    pub async fn linger(&mut self, time: Duration) {
        self.send_all().await;
        let steps = async {
            loop {
                self.step().await;
            }
        };
        let _: Result<(), _> = tokio::time::timeout(time, steps).await;
    }
}
