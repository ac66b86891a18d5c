//! Whether the power now is what this time of such a day usually shows.

use super::rows::grid_interval;
use crate::core::Core;
use crate::days;
use hearthwatt_api::{ApiError, Level, PartOfDay, Verdict};
use hearthwatt_domain::normal::{self, Normal};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::Power;
use std::sync::Arc;

/// Days that are looked back on.
const LOOK_BACK_DAYS: i64 = 8 * 7;

/// What is usual, learnt up to the beginning of a day.
pub(crate) struct Learnt {
    day: UnixMillis,
    /// Edits of roles and zones make it old, readings of today do not.
    edits: u64,
    pub(crate) normal: Normal,
}

impl Core {
    pub(crate) async fn verdict(&self, power: Power, now: UnixMillis) -> Result<Option<Verdict>, ApiError> {
        Ok(self.learnt(now).await?.normal.judge(power, now).map(shown))
    }

    pub(crate) async fn learnt(&self, now: UnixMillis) -> Result<Arc<Learnt>, ApiError> {
        let source = self.source(None)?;
        let today = days::date_of(now, &source.zone);
        let day = days::start_of(today, &source.zone);
        let edits = self.changes.edits();
        if let Some(learnt) = self.learnt_cache().clone()
            && (learnt.day, learnt.edits) == (day, edits)
        {
            return Ok(learnt);
        }
        let from = days::start_of(days::add_days(today, -LOOK_BACK_DAYS), &source.zone);
        let normal = self
            .readers
            .run(move |reader| {
                let rows = source.intervals(reader, Span::new(from, day))?;
                let used: Vec<_> = rows
                    .iter()
                    .map(|row| {
                        let mut usage = grid_interval(row);
                        usage.import = row.totals.used;
                        usage
                    })
                    .collect();
                Ok(Normal::learn(&used, source.zone, day))
            })
            .await?;
        let learnt = Arc::new(Learnt { day, edits, normal });
        *self.learnt_cache() = Some(learnt.clone());
        Ok(learnt)
    }
}

fn shown(judgement: normal::Judgement) -> Verdict {
    Verdict {
        level: match judgement.level {
            normal::Level::MuchLower => Level::MuchLower,
            normal::Level::Lower => Level::Lower,
            normal::Level::Usual => Level::Usual,
            normal::Level::Higher => Level::Higher,
            normal::Level::MuchHigher => Level::MuchHigher,
        },
        usual: judgement.usual,
        weekday: judgement.weekday.to_monday_one_offset().unsigned_abs(),
        part_of_day: match judgement.hour {
            5..=10 => PartOfDay::Morning,
            11..=16 => PartOfDay::Afternoon,
            17..=21 => PartOfDay::Evening,
            _ => PartOfDay::Night,
        },
    }
}
