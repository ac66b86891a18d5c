//! Corrections: kept beside the readings, taken back without a trace.

use crate::append::{MeterState, load_corrections, merged};
use crate::error::StoreError;
use crate::history::replacements;
use crate::store::Store;
use crate::types::*;
use hearthwatt_domain::ids::{CorrectionId, MeterId};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::{History, UsageConfig, affected, affected_by_replacement};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

impl Store {
    /// Adds a correction (or replaces the one with its id) and derives what it touches again.
    /// Gives the spans that changed.
    pub fn correct(&mut self, correction: &Correction) -> Result<Vec<(MeterId, Span)>, StoreError> {
        self.change(correction.id, Some(correction))
    }

    /// Takes a correction back and derives what it touched again. Nothing, if there is none.
    pub fn undo_correction(&mut self, id: CorrectionId) -> Result<Vec<(MeterId, Span)>, StoreError> {
        self.change(id, None)
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
            let mut state = MeterState::load(&tx, meter)?;
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
    let config = UsageConfig::default();
    let reps = replacements(&state.corrections);
    let mut spans = Vec::new();
    for c in touched {
        match &c.action {
            CorrectionAction::Usage { span, .. } => spans.push(*span),
            CorrectionAction::Replaced { replacement } => {
                spans.push(affected_by_replacement(&history, &config, &reps, replacement)?);
            }
            CorrectionAction::Ignore { span, .. } => {
                let mut found = vec![*span];
                for stream in history.streams()? {
                    for at in [span.start, UnixMillis(span.end.0 - 1)] {
                        found.extend(affected(&history, &config, &reps, &[(stream, at)])?);
                    }
                    // the first reading decides since when a source is in force
                    if history.first(stream)?.is_none_or(|f| span.contains(f)) {
                        found.extend(affected(&history, &config, &reps, &[(stream, span.end)])?);
                    }
                }
                let start = found.iter().map(|s| s.start).min().unwrap_or(span.start);
                let end = found.iter().map(|s| s.end).max().unwrap_or(span.end);
                spans.push(Span::new(start, end));
            }
        }
    }
    Ok(spans)
}
