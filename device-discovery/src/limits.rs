//! What a decoder accepts and remembers at most. Each limit that is hit gives a refusal that
//! names it; nothing is dropped in silence.

/// Longest payload, in bytes, of anything but a device registry.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// Longest payload of Zigbee2MQTT's `bridge/devices`: it describes every device of the network,
/// about 5 KiB each.
pub const MAX_REGISTRY_PAYLOAD: usize = 2 * 1024 * 1024;
/// Longest topic, in bytes.
pub const MAX_TOPIC: usize = 512;
/// Deepest nesting of a JSON payload.
pub const MAX_JSON_DEPTH: usize = 24;
/// Devices that one family remembers.
pub const MAX_DEVICES: usize = 512;
/// Home Assistant entities, over all devices.
pub const MAX_ENTITIES: usize = 4096;
/// Entities that share one state topic.
pub const MAX_ENTITIES_PER_TOPIC: usize = 256;
/// Components of one Home Assistant device message.
pub const MAX_COMPONENTS: usize = 512;
/// Availability topics of one device.
pub const MAX_AVAILABILITY: usize = 4;
/// Properties with a unit of their own that one Zigbee device may describe.
pub const MAX_PROPERTIES: usize = 96;
/// Readings in one message.
pub const MAX_MEASUREMENTS: usize = 512;
/// Longest name, model, identifier, … taken from a message, in characters; cut there.
pub const MAX_TEXT: usize = 96;
