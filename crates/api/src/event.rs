//! What the engine tells without being asked. A page that missed events asks again: every event
//! but `Live` only says what has changed.

use crate::share::SyncView;
use crate::views::Notice;
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Values that came in since the last one (coalesced to at most one every 20 ms).
    Live(Live),
    /// A found, adopted, ignored or edited meter: ask `meters`.
    MetersChanged,
    /// Usage of past or present intervals changed: ask what is shown again. At most one a second.
    UsageChanged,
    BudgetsChanged,
    /// Raised just now: the shell notifies, the page shows it.
    AlertRaised {
        alert: Alert,
    },
    AlertsChanged,
    SettingsChanged,
    BrokersChanged,
    /// The list of what is wrong changed.
    Health {
        notices: Vec<Notice>,
    },
    /// Signed in or out, a home shared, joined or left: ask `account`.
    AccountChanged,
    /// At most two a second.
    SyncChanged {
        sync: SyncView,
    },
    /// Ask `conflicts`.
    ConflictsChanged,
    /// Members, devices or invitations of the shared home: ask what is shown again.
    MembersChanged,
    /// The home behind this connection is another one now (demo begun or left): start over.
    HomeReplaced,
    /// Events were lost on the way to this page: ask everything again.
    Lagged,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub at: UnixMillis,
    pub meters: Vec<LiveValue>,
    /// Sums by role after these values.
    pub flow: Flow,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveValue {
    pub meter: MeterId,
    /// When it was received.
    pub at: UnixMillis,
    pub power: Power,
}

/// Power between the parts of the home, now. `None`: no adopted meter says so, or its last
/// value is older than 90 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// + from the grid, - to it.
    pub grid: Option<Power>,
    /// Never negative.
    pub solar: Option<Power>,
    /// + charging, - discharging.
    pub battery: Option<Power>,
    /// Percent.
    pub battery_charge: Option<u8>,
    /// What the home uses: grid + solar - battery; without a grid meter the sum of loads that
    /// have no parent among the loads.
    pub home: Option<Power>,
}
