//! From frames to bytes.

use super::{DocumentId, Frame, Heads, PeerId, PeerMetadata};

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;

/// Writes one frame, with byte strings untagged as the JavaScript client writes them.
pub fn encode(frame: &Frame) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(256 + payload(frame)));
    out.frame(frame);
    out.0
}

fn payload(frame: &Frame) -> usize {
    match frame {
        Frame::Request { data, .. } | Frame::Sync { data, .. } | Frame::Ephemeral { data, .. } => data.len(),
        _ => 0,
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let bytes = value.to_be_bytes();
        match value {
            0..=23 => self.0.push(major | value as u8),
            24..=0xff => self.0.extend([major | 24, value as u8]),
            0x100..=0xffff => {
                self.0.push(major | 25);
                self.0.extend(&bytes[6..]);
            }
            0x1_0000..=0xffff_ffff => {
                self.0.push(major | 26);
                self.0.extend(&bytes[4..]);
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(bytes);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.head(TEXT, text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn field(&mut self, key: &str, text: &str) {
        self.text(key);
        self.text(text);
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        self.text(key);
        self.head(ARRAY, texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    fn bytes(&mut self, key: &str, bytes: &[u8]) {
        self.text(key);
        self.head(BYTES, bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Opens a frame of a kind with so many fields after its kind.
    fn open(&mut self, kind: &str, fields: u64) {
        self.head(MAP, 1 + fields);
        self.field("type", kind);
    }

    fn peers(&mut self, sender: &PeerId, target: &PeerId) {
        self.field("senderId", sender.as_str());
        self.field("targetId", target.as_str());
    }

    fn document(&mut self, document: DocumentId) {
        self.field("documentId", &document.to_string());
    }

    fn metadata(&mut self, metadata: &PeerMetadata) {
        self.text("peerMetadata");
        self.head(MAP, 1 + u64::from(metadata.storage_id.is_some()));
        if let Some(id) = &metadata.storage_id {
            self.field("storageId", id);
        }
        self.text("isEphemeral");
        self.0.push(if metadata.is_ephemeral { TRUE } else { FALSE });
    }

    fn new_heads(&mut self, all: &[(String, Heads)]) {
        self.text("newHeads");
        self.head(MAP, all.len() as u64);
        for (storage, heads) in all {
            self.text(storage);
            self.head(MAP, 2);
            self.texts("heads", &heads.heads);
            self.text("timestamp");
            self.head(UINT, heads.timestamp);
        }
    }

    fn about(&mut self, kind: &str, sender: &PeerId, target: &PeerId, document: DocumentId, more: u64) {
        self.open(kind, 3 + more);
        self.peers(sender, target);
        self.document(document);
    }

    fn frame(&mut self, frame: &Frame) {
        match frame {
            Frame::Join { sender, versions, metadata } => {
                self.open("join", 3);
                self.field("senderId", sender.as_str());
                self.metadata(metadata);
                self.texts("supportedProtocolVersions", versions);
            }
            Frame::Peer { sender, target, version, metadata } => {
                self.open("peer", 4);
                self.peers(sender, target);
                self.metadata(metadata);
                self.field("selectedProtocolVersion", version);
            }
            Frame::Leave { sender } => {
                self.open("leave", 1);
                self.field("senderId", sender.as_str());
            }
            Frame::Request { sender, target, document, data } => {
                self.about("request", sender, target, *document, 1);
                self.bytes("data", data);
            }
            Frame::Sync { sender, target, document, data } => {
                self.about("sync", sender, target, *document, 1);
                self.bytes("data", data);
            }
            Frame::DocUnavailable { sender, target, document } => {
                self.about("doc-unavailable", sender, target, *document, 0);
            }
            Frame::Ephemeral { sender, target, document, session, count, data } => {
                self.about("ephemeral", sender, target, *document, 3);
                self.field("sessionId", session);
                self.text("count");
                self.head(UINT, *count);
                self.bytes("data", data);
            }
            Frame::Error { sender, target, message } => {
                let peers = [("senderId", sender), ("targetId", target)];
                let known = peers.iter().filter(|(_, peer)| peer.is_some()).count();
                self.open("error", 1 + known as u64);
                for (key, peer) in peers {
                    if let Some(peer) = peer {
                        self.field(key, peer.as_str());
                    }
                }
                self.field("message", message);
            }
            Frame::RemoteSubscriptionChange { sender, target, add, remove } => {
                self.open("remote-subscription-change", 4);
                self.peers(sender, target);
                self.texts("add", add);
                self.texts("remove", remove);
            }
            Frame::RemoteHeadsChanged { sender, target, document, new_heads } => {
                self.about("remote-heads-changed", sender, target, *document, 1);
                self.new_heads(new_heads);
            }
            Frame::Unknown { kind } => self.open(kind, 0),
        }
    }
}
