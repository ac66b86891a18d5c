//! What can't be derived from readings again, carried over from another database.

use crate::error::StoreError;
use crate::meter_state::MeterState;
use crate::rollup;
use crate::running::close_all;
use crate::store::{Store, set_meta};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::{IntervalUsage, UsageConfig};
use jiff::civil::Date;
use rusqlite::{TransactionBehavior, params};
use std::collections::{BTreeSet, HashMap};

/// Days whose sums have to be built again.
#[derive(Default)]
pub(crate) struct Touched {
    meters: HashMap<MeterId, i64>,
    days: BTreeSet<(i64, Date)>,
}

impl Store {
    /// A meter before its first reading. What can't be used of an old home's settings is left out.
    pub(crate) fn carry_meter(
        &mut self,
        id: MeterId,
        config: Option<&UsageConfig>,
    ) -> Result<(), StoreError> {
        self.set_usage_config(id, config).map(|_| ())
    }

    /// A series before its first reading; its first reading may be kept no longer.
    pub(crate) fn carry_series(
        &mut self,
        meter: MeterId,
        channel: &Channel,
        quantity: Quantity,
        first_at: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        self.reset_cache();
        let no = MeterState::load(&self.conn, &self.zone, meter)?.no;
        self.conn.execute(
            "INSERT OR IGNORE INTO series(meter, channel, quantity, first_at) VALUES(?1,?2,?3,?4)",
            params![no, channel.as_str(), quantity.code(), first_at.map(|t| t.0)],
        )?;
        Ok(())
    }

    /// Readings before `mark` are no longer kept. With `wipe` the usage before it that was derived
    /// from the last ones goes: the rows that follow are all there are.
    pub(crate) fn carry_mark(&mut self, mark: UnixMillis, wipe: bool) -> Result<Touched, StoreError> {
        self.reset_cache();
        let mut touched = Touched::default();
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        close_all(&tx, &self.zone)?;
        set_meta(&tx, "raw_since", mark.0)?;
        if wipe {
            let meters: Vec<i64> =
                tx.prepare("SELECT no FROM meter")?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
            for no in meters {
                let span = hearthwatt_domain::time::Span::new(UnixMillis(crate::key::EPOCH_MS), mark);
                for old in rollup::intervals(&tx, no, span)? {
                    touched.days.insert((no, rollup::date_at(&self.zone, old.start)));
                    tx.prepare_cached("DELETE FROM interval WHERE key=?1")?
                        .execute([crate::key::interval_key(no, old.start)])?;
                }
            }
        }
        tx.commit()?;
        self.raw_since = mark;
        Ok(touched)
    }

    /// Usage whose readings are no longer kept, as it was.
    pub(crate) fn carry_intervals(
        &mut self,
        rows: &[(MeterId, IntervalUsage)],
        touched: &mut Touched,
    ) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (id, row) in rows.iter().filter(|(_, row)| row.start < self.raw_since) {
            let no = match touched.meters.get(id) {
                Some(no) => *no,
                None => {
                    let no = MeterState::load(&tx, &self.zone, *id)?.no;
                    touched.meters.insert(*id, no);
                    no
                }
            };
            let row = IntervalUsage { start: row.start.interval_start(), ..*row };
            rollup::put_interval(&tx, no, &row)?;
            touched.days.insert((no, rollup::date_at(&self.zone, row.start)));
        }
        Ok(tx.commit()?)
    }

    pub(crate) fn carry_days(&mut self, touched: Touched) -> Result<(), StoreError> {
        self.reset_cache();
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (no, date) in touched.days {
            rollup::rebuild_days(&tx, &self.zone, no, std::iter::once(date))?;
        }
        Ok(tx.commit()?)
    }
}
