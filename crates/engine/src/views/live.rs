//! The live chart's lines, one per role, from the stored series of power.

use super::rows::{Wiring, turned_sign};
use crate::core::Core;
use hearthwatt_api::{ApiError, LineKind, LiveLine, LiveSeries, LiveWindow};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_store::{Reader, SeriesKey, StoreError};

type Line = Vec<Option<f64>>;

fn steps(window: LiveWindow) -> (i64, usize) {
    match window {
        LiveWindow::Hour => (10_000, 360),
        LiveWindow::SixHours => (60_000, 360),
        LiveWindow::Day => (300_000, 288),
    }
}

impl Core {
    pub(crate) async fn live_series(&self, window: LiveWindow) -> Result<LiveSeries, ApiError> {
        let (step_ms, buckets) = steps(window);
        let now = self.now();
        // whole steps: the points of two answers lie at the same times
        let end = UnixMillis(now.0 - now.0.rem_euclid(step_ms) + step_ms);
        let span = Span::new(end.plus_ms(-step_ms * buckets as i64), end);
        let wiring = Wiring::new(self.state().meters.adopted().map(|k| &k.meter));
        let lines = self.readers.run(move |reader| lines(&wiring, reader, span, buckets)).await?;
        Ok(LiveSeries { start: span.start, step_ms, lines })
    }
}

fn lines(wiring: &Wiring, reader: &Reader, span: Span, buckets: usize) -> Result<Vec<LiveLine>, StoreError> {
    let sum = |meters: &[Meter]| -> Result<Option<Line>, StoreError> {
        let mut sum: Option<Line> = None;
        for meter in meters {
            if let Some(line) = line_of(meter, reader, span, buckets)? {
                sum = Some(match sum {
                    Some(before) => added(&before, &line, 1.0),
                    None => line,
                });
            }
        }
        Ok(sum)
    };
    let (grid, solar, battery) = (sum(&wiring.grid)?, sum(&wiring.solar)?, sum(&wiring.battery)?);
    let home = if wiring.grid.is_empty() {
        sum(&wiring.loads)?
    } else {
        grid.as_ref().map(|grid| home(grid, solar.as_deref(), battery.as_deref()))
    };
    let solar = solar.map(|line| line.into_iter().map(|v| v.map(|w| w.max(0.0))).collect());
    let all = [
        (LineKind::Home, home),
        (LineKind::Grid, grid),
        (LineKind::Solar, solar),
        (LineKind::Battery, battery),
    ];
    Ok(all.into_iter().filter_map(|(line, points)| Some(LiveLine { line, points: points? })).collect())
}

/// Grid + solar - battery, where the grid meter speaks. A silent inverter or battery counts as
/// nothing, as at night.
fn home(grid: &[Option<f64>], solar: Option<&[Option<f64>]>, battery: Option<&[Option<f64>]>) -> Line {
    let at = |line: Option<&[Option<f64>]>, i: usize| {
        line.and_then(|l| l.get(i).copied().flatten()).unwrap_or(0.0)
    };
    grid.iter().enumerate().map(|(i, g)| g.map(|g| g + at(solar, i) - at(battery, i))).collect()
}

/// Sums where at least one speaks.
fn added(a: &[Option<f64>], b: &[Option<f64>], sign: f64) -> Line {
    a.iter()
        .zip(b)
        .map(|(a, b)| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + sign * b.unwrap_or(0.0)),
        })
        .collect()
}

/// One meter's power in the sense of its role. `None` if it never told any.
fn line_of(meter: &Meter, reader: &Reader, span: Span, buckets: usize) -> Result<Option<Line>, StoreError> {
    let series = reader.series_of(meter.id)?;
    let of = |quantity: Quantity| -> Result<Option<Line>, StoreError> {
        let read = |key: &SeriesKey| -> Result<Line, StoreError> {
            Ok(reader.series(key, span, buckets)?.into_iter().map(|b| b.map(|b| b.avg)).collect())
        };
        let mut keys = series.iter().filter(|k| k.quantity == quantity);
        if let Some(total) = keys.clone().find(|k| k.channel == Channel::TOTAL) {
            return read(total).map(Some);
        }
        let parts: Vec<&SeriesKey> = keys.clone().filter(|k| crate::live::is_part(&k.channel)).collect();
        if parts.is_empty() {
            return keys.next().map(read).transpose();
        }
        let mut sum = vec![None; buckets];
        for part in parts {
            sum = added(&sum, &read(part)?, 1.0);
        }
        Ok(Some(sum))
    };
    let sign = turned_sign(meter);
    let line = if let Some(power) = of(Quantity::Power)? {
        Some(power)
    } else {
        match (of(Quantity::PowerImport)?, of(Quantity::PowerExport)?) {
            (None, None) => of(Quantity::PowerProduction)?.map(|l| added(&vec![None; buckets], &l, -1.0)),
            (import, export) => {
                let none = || vec![None; buckets];
                Some(added(&import.unwrap_or_else(none), &export.unwrap_or_else(none), -1.0))
            }
        }
    };
    Ok(line.map(|l| l.into_iter().map(|v| v.map(|w| w * sign)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_known_where_the_grid_is() {
        let grid = [Some(100.0), None, Some(-50.0)];
        let solar = [None, Some(10.0), Some(500.0)];
        assert_eq!(home(&grid, Some(&solar), None), vec![Some(100.0), None, Some(450.0)]);
    }

    #[test]
    fn a_gap_in_all_is_a_gap_in_the_sum() {
        assert_eq!(added(&[None, Some(1.0)], &[None, None], 1.0), vec![None, Some(1.0)]);
    }
}
