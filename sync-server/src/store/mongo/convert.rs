//! JSON to BSON and back, and the parts of BSON documents.

use super::StoreError;
use crate::store::{Hash, Scalar};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

pub fn to_bson(value: &Value) -> Result<Bson, StoreError> {
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(b) => Bson::Boolean(*b),
        Value::String(text) => Bson::String(text.clone()),
        Value::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(n), _, _) => Bson::Int64(n),
            (None, None, Some(n)) => Bson::Double(n),
            _ => return Err(StoreError::Misuse(format!("{n} doesn't fit into 64 bits with a sign"))),
        },
        Value::Array(values) => Bson::Array(values.iter().map(to_bson).collect::<Result<_, _>>()?),
        Value::Object(map) => Bson::Document(object(map)?),
    })
}

pub fn object(map: &Map<String, Value>) -> Result<Document, StoreError> {
    map.iter().map(|(key, value)| Ok((key.clone(), to_bson(value)?))).collect()
}

pub fn to_json(value: Bson) -> Result<Value, StoreError> {
    Ok(match value {
        Bson::Null => Value::Null,
        Bson::Boolean(b) => Value::Bool(b),
        Bson::String(text) => Value::String(text),
        Bson::Int32(n) => n.into(),
        Bson::Int64(n) => n.into(),
        Bson::Double(n) => Number::from_f64(n).map_or(Value::Null, Value::Number),
        Bson::Array(values) => Value::Array(values.into_iter().map(to_json).collect::<Result<_, _>>()?),
        Bson::Document(document) => Value::Object(map(document)?),
        _ => return Err(damaged("a value of a type that was never written")),
    })
}

pub fn map(document: Document) -> Result<Map<String, Value>, StoreError> {
    document.into_iter().map(|(key, value)| Ok((key, to_json(value)?))).collect()
}

impl From<&Scalar> for Bson {
    fn from(value: &Scalar) -> Self {
        match value {
            Scalar::Number(n) => Self::Int64(*n),
            Scalar::Text(text) => Self::String(text.clone()),
        }
    }
}

pub fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

pub fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

pub fn id(id: Uuid) -> Bson {
    binary(id.as_bytes())
}

/// The `_id` of a chunk or block: 16 bytes of the document or home, 32 of the hash.
pub fn chunk_id(owner: Uuid, hash: &Hash) -> Bson {
    binary(&[owner.as_bytes().as_slice(), &hash.0].concat())
}

/// The hash in an `_id` of [`chunk_id`].
pub fn hash_of(document: &Document) -> Result<Hash, StoreError> {
    let id = bytes(document, "_id")?;
    let hash = id.get(16..).and_then(|hash| hash.try_into().ok());
    hash.map(Hash).ok_or_else(|| damaged("a chunk with a wrong id"))
}

pub fn bytes<'a>(document: &'a Document, field: &str) -> Result<&'a [u8], StoreError> {
    match document.get(field) {
        Some(Bson::Binary(binary)) => Ok(&binary.bytes),
        _ => Err(damaged(&format!("no bytes in {field}"))),
    }
}

pub fn uuid(document: &Document, field: &str) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes(document, field)?).map_err(|_| damaged(&format!("no id in {field}")))
}

/// A count; servers that are not MongoDB itself may give back a smaller type than they were given.
pub fn number(document: &Document, field: &str) -> Result<u64, StoreError> {
    let n = match document.get(field) {
        Some(Bson::Int64(n)) => Some(*n),
        Some(Bson::Int32(n)) => Some(i64::from(*n)),
        _ => None,
    };
    n.map(i64::cast_unsigned).ok_or_else(|| damaged(&format!("no number in {field}")))
}
