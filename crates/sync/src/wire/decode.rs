//! From bytes to frames.

use super::cbor::Reader;
use super::{DocumentId, Frame, Heads, Limits, PeerId, PeerMetadata, Refusal};

/// Everything a frame may carry, whatever its kind: fields come in any order, the kind maybe last.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    sender: Option<PeerId>,
    target: Option<PeerId>,
    document: Option<DocumentId>,
    data: Option<Vec<u8>>,
    metadata: PeerMetadata,
    versions: Option<Vec<String>>,
    version: Option<String>,
    message: Option<String>,
    session: Option<String>,
    count: Option<u64>,
    add: Vec<String>,
    remove: Vec<String>,
    new_heads: Vec<(String, Heads)>,
}

/// Reads one frame.
///
/// # Errors
/// Whatever is wrong with it. Unknown fields are skipped, unknown kinds are [`Frame::Unknown`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Refusal> {
    if bytes.len() > limits.frame_bytes {
        return Err(Refusal::TooLong { bytes: bytes.len(), limit: limits.frame_bytes });
    }
    let mut reader = Reader::new(bytes, limits);
    let mut fields = Fields::default();
    reader.map(Refusal::NotAMap, |reader, key| fields.read(reader, key, limits))?;
    if !reader.is_at_end() {
        return Err(Refusal::Trailing);
    }
    fields.into_frame()
}

impl Fields {
    fn read(&mut self, reader: &mut Reader<'_>, key: &str, limits: &Limits) -> Result<(), Refusal> {
        match key {
            "type" => self.kind = Some(reader.text("type")?),
            "senderId" => self.sender = reader.text_or_nothing("senderId")?.map(PeerId::from),
            "targetId" => self.target = reader.text_or_nothing("targetId")?.map(PeerId::from),
            "documentId" => self.document = Some(document_id(reader)?),
            "data" => self.data = Some(reader.bytes("data")?),
            "peerMetadata" | "metadata" => self.metadata = metadata(reader)?,
            "supportedProtocolVersions" => {
                self.versions = Some(reader.texts("supportedProtocolVersions")?);
            }
            "selectedProtocolVersion" => {
                self.version = Some(reader.text("selectedProtocolVersion")?);
            }
            "message" => self.message = reader.text_or_nothing("message")?,
            "sessionId" => self.session = Some(reader.text("sessionId")?),
            "count" => self.count = Some(reader.number("count")?),
            "add" => self.add = reader.texts("add")?,
            "remove" => self.remove = reader.texts("remove")?,
            "newHeads" => self.new_heads = new_heads(reader, limits)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn into_frame(self) -> Result<Frame, Refusal> {
        let kind = self.kind.ok_or(Refusal::Missing("type"))?;
        let sender = self.sender.ok_or(Refusal::Missing("senderId"));
        let target = self.target.ok_or(Refusal::Missing("targetId"));
        let document = self.document.ok_or(Refusal::Missing("documentId"));
        let data = self.data.ok_or(Refusal::Missing("data"));
        Ok(match kind.as_str() {
            "join" => Frame::Join {
                sender: sender?,
                // Clients older than the field speak version 1.
                versions: self.versions.unwrap_or_else(|| vec![super::PROTOCOL_V1.to_owned()]),
                metadata: self.metadata,
            },
            "peer" => Frame::Peer {
                sender: sender?,
                target: target?,
                version: self.version.ok_or(Refusal::Missing("selectedProtocolVersion"))?,
                metadata: self.metadata,
            },
            "leave" => Frame::Leave { sender: sender? },
            "request" => {
                Frame::Request { sender: sender?, target: target?, document: document?, data: data? }
            }
            "sync" => Frame::Sync { sender: sender?, target: target?, document: document?, data: data? },
            "doc-unavailable" => {
                Frame::DocUnavailable { sender: sender?, target: target?, document: document? }
            }
            "ephemeral" => Frame::Ephemeral {
                sender: sender?,
                target: target?,
                document: document?,
                session: self.session.ok_or(Refusal::Missing("sessionId"))?,
                count: self.count.ok_or(Refusal::Missing("count"))?,
                data: data?,
            },
            "error" => Frame::Error {
                sender: sender.ok(),
                target: target.ok(),
                message: self.message.unwrap_or_default(),
            },
            "remote-subscription-change" => Frame::RemoteSubscriptionChange {
                sender: sender?,
                target: target?,
                add: self.add,
                remove: self.remove,
            },
            "remote-heads-changed" => Frame::RemoteHeadsChanged {
                sender: sender?,
                target: target?,
                document: document?,
                new_heads: self.new_heads,
            },
            _ => Frame::Unknown { kind },
        })
    }
}

fn document_id(reader: &mut Reader<'_>) -> Result<DocumentId, Refusal> {
    match reader.text_or_bytes("documentId")? {
        Ok(text) => text.parse().map_err(|_| Refusal::DocumentId),
        Err(bytes) => (&*bytes).try_into().map(DocumentId::from_bytes).map_err(|_| Refusal::DocumentId),
    }
}

fn metadata(reader: &mut Reader<'_>) -> Result<PeerMetadata, Refusal> {
    let mut metadata = PeerMetadata::default();
    reader.map(Refusal::WrongType("peerMetadata"), |reader, key| {
        match key {
            "storageId" => metadata.storage_id = reader.text_or_nothing("storageId")?,
            "isEphemeral" => metadata.is_ephemeral = reader.boolean("isEphemeral")?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(metadata)
}

fn new_heads(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<(String, Heads)>, Refusal> {
    let mut all = Vec::new();
    let mut hashes = 0;
    reader.map(Refusal::WrongType("newHeads"), |reader, storage| {
        let mut heads = Heads::default();
        reader.map(Refusal::WrongType("newHeads"), |reader, key| {
            match key {
                "heads" => heads.heads = reader.texts("heads")?,
                "timestamp" => heads.timestamp = reader.number("timestamp")?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        hashes += 1 + heads.heads.len();
        if hashes > limits.items {
            return Err(Refusal::TooMany(limits.items));
        }
        all.push((storage.to_owned(), heads));
        Ok(())
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests;
