//! Records: JSON objects under a key, with a revision, in tables that declare what is indexed.

use super::StoreError;
use hearthwatt_domain::time::UnixMillis;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A table and which top-level fields of its bodies can be searched. Fields are text or whole
/// numbers; a field that is absent or null is not indexed, and null is not kept.
#[derive(Debug)]
pub struct Table {
    /// Lower-case letters and `_`.
    pub name: &'static str,
    /// No two records have the same value.
    pub unique: &'static [&'static str],
    pub index: &'static [&'static str],
}

impl Table {
    /// The index that every table has: its keys.
    pub const KEY: &'static str = "key";

    /// All indexed fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.unique.iter().chain(self.index).copied()
    }

    /// The declared field of this name.
    pub(super) fn field(&self, name: &str) -> Result<&'static str, StoreError> {
        self.fields()
            .find(|f| *f == name)
            .ok_or_else(|| StoreError::Misuse(format!("{}.{name} is not indexed", self.name)))
    }

    /// The body as it is stored, and the values of its indexed fields.
    pub(super) fn normalise(
        &self,
        mut body: Map<String, Value>,
    ) -> Result<(Map<String, Value>, Indexed), StoreError> {
        let mut values = Vec::new();
        for field in self.fields() {
            let value = match body.get(field) {
                None => continue,
                Some(Value::Null) => {
                    body.remove(field);
                    continue;
                }
                Some(Value::String(text)) => Scalar::Text(text.clone()),
                Some(Value::Number(n)) if n.as_i64().is_some() => Scalar::Number(n.as_i64().unwrap_or(0)),
                Some(other) => {
                    let what = format!("{}.{field} can't be indexed: {other}", self.name);
                    return Err(StoreError::Misuse(what));
                }
            };
            values.push((field, value));
        }
        Ok((body, values))
    }
}

/// The indexed fields of a body and their values.
pub(super) type Indexed = Vec<(&'static str, Scalar)>;

/// A value of an indexed field. Numbers come before texts; texts are ordered by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    Number(i64),
    Text(String),
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Scalar {
    fn from(n: i64) -> Self {
        Self::Number(n)
    }
}

impl From<uuid::Uuid> for Scalar {
    fn from(id: uuid::Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

/// What to look for: a range of one index, a page at a time.
#[derive(Clone, Debug)]
pub struct Find {
    pub index: &'static str,
    /// From this on.
    pub from: Option<Scalar>,
    /// Up to this, and including it.
    pub to: Option<Scalar>,
    pub after: Option<Cursor>,
    pub limit: usize,
}

impl Find {
    /// Most records of a page.
    pub const PAGE_MAX: usize = 1000;

    /// Records whose field has this value, ordered by key.
    pub fn equal(index: &'static str, value: impl Into<Scalar>) -> Self {
        let value = value.into();
        Self { index, from: Some(value.clone()), to: Some(value), after: None, limit: Self::PAGE_MAX }
    }

    /// Records whose field is at most this, smallest first: what is due.
    pub fn up_to(index: &'static str, value: impl Into<Scalar>) -> Self {
        Self { index, from: None, to: Some(value.into()), after: None, limit: Self::PAGE_MAX }
    }

    /// All records, by key.
    pub fn all() -> Self {
        Self { index: Table::KEY, from: None, to: None, after: None, limit: Self::PAGE_MAX }
    }

    /// Records whose key begins so.
    pub fn key_prefix(prefix: &str) -> Self {
        let from = Some(Scalar::from(prefix));
        let to = Some(Scalar::Text(format!("{prefix}\u{10FFFF}")));
        Self { index: Table::KEY, from, to, after: None, limit: Self::PAGE_MAX }
    }

    #[must_use]
    pub fn after(mut self, after: Option<Cursor>) -> Self {
        self.after = after;
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn limit_bounded(&self) -> usize {
        self.limit.clamp(1, Self::PAGE_MAX)
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub value: Scalar,
    pub key: String,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub key: String,
    /// 1 when inserted, one more with each replacement.
    pub revision: u64,
    pub body: Map<String, Value>,
    /// May be swept away from then on. Truth is what the reader compares, never the sweeping.
    pub expires: Option<UnixMillis>,
}

impl Record {
    /// The body as its type.
    ///
    /// # Errors
    /// The body doesn't have that shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_value(Value::Object(self.body.clone()))
            .map_err(|e| StoreError::Damaged(format!("record {}: {e}", self.key)))
    }

    /// Whether the record counts no more.
    pub fn has_expired(&self, now: UnixMillis) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    pub(super) fn value(&self, index: &'static str) -> Scalar {
        match self.body.get(index) {
            _ if index == Table::KEY => Scalar::Text(self.key.clone()),
            Some(Value::Number(n)) => Scalar::Number(n.as_i64().unwrap_or(0)),
            Some(Value::String(text)) => Scalar::Text(text.clone()),
            _ => Scalar::Number(0),
        }
    }
}

/// A typed value as the body of a record.
///
/// # Errors
/// It isn't an object, or can't be JSON.
pub fn body<T: Serialize>(value: &T) -> Result<Map<String, Value>, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(StoreError::Misuse("a record's body is an object".into())),
        Err(e) => Err(StoreError::Misuse(e.to_string())),
    }
}
