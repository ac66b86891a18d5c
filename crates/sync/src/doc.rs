//! The home document and the members' preferences, typed.
//!
//! A document is an Automerge document with one map per kind of entity. The maps are made by a
//! *genesis* change that is the same bytes on every device, so that two devices that started
//! offline have the same maps and can merge. Inside a map everything is flat: the key is
//! `{uuid}/{field}`, the value a scalar. Two devices that create the same entity (a meter both
//! hear, an alert both raise) then merge field by field; with a map per entity one of the two maps
//! would hide the other. There are no lists and no counters.
//!
//! - A field is what people change on its own. Values that only make sense together (an amount and
//!   its unit, the prices of a tariff) are one field, written as JSON text.
//! - A removed entity keeps its fields and has `removed` = true; putting it again brings it back.
//!   Removed here and edited there, it stays removed.
//! - What this version does not know (fields, kinds) is left alone and survives every edit.
//! - What can't be read is skipped and counted, never a panic: other members' devices are free to
//!   write anything.

mod conflict;
mod core;
mod edit;
mod entity;
mod genesis;
mod home;
pub mod limits;
mod merge;
mod meters;
mod prefs;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod touched;
mod types;
mod value;

pub use core::Doc;
pub use merge::merge_homes;
pub use schema::{is_schema_actor, schema_changes};
pub use types::*;

use schema::Layout;

/// Says which document a [`Doc`] is.
pub trait Schema: sealed::Sealed + Clone + std::fmt::Debug {
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "the trait can't be implemented elsewhere")]
    fn layout() -> &'static Layout;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Home {}
    impl Sealed for super::Member {}
}

/// The document that a household shares.
#[derive(Debug, Clone, Copy)]
pub enum Home {}
/// What one member wants for themselves.
#[derive(Debug, Clone, Copy)]
pub enum Member {}

#[allow(private_interfaces, reason = "the trait can't be implemented elsewhere")]
impl Schema for Home {
    fn layout() -> &'static Layout {
        &schema::HOME
    }
}
#[allow(private_interfaces, reason = "the trait can't be implemented elsewhere")]
impl Schema for Member {
    fn layout() -> &'static Layout {
        &schema::MEMBER
    }
}

/// The document of a home.
pub type HomeDoc = Doc<Home>;
/// The preferences of one member.
pub type PrefsDoc = Doc<Member>;
