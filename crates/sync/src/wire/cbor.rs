//! Bounded reading of CBOR (RFC 8949), as much of it as frames need, straight from the bytes:
//! no tree in between that a peer could make far bigger than its frame.

use std::borrow::Cow;

use super::{Limits, Refusal};

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// The argument of a head that stands for "until the break".
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

#[derive(Clone, Copy)]
struct Head {
    major: u8,
    /// The low five bits.
    info: u8,
    /// The argument; for floats their bits.
    value: u64,
}

impl Head {
    fn is_indefinite(self) -> bool {
        self.info == INDEFINITE
    }

    /// `null` and `undefined`: JavaScript writes both for an absent field.
    fn is_nothing(self) -> bool {
        self.major == SIMPLE && matches!(self.info, 22 | 23)
    }
}

/// Reads one value after the other.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    limits: &'a Limits,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &'a Limits) -> Self {
        Self { rest: bytes, limits, depth: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Refusal> {
        let len = usize::try_from(len).map_err(|_| Refusal::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Refusal::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, Refusal> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let width = match info {
            0..=23 => {
                return Ok(Head { major, info, value: u64::from(info) });
            }
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            INDEFINITE if matches!(major, BYTES | TEXT | ARRAY | MAP) => 0,
            INDEFINITE => return Err(Refusal::NotCbor("a break where none belongs")),
            _ => return Err(Refusal::NotCbor("a reserved length")),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        Ok(Head { major, info, value })
    }

    /// A head, whatever tags stand before it. Tag 64 says "bytes of 8 bits each", which is how
    /// some encoders mark a `Uint8Array`; no other tag changes what a field means here.
    fn untagged(&mut self) -> Result<Head, Refusal> {
        for _ in 0..=self.limits.depth {
            let head = self.head()?;
            if head.major != TAG {
                return Ok(head);
            }
        }
        Err(Refusal::TooDeep(self.limits.depth))
    }

    /// Takes a break if one is next.
    fn takes_break(&mut self) -> bool {
        match self.rest.split_first() {
            Some((&BREAK, rest)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Calls `each` once per entry of an array or pair of a map.
    fn entries(
        &mut self,
        head: Head,
        mut each: impl FnMut(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if self.depth >= self.limits.depth {
            return Err(Refusal::TooDeep(self.limits.depth));
        }
        self.depth += 1;
        if head.is_indefinite() {
            while !self.takes_break() {
                each(self)?;
            }
        } else {
            // Every entry takes a byte at least, so a count that lies ends with the frame.
            for _ in 0..head.value {
                each(self)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The bytes of a byte or text string, joined if they come in pieces.
    fn string(&mut self, head: Head) -> Result<Cow<'a, [u8]>, Refusal> {
        if !head.is_indefinite() {
            return self.take(head.value).map(Cow::Borrowed);
        }
        let mut joined = Vec::new();
        while !self.takes_break() {
            let piece = self.head()?;
            if piece.major != head.major || piece.is_indefinite() {
                return Err(Refusal::NotCbor("a string in pieces of another type"));
            }
            joined.extend_from_slice(self.take(piece.value)?);
        }
        Ok(Cow::Owned(joined))
    }

    fn utf8(&mut self, head: Head) -> Result<Cow<'a, str>, Refusal> {
        let bytes = self.string(head)?;
        if bytes.len() > self.limits.text_bytes {
            return Err(Refusal::TextTooLong(self.limits.text_bytes));
        }
        const BAD: Refusal = Refusal::NotCbor("a text that is not UTF-8");
        match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| BAD),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| BAD),
        }
    }

    /// A map: `each` gets every key that is a text and must read or [`skip`](Self::skip) its
    /// value. Nothing for `null` and `undefined`.
    pub(super) fn map(
        &mut self,
        otherwise: Refusal,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let head = self.untagged()?;
        if head.is_nothing() {
            return Ok(());
        }
        if head.major != MAP {
            return Err(otherwise);
        }
        self.entries(head, |reader| {
            let before = reader.rest;
            let key = reader.head()?;
            if key.major == TEXT {
                let key = reader.utf8(key)?;
                each(reader, &key)
            } else {
                reader.rest = before;
                reader.skip()?;
                reader.skip()
            }
        })
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, Refusal> {
        self.text_or_nothing(field)?.ok_or(Refusal::WrongType(field))
    }

    pub(super) fn text_or_nothing(&mut self, field: &'static str) -> Result<Option<String>, Refusal> {
        let head = self.untagged()?;
        if head.is_nothing() {
            return Ok(None);
        }
        if head.major != TEXT {
            return Err(Refusal::WrongType(field));
        }
        Ok(Some(self.utf8(head)?.into_owned()))
    }

    /// A list of texts; `null` and `undefined` are the empty list.
    pub(super) fn texts(&mut self, field: &'static str) -> Result<Vec<String>, Refusal> {
        let head = self.untagged()?;
        if head.is_nothing() {
            return Ok(Vec::new());
        }
        if head.major != ARRAY {
            return Err(Refusal::WrongType(field));
        }
        let mut texts = Vec::new();
        self.entries(head, |reader| {
            if texts.len() == reader.limits.items {
                return Err(Refusal::TooMany(reader.limits.items));
            }
            texts.push(reader.text(field)?);
            Ok(())
        })?;
        Ok(texts)
    }

    /// A byte string.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<Vec<u8>, Refusal> {
        let head = self.untagged()?;
        if head.major != BYTES {
            return Err(Refusal::WrongType(field));
        }
        Ok(self.string(head)?.into_owned())
    }

    /// A text or a byte string: document ids come as either.
    pub(super) fn text_or_bytes(
        &mut self,
        field: &'static str,
    ) -> Result<Result<Cow<'a, str>, Cow<'a, [u8]>>, Refusal> {
        let head = self.untagged()?;
        match head.major {
            TEXT => Ok(Ok(self.utf8(head)?)),
            BYTES => Ok(Err(self.string(head)?)),
            _ => Err(Refusal::WrongType(field)),
        }
    }

    pub(super) fn boolean(&mut self, field: &'static str) -> Result<bool, Refusal> {
        let head = self.untagged()?;
        match (head.major, head.info) {
            (SIMPLE, 20 | 22 | 23) => Ok(false),
            (SIMPLE, 21) => Ok(true),
            _ => Err(Refusal::WrongType(field)),
        }
    }

    /// A whole number that is not negative. JavaScript writes one over 2^32 as a float.
    pub(super) fn number(&mut self, field: &'static str) -> Result<u64, Refusal> {
        let head = self.untagged()?;
        let float = match (head.major, head.info) {
            (UINT, _) => return Ok(head.value),
            (SIMPLE, 26) => f64::from(f32::from_bits(head.value as u32)),
            (SIMPLE, 27) => f64::from_bits(head.value),
            _ => return Err(Refusal::WrongType(field)),
        };
        // Up to 2^53 floats are exact; nothing that counts goes further.
        if float.is_finite() && (0.0..=9_007_199_254_740_992.0).contains(&float) {
            Ok(float as u64)
        } else {
            Err(Refusal::WrongType(field))
        }
    }

    /// Passes over one value of any type.
    pub(super) fn skip(&mut self) -> Result<(), Refusal> {
        let head = self.untagged()?;
        match head.major {
            UINT | NEGATIVE | SIMPLE => Ok(()),
            BYTES | TEXT if head.is_indefinite() => {
                while !self.takes_break() {
                    let piece = self.head()?;
                    if piece.major != head.major || piece.is_indefinite() {
                        return Err(Refusal::NotCbor("a string in pieces of another type"));
                    }
                    self.take(piece.value)?;
                }
                Ok(())
            }
            BYTES | TEXT => self.take(head.value).map(|_| ()),
            ARRAY => self.entries(head, Self::skip),
            _ => self.entries(head, |reader| {
                reader.skip()?;
                reader.skip()
            }),
        }
    }
}
