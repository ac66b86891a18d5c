//! Addresses: constants where fixed, functions where an id is in them. The server's route templates
//! are the same text with `{name}` where the function takes `name`.

use uuid::Uuid;

pub const METADATA: &str = "/.well-known/oauth-authorization-server";
pub const AUTHORIZE: &str = "/oauth/authorize";
pub const TOKEN: &str = "/oauth/token";
pub const REVOKE: &str = "/oauth/revoke";
pub const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";
/// The page on which a person types the code that another device shows.
pub const DEVICE_PAGE: &str = "/device";

pub const ME: &str = "/api/v1/me";
pub const ME_EXPORT: &str = "/api/v1/me/export";
pub const ME_DEVICES: &str = "/api/v1/me/devices";
pub const HOMES: &str = "/api/v1/homes";
pub const SYNC_TICKET: &str = "/api/v1/sync/ticket";
/// The WebSocket.
pub const SYNC: &str = "/sync";
pub const OPENAPI: &str = "/api/openapi.json";
pub const HEALTHZ: &str = "/healthz";
pub const READYZ: &str = "/readyz";
pub const METRICS: &str = "/metrics";

pub fn me_device(device: Uuid) -> String {
    format!("{ME_DEVICES}/{device}")
}
pub fn home(home: Uuid) -> String {
    format!("{HOMES}/{home}")
}
pub fn home_export(home: Uuid) -> String {
    format!("{HOMES}/{home}/export")
}
pub fn members(home: Uuid) -> String {
    format!("{HOMES}/{home}/members")
}
pub fn member(home: Uuid, member: Uuid) -> String {
    format!("{HOMES}/{home}/members/{member}")
}
pub fn confirm_member(home: Uuid, member: Uuid) -> String {
    format!("{HOMES}/{home}/members/{member}/confirm")
}
pub fn invitations(home: Uuid) -> String {
    format!("{HOMES}/{home}/invitations")
}
pub fn home_invitation(home: Uuid, invitation: Uuid) -> String {
    format!("{HOMES}/{home}/invitations/{invitation}")
}
/// `code` as typed or taken from a link; characters that have no place in a path are dropped.
pub fn invitation(code: &str) -> String {
    format!("/api/v1/invitations/{}", path_safe(code))
}
pub fn accept_invitation(code: &str) -> String {
    format!("/api/v1/invitations/{}/accept", path_safe(code))
}
pub fn home_devices(home: Uuid) -> String {
    format!("{HOMES}/{home}/devices")
}
pub fn home_device(home: Uuid, device: Uuid) -> String {
    format!("{HOMES}/{home}/devices/{device}")
}
pub fn prefs(home: Uuid) -> String {
    format!("{HOMES}/{home}/prefs")
}
/// List with `?after=seq&limit=`.
pub fn blocks(home: Uuid) -> String {
    format!("{HOMES}/{home}/blocks")
}
/// `sha256` in lower-case hex.
pub fn block(home: Uuid, sha256: &str) -> String {
    format!("{HOMES}/{home}/blocks/{}", path_safe(sha256))
}

/// The page an invitation's link opens: `{server}/join/{code}`.
pub fn join_page(code: &str) -> String {
    format!("/join/{}", path_safe(code))
}

/// The code in what a person pasted: a whole link of [`join_page`], or the code itself.
pub fn invitation_code(pasted: &str) -> String {
    let end = pasted.trim().trim_end_matches('/');
    let end = end.rsplit_once("/join/").map_or(end, |(_, code)| code);
    path_safe(end.split(['?', '#']).next().unwrap_or(end))
}

fn path_safe(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_a_link_and_never_leaves_its_segment() {
        for pasted in [
            "https://home.example/join/AB12-CD34",
            " AB12-CD34\n",
            "https://home.example/join/AB12-CD34/?x=1",
        ] {
            assert_eq!(invitation_code(pasted), "AB12-CD34", "{pasted}");
        }
        assert_eq!(invitation("../../me?x=/"), "/api/v1/invitations/mex");
    }
}
