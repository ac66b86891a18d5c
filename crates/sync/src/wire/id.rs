//! Names of documents and peers.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A document: 16 random bytes, written as base58 with a checksum (`bs58check`) on the wire and
/// in automerge URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId([u8; 16]);

impl DocumentId {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<Uuid> for DocumentId {
    fn from(uuid: Uuid) -> Self {
        Self(*uuid.as_bytes())
    }
}

impl From<DocumentId> for Uuid {
    fn from(id: DocumentId) -> Self {
        Uuid::from_bytes(id.0)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).with_check().into_string())
    }
}

/// A text that is not the name of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a document")]
pub struct InvalidId;

/// 16 bytes and a checksum of 4 are 28 digits at most; base58 takes time quadratic in its length.
const LONGEST: usize = 28;

impl FromStr for DocumentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() > LONGEST {
            return Err(InvalidId);
        }
        let bytes = bs58::decode(text).with_check(None).into_vec().map_err(|_| InvalidId)?;
        Ok(Self(bytes.try_into().map_err(|_| InvalidId)?))
    }
}

/// A peer, as it named itself when it joined. Not a secret, and proof of nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(String);

impl PeerId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PeerId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for PeerId {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_named_as_automerge_urls_name_it() {
        // Vectors computed with npm's bs58check.
        for (uuid, text) in [
            ("00000000-0000-0000-0000-000000000000", "11111111111111114Ki9Gx"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "4ZrjxJnU1LA5xSyrWMNuXTozYEvA"),
            ("01020304-0506-0708-090a-0b0c0d0e0f10", "pEbmSWqJdBuPadRGm8tDZXgWR6"),
        ] {
            let id = DocumentId::from(uuid.parse::<Uuid>().unwrap());
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id));
        }
    }

    #[test]
    fn anything_else_is_not_a_document() {
        let good = DocumentId::from_bytes([7; 16]).to_string();
        let mut swapped = good.clone().into_bytes();
        swapped.swap(3, 9);
        let short = bs58::encode([1; 15]).with_check().into_string();
        let long = bs58::encode([1; 17]).with_check().into_string();
        let endless = "2".repeat(100_000);
        let swapped = String::from_utf8(swapped).unwrap();
        for bad in ["", "0OIl", &swapped, &short, &long, &endless, "ä"] {
            assert_eq!(bad.parse::<DocumentId>(), Err(InvalidId), "{bad:.40}");
        }
    }
}
