//! What is left of a message's allowance, counted down while its parts are looked at.

use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use super::{Limits, Refusal};

/// What an operation costs in memory when Automerge spells it out, in bytes, without its texts.
const OP_BYTES: u64 = 192;

/// What a message may still cost.
pub(super) struct Budget {
    limits: Limits,
    inflated: u64,
    expanded: u64,
    ops: u64,
    changes: u64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, inflated: 0, expanded: 0, ops: 0, changes: 0 }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn charge(what: &'static str, spent: &mut u64, more: u64, limit: usize) -> Result<(), Refusal> {
        let limit = limit as u64;
        *spent = spent.saturating_add(more);
        if *spent > limit {
            return Err(Refusal::TooMuch { what, is: *spent, limit });
        }
        Ok(())
    }

    pub(super) fn charge_inflated(&mut self, bytes: u64) -> Result<(), Refusal> {
        Self::charge("inflated bytes", &mut self.inflated, bytes, self.limits.inflated_bytes)
    }

    pub(super) fn charge_expanded(&mut self, bytes: u64) -> Result<(), Refusal> {
        Self::charge("bytes of expanded values", &mut self.expanded, bytes, self.limits.expanded_bytes)
    }

    pub(super) fn charge_ops(&mut self, ops: u64) -> Result<(), Refusal> {
        Self::charge("operations", &mut self.ops, ops, self.limits.ops)?;
        self.charge_expanded(ops.saturating_mul(OP_BYTES))
    }

    pub(super) fn charge_changes(&mut self, changes: u64) -> Result<(), Refusal> {
        Self::charge("changes", &mut self.changes, changes, self.limits.changes)
    }

    /// Inflates what the budget can pay for. The size is found out first, in a small buffer: data
    /// that is refused takes no memory, and what is taken takes no more than it needs.
    pub(super) fn inflate(&mut self, deflated: &[u8]) -> Result<Vec<u8>, Refusal> {
        const DAMAGED: Refusal = Refusal::Malformed("deflated data is damaged");
        let left = (self.limits.inflated_bytes as u64).saturating_sub(self.inflated);
        let mut measured = DeflateDecoder::new(deflated).take(left.saturating_add(1));
        let size = io::copy(&mut measured, &mut io::sink()).map_err(|_| DAMAGED)?;
        self.charge_inflated(size)?;
        let mut inflated = Vec::with_capacity(usize::try_from(size).map_err(|_| DAMAGED)?);
        DeflateDecoder::new(deflated).read_to_end(&mut inflated).map_err(|_| DAMAGED)?;
        Ok(inflated)
    }
}
