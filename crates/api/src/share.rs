//! What a screen shows of sharing one home between people and devices.
//!
//! Lists that the server keeps (members, devices, invitations) are answered from what was last
//! heard, at once; asking has them refreshed behind, and [`crate::Event::MembersChanged`] tells
//! when something is new. Only what acts on the server waits for it.

use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// This device's account and how far its home is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub state: AccountState,
    pub sync: SyncView,
    /// The home shown here, if it is shared.
    pub home: Option<SharedHome>,
    /// Homes of the account on the server, this one included, as last heard.
    pub homes: Vec<HomeChoice>,
    /// The server last signed in at, to be offered again.
    pub last_server: Option<String>,
    /// What the person should know of the last attempt or of an access that ended.
    pub notice: Option<AccountNotice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    SignedOut,
    /// Waits for the person, in the browser that opened (`url`) or, where none could, at
    /// `verification_uri` with `user_code` (RFC 8628).
    SigningIn {
        server: String,
        /// The page that the system browser was sent to, should it not have come up.
        url: Option<String>,
        user_code: Option<String>,
        verification_uri: Option<String>,
        /// The same with the code in it: a link, a QR code.
        verification_uri_complete: Option<String>,
        expires_at: Option<UnixMillis>,
    },
    SignedIn {
        server: String,
        name: String,
        email: String,
        /// This device, as in the list of devices.
        device: Uuid,
        device_name: String,
        token_store: TokenStore,
    },
}

/// Where the access to the account is kept on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStore {
    /// The system's keyring.
    Keyring,
    /// A file that its owner alone can read: there is no keyring here.
    File,
}

/// `message` is in English; the page translates by `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNotice {
    pub code: AccountNoticeCode,
    pub message: String,
    pub at: UnixMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountNoticeCode {
    /// The person refused, or closed the page.
    Refused,
    /// Nobody came back in time.
    Expired,
    /// The server can't be reached, or is none of ours.
    ServerUnreachable,
    /// Something went wrong: the message says what.
    Failed,
    /// The account ended this device's access, or the access was found to be stolen.
    DeviceRemoved,
    /// An owner ended this account's membership of the home, or the home was deleted.
    MembershipEnded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedHome {
    pub id: Uuid,
    pub name: String,
    pub role: MemberRole,
    /// People who accepted an invitation and wait for an owner's word.
    pub members_pending: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Everything, members and the home's end included.
    Owner,
    /// Sees and edits the home.
    Member,
    /// Sees the home.
    Viewer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    Active,
    /// Accepted an invitation; an owner has to confirm.
    Pending,
}

/// A home that could be shown here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeChoice {
    pub id: Uuid,
    pub name: String,
    pub role: MemberRole,
    pub state: MemberState,
    /// The one shown here now.
    pub here: bool,
}

/// How a shared home comes to this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinMode {
    /// The home kept here so far is put aside, in its folder; the shared one takes its place.
    Replace,
    /// Both become one: meters, tariffs, budgets and alerts of either. For two devices that
    /// started the same home apart.
    Merge,
}

/// How this device stands to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncView {
    pub state: SyncState,
    /// When the server was last heard.
    pub last_reached: Option<UnixMillis>,
    /// Changes made here that the server has not kept yet.
    pub waiting: u32,
    /// Days of usage recorded here that the server has not kept yet.
    pub blocks_waiting: u32,
}

impl SyncView {
    pub const OFF: Self = Self { state: SyncState::Off, last_reached: None, waiting: 0, blocks_waiting: 0 };
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SyncState {
    /// The home is not shared.
    Off,
    /// Connected, and nothing waits either way.
    UpToDate,
    /// Connected; changes are on their way.
    Waiting {
        changes: u32,
    },
    Connecting,
    /// Trying again by itself. Everything works meanwhile.
    Unreachable {
        since: UnixMillis,
        reason: String,
    },
    /// This device's access, or this account's membership, ended: the home stays here as it was
    /// and is no longer shared.
    Removed,
    /// The home was written by a newer Hearthwatt: it is shown, but not changed, until this one is
    /// updated.
    ReadOnly {
        needs: u32,
    },
}

/// The people of the shared home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub members: Vec<MemberView>,
    /// Whether this account may invite, confirm and remove.
    pub may_manage: bool,
    /// When the server said so; `None`: not heard yet.
    pub as_of: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    pub id: Uuid,
    pub name: String,
    /// Shown to owners, and of oneself.
    pub email: Option<String>,
    pub role: MemberRole,
    pub state: MemberState,
    /// The account signed in here.
    pub me: bool,
}

/// The devices that have the shared home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    pub devices: Vec<DeviceView>,
    pub as_of: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    pub id: Uuid,
    pub name: String,
    /// Whose it is.
    pub owner: String,
    pub last_seen: Option<UnixMillis>,
    /// The one this page runs on.
    pub here: bool,
    /// Whether this account may end its access.
    pub removable: bool,
}

/// An invitation as it was just made: the code is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: Uuid,
    pub link: String,
    pub code: String,
    pub role: MemberRole,
    pub expires: UnixMillis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationList {
    pub invitations: Vec<InvitationView>,
    pub as_of: Option<UnixMillis>,
}

/// An invitation that has not been used yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub id: Uuid,
    pub role: MemberRole,
    pub expires: UnixMillis,
    /// Who made it.
    pub by: String,
}

/// What a conflict, a change or a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedKind {
    Profile,
    Meter,
    Tariff,
    Budget,
    Alert,
    Correction,
}

/// Two devices set one field to different values before they heard of each other. One of the
/// values holds until the person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictView {
    /// Names the conflict for [`crate::ResolveConflict`]; another one as soon as a value changes.
    pub id: String,
    pub kind: SharedKind,
    /// Id of the budget, the meter, …, so that it is said where that is edited; nil: the profile.
    pub entity: Uuid,
    /// Which one: the budget's, the meter's name.
    pub what: String,
    /// The field of the document, such as `limit` or `name`.
    pub field: String,
    pub choices: Vec<ConflictChoice>,
    /// Index of the value that holds now.
    pub chosen: u32,
    /// In English: "the kitchen tablet set 30, this phone set 28".
    pub words: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictChoice {
    /// As in the JSON of the entity; of the field `removed` a bool.
    pub value: serde_json::Value,
    /// For a person, in English.
    pub text: String,
    /// The device that set it; `None`: the server has not told whose it is.
    pub who: Option<String>,
    /// Set on this device.
    pub here: bool,
    pub when: Option<UnixMillis>,
}
