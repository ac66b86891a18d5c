//! What a document looks like: its schema changes, its maps, and the fields of each kind.

use super::types::{Actor, Hash, Kind};
use super::{genesis, limits};
use automerge::ObjId;

/// A kind of document.
#[derive(Debug)]
pub(crate) struct Layout {
    /// One per schema version, the first of them genesis. Fixed bytes for ever.
    pub steps: &'static [Step],
    /// The maps this version reads. A map that a document doesn't have yet is empty.
    pub maps: &'static [Map],
}

/// What turns the schema version before into this one: it makes maps and raises numbers, nothing
/// else. Values that a version wants are worked out on reading: two devices that filled them in
/// at different times would overwrite each other, or what somebody typed in meanwhile.
#[derive(Debug)]
pub(crate) struct Step {
    pub bytes: &'static [u8],
    pub hash: [u8; 32],
    /// Its own for each step, so that nobody can take up a sequence number of a later one.
    #[cfg_attr(not(test), allow(dead_code, reason = "it stands in the bytes; tests make them from this"))]
    pub actor: [u8; 16],
    /// The oldest version that may still write when this step is in a document.
    #[cfg_attr(not(test), allow(dead_code, reason = "it stands in the bytes; tests make them from this"))]
    pub min_reader: u32,
}

/// A map at the root, made by a step: its id in Automerge is known beforehand, so that it is found
/// even if somebody put something else under its name.
#[derive(Debug)]
pub(crate) struct Map {
    #[cfg_attr(not(test), allow(dead_code, reason = "other programs find the map by it, we by its id"))]
    pub name: &'static str,
    pub kind: Kind,
    /// Of the operation that made it.
    pub counter: u64,
    pub actor: [u8; 16],
    pub fields: &'static [Field],
    /// Keys have no id in front: there is one of the kind.
    pub single: bool,
    /// How many entities are read.
    pub most: usize,
}

/// What people change on its own.
#[derive(Debug)]
pub(crate) struct Field {
    pub key: &'static str,
    /// Members of the entity's JSON that make it up. One alone: its value; more: an object of them.
    pub names: &'static [&'static str],
    pub shape: Shape,
    pub rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Whole,
    Bool,
    /// Any JSON value, written as text.
    Json,
    /// An array of whole numbers in the JSON; a key `{field}/{number}` for each in the document.
    Numbers,
    /// An object of booleans in the JSON; a key `{field}/{name}` for each in the document.
    Flags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A person decides: values that differ are a conflict to be shown.
    Decided,
    /// Devices write it: any of several values will do.
    Noted,
    /// As [`Rule::Noted`]; the first one stays.
    Once,
}

const fn field(key: &'static str, names: &'static [&'static str], shape: Shape, rule: Rule) -> Field {
    Field { key, names, shape, rule }
}

/// Says that an entity was removed; stands beside the fields of every kind.
pub(crate) const REMOVED: Field = field("removed", &["removed"], Shape::Bool, Rule::Decided);
/// The recorder whose rows count for a meter; stands beside the fields of a meter.
pub(crate) const PRIMARY: Field = field("primary", &["primary"], Shape::Text, Rule::Decided);

use Rule::{Decided, Noted, Once};
use Shape::{Bool, Flags, Json, Numbers, Text, Whole};

const PROFILE: &[Field] = &[
    field("name", &["name"], Text, Decided),
    field("time_zone", &["time_zone"], Text, Decided),
    field("currency", &["currency"], Text, Decided),
    field("bill_day", &["bill_day"], Whole, Decided),
];

const METER: &[Field] = &[
    field("key", &["key"], Json, Noted),
    field("adoption", &["adoption"], Text, Decided),
    field("name", &["name"], Text, Decided),
    field("room", &["room"], Text, Decided),
    field("role", &["role"], Text, Decided),
    field("parent", &["parent"], Text, Decided),
    field("inverted", &["inverted"], Bool, Decided),
    field("manufacturer", &["manufacturer"], Text, Noted),
    field("model", &["model"], Text, Noted),
];

// A schedule is one value: of its windows the first that fits holds, so their order matters, and
// half of one version with half of another would be a price nobody agreed to.
const TARIFF: &[Field] = &[
    field("name", &["name"], Text, Decided),
    field("valid", &["valid_from", "valid_to"], Json, Decided),
    field("import", &["import"], Json, Decided),
    field("export", &["export"], Json, Decided),
    field("standing_charge_per_day", &["standing_charge_per_day"], Whole, Decided),
];

const BUDGET: &[Field] = &[
    field("name", &["name"], Text, Decided),
    field("scope", &["scope"], Json, Decided),
    field("limit", &["limit"], Json, Decided),
    field("period", &["period"], Json, Decided),
    field("thresholds", &["thresholds"], Numbers, Decided),
    field("warn_on_forecast", &["warn_on_forecast"], Bool, Decided),
    field("created", &["created"], Whole, Noted),
];

// Two devices that raise the same alert differ in when they saw it: the facts of one of them hold.
const ALERT: &[Field] = &[
    field(
        "facts",
        &["budget", "budget_name", "cause", "period", "crossed_at", "raised_at", "spent", "limit"],
        Json,
        Once,
    ),
    field("acknowledged_at", &["acknowledged_at"], Whole, Once),
];

const CORRECTION: &[Field] = &[
    field("meter", &["meter"], Text, Noted),
    field("change", &["change"], Json, Decided),
    field("created", &["created"], Whole, Noted),
];

const PREFS: &[Field] = &[
    field("language", &["language"], Text, Decided),
    field("channels", &["channels"], Flags, Decided),
    field("quiet_hours", &["quiet_hours"], Json, Decided),
];

const fn map(kind: Kind, name: &'static str, counter: u64, fields: &'static [Field], most: usize) -> Map {
    Map { name, kind, counter, actor: genesis::HOME_1, fields, single: false, most }
}

/// Operations 1 and 2 of a step are the version numbers; the maps follow in this order.
pub(crate) static HOME: Layout = Layout {
    steps: &[genesis::HOME_STEP_1],
    maps: &[
        Map { single: true, ..map(Kind::Profile, "profile", 3, PROFILE, 1) },
        map(Kind::Meter, "meters", 4, METER, limits::METERS_MAX),
        map(Kind::Tariff, "tariffs", 5, TARIFF, limits::TARIFFS_MAX),
        map(Kind::Budget, "budgets", 6, BUDGET, limits::BUDGETS_MAX),
        map(Kind::Alert, "alerts", 7, ALERT, limits::ALERTS_MAX),
        map(Kind::Correction, "corrections", 8, CORRECTION, limits::CORRECTIONS_MAX),
    ],
};

pub(crate) static MEMBER: Layout = Layout {
    steps: &[genesis::MEMBER_STEP_1],
    maps: &[Map {
        name: "prefs",
        kind: Kind::Prefs,
        counter: 3,
        actor: genesis::MEMBER_1,
        fields: PREFS,
        single: true,
        most: 1,
    }],
};

impl Layout {
    /// The schema version that this program writes.
    pub fn version(&self) -> u32 {
        self.steps.len() as u32
    }

    pub fn map(&self, kind: Kind) -> Option<&'static Map>
    where
        Self: 'static,
    {
        self.maps.iter().find(|m| m.kind == kind)
    }
}

impl Map {
    pub fn object(&self) -> ObjId {
        // The last part is a hint where to find the actor; Automerge looks it up if it is wrong.
        ObjId::Id(self.counter, Actor::from(self.actor), 0)
    }

    /// All that may stand beside each other in this map.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let primary = (self.kind == Kind::Meter).then_some(&PRIMARY);
        self.fields.iter().chain((!self.single).then_some(&REMOVED)).chain(primary)
    }

    /// Whether anything in it can be a conflict that a person should see.
    pub fn has_decisions(&self) -> bool {
        self.fields.iter().any(|f| f.rule == Decided)
    }
}

impl Shape {
    /// One key for each member.
    pub const fn is_many(self) -> bool {
        matches!(self, Self::Numbers | Self::Flags)
    }
}

/// The schema changes that this version knows, of all kinds of document. They are nobody's own: a
/// server that gives each actor to one device lets exactly these pass for everybody.
pub fn schema_changes() -> impl Iterator<Item = (Hash, &'static [u8])> {
    [&HOME, &MEMBER].into_iter().flat_map(|l| l.steps).map(|s| (Hash(s.hash), s.bytes))
}

/// Whether an actor is one that schema changes are written under. Of those, only
/// [`schema_changes`] are genuine.
pub fn is_schema_actor(actor: &Actor) -> bool {
    actor.to_bytes().starts_with(genesis::ACTOR_PREFIX)
}
