//! How much and how long: every bound of the service in one place.

/// Milliseconds.
pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Life of an access token, in seconds.
pub const ACCESS_S: u32 = 15 * 60;
/// A device that is not heard of for so long has to sign in again.
pub const DEVICE_IDLE: i64 = 90 * DAY;
/// An authorization code is for the app that waits for it right now.
pub const CODE: i64 = MINUTE;
/// A used code is remembered for so long, so that its replay is noticed.
pub const CODE_REMEMBERED: i64 = HOUR;
/// A lost answer to a refresh may be asked for again for so long.
pub const REFRESH_RETRY: i64 = 10 * MINUTE;
pub const DEVICE_CODE_S: u32 = 15 * 60;
pub const DEVICE_POLL_S: u32 = 5;
pub const TICKET_S: u32 = 60;
/// A browser has to sign in again after so long, whatever it does.
pub const BROWSER: i64 = 12 * HOUR;
pub const KNOWN_BROWSER: i64 = 180 * DAY;
pub const VERIFY: i64 = DAY;
pub const RESET: i64 = HOUR;
pub const OIDC_FLOW: i64 = 10 * MINUTE;
pub const INVITATION: i64 = 7 * DAY;
pub const INVITATION_MAX: i64 = 30 * DAY;

pub const DEVICES_PER_ACCOUNT: usize = 64;
pub const HOMES_PER_ACCOUNT: usize = 32;
pub const MEMBERS_PER_HOME: usize = 32;
pub const INVITATIONS_PER_HOME: usize = 20;
/// Devices a home keeps out.
pub const EXCLUDED_PER_HOME: usize = 64;
pub const IDENTITIES_PER_ACCOUNT: usize = 8;

/// Characters.
pub const NAME: usize = 80;
pub const DEVICE_NAME: usize = 64;
/// RFC 5321.
pub const EMAIL: usize = 254;
/// Of the OAuth parameter.
pub const STATE: usize = 512;

/// Bytes of a form or JSON body.
pub const BODY: usize = 16 * 1024;
