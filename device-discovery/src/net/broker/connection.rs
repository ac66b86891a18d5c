//! One client of our broker, from its first byte to its will.

use super::router::Router;
use bytes::{Bytes, BytesMut};
use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, LastWill, Packet, Protocol, PubAck, PubComp, PubRec, QoS, SubAck,
    SubscribeReasonCode, UnsubAck, mqttbytes,
};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A client must introduce itself within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A client that takes no data for this long is put out.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Waiting packets are written together up to this size, bytes.
const BATCH_BYTES: usize = 64 * 1024;
/// Longest client id, bytes; the standard asks for 23 at least.
const CLIENT_ID_MAX_BYTES: usize = 256;
/// QoS 2 messages of one client that may be half way.
const HALF_WAY_MAX: usize = 1024;

/// Why a connection ended.
enum End {
    /// It said goodbye: no will.
    Goodbye,
    /// It went away or fell silent.
    Lost,
    /// It broke the protocol or a limit.
    Refused,
}

pub(super) async fn serve(stream: TcpStream, router: Arc<Router>) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut reader = Reader { read, buffer: BytesMut::new(), packet_max: router.limits.packet_bytes };
    let connect = match timeout(CONNECT_TIMEOUT, reader.next()).await {
        Ok(Ok(Packet::Connect(connect))) => connect,
        Ok(Err(ReadError::Protocol(
            mqttbytes::Error::InvalidProtocolLevel(_) | mqttbytes::Error::InvalidProtocol,
        ))) => return refuse(&router, &mut write, ConnectReturnCode::RefusedProtocolVersion).await,
        _ => return router.count_refused(),
    };
    if let Some(code) = refusal(&connect, &router) {
        return refuse(&router, &mut write, code).await;
    }
    let (queue, waiting) = mpsc::channel(router.limits.queue.max(1));
    // first in the queue, before anything that is delivered
    let _ = queue.try_send(encode(&Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false))));
    // the router must hold the only long-lived sender: being put out is seen by its end
    let client_id = if connect.client_id.is_empty() {
        format!("anonymous-{:?}", write.peer_addr().ok())
    } else {
        connect.client_id.clone()
    };
    let session = router.enter(&client_id, queue.clone());
    let seat = Seat { router: &router, client_id: &client_id, session };
    let acks = queue.downgrade();
    drop(queue);
    let mut client =
        ClientLoop { router: &router, client_id: &client_id, session, acks, half_way: HashSet::new() };
    let end = tokio::select! {
        end = client.read(reader, connect.keep_alive) => end,
        () = write_all(write, waiting) => End::Lost,
    };
    drop(seat);
    match (end, &connect.last_will) {
        (End::Goodbye, _) => {}
        (end, will) => {
            if matches!(end, End::Refused) {
                router.count_refused();
            }
            if let Some(will) = will {
                router.publish_will(will);
            }
        }
    }
}

/// A client's place among the others, given up however its connection ends.
struct Seat<'a> {
    router: &'a Router,
    client_id: &'a str,
    session: u64,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.router.leave(self.client_id, self.session);
    }
}

fn refusal(connect: &Connect, router: &Router) -> Option<ConnectReturnCode> {
    let will_ok = |w: &LastWill| !w.topic.starts_with('$');
    if connect.protocol != Protocol::V4 {
        Some(ConnectReturnCode::RefusedProtocolVersion)
    } else if connect.client_id.len() > CLIENT_ID_MAX_BYTES
        || connect.client_id.is_empty() && !connect.clean_session
        || !connect.last_will.as_ref().is_none_or(will_ok)
    {
        Some(ConnectReturnCode::BadClientId)
    } else if !router.may_enter(connect.login.as_ref()) {
        Some(ConnectReturnCode::BadUserNamePassword)
    } else {
        None
    }
}

async fn refuse(router: &Router, write: &mut OwnedWriteHalf, code: ConnectReturnCode) {
    router.count_refused();
    let frame = encode(&Packet::ConnAck(ConnAck::new(code, false)));
    let _ = timeout(WRITE_TIMEOUT, write.write_all(&frame)).await;
}

enum ReadError {
    Io,
    Protocol(mqttbytes::Error),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

struct Reader {
    read: OwnedReadHalf,
    buffer: BytesMut,
    packet_max: usize,
}

impl Reader {
    async fn next(&mut self) -> Result<Packet, ReadError> {
        loop {
            match Packet::read(&mut self.buffer, self.packet_max) {
                Ok(packet) => return Ok(packet),
                Err(mqttbytes::Error::InsufficientBytes(_)) => {}
                Err(e) => return Err(ReadError::Protocol(e)),
            }
            self.buffer.reserve(4096);
            if self.read.read_buf(&mut self.buffer).await? == 0 {
                return Err(ReadError::Io);
            }
        }
    }
}

struct ClientLoop<'a> {
    router: &'a Router,
    client_id: &'a str,
    session: u64,
    acks: mpsc::WeakSender<Bytes>,
    /// QoS 2 messages that were taken but not released: repeats of them are not delivered again.
    half_way: HashSet<u16>,
}

impl ClientLoop<'_> {
    async fn read(&mut self, mut reader: Reader, keep_alive_s: u16) -> End {
        // one and a half times the keep-alive, as the standard says; 0 means never
        let silence = match keep_alive_s {
            0 => Duration::MAX,
            s => Duration::from_millis(u64::from(s) * 1500),
        };
        loop {
            let packet = match timeout(silence, reader.next()).await {
                Ok(Ok(packet)) => packet,
                Ok(Err(ReadError::Protocol(_))) => return End::Refused,
                Ok(Err(ReadError::Io)) | Err(_) => return End::Lost,
            };
            match self.take(packet) {
                Ok(Some(answer)) => {
                    let Some(queue) = self.acks.upgrade() else { return End::Lost };
                    if queue.send(encode(&answer)).await.is_err() {
                        return End::Lost;
                    }
                }
                Ok(None) => {}
                Err(end) => return end,
            }
        }
    }

    /// Acts on a packet and says what to answer.
    fn take(&mut self, packet: Packet) -> Result<Option<Packet>, End> {
        Ok(match packet {
            Packet::Publish(p) => {
                let new = p.qos != QoS::ExactlyOnce || self.half_way.insert(p.pkid);
                if self.half_way.len() > HALF_WAY_MAX
                    || new && !self.router.publish(&p.topic, &p.payload, p.retain)
                {
                    return Err(End::Refused);
                }
                match p.qos {
                    QoS::AtMostOnce => None,
                    QoS::AtLeastOnce => Some(Packet::PubAck(PubAck::new(p.pkid))),
                    QoS::ExactlyOnce => Some(Packet::PubRec(PubRec::new(p.pkid))),
                }
            }
            Packet::PubRel(p) => {
                self.half_way.remove(&p.pkid);
                Some(Packet::PubComp(PubComp::new(p.pkid)))
            }
            Packet::Subscribe(s) => {
                let codes = s.filters.iter().map(|f| {
                    match self.router.subscribe(self.client_id, self.session, &f.path) {
                        true => SubscribeReasonCode::Success(QoS::AtMostOnce),
                        false => SubscribeReasonCode::Failure,
                    }
                });
                Some(Packet::SubAck(SubAck::new(s.pkid, codes.collect())))
            }
            Packet::Unsubscribe(u) => {
                for filter in &u.topics {
                    self.router.unsubscribe(self.client_id, self.session, filter);
                }
                Some(Packet::UnsubAck(UnsubAck::new(u.pkid)))
            }
            Packet::PingReq => Some(Packet::PingResp),
            Packet::Disconnect => return Err(End::Goodbye),
            Packet::PubAck(_) | Packet::PubRec(_) | Packet::PubComp(_) => None,
            _ => return Err(End::Refused),
        })
    }
}

/// Writes what waits, several packets at a time; ends when the client takes nothing more or was
/// put out.
async fn write_all(mut write: OwnedWriteHalf, mut waiting: mpsc::Receiver<Bytes>) {
    let mut batch = BytesMut::new();
    while let Some(frame) = waiting.recv().await {
        batch.clear();
        batch.extend_from_slice(&frame);
        while batch.len() < BATCH_BYTES
            && let Ok(frame) = waiting.try_recv()
        {
            batch.extend_from_slice(&frame);
        }
        match timeout(WRITE_TIMEOUT, write.write_all(&batch)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

fn encode(packet: &Packet) -> Bytes {
    let mut buffer = BytesMut::new();
    // only an oversized packet fails, and answers are small
    let _ = packet.write(&mut buffer, usize::MAX);
    buffer.freeze()
}
