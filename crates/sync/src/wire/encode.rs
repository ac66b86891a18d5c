//! From frames to bytes.

use super::Frame;

/// Writes one frame, with byte strings untagged as the JavaScript client does.
pub fn encode(frame: &Frame) -> Vec<u8> {
    let _ = frame;
    Vec::new()
}
