//! What goes into a document and comes out of it.

use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::correction::Correction;
use hearthwatt_domain::ids::{AlertId, BudgetId, CorrectionId, MeterId, TariffId};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Who writes: random bytes, fresh for each run of a device (16 of them).
pub use automerge::ActorId as Actor;
/// The name of a change: SHA-256.
pub use automerge::ChangeHash as Hash;

/// The kinds of entity that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The home itself: one, under the nil UUID.
    Profile,
    Meter,
    Tariff,
    Budget,
    Alert,
    Correction,
    /// Of a member: one, under the nil UUID of a [`super::PrefsDoc`].
    Prefs,
}

/// An entity that a remote change touched: read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Touched {
    pub kind: Kind,
    pub id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    Meter(Meter),
    Tariff(Tariff),
    Budget(Budget),
    Alert(Alert),
    Correction(Correction),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityId {
    Meter(MeterId),
    Tariff(TariffId),
    Budget(BudgetId),
    Alert(AlertId),
    Correction(CorrectionId),
}

impl Entity {
    pub const fn id(&self) -> EntityId {
        match self {
            Self::Meter(e) => EntityId::Meter(e.id),
            Self::Tariff(e) => EntityId::Tariff(e.id),
            Self::Budget(e) => EntityId::Budget(e.id),
            Self::Alert(e) => EntityId::Alert(e.id),
            Self::Correction(e) => EntityId::Correction(e.id),
        }
    }
}

impl EntityId {
    pub const fn kind(self) -> Kind {
        match self {
            Self::Meter(_) => Kind::Meter,
            Self::Tariff(_) => Kind::Tariff,
            Self::Budget(_) => Kind::Budget,
            Self::Alert(_) => Kind::Alert,
            Self::Correction(_) => Kind::Correction,
        }
    }
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Meter(id) => id.0,
            Self::Tariff(id) => id.0,
            Self::Budget(id) => id.0,
            Self::Alert(id) => id.0,
            Self::Correction(id) => id.0,
        }
    }
}

impl Touched {
    /// `None` for the profile and the preferences, which are one of a kind.
    pub const fn entity(self) -> Option<EntityId> {
        Some(match self.kind {
            Kind::Profile | Kind::Prefs => return None,
            Kind::Meter => EntityId::Meter(MeterId(self.id)),
            Kind::Tariff => EntityId::Tariff(TariffId(self.id)),
            Kind::Budget => EntityId::Budget(BudgetId(self.id)),
            Kind::Alert => EntityId::Alert(AlertId(self.id)),
            Kind::Correction => EntityId::Correction(CorrectionId(self.id)),
        })
    }
}

/// What the household calls its home and how it counts. `None` is not set (or not readable): the
/// device uses its own default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Day of the month on which the bill's period starts, 1..=31.
    pub bill_day: Option<u8>,
}

/// What a member wants for themselves, on all of their devices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prefs {
    /// BCP 47; `None` follows the device.
    pub language: Option<String>,
    /// Where alerts go. One that is not named is off, except on the device itself.
    pub channels: BTreeMap<Channel, bool>,
    /// No notification sounds inside; urgent or not, the alert is there afterwards.
    pub quiet_hours: Option<QuietHours>,
}

/// A way to reach a member. Those that a newer version added stay in the document unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Notifications of the system, on the devices that are running.
    Device,
    Email,
    Push,
}

/// Minutes since midnight in the home's zone, 0..1440; an end before the start is on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    pub from_minute: u16,
    pub to_minute: u16,
}

/// What was read, in the order of ids, and how many were there that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    pub items: Vec<T>,
    /// Entities with values of a wrong type, out of bounds, or from a newer version.
    pub skipped: u32,
}

impl<T> Default for Read<T> {
    fn default() -> Self {
        Self { items: Vec::new(), skipped: 0 }
    }
}

/// What a local edit made: to be stored and sent. Empty if nothing differed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    pub changes: Vec<(Hash, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// A newer version of the program has changed what documents look like: update to `needs`
    /// (a schema version) to write again. Reading goes on as far as it can.
    ReadOnly {
        needs: u32,
    },
}

/// A field of an entity that was changed on several devices without one knowing of the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    pub kind: Kind,
    pub id: Uuid,
    /// As in the JSON of the entity; `removed` (bool) where one removed what another kept.
    pub field: String,
    /// At least two, all different, in an order that is the same on every device.
    pub values: Vec<ConflictValue>,
    /// Which of `values` holds until somebody chooses.
    pub chosen: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConflictValue {
    pub author: Actor,
    /// By the clock of the author, to the second.
    pub at: UnixMillis,
    /// As in the JSON of the entity; for a field that is a group, an object of its parts.
    pub value: serde_json::Value,
}

/// What became of [`super::merge_homes`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// Theirs, and ours that says what holds: to be stored and sent.
    pub changes: Vec<(Hash, Vec<u8>)>,
    pub touched: Vec<Touched>,
}

/// Why an edit was not made. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("a newer version of the program writes this home (schema {needs}): update to make changes")]
    ReadOnly { needs: u32 },
    #[error("{message}")]
    Invalid { field: &'static str, message: String },
    #[error("at most {most} of this kind")]
    TooMany { most: usize },
    #[error("it has been changed meanwhile")]
    Gone,
    /// A fault of the program, not of the edit.
    #[error("the document could not be written: {0}")]
    Failed(String),
}

impl EditError {
    pub(super) fn invalid((field, message): (&'static str, String)) -> Self {
        Self::Invalid { field, message }
    }
}

/// Why bytes from elsewhere were not taken. Nothing has changed then, and trying again with the
/// same bytes does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("damaged: {0}")]
    Damaged(String),
    /// As it came, inflated, or in operations.
    #[error("larger than the limit of {most}")]
    TooLarge { most: usize },
    #[error("not a document of this kind")]
    Foreign,
    #[error("a newer version of the program writes this home (schema {needs})")]
    Newer { needs: u32 },
}
