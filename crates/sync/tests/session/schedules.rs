//! Several clients and two server processes over one store, under any schedule: frames are lost,
//! doubled and overtake each other, connections break, processes stop at every point between
//! receiving a change and answering. Whatever was acknowledged is in the store, and once the
//! network heals all have the same heads.

use std::collections::{BTreeMap, HashSet, VecDeque};

use automerge::{Automerge, Change, ChangeHash};
use hearthwatt_sync::session::{Client, Document, Event, Limits, PeerKey, Prepared, Refusal, Right};
use hearthwatt_sync::wire::{self, Frame, PROTOCOL_V1, PeerId, PeerMetadata, decode, encode};
use proptest::prelude::*;

use crate::support::{ID, actor, edit, genesis};

const CLIENTS: usize = 3;
const SERVERS: usize = 2;

#[derive(Debug, Clone)]
enum Act {
    /// An app edits, maybe for weeks.
    Edit {
        client: usize,
        edits: u64,
    },
    Connect {
        client: usize,
        server: usize,
    },
    /// The network between the two breaks; the app sees it at once.
    Disconnect {
        client: usize,
    },
    /// A frame arrives, unless something happens to it.
    Up {
        client: usize,
        fate: Fate,
    },
    Down {
        client: usize,
        fate: Fate,
    },
    /// The store takes the oldest changes that wait for it.
    Persist {
        server: usize,
    },
    /// The server hears that they are durable, and answers.
    Commit {
        server: usize,
    },
    Answer {
        server: usize,
    },
    /// A server process notices what the other wrote.
    Absorb {
        server: usize,
    },
    /// Everything not durable is gone.
    RestartServer {
        server: usize,
    },
    RestartClient {
        client: usize,
    },
    /// Nobody used the document for a while.
    Evict {
        server: usize,
    },
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    IsLost,
    IsDoubled,
    IsOvertaken,
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0..CLIENTS;
    let server = 0..SERVERS;
    let fate = prop_oneof![
        30 => Just(Fate::Arrives),
        1 => Just(Fate::IsLost),
        1 => Just(Fate::IsDoubled),
        1 => Just(Fate::IsOvertaken),
    ];
    let edits = prop_oneof![20 => 1..4u64, 1 => 150..200u64];
    prop_oneof![
        4 => (client.clone(), edits).prop_map(|(client, edits)| Act::Edit { client, edits }),
        3 => (client.clone(), server.clone())
            .prop_map(|(client, server)| Act::Connect { client, server }),
        1 => client.clone().prop_map(|client| Act::Disconnect { client }),
        12 => (client.clone(), fate.clone()).prop_map(|(client, fate)| Act::Up { client, fate }),
        12 => (client.clone(), fate).prop_map(|(client, fate)| Act::Down { client, fate }),
        6 => server.clone().prop_map(|server| Act::Persist { server }),
        6 => server.clone().prop_map(|server| Act::Commit { server }),
        6 => server.clone().prop_map(|server| Act::Answer { server }),
        2 => server.clone().prop_map(|server| Act::Absorb { server }),
        1 => server.clone().prop_map(|server| Act::RestartServer { server }),
        1 => client.prop_map(|client| Act::RestartClient { client }),
        1 => server.prop_map(|server| Act::Evict { server }),
    ]
}

/// What both server processes write to. A change is in it once.
#[derive(Default)]
struct Store {
    snapshot: Option<Vec<u8>>,
    changes: Vec<Vec<u8>>,
    hashes: HashSet<ChangeHash>,
}

struct Server {
    document: Document,
    /// Prepared, not yet durable; and durable, not yet committed.
    waiting: VecDeque<Prepared>,
    durable: VecDeque<Prepared>,
    seen: usize,
}

struct App {
    client: Client,
    /// What its process has in memory is always on its disk too.
    doc: Automerge,
    acknowledged: Vec<ChangeHash>,
    connection: Option<Connection>,
}

struct Connection {
    server: usize,
    key: PeerKey,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Vec<u8>>,
}

struct World {
    store: Store,
    servers: Vec<Server>,
    apps: Vec<App>,
    /// Connections and runs of apps so far: both have names of their own.
    count: u64,
}

fn new_client(number: usize, doc: &Automerge, acknowledged: &[ChangeHash]) -> Client {
    let me = PeerId::from(format!("app-{number}"));
    let mut client = Client::new(me, PeerMetadata::default(), Limits::default());
    client.open(ID, doc.clone(), acknowledged).unwrap();
    client
}

impl World {
    fn new() -> Self {
        let mut world = Self { store: Store::default(), servers: Vec::new(), apps: Vec::new(), count: 0 };
        for _ in 0..SERVERS {
            let server = world.load();
            world.servers.push(server);
        }
        for number in 0..CLIENTS {
            world.count += 1;
            // Two have started the home offline, the third has nothing yet.
            let doc = if number < 2 { genesis() } else { Automerge::new() };
            let doc = doc.with_actor(actor(world.count));
            world.apps.push(App {
                client: new_client(number, &doc, &[]),
                doc,
                acknowledged: Vec::new(),
                connection: None,
            });
        }
        world
    }

    fn load(&self) -> Server {
        let document = Document::load(
            ID,
            PeerId::from("server"),
            Limits::default(),
            self.store.snapshot.as_deref(),
            self.store.changes.iter().map(Vec::as_slice),
        )
        .unwrap();
        Server {
            document,
            waiting: VecDeque::new(),
            durable: VecDeque::new(),
            seen: self.store.changes.len(),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Edit { client, edits } => self.edit(client, edits),
            Act::Connect { client, server } => self.connect(client, server),
            Act::Disconnect { client } => self.disconnect(client),
            Act::Up { client, fate } => {
                let Some(connection) = &mut self.apps[client].connection else {
                    return;
                };
                for frame in happens(&mut connection.up, fate) {
                    self.arrives_up(client, &frame);
                }
            }
            Act::Down { client, fate } => {
                let Some(connection) = &mut self.apps[client].connection else {
                    return;
                };
                for frame in happens(&mut connection.down, fate) {
                    self.arrives_down(client, &frame);
                }
            }
            Act::Persist { server } => self.persist(server),
            Act::Commit { server } => self.commit(server),
            Act::Answer { server } => self.answer(server),
            Act::Absorb { server } => self.absorb(server),
            Act::RestartServer { server } => self.restart_server(server),
            Act::RestartClient { client } => self.restart_client(client),
            Act::Evict { server } => self.evict(server),
        }
    }

    fn edit(&mut self, client: usize, edits: u64) {
        let app = &mut self.apps[client];
        if app.doc.get_heads().is_empty() {
            return; // it has no home to edit yet
        }
        for number in 0..edits {
            self.count += 1;
            let (_, change) = edit(&mut app.doc, self.count * 31 + number);
            app.client.edited(ID, [change.as_slice()]).unwrap();
        }
        self.sends(client);
    }

    fn connect(&mut self, client: usize, server: usize) {
        if self.apps[client].connection.is_some() {
            return;
        }
        self.count += 1;
        let app = &mut self.apps[client];
        app.connection =
            Some(Connection { server, key: PeerKey(self.count), up: VecDeque::new(), down: VecDeque::new() });
        app.client.connected();
        self.sends(client);
    }

    fn disconnect(&mut self, client: usize) {
        let app = &mut self.apps[client];
        if let Some(connection) = app.connection.take() {
            self.servers[connection.server].document.leave(connection.key);
        }
        app.client.disconnected();
    }

    fn sends(&mut self, client: usize) {
        let app = &mut self.apps[client];
        let mut polled = 0;
        while let Some(frame) = app.client.poll() {
            polled += 1;
            assert!(polled < 100, "a client that never stops talking");
            if let Some(connection) = &mut app.connection {
                connection.up.push_back(frame);
            }
        }
    }

    fn arrives_up(&mut self, client: usize, frame: &[u8]) {
        let Some(connection) = &mut self.apps[client].connection else {
            return;
        };
        let (number, key) = (connection.server, connection.key);
        let server = &mut self.servers[number];
        match decode(frame, &wire::Limits::default()).unwrap() {
            Frame::Join { sender, .. } => connection.down.push_back(encode(&Frame::Peer {
                sender: PeerId::from("server"),
                target: sender,
                version: PROTOCOL_V1.to_owned(),
                metadata: PeerMetadata::default(),
            })),
            Frame::Request { sender, document, data, .. } | Frame::Sync { sender, document, data, .. } => {
                assert_eq!(document, ID);
                if !server.document.peers().any(|known| known == key) {
                    server.document.join(key, sender, Right::Write);
                }
                match server.document.receive(key, &data) {
                    Ok(received) => server.waiting.extend(received.prepared),
                    // As good as lost.
                    Err(Refusal::Busy) => {}
                    Err(refusal) => panic!("an honest message is refused: {refusal}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn arrives_down(&mut self, client: usize, frame: &[u8]) {
        let app = &mut self.apps[client];
        for event in app.client.receive(frame).unwrap() {
            match event {
                Event::Changes { changes, .. } => {
                    let changes: Vec<Change> =
                        changes.into_iter().map(|(_, bytes)| Change::from_bytes(bytes).unwrap()).collect();
                    app.doc.apply_changes(changes).unwrap();
                }
                Event::Refused { refusal, .. } => panic!("honest, and refused: {refusal}"),
                Event::Joined { .. } | Event::Acknowledged { .. } => {}
                Event::Unavailable { .. } | Event::Error { .. } => panic!("{event:?}"),
            }
        }
        let status = app.client.status(ID).unwrap();
        app.acknowledged = status.acknowledged;
        self.sends(client);
        self.check_acknowledged(client);
    }

    /// What a client may believe to be safe is in the store.
    fn check_acknowledged(&self, client: usize) {
        let app = &self.apps[client];
        let waiting: HashSet<ChangeHash> =
            app.doc.get_changes_meta(&app.acknowledged).into_iter().map(|change| change.hash).collect();
        let status = app.client.status(ID).unwrap();
        assert_eq!(status.waiting as usize, waiting.len());
        for change in app.doc.get_changes_meta(&[]) {
            assert!(
                waiting.contains(&change.hash) || self.store.hashes.contains(&change.hash),
                "acknowledged, and not durable"
            );
        }
    }

    fn persist(&mut self, number: usize) {
        let server = &mut self.servers[number];
        if let Some(prepared) = server.waiting.pop_front() {
            for (hash, bytes) in prepared.changes() {
                if self.store.hashes.insert(*hash) {
                    self.store.changes.push(bytes.clone());
                }
            }
            server.durable.push_back(prepared);
        }
    }

    fn commit(&mut self, number: usize) {
        let server = &mut self.servers[number];
        if let Some(prepared) = server.durable.pop_front() {
            match server.document.commit(prepared) {
                Ok(()) | Err(Refusal::Stale) => {}
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }

    fn answer(&mut self, number: usize) {
        let server = &mut self.servers[number];
        let keys: Vec<PeerKey> = server.document.peers().collect();
        let mut down: BTreeMap<PeerKey, Vec<Vec<u8>>> = BTreeMap::new();
        for key in keys {
            while let Some(frame) = server.document.poll(key) {
                let frames = down.entry(key).or_default();
                frames.push(encode(&frame));
                assert!(frames.len() < 100, "a server that never stops talking");
            }
        }
        for connection in self.apps.iter_mut().filter_map(|app| app.connection.as_mut()) {
            connection.down.extend(down.remove(&connection.key).unwrap_or_default());
        }
    }

    fn absorb(&mut self, number: usize) {
        let server = &mut self.servers[number];
        let new = &self.store.changes[server.seen..];
        server.document.absorb(new.iter().map(Vec::as_slice)).unwrap();
        server.seen = self.store.changes.len();
    }

    fn restart_server(&mut self, number: usize) {
        for client in 0..CLIENTS {
            let connection = &self.apps[client].connection;
            if connection.as_ref().is_some_and(|c| c.server == number) {
                self.disconnect(client);
            }
        }
        self.servers[number] = self.load();
    }

    fn restart_client(&mut self, client: usize) {
        self.disconnect(client);
        self.count += 1;
        let app = &mut self.apps[client];
        let saved = app.doc.save();
        app.doc = Automerge::load(&saved).unwrap().with_actor(actor(self.count));
        app.client = new_client(client, &app.doc, &app.acknowledged);
    }

    /// Writes a snapshot in place of the changes, and loads the document from it.
    fn evict(&mut self, number: usize) {
        self.absorb(number);
        let snapshot = self.servers[number].document.snapshot().unwrap();
        self.store.snapshot = Some(snapshot);
        self.restart_server(number);
    }

    /// The network heals and everybody gets to say everything.
    fn heal(&mut self) {
        for client in 0..CLIENTS {
            self.disconnect(client);
        }
        for client in 0..CLIENTS {
            self.connect(client, client % SERVERS);
        }
        for round in 0.. {
            let mut quiet = true;
            for number in 0..SERVERS {
                while !self.servers[number].waiting.is_empty() {
                    self.persist(number);
                }
                while !self.servers[number].durable.is_empty() {
                    self.commit(number);
                }
                quiet &= self.servers[number].seen == self.store.changes.len();
                self.absorb(number);
                self.answer(number);
            }
            for client in 0..CLIENTS {
                for down in [false, true] {
                    let connection = self.apps[client].connection.as_mut().unwrap();
                    let queue = if down { &mut connection.down } else { &mut connection.up };
                    let frames = std::mem::take(queue);
                    quiet &= frames.is_empty();
                    for frame in frames {
                        if down {
                            self.arrives_down(client, &frame);
                        } else {
                            self.arrives_up(client, &frame);
                        }
                    }
                }
            }
            if quiet {
                break;
            }
            assert!(round < 100, "they never stop talking");
        }
    }

    fn check_converged(&self) {
        let heads = self.servers[0].document.heads();
        let mut all: HashSet<ChangeHash> = HashSet::new();
        for app in &self.apps {
            let status = app.client.status(ID).unwrap();
            assert_eq!(status.heads, heads);
            assert_eq!(status.waiting, 0, "all is acknowledged");
            let mut own = app.doc.get_heads();
            own.sort_unstable();
            assert_eq!(own, heads);
            all.extend(app.doc.get_changes_meta(&[]).into_iter().map(|c| c.hash));
        }
        for server in &self.servers {
            assert_eq!(server.document.heads(), heads);
        }
        assert_eq!(self.load().document.heads(), heads, "after a restart");
        assert_eq!(all, self.store.hashes, "the store holds all there is, and no more");
        let values: Vec<_> = self.apps.iter().map(|app| app.doc.hydrate(None)).collect();
        assert!(values.windows(2).all(|two| two[0] == two[1]), "heads alike, values not");
    }
}

/// The frames that arrive when it is the oldest one's turn.
fn happens(queue: &mut VecDeque<Vec<u8>>, fate: Fate) -> Vec<Vec<u8>> {
    if let Fate::IsOvertaken = fate
        && queue.len() > 1
    {
        queue.swap(0, 1);
    }
    match (queue.pop_front(), fate) {
        (None, _) | (_, Fate::IsLost) => Vec::new(),
        (Some(frame), Fate::IsDoubled) => vec![frame.clone(), frame],
        (Some(frame), Fate::Arrives | Fate::IsOvertaken) => vec![frame],
    }
}

fn run(acts: Vec<Act>) {
    let mut world = World::new();
    for act in acts {
        world.act(act);
    }
    world.heal();
    world.check_converged();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_schedule_converges_and_loses_nothing_acknowledged(
        acts in proptest::collection::vec(act(), 0..400),
    ) {
        run(acts);
    }
}

/// The same, each durability point hit on purpose.
#[test]
fn a_server_that_stops_before_or_after_writing_loses_nothing_acknowledged() {
    let deliver = |client| Act::Up { client, fate: Fate::Arrives };
    let answer = |client| Act::Down { client, fate: Fate::Arrives };
    let until_changes_are_prepared = [
        Act::Connect { client: 0, server: 0 },
        deliver(0),
        answer(0),
        deliver(0),
        Act::Answer { server: 0 },
        answer(0),
        Act::Edit { client: 0, edits: 3 },
        deliver(0),
        deliver(0),
        deliver(0),
    ];
    let stops = [
        vec![],
        vec![Act::Persist { server: 0 }],
        vec![Act::Persist { server: 0 }, Act::Commit { server: 0 }],
        vec![Act::Persist { server: 0 }, Act::Commit { server: 0 }, Act::Answer { server: 0 }],
    ];
    for before in stops {
        let mut acts = until_changes_are_prepared.to_vec();
        acts.extend(before);
        acts.push(Act::RestartServer { server: 0 });
        run(acts);
    }
}
