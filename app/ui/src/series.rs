//! The live lines: how a new value joins a series of evenly spaced averages.

use hearthwatt_api::{Flow, LineKind, LiveSeries};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;

/// A series that goes on with live values; the length of its window stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Rolling {
    pub series: LiveSeries,
    /// Values averaged into the newest point of each line so far.
    weights: Vec<u32>,
}

pub fn value_of(flow: &Flow, line: LineKind) -> Option<Power> {
    match line {
        LineKind::Home => flow.home,
        LineKind::Grid => flow.grid,
        LineKind::Solar => flow.solar,
        LineKind::Battery => flow.battery,
    }
}

impl Rolling {
    pub fn new(series: LiveSeries) -> Self {
        let weights = vec![1; series.lines.len()];
        Self { series, weights }
    }

    pub fn len(&self) -> usize {
        self.series.lines.iter().map(|l| l.points.len()).max().unwrap_or(0)
    }
    pub fn is_empty(&self) -> bool {
        self.series.lines.iter().all(|l| l.points.iter().all(Option::is_none))
    }

    /// Adds the flow at `at`: into the newest point if it falls there, else into new ones, with
    /// gaps for what was not heard in between. What is older than the newest point is left out.
    pub fn push(&mut self, at: UnixMillis, flow: &Flow) {
        let step = self.series.step_ms;
        let count = self.len();
        if step <= 0 || count == 0 {
            return;
        }
        let slot = at.since(self.series.start).div_euclid(step);
        let newest = count as i64 - 1;
        if slot < newest {
            return;
        }
        let ahead = slot - newest;
        if ahead > 0 {
            let fresh = usize::try_from(ahead).unwrap_or(count).min(count);
            for line in &mut self.series.lines {
                line.points.resize(count, None);
                line.points.drain(..fresh);
                line.points.resize(count, None);
            }
            self.series.start = self.series.start.plus_ms(ahead.saturating_mul(step));
            self.weights.iter_mut().for_each(|w| *w = 0);
        }
        for (line, weight) in self.series.lines.iter_mut().zip(&mut self.weights) {
            let Some(value) = value_of(flow, line.line).map(Power::watts) else { continue };
            if let Some(last) = line.points.last_mut() {
                let before = last.filter(|_| *weight > 0).unwrap_or(value);
                let n = f64::from(*weight);
                *last = Some((before * n + value) / (n + 1.0));
                *weight += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::LiveLine;

    fn rolling(points: &[Option<f64>]) -> Rolling {
        Rolling::new(LiveSeries {
            start: UnixMillis(0),
            step_ms: 10_000,
            lines: vec![LiveLine { line: LineKind::Home, points: points.to_vec() }],
        })
    }
    fn home(watts: f64) -> Flow {
        Flow { home: Some(Power::from_watts(watts)), ..Flow::default() }
    }

    #[test]
    fn a_value_joins_the_newest_average() {
        let mut r = rolling(&[Some(10.0), Some(100.0)]);
        r.push(UnixMillis(15_000), &home(200.0));
        r.push(UnixMillis(16_000), &home(300.0));
        assert_eq!(r.series.lines[0].points, [Some(10.0), Some(200.0)]);
        assert_eq!(r.series.start, UnixMillis(0));
    }

    #[test]
    fn time_moves_the_window_and_silence_is_a_gap() {
        let mut r = rolling(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        r.push(UnixMillis(50_000), &home(60.0));
        assert_eq!(r.series.lines[0].points, [Some(3.0), Some(4.0), None, Some(60.0)]);
        assert_eq!(r.series.start, UnixMillis(20_000));
        r.push(UnixMillis(59_000), &home(80.0));
        assert_eq!(r.series.lines[0].points[3], Some(70.0));
    }

    #[test]
    fn a_late_value_changes_nothing_and_a_long_sleep_empties() {
        let mut r = rolling(&[Some(1.0), Some(2.0)]);
        r.push(UnixMillis(3_000), &home(9.0));
        assert_eq!(r.series.lines[0].points, [Some(1.0), Some(2.0)]);
        r.push(UnixMillis(86_400_000), &home(5.0));
        assert_eq!(r.series.lines[0].points, [None, Some(5.0)]);
        assert_eq!(r.len(), 2, "the window keeps its length");
    }

    #[test]
    fn a_line_without_a_value_keeps_its_gap() {
        let mut r = rolling(&[None, None]);
        assert!(r.is_empty());
        r.push(UnixMillis(25_000), &Flow::default());
        assert_eq!(r.series.lines[0].points, [None, None]);
    }
}
