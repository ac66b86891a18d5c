//! The calls, by screen.

use crate::share::*;
use crate::views::*;
use crate::{ApiError, Call};
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::{Budget, BudgetStatus};
use hearthwatt_domain::ids::{AlertId, BrokerId, BudgetId, MeterId, TariffId};
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::tariff::Tariff;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares the calls and [`CALL_NAMES`], so that the shells' dispatch can be checked for gaps.
macro_rules! calls {
    ($( $(#[$doc:meta])* $name:literal $ty:ident { $( $(#[$fdoc:meta])* $field:ident : $fty:ty ),* $(,)? } -> $reply:ty; )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $ty { $( $(#[$fdoc])* pub $field: $fty ),* }
            impl Call for $ty { type Reply = $reply; const NAME: &'static str = $name; }
        )*
        /// Names of all calls.
        pub const CALL_NAMES: &[&str] = &[$($name),*];

        /// One home, able to answer every call. A new call does not compile until it is answered.
        pub trait Answer {
            $( fn $ty(&self, call: $ty) -> impl Future<Output = Result<$reply, ApiError>> + Send; )*
        }

        /// Parses, answers, and serialises: all that a shell has to do for a call.
        pub async fn dispatch<A: Answer + Sync>(home: &A, name: &str, params: serde_json::Value) -> Result<serde_json::Value, ApiError> {
            match name {
                $( $name => {
                    let call: $ty = serde_json::from_value(params).map_err(|e| crate::ApiError {
                        code: crate::ErrorCode::BadRequest, message: format!("The request \"{name}\" can't be read: {e}."), retry: false })?;
                    let reply = home.$ty(call).await?;
                    serde_json::to_value(reply).map_err(|e| crate::ApiError {
                        code: crate::ErrorCode::Internal, message: format!("The answer to \"{name}\" can't be written: {e}."), retry: false })
                } )*
                _ => Err(ApiError { code: crate::ErrorCode::BadRequest, message: format!("There is no request \"{name}\"."), retry: false }),
            }
        }
    };
}

mod generated {
    #![allow(non_snake_case, reason = "the answering method carries the name of its call's type")]
    use super::*;

    calls! {
        // --- Now
        /// Everything on the first screen but the chart.
        "overview" GetOverview {} -> Overview;
        /// The live chart: one line per role, oldest first.
        "live_series" GetLiveSeries { window: LiveWindow } -> LiveSeries;
        // --- History
        "history" GetHistory {
            resolution: HistoryPeriod,
            /// Any day inside the period shown.
            anchor: Date,
            compare: Compare,
            /// `None` is the home.
            meter: Option<MeterId>,
        } -> History;
        // --- Budgets
        "budgets" ListBudgets {} -> Vec<BudgetStatus>;
        /// Creates or replaces; the id is the caller's (a random UUID for a new one).
        "save_budget" SaveBudget { budget: Budget } -> BudgetStatus;
        "delete_budget" DeleteBudget { id: BudgetId } -> ();
        // --- Alerts
        /// Newest first, at most 500.
        "alerts" ListAlerts { unacknowledged_only: bool } -> Vec<Alert>;
        "acknowledge_alert" AcknowledgeAlert { id: AlertId } -> Alert;
        // --- Meters
        "meters" ListMeters {} -> MeterList;
        /// Adopts found (or ignored) meters; an empty list adopts all that were understood.
        "adopt_meters" AdoptMeters { ids: Vec<MeterId> } -> MeterList;
        "ignore_meter" IgnoreMeter { id: MeterId } -> MeterList;
        "update_meter" UpdateMeter {
            id: MeterId,
            name: String,
            room: String,
            role: Role,
            parent: Option<MeterId>,
            inverted: bool,
        } -> MeterList;
        /// The latest refused messages with their reasons, newest first, at most 100.
        "refusals" ListRefusals { meter: Option<MeterId> } -> Vec<Refusal>;
        // --- Settings
        "settings" GetSettings {} -> Settings;
        "save_settings" SaveSettings { settings: Settings } -> Settings;
        "tariffs" ListTariffs {} -> Vec<Tariff>;
        "save_tariff" SaveTariff { tariff: Tariff } -> Vec<Tariff>;
        "delete_tariff" DeleteTariff { id: TariffId } -> Vec<Tariff>;
        "brokers" ListBrokers {} -> Vec<BrokerView>;
        "save_broker" SaveBroker { broker: BrokerInput } -> Vec<BrokerView>;
        "delete_broker" DeleteBroker { id: BrokerId } -> Vec<BrokerView>;
        /// Switches the broker inside Hearthwatt on or off ("let this computer be the broker").
        "own_broker" SetOwnBroker { enabled: bool } -> Vec<BrokerView>;
        // --- Sharing
        "account" GetAccount {} -> Account;
        /// Begins to sign in at a server (`https://…`; `http://` at loopback addresses alone).
        "sign_in" SignIn { server: String } -> Account;
        "cancel_sign_in" CancelSignIn {} -> Account;
        /// Works offline too. `wipe`: the home on this device is deleted with it, readings included.
        "sign_out" SignOut { wipe: bool } -> Account;
        /// Puts this home on the server, with this account as its owner.
        "share_home" ShareHome {} -> Account;
        "join_home" JoinHome { home: Uuid, mode: JoinMode } -> Account;
        /// Ends this account's membership; the home stays on this device, not shared any more.
        "leave_home" LeaveHome {} -> Account;
        "members" ListMembers {} -> Roster;
        "set_role" SetRole { member: Uuid, role: MemberRole } -> Roster;
        "remove_member" RemoveMember { member: Uuid } -> Roster;
        "confirm_member" ConfirmMember { member: Uuid } -> Roster;
        "devices" ListDevices {} -> DeviceList;
        "remove_device" RemoveDevice { device: Uuid } -> DeviceList;
        "invitations" ListInvitations {} -> InvitationList;
        "invite" Invite { role: MemberRole } -> Invitation;
        "revoke_invitation" RevokeInvitation { id: Uuid } -> InvitationList;
        /// The home then stands among [`Account::homes`], pending until an owner confirms.
        "accept_invitation" AcceptInvitation { code_or_link: String } -> Account;
        "conflicts" ListConflicts {} -> Vec<ConflictView>;
        /// `choice` is an index into the conflict's choices.
        "resolve_conflict" ResolveConflict { id: String, choice: u32 } -> Vec<ConflictView>;
        // --- Data
        "data" GetData {} -> DataView;
        /// How long readings by the second are kept, days (at least 7); `None` is for ever. What is
        /// older is deleted from now on.
        "set_retention" SetRetention { keep_days: Option<u32> } -> DataView;
        // --- The program
        /// What is wrong right now, worst first; empty is well.
        "health" GetHealth {} -> Vec<Notice>;
        "start_demo" StartDemo {} -> ();
        "leave_demo" LeaveDemo {} -> ();
    }
}
pub use generated::*;
