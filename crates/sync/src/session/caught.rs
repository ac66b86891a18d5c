//! Calling Automerge with what a peer sent: a panic is a refusal.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Refusal;

/// Runs `work`, which must only touch copies: whatever it leaves behind half done is dropped.
/// Where a panic aborts (WebAssembly), it still does.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Refusal::Damaging("Automerge panicked".to_owned())))
}
