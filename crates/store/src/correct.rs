//! Corrections: kept beside the readings, taken back without a trace.

use crate::block::note;
use crate::error::StoreError;
use crate::meter_state::{MeterState, load_config, load_corrections};
use crate::settle::merged;
use crate::store::Store;
use crate::tail;
use hearthwatt_domain::correction::{Change, Correction};
use hearthwatt_domain::ids::{CorrectionId, MeterId};
use hearthwatt_domain::time::Span;
use hearthwatt_domain::usage::{UsageConfig, affected_by_replacement};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

const DAY_MS: i64 = 86_400_000;

impl Store {
    /// Adds a correction (or replaces the one with its id) and derives what it touches again.
    /// Gives the spans that changed.
    ///
    /// # Errors
    /// A correction that can't be used, in words.
    pub fn correct(&mut self, correction: &Correction) -> Result<Vec<(MeterId, Span)>, StoreError> {
        correction.validate().map_err(|e| StoreError::invalid(e.message))?;
        self.change(correction.id, Some(correction))
    }

    /// Takes a correction back and derives what it touched again. Nothing, if there is none.
    pub fn undo_correction(&mut self, id: CorrectionId) -> Result<Vec<(MeterId, Span)>, StoreError> {
        self.change(id, None)
    }

    /// Sets how usage of this meter is derived (`None`: by default) and derives all of it again
    /// whose readings are still kept. Gives the span that may have changed.
    pub fn set_usage_config(
        &mut self,
        meter: MeterId,
        config: Option<&UsageConfig>,
    ) -> Result<Option<Span>, StoreError> {
        let json = config.map(serde_json::to_string).transpose();
        let json = json.map_err(|e| StoreError::invalid(format!("The settings can't be written: {e}.")))?;
        self.reset_cache();
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let no = MeterState::load(&tx, &self.zone, meter)?.no;
        let old = load_config(&tx, no)?;
        tx.execute("UPDATE meter SET config=?2 WHERE no=?1", params![no, json])?;
        let mut span: Option<Span> = None;
        if old.unwrap_or_default() != config.cloned().unwrap_or_default() {
            let mut state = MeterState::load(&tx, &self.zone, meter)?;
            for s in &state.series {
                // which readings are usable is another question now
                let first = state.first_usable(&tx, s)?;
                tx.execute("UPDATE series SET first_at=?1 WHERE no=?2", params![first.map(|at| at.0), s.no])?;
                if let (Some((first, _)), Some(last)) = (tail::end(&tx, s.no, false)?, s.last_at) {
                    let own = Span::new(first.interval_start(), last.plus_ms(DAY_MS).interval_start());
                    span = Some(
                        span.map_or(own, |all| Span::new(all.start.min(own.start), all.end.max(own.end))),
                    );
                }
            }
            state = MeterState::load(&tx, &self.zone, meter)?;
            if let Some(span) = span {
                state.rederive(&tx, &self.zone, span, self.raw_since)?;
                if self.note_days {
                    note(&tx, &mut self.noted, no, &[span])?;
                }
            }
        }
        tx.commit()?;
        Ok(span)
    }

    /// How usage of this meter is derived, where it was set.
    pub fn usage_config(&self, meter: MeterId) -> Result<Option<UsageConfig>, StoreError> {
        let no = self
            .conn
            .query_row("SELECT no FROM meter WHERE id=?1", [meter.0.as_bytes()], |r| r.get(0))
            .optional()?;
        no.map_or(Ok(None), |no| load_config(&self.conn, no))
    }

    fn change(
        &mut self,
        id: CorrectionId,
        new: Option<&Correction>,
    ) -> Result<Vec<(MeterId, Span)>, StoreError> {
        self.reset_cache();
        let json = new.map(serde_json::to_string).transpose();
        let json = json.map_err(|e| StoreError::invalid(format!("The correction can't be written: {e}.")))?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let old: Option<String> = tx
            .query_row("SELECT json FROM correction WHERE id=?1", [id.0.as_bytes()], |r| r.get(0))
            .optional()?;
        let old: Option<Correction> = old.and_then(|j| serde_json::from_str(&j).ok());
        let mut changed = Vec::new();
        let mut todo: Vec<(MeterId, Vec<&Correction>)> = Vec::new();
        for c in [old.as_ref(), new].into_iter().flatten() {
            match todo.iter_mut().find(|(m, _)| *m == c.meter) {
                Some((_, all)) => all.push(c),
                None => todo.push((c.meter, vec![c])),
            }
        }
        for (meter, touched) in todo {
            let mut state = MeterState::load(&tx, &self.zone, meter)?;
            let mut spans = reach(&tx, &state, &touched)?;
            tx.execute(
                "DELETE FROM correction WHERE id=?1 AND meter=?2",
                params![id.0.as_bytes(), state.no],
            )?;
            if let (Some(json), Some(new)) = (&json, new)
                && new.meter == meter
            {
                tx.execute(
                    "INSERT INTO correction VALUES(?1,?2,?3)",
                    params![id.0.as_bytes(), state.no, json],
                )?;
            }
            state.corrections = load_corrections(&tx, Some(state.no))?;
            spans.extend(reach(&tx, &state, &touched)?);
            for span in merged(spans) {
                state.rederive(&tx, &self.zone, span, self.raw_since)?;
                if self.note_days {
                    note(&tx, &mut self.noted, state.no, &[span])?;
                }
                changed.push((meter, span));
            }
        }
        tx.commit()?;
        Ok(changed)
    }
}

/// What these corrections can touch, with the readings and corrections as they are now.
fn reach(conn: &Connection, state: &MeterState, touched: &[&Correction]) -> Result<Vec<Span>, StoreError> {
    let history = state.history(conn);
    let config = &state.config;
    let reps = state.replacements();
    let mut spans = Vec::new();
    for c in touched {
        spans.push(match &c.change {
            Change::Set { span, .. } | Change::Exclude { span } => *span,
            Change::Replacement(replacement) => {
                affected_by_replacement(&history, config, &reps, replacement)?
            }
        });
    }
    Ok(spans)
}
