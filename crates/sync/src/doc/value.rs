//! Values of fields between JSON and Automerge, within bounds.
//!
//! We write scalars. Other programs write what comes natural to them (JavaScript makes an editable
//! text of every string, and a float of some whole numbers), so reading takes those too.

use super::limits::{JSON_MAX, TEXT_MAX};
use super::schema::Shape;
use automerge::{Automerge, ObjId, ObjType, ReadDoc, ScalarValue, Value};
use serde_json::Value as Json;

/// `None`: a wrong type, or out of bounds.
pub(crate) fn read(am: &Automerge, value: &Value<'_>, id: &ObjId, shape: Shape) -> Option<Json> {
    match (value, shape) {
        (Value::Scalar(s), _) if matches!(s.as_ref(), ScalarValue::Null) => Some(Json::Null),
        (Value::Scalar(s), Shape::Bool | Shape::Numbers | Shape::Flags) => match s.as_ref() {
            ScalarValue::Boolean(b) => Some(Json::Bool(*b)),
            _ => None,
        },
        (Value::Scalar(s), Shape::Whole) => whole(s).map(Json::from),
        (Value::Scalar(s), Shape::Text | Shape::Json) => match s.as_ref() {
            ScalarValue::Str(text) => of_text(text, shape),
            _ => None,
        },
        (Value::Object(ObjType::Text), Shape::Text | Shape::Json) => {
            // measured before it is put together; the length is in characters
            if am.length(id) > most(shape) {
                return None;
            }
            of_text(&am.text(id).ok()?, shape)
        }
        _ => None,
    }
}

const fn most(shape: Shape) -> usize {
    if matches!(shape, Shape::Json) { JSON_MAX } else { TEXT_MAX }
}

fn of_text(text: &str, shape: Shape) -> Option<Json> {
    if text.len() > most(shape) {
        return None;
    }
    if shape == Shape::Json { serde_json::from_str(text).ok() } else { Some(Json::from(text)) }
}

fn whole(value: &ScalarValue) -> Option<i64> {
    // beyond it a float no longer tells whole numbers apart
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        ScalarValue::Int(n) | ScalarValue::Timestamp(n) => Some(*n),
        ScalarValue::Uint(n) => i64::try_from(*n).ok(),
        ScalarValue::F64(f) if f.fract() == 0.0 && f.abs() <= EXACT => Some(*f as i64),
        _ => None,
    }
}

/// What we write for a value. `None`: it is not of that shape, or too long to be read again.
pub(crate) fn write(value: &Json, shape: Shape) -> Option<ScalarValue> {
    match (value, shape) {
        (Json::Null, _) => Some(ScalarValue::Null),
        (Json::Bool(b), Shape::Bool | Shape::Flags | Shape::Numbers) => Some(ScalarValue::Boolean(*b)),
        (Json::Number(n), Shape::Whole) => n.as_i64().map(ScalarValue::Int),
        (Json::String(s), Shape::Text) => (s.len() <= TEXT_MAX).then(|| ScalarValue::Str(s.as_str().into())),
        (any, Shape::Json) => {
            let text = any.to_string();
            (text.len() <= JSON_MAX).then(|| ScalarValue::Str(text.into()))
        }
        _ => None,
    }
}
