//! Sun and temperature at about 50° north.

use super::clock::MINUTES;
use super::noise::{smooth, unit};
use std::f64::consts::TAU;

const LATITUDE_DEG: f64 = 50.0;
/// The roof looks south under this tilt.
const ROOF_TILT_DEG: f64 = 35.0;

/// Temperatures are worked out this often, in minutes.
const STEP: usize = 10;

/// Weather of one UTC day.
pub struct Weather {
    /// Share of the rated power that a roof gives in each minute, `0.0..=1.0`.
    pub sun: Box<[f64; MINUTES]>,
    temperature: Vec<f64>,
}

/// What the weather of a day follows from.
struct Sky {
    seed: u64,
    day: i64,
    /// Hours by which the sun is ahead of UTC.
    sun_offset_h: f64,
    declination: f64,
    /// 0 overcast ..= 1 clear.
    clearness: f64,
}

impl Weather {
    /// `sun_offset_h`: hours by which the sun is ahead of UTC.
    pub fn new(seed: u64, day: i64, sun_offset_h: f64) -> Self {
        let sky = Sky::new(seed, day, sun_offset_h);
        let mut sun = Box::new([0.0; MINUTES]);
        for (minute, share) in sun.iter_mut().enumerate() {
            *share = sky.sun(minute);
        }
        Self { sun, temperature: (0..MINUTES).step_by(STEP).map(|m| sky.temperature(m)).collect() }
    }

    /// Outside, °C.
    pub fn temperature(&self, minute: usize) -> f64 {
        self.temperature.get(minute / STEP).copied().unwrap_or_default()
    }
}

impl Sky {
    fn new(seed: u64, day: i64, sun_offset_h: f64) -> Self {
        let year_angle = TAU * (day_of_year(day) - 81.0) / 365.25;
        let declination = 23.45_f64.to_radians() * year_angle.sin();
        // spells of weather last some days; summer is clearer
        let spell = 0.6 * smooth(seed, 100, day as f64 / 3.0) + 0.4 * unit(seed, 101, day);
        let clearness = (spell * 1.15 - 0.1 + 0.12 * year_angle.sin()).clamp(0.03, 1.0);
        Self { seed, day, sun_offset_h, declination, clearness }
    }

    fn sun(&self, minute: usize) -> f64 {
        let hour_angle = TAU * ((minute as f64 / 60.0 + self.sun_offset_h - 12.0) / 24.0);
        let latitude = LATITUDE_DEG.to_radians();
        let (sin_d, cos_d) = self.declination.sin_cos();
        let height = latitude.sin() * sin_d + latitude.cos() * cos_d * hour_angle.cos();
        if height <= 0.02 {
            return 0.0;
        }
        let roof = (LATITUDE_DEG - ROOF_TILT_DEG).to_radians();
        let incidence = (roof.sin() * sin_d + roof.cos() * cos_d * hour_angle.cos()).max(0.0);
        // attenuation by the air on the way (Meinel), 1.0 at the zenith
        let clear = 0.7_f64.powf(height.recip().powf(0.678)) / 0.7;
        let diffuse = 0.16 * height;
        let x = (self.day * 1440 + minute as i64) as f64;
        let patches = 0.65 * smooth(self.seed, 102, x / 17.0) + 0.35 * smooth(self.seed, 103, x / 4.0);
        // a clear day has none, an overcast one is dull throughout, between them they drift
        let cover = (1.6 * (1.0 - self.clearness) + 0.9 * (patches - 0.5)).clamp(0.0, 1.0);
        let cover = if self.clearness > 0.85 { 0.0 } else { cover };
        (0.92 * incidence * clear * (1.0 - 0.88 * cover) + diffuse * (0.4 + 0.6 * cover) * 0.6).min(1.0)
    }

    fn temperature(&self, minute: usize) -> f64 {
        let solar_hour = minute as f64 / 60.0 + self.sun_offset_h;
        let x = self.day as f64 + minute as f64 / 1440.0;
        let season = 10.2 - 9.3 * (TAU * (day_of_year(self.day) - 20.0) / 365.25).cos();
        let spell = 9.0 * (smooth(self.seed, 104, x / 4.0) - 0.5);
        let daily = (1.2 + 3.6 * self.clearness) * (TAU * (solar_hour - 15.0) / 24.0).cos();
        season + spell + daily
    }
}

/// Good enough for the sun: drifts by less than a day.
fn day_of_year(day: i64) -> f64 {
    (day as f64).rem_euclid(365.2425)
}
