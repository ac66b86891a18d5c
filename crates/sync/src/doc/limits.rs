//! How much is read of a document, whatever others wrote into it. More is skipped and counted.

/// Entities of a kind. What the engine allows is far less for all but alerts.
pub const METERS_MAX: usize = 2_000;
pub const TARIFFS_MAX: usize = 2_000;
pub const BUDGETS_MAX: usize = 1_000;
/// Ten a day for 13 years.
pub const ALERTS_MAX: usize = 50_000;
pub const CORRECTIONS_MAX: usize = 20_000;

/// Longest text in a field, in bytes.
pub const TEXT_MAX: usize = 1_024;
/// Longest JSON in a field, in bytes: a tariff with its 100 price windows needs 8 KiB.
pub const JSON_MAX: usize = 32 * 1_024;
/// Most members of a field that is a set; the domain has its own, lower bounds.
pub const MEMBERS_MAX: usize = 64;
/// Most values of one field that are shown as a conflict.
pub const CONFLICT_VALUES_MAX: usize = 16;
/// Most conflicts that are listed.
pub const CONFLICTS_MAX: usize = 200;

/// Largest change, as it is on the wire: what one edit makes is under 64 KiB.
pub const CHANGE_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Largest document, saved.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Changes that wait for what they depend on.
pub const WAITING_MAX: usize = 10_000;
