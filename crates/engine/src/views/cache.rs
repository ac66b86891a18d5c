//! Days computed once. A change of usage forgets the days it touches; an answer that was computed
//! while they changed is not kept.

use super::rows::Row;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{Span, UnixMillis};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Days kept, all meters together: 30 years of a home, or a year of 30 meters.
const DAYS_MAX: usize = 11_000;
/// Changes remembered for answers under way.
const CHANGES_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    days: BTreeMap<(Option<MeterId>, UnixMillis), Row>,
    epoch: u64,
    changes: VecDeque<(u64, Span)>,
}

/// When an answer began to be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(u64);

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.lock().epoch)
    }

    pub(crate) fn get(&self, scope: Option<MeterId>, day: Span) -> Option<Row> {
        self.lock().days.get(&(scope, day.start)).filter(|r| r.span == day).copied()
    }

    /// Keeps days that were read after `since`.
    pub(crate) fn put(&self, scope: Option<MeterId>, since: Epoch, rows: &[Row]) {
        let mut inner = self.lock();
        let oldest = inner.changes.front().map_or(inner.epoch, |(e, _)| *e);
        if inner.epoch > since.0 && oldest > since.0 + 1 {
            return; // more changed meanwhile than is remembered
        }
        let touched: Vec<Span> =
            inner.changes.iter().filter(|(e, _)| *e > since.0).map(|(_, s)| *s).collect();
        if inner.days.len() + rows.len() > DAYS_MAX {
            inner.days.clear();
        }
        for row in rows.iter().take(DAYS_MAX) {
            if !touched.iter().any(|s| overlap(*s, row.span)) {
                inner.days.insert((scope, row.span.start), *row);
            }
        }
    }

    pub(crate) fn forget(&self, span: Span) {
        let mut inner = self.lock();
        inner.days.retain(|_, row| !overlap(row.span, span));
        inner.epoch += 1;
        let epoch = inner.epoch;
        inner.changes.push_back((epoch, span));
        if inner.changes.len() > CHANGES_MAX {
            inner.changes.pop_front();
        }
    }

    pub(crate) fn clear(&self) {
        self.forget(Span::new(UnixMillis(i64::MIN), UnixMillis(i64::MAX)));
    }
}

fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> Row {
        Row::empty(Span::new(UnixMillis(n * 100), UnixMillis(n * 100 + 100)))
    }

    #[test]
    fn a_change_forgets_the_days_it_touches_and_no_others() {
        let cache = Cache::default();
        cache.put(None, cache.epoch(), &[day(1), day(2), day(3)]);
        cache.forget(Span::new(UnixMillis(250), UnixMillis(260)));
        assert_eq!(cache.get(None, day(1).span), Some(day(1)));
        assert_eq!(cache.get(None, day(2).span), None);
        assert_eq!(cache.get(None, day(3).span), Some(day(3)));
    }

    #[test]
    fn what_changed_while_it_was_computed_is_not_kept() {
        let cache = Cache::default();
        let began = cache.epoch();
        cache.forget(day(2).span);
        cache.put(None, began, &[day(1), day(2)]);
        assert_eq!(cache.get(None, day(1).span), Some(day(1)));
        assert_eq!(cache.get(None, day(2).span), None);
    }

    #[test]
    fn an_answer_older_than_the_memory_of_changes_is_not_kept() {
        let cache = Cache::default();
        let began = cache.epoch();
        for _ in 0..=CHANGES_MAX {
            cache.forget(day(9).span);
        }
        cache.put(None, began, &[day(1)]);
        assert_eq!(cache.get(None, day(1).span), None);
    }
}
