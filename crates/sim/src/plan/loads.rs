//! What uses energy in the home: average watts of every minute of a UTC day.

use super::clock::{LocalClock, MINUTES, is_weekend};
use super::noise::{range, smooth, unit};
use super::weather::Weather;

pub type Minutes = Box<[f64; MINUTES]>;

/// A day and everything that its loads depend on.
pub struct Scene<'a> {
    pub seed: u64,
    pub day: i64,
    pub clock: LocalClock<'a>,
    pub weather: Weather,
}

/// One step of a programme: minutes and watts.
type Step = (usize, f64);

impl Scene<'_> {
    fn constant(&self, watts: f64) -> Minutes {
        Box::new([watts; MINUTES])
    }

    /// Paints a programme that starts at a wall-clock time, where it overlaps this day.
    fn run(&self, on: &mut Minutes, local_day: i64, local_minute: f64, steps: impl Iterator<Item = Step>) {
        let mut minute = self.clock.minute_of(local_day, local_minute as usize);
        for (length, watts) in steps {
            for _ in 0..length {
                if let Some(slot) = usize::try_from(minute).ok().and_then(|m| on.get_mut(m)) {
                    *slot = watts;
                }
                minute += 1;
            }
        }
    }

    fn absolute(&self, minute: usize) -> i64 {
        self.day * MINUTES as i64 + minute as i64
    }

    /// A compressor: runs about 17 of 48 minutes, longer in summer.
    pub fn fridge(&self) -> Minutes {
        const CYCLE: i64 = 48;
        let mut on = self.constant(1.4);
        for (minute, slot) in on.iter_mut().enumerate() {
            let t = self.absolute(minute);
            let cycle = t.div_euclid(CYCLE);
            let warm = (self.weather.temperature(minute) - 5.0).clamp(0.0, 25.0) * 0.22;
            let start = range(self.seed, 1, cycle, 0.0, 8.0) as i64;
            let length = (range(self.seed, 2, cycle, 14.0, 20.0) + warm) as i64;
            let into = t.rem_euclid(CYCLE) - start;
            if (0..length).contains(&into) {
                // the motor starts hard and grows easier as it warms
                *slot = if into == 0 { 128.0 } else { 88.0 - 0.5 * into as f64 };
            }
        }
        on
    }

    pub fn washing_machine(&self) -> Minutes {
        let mut on = self.constant(0.9);
        for day in self.clock.local_days() {
            let weekend = is_weekend(day);
            if unit(self.seed, 10, day) > if weekend { 0.75 } else { 0.38 } {
                continue;
            }
            let start = if weekend {
                range(self.seed, 11, day, 540.0, 960.0)
            } else {
                range(self.seed, 11, day, 990.0, 1170.0)
            };
            let heat = range(self.seed, 12, day, 11.0, 24.0) as usize; // 40 or 60 °C
            let wash = (0..52).map(|i| (1, if i % 3 == 0 { 95.0 } else { 205.0 + 8.0 * (i % 5) as f64 }));
            let spin = (0..9).map(|i| (1, 260.0 + 28.0 * i as f64));
            let steps = [(4, 48.0), (heat, 2055.0)]
                .into_iter()
                .chain(wash)
                .chain([(3, 35.0)])
                .chain(spin)
                .chain([(5, 3.2)]);
            self.run(&mut on, day, start, steps);
        }
        on
    }

    pub fn dishwasher(&self) -> Minutes {
        let mut on = self.constant(0.6);
        for day in self.clock.local_days() {
            if unit(self.seed, 20, day) > 0.68 {
                continue;
            }
            let start = range(self.seed, 21, day, 1155.0, 1275.0);
            let steps = [(5, 62.0), (14, 1905.0), (32, 68.0), (4, 30.0), (13, 1895.0), (8, 72.0), (24, 12.0)];
            self.run(&mut on, day, start, steps.into_iter());
        }
        on
    }

    /// A wall box of 11 kW, every two or three evenings; the last minutes slow down.
    pub fn ev_charger(&self) -> Minutes {
        let mut on = self.constant(2.4);
        for day in self.clock.local_days() {
            if unit(self.seed, 30, day) > 0.42 {
                continue;
            }
            let start = range(self.seed, 31, day, 1065.0, 1215.0);
            let full = range(self.seed, 32, day, 35.0, 150.0) as usize;
            let taper = (0..18).map(|i| (1, 10_600.0 - 530.0 * i as f64));
            self.run(&mut on, day, start, [(1, 4200.0), (full, 11_040.0)].into_iter().chain(taper));
        }
        on
    }

    /// Follows the outdoor temperature; below its smallest power it switches on and off. Hot water
    /// twice a day.
    pub fn heat_pump(&self) -> Minutes {
        const MIN_W: f64 = 620.0;
        const MAX_W: f64 = 3900.0;
        const BLOCK: i64 = 40;
        let mut on = self.constant(11.0);
        for (minute, slot) in on.iter_mut().enumerate() {
            let outside = self.weather.temperature(minute);
            let (_, local) = self.clock.at(minute);
            let night = if !(330..1350).contains(&local) { 0.72 } else { 1.0 };
            let heat = 205.0 * (16.0 - outside).max(0.0) * night;
            let efficiency = (3.1 + 0.075 * outside).clamp(2.0, 4.8);
            let wanted = heat / efficiency;
            let t = self.absolute(minute);
            if wanted >= MIN_W {
                *slot = wanted.min(MAX_W) * range(self.seed, 40, t, 0.97, 1.03);
            } else if (t.rem_euclid(BLOCK) as f64) < BLOCK as f64 * wanted / MIN_W {
                *slot = MIN_W * range(self.seed, 40, t, 0.97, 1.03);
            }
        }
        for day in self.clock.local_days() {
            for (k, from) in [(0, 290.0), (1, 770.0)] {
                let start = from + range(self.seed, 41 + k, day, 0.0, 40.0);
                let length = range(self.seed, 43 + k, day, 18.0, 34.0) as usize;
                let rise = (0..length).map(|i| (1, 1480.0 + 22.0 * i as f64));
                self.run(&mut on, day, start, rise);
            }
        }
        on
    }

    /// Computer, screen and lamp; two weekdays in five somebody works elsewhere.
    pub fn home_office(&self) -> Minutes {
        let mut on = self.constant(7.4);
        for (minute, slot) in on.iter_mut().enumerate() {
            let (day, local) = self.clock.at(minute);
            if is_weekend(day) || unit(self.seed, 50, day) < 0.35 {
                continue;
            }
            let begin = range(self.seed, 51, day, 480.0, 555.0) as usize;
            let end = range(self.seed, 52, day, 985.0, 1090.0) as usize;
            let lunch = range(self.seed, 53, day, 715.0, 770.0) as usize;
            if (begin..end).contains(&local) {
                let away = (lunch..lunch + 40).contains(&local);
                let busy = smooth(self.seed, 54, self.absolute(minute) as f64 / 6.0);
                *slot = if away { 31.0 } else { 78.0 + 64.0 * busy };
            }
        }
        on
    }

    pub fn television(&self) -> Minutes {
        let mut on = self.constant(6.1);
        for day in self.clock.local_days() {
            let start = if is_weekend(day) {
                range(self.seed, 60, day, 1050.0, 1180.0)
            } else {
                range(self.seed, 60, day, 1170.0, 1250.0)
            };
            let length = range(self.seed, 61, day, 70.0, 190.0) as usize;
            let seed = self.seed;
            let scenes = (0..length).map(move |i| (1, 88.0 + 26.0 * unit(seed, 62, day * 1000 + i as i64)));
            self.run(&mut on, day, start, scenes);
        }
        on
    }

    /// Hob, oven and kettle.
    pub fn cooking(&self) -> Minutes {
        let mut on = self.constant(3.0);
        for day in self.clock.local_days() {
            let weekend = is_weekend(day);
            let breakfast = if weekend { 530.0 } else { 395.0 } + range(self.seed, 70, day, 0.0, 45.0);
            self.run(&mut on, day, breakfast, [(3, 1950.0), (4, 45.0), (4, 860.0)].into_iter());
            if weekend && unit(self.seed, 71, day) < 0.6 {
                self.meal(&mut on, day, range(self.seed, 72, day, 690.0, 740.0), 73);
            }
            if unit(self.seed, 74, day) < 0.85 {
                self.meal(&mut on, day, range(self.seed, 75, day, 1055.0, 1130.0), 76);
            }
        }
        on
    }

    fn meal(&self, on: &mut Minutes, day: i64, start: f64, what: u64) {
        let oven = unit(self.seed, what, day) < 0.4;
        let length = range(self.seed, what + 100, day, 22.0, 46.0) as i64;
        let steps = (0..length).map(|i| match (oven, i) {
            (true, 0..9) => (1, 2950.0),
            (true, _) => (1, if i % 4 < 2 { 2380.0 } else { 130.0 }),
            (false, 0..6) => (1, 2150.0),
            (false, _) => (1, if i % 5 < 2 { 1390.0 } else { 160.0 }),
        });
        self.run(on, day, start, steps);
    }

    /// All that has no meter of its own: light, router, pumps, chargers.
    pub fn unmeasured(&self) -> Minutes {
        let mut on = self.constant(0.0);
        for (minute, slot) in on.iter_mut().enumerate() {
            let (day, local) = self.clock.at(minute);
            let hour = local as f64 / 60.0;
            let morning = 130.0 * bump(hour, if is_weekend(day) { 9.0 } else { 7.0 }, 1.1);
            let evening = 260.0 * bump(hour, 20.2, 2.3);
            let dark =
                if self.weather.sun[minute] < 0.02 && (6.0..23.2).contains(&hour) { 55.0 } else { 0.0 };
            let t = self.absolute(minute) as f64;
            let lively = 0.7 + 0.6 * smooth(self.seed, 80, t / 9.0);
            *slot = 118.0 + (morning + evening + dark) * lively + 34.0 * smooth(self.seed, 81, t / 2.5);
        }
        on
    }

    /// Production of the roof, positive.
    pub fn solar(&self, rated_w: f64) -> Minutes {
        let mut on = self.constant(0.0);
        for (minute, slot) in on.iter_mut().enumerate() {
            // the inverter needs a little light to wake, and clips at 90 % of the modules
            let dc = rated_w * self.weather.sun[minute];
            *slot = if dc < 18.0 { 0.0 } else { (dc * 0.965).min(rated_w * 0.9) };
        }
        on
    }
}

/// A bell; nothing beyond three widths.
fn bump(x: f64, centre: f64, width: f64) -> f64 {
    let away = (x - centre) / width;
    if away.abs() > 3.0 { 0.0 } else { (-away * away).exp() }
}
