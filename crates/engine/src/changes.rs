//! What the writer tells: which usage changed, and whether it has trouble.

use crate::words;
use crate::writer::Committed;
use hearthwatt_api::NoticeCode;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::Span;
use hearthwatt_store::{Appended, StoreError};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Notify, watch};

pub(crate) struct Changes {
    /// Rises with every change of usage, prices or meters: what was computed before is old.
    generation: AtomicU64,
    /// Rises when roles, prices or the zone changed, or the past was filled in.
    edits: AtomicU64,
    spans: Mutex<HashMap<MeterId, Span>>,
    pub(crate) changed: Notify,
    pub(crate) trouble: watch::Sender<Option<(NoticeCode, String)>>,
    pub(crate) cache: crate::views::Cache,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self {
            generation: AtomicU64::new(0),
            edits: AtomicU64::new(0),
            spans: Mutex::default(),
            changed: Notify::new(),
            trouble: watch::Sender::new(None),
            cache: crate::views::Cache::default(),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn edits(&self) -> u64 {
        self.edits.load(Ordering::Acquire)
    }

    /// Everything computed so far is old: prices, roles or the zone changed.
    pub(crate) fn all(&self) {
        self.edits.fetch_add(1, Ordering::AcqRel);
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.cache.clear();
        self.changed.notify_one();
    }

    /// The list of meters changed, their usage did not.
    pub(crate) fn meters_only(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Days before today got readings.
    pub(crate) fn filled_in(&self) {
        self.edits.fetch_add(1, Ordering::AcqRel);
    }

    /// What changed since the last call.
    pub(crate) fn take(&self) -> HashMap<MeterId, Span> {
        std::mem::take(&mut *self.spans.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self, changed: &[(MeterId, Span)]) {
        if changed.is_empty() {
            return;
        }
        {
            let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
            for (meter, span) in changed {
                let known = spans.entry(*meter).or_insert(*span);
                known.start = known.start.min(span.start);
                known.end = known.end.max(span.end);
            }
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
        for (_, span) in changed {
            self.cache.forget(*span);
        }
        self.changed.notify_one();
    }
}

impl Committed for Changes {
    fn committed(&self, appended: &Appended) {
        self.note(&appended.changed);
    }

    fn trouble(&self, trouble: Option<&StoreError>) {
        self.trouble.send_replace(trouble.map(|e| (words::store_code(e), e.to_string())));
    }
}
