//! A text as a QR code (ISO/IEC 18004), drawn as one SVG path: the links that a phone takes over
//! from a screen.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// Empty modules that the standard asks for on each side.
const QUIET: usize = 4;
/// Longer texts make squares too fine for the camera of a phone at arm's length.
const MAX_BYTES: usize = 300;

/// A square of `size` units with dark modules along `path`; the quiet zone is part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    pub size: usize,
    /// The `d` of an SVG path: one rectangle for each run of dark modules in a row.
    pub path: String,
}

/// `None` for a text that is empty or too long to be read off a screen.
pub fn draw(text: &str) -> Option<Drawing> {
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let modules = code.to_colors();
    let mut path = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|m| **m == Color::Dark).count();
            if run > 0 {
                let (left, top) = (x + QUIET, y + QUIET);
                path.push_str(&format!("M{left} {top}h{run}v1h-{run}z"));
            }
            x += run.max(1);
        }
    }
    Some(Drawing { size: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the unit square at (x, y) is dark, taken from the path alone.
    fn modules(drawing: &Drawing) -> Vec<bool> {
        let mut dark = vec![false; drawing.size * drawing.size];
        for run in drawing.path.split('M').filter(|r| !r.is_empty()) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            assert_eq!(rest, format!("{length}v1h-{length}z"));
            dark[y * drawing.size + x..][..length].fill(true);
        }
        dark
    }

    #[test]
    fn a_reader_of_codes_reads_what_was_drawn() {
        for text in [
            "https://hearth.example.org/join/7K3M-QX2P-9TRD",
            "http://192.168.1.20:8420/device?user_code=WDJB-MJHT",
            &"x".repeat(MAX_BYTES),
        ] {
            let drawing = draw(text).unwrap();
            let dark = modules(&drawing);
            // a camera sees a module as several points
            let scale = 4;
            let side = drawing.size * scale;
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
                if dark[y / scale * drawing.size + x / scale] { 0 } else { 255 }
            });
            let found = image.detect_grids();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].decode().unwrap().1, text);
        }
    }

    #[test]
    fn the_quiet_zone_stays_empty() {
        let drawing = draw("x").unwrap();
        let dark = modules(&drawing);
        let inside = QUIET..drawing.size - QUIET;
        for (i, is_dark) in dark.iter().enumerate() {
            let (x, y) = (i % drawing.size, i / drawing.size);
            assert!(!is_dark || inside.contains(&x) && inside.contains(&y), "{x}, {y}");
        }
        assert!(dark[QUIET * drawing.size + QUIET], "a finder pattern begins in the corner");
    }

    #[test]
    fn what_no_phone_could_read_is_not_drawn() {
        assert_eq!(draw(""), None);
        assert_eq!(draw(&"x".repeat(MAX_BYTES + 1)), None);
    }
}
