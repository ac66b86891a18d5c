//! The preferences of one member, typed.

use super::Member;
use super::core::Doc;
use super::edit::Plan;
use super::entity::{self, encode};
use super::record::record;
use super::types::{Edit, EditError, Kind, Prefs};
use hearthwatt_domain::time::UnixMillis;
use uuid::Uuid;

impl Doc<Member> {
    /// What can be read; the rest is as if it had not been set.
    pub fn prefs(&self) -> Prefs {
        entity::prefs(&record(&self.am, self.map(Kind::Prefs), Uuid::nil()))
    }

    /// Writes what differs.
    ///
    /// # Errors
    /// The document is read-only for us, or a value is not valid.
    pub fn put_prefs(&mut self, now: UnixMillis, prefs: &Prefs) -> Result<Edit, EditError> {
        entity::check_prefs(prefs).map_err(EditError::invalid)?;
        let map = self.map(Kind::Prefs);
        let record = record(&self.am, map, Uuid::nil());
        let there = encode(map, &self.prefs());
        let plan =
            Plan { before: &there, after: &encode(map, prefs), now: &there, record: &record, heal: false };
        let writes = plan.writes(map).map_err(EditError::invalid)?;
        self.commit(now, map, Uuid::nil(), writes)
    }
}
