//! Messages in, readings out.

use crate::message::{Decoded, Message};

/// Understands the messages of one broker (or of the home's HTTP answers). Pure: the same
/// messages give the same answers. Total: any bytes get an answer. Bounded: what it learns is
/// capped, and a refusal for that reason says so.
#[derive(Debug, Default)]
pub struct Decoder {}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one message and learns from it.
    pub fn decode(&mut self, message: &Message) -> Decoded {
        Decoded { stale: message.retain, ..Decoded::default() }
    }

    /// Forgets all devices.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Topic filters learnt from discovery messages, beyond [`crate::families::subscriptions`];
    /// sorted, without those that a fixed subscription already covers.
    pub fn wanted_topics(&self) -> Vec<String> {
        Vec::new()
    }
}
