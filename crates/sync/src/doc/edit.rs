//! From what somebody wants an entity to be to the keys to write: those that differ, no others.

use super::entity::{Fields, Wrong};
use super::record::Record;
use super::schema::{Field, Map, Rule, Shape};
use super::value;
use automerge::ScalarValue;
use serde_json::Value as Json;

/// One key below an entity; `None` deletes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Write {
    pub rest: String,
    pub value: Option<ScalarValue>,
}

/// What an edit starts from, all by field.
pub(crate) struct Plan<'a> {
    /// What the person saw.
    pub before: &'a Fields,
    /// What they want.
    pub after: &'a Fields,
    /// What the document says, as this version understands it.
    pub now: &'a Fields,
    /// The same as it stands there.
    pub record: &'a Record,
    /// It can't be read: whatever is in the way is overwritten.
    pub heal: bool,
}

impl Plan<'_> {
    /// # Errors
    /// A value is too long to be read again.
    pub fn writes(&self, map: &'static Map) -> Result<Vec<Write>, Wrong> {
        let mut writes = Vec::new();
        for field in map.fields {
            let before = self.before.get(field.key).unwrap_or(&Json::Null);
            let after = self.after.get(field.key).unwrap_or(&Json::Null);
            let in_the_way = self.heal && self.record.fields.get(field.key) == Some(&None);
            if before == after && !in_the_way {
                continue;
            }
            if field.shape.is_many() {
                members(field, before, after, self.record, &mut writes);
                continue;
            }
            let now = self.now.get(field.key).unwrap_or(&Json::Null);
            let stays = field.rule == Rule::Once && !now.is_null() && !self.heal;
            if (now == after || stays) && !in_the_way {
                continue;
            }
            let Some(value) = value::write(after, field.shape) else {
                return Err((field.key, String::from("The text is too long.")));
            };
            writes.push(Write { rest: field.key.to_owned(), value: Some(value) });
        }
        Ok(writes)
    }
}

/// A set: what the person added and what they took away. Switches: those they turned.
fn members(field: &Field, before: &Json, after: &Json, record: &Record, writes: &mut Vec<Write>) {
    let there = record.get(field.key).unwrap_or(&Json::Null);
    let mut write = |member: &str, value: Option<bool>| {
        writes
            .push(Write { rest: format!("{}/{member}", field.key), value: value.map(ScalarValue::Boolean) });
    };
    if field.shape == Shape::Flags {
        for (name, on) in after.as_object().into_iter().flatten() {
            if before.get(name) != Some(on) && there.get(name) != Some(on) {
                write(name, on.as_bool());
            }
        }
        return;
    }
    let has = |json: &Json, n: &Json| json.as_array().is_some_and(|all| all.contains(n));
    let all = |json: &Json| json.as_array().cloned().unwrap_or_default();
    for n in all(after).iter().filter(|n| !has(before, n) && !has(there, n)) {
        write(&n.to_string(), Some(true));
    }
    for n in all(before).iter().filter(|n| !has(after, n) && has(there, n)) {
        write(&n.to_string(), None);
    }
}
