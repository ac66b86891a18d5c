//! One UTC day of the whole home: power and registers of every meter at any instant of it.
//!
//! Power is an average per minute plus a ripple with a mean of zero over the minute, so that the
//! integral is a sum over whole minutes and a closed form within one.

use super::clock::{LocalClock, MINUTES, timestamp};
use super::loads::{Minutes, Scene};
use super::weather::Weather;
use jiff::tz::TimeZone;
use std::f64::consts::TAU;

/// Places of the meters in every table here.
pub const GRID: usize = 0;
pub const SOLAR: usize = 1;
pub const KITCHEN: usize = 2;
pub const BATTERY: usize = 3;
pub const EV: usize = 4;
pub const HEAT_PUMP: usize = 5;
pub const FRIDGE: usize = 6;
pub const WASHER: usize = 7;
pub const DISHWASHER: usize = 8;
pub const OFFICE: usize = 9;
pub const TELEVISION: usize = 10;
pub const METERS: usize = 11;

const SOLAR_RATED_W: f64 = 6400.0;
const BATTERY_WH: f64 = 5200.0;
const BATTERY_MAX_W: f64 = 2500.0;
/// Of what goes in, this share comes out.
const BATTERY_EFFICIENCY: f64 = 0.92;
/// The battery leaves the grid meter at about this much import, watts.
const BATTERY_AIM_W: f64 = 18.0;
const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = MINUTES as i64 * MINUTE_MS;

/// Energy of one meter, watt-hours.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Registers {
    pub import: f64,
    pub export: f64,
}

impl std::ops::Add for Registers {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { import: self.import + o.import, export: self.export + o.export }
    }
}

/// Ripple of each meter as a share of its power; signs differ so that they do not rise together.
const RIPPLE: [f64; METERS] = [0.0, 0.004, -0.011, 0.0, 0.002, -0.009, 0.015, -0.02, 0.012, 0.03, -0.025];

#[derive(Debug)]
pub struct Day {
    watts: Vec<Minutes>,
    ripple: Vec<Minutes>,
    /// Energy since the start of the day, at the start of each minute and at the end of the last.
    energy: Vec<Vec<Registers>>,
}

impl Day {
    /// `day` counts from 1970-01-01 UTC.
    pub fn new(seed: u64, zone: &TimeZone, day: i64) -> Self {
        let january = zone.to_offset(timestamp(0)).seconds();
        let weather = Weather::new(seed, day, f64::from(january) / 3600.0);
        let scene = Scene { seed, day, clock: LocalClock::new(zone, day), weather };
        let base = scene.unmeasured();
        let mut watts: Vec<Minutes> = vec![
            Box::new([0.0; MINUTES]), // grid: below
            scene.solar(SOLAR_RATED_W),
            scene.cooking(),
            Box::new([0.0; MINUTES]), // battery: below
            scene.ev_charger(),
            scene.heat_pump(),
            scene.fridge(),
            scene.washing_machine(),
            scene.dishwasher(),
            scene.home_office(),
            scene.television(),
        ];
        // as a meter behind the grid sees it: what is given is negative
        watts[SOLAR].iter_mut().for_each(|w| *w = -*w);
        let mut ripple: Vec<Minutes> = (0..METERS).map(|_| Box::new([0.0; MINUTES])).collect();
        let mut charge = 0.0;
        for m in 0..MINUTES {
            let net: f64 = watts.iter().map(|w| w[m]).sum::<f64>() + base[m];
            let battery = battery(net, &mut charge);
            watts[BATTERY][m] = battery;
            watts[GRID][m] = net + battery;
            let total: f64 = (0..METERS).map(|i| RIPPLE[i] * watts[i][m]).sum();
            // the ripple must not turn the sign of the grid within a minute, nor cost more than ever flows
            if total.abs() <= watts[GRID][m].abs() {
                for i in 0..METERS {
                    ripple[i][m] = RIPPLE[i] * watts[i][m];
                }
                ripple[GRID][m] = total;
            }
        }
        let energy = watts.iter().map(integrate).collect();
        Self { watts, ripple, energy }
    }

    /// Watts of meter `i`, `ms` after the start of the day; + is taken, - is given.
    pub fn power(&self, i: usize, ms: i64) -> f64 {
        let (minute, second) = split(ms);
        self.watts[i][minute] + self.ripple[i][minute] * shape(second)
    }

    /// Energy of meter `i` since the start of the day.
    pub fn registers(&self, i: usize, ms: i64) -> Registers {
        let (minute, second) = split(ms);
        let watt_seconds = self.watts[i][minute] * second + self.ripple[i][minute] * shape_integral(second);
        self.energy[i][minute] + flow(watt_seconds / 3600.0)
    }

    /// Energy of meter `i` over the whole day.
    pub fn total(&self, i: usize) -> Registers {
        self.energy[i].last().copied().unwrap_or_default()
    }
}

/// Watts of the battery for what flows without it; + charges.
fn battery(net: f64, charge_wh: &mut f64) -> f64 {
    let wanted = (BATTERY_AIM_W - net).clamp(-BATTERY_MAX_W, BATTERY_MAX_W);
    // what a minute can fill or empty
    let room = (BATTERY_WH - *charge_wh) * 60.0 / BATTERY_EFFICIENCY;
    let watts = if wanted > 0.0 { wanted.min(room) } else { wanted.max(-*charge_wh * 60.0) };
    *charge_wh += watts / 60.0 * if watts > 0.0 { BATTERY_EFFICIENCY } else { 1.0 };
    watts
}

fn integrate(watts: &Minutes) -> Vec<Registers> {
    let mut sum = Registers::default();
    let mut table = Vec::with_capacity(MINUTES + 1);
    table.push(sum);
    for w in watts.iter() {
        sum = sum + flow(w / 60.0);
        table.push(sum);
    }
    table
}

fn flow(wh: f64) -> Registers {
    Registers { import: wh.max(0.0), export: (-wh).max(0.0) }
}

fn split(ms: i64) -> (usize, f64) {
    let ms = ms.clamp(0, DAY_MS - 1);
    ((ms / MINUTE_MS) as usize, (ms % MINUTE_MS) as f64 / 1000.0)
}

/// The ripple at a second of the minute: within -1..=1, with whole periods in a minute.
fn shape(second: f64) -> f64 {
    0.5 * (TAU * second / 20.0).sin() + 0.3 * (TAU * second / 7.5).sin() + 0.2 * (TAU * second / 3.0).sin()
}

/// The integral of [`shape`] from the start of the minute; 0 at its end.
fn shape_integral(second: f64) -> f64 {
    let part = |share: f64, period: f64| share * period / TAU * (1.0 - (TAU * second / period).cos());
    part(0.5, 20.0) + part(0.3, 7.5) + part(0.2, 3.0)
}
