//! One home, running.

use crate::error::OpenError;
use crate::options::{HomeOptions, Preset};
use hearthwatt_api::*;
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::BudgetStatus;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::tariff::Tariff;
use tokio::sync::broadcast;

/// Events a slow listener may fall behind before it is told [`Event::Lagged`] by its receiver.
pub const EVENT_BACKLOG: usize = 1024;

/// A home that is open. Dropping it without [`Home::close`] is like a power cut: nothing that was
/// stored is lost.
pub struct Home {
    events: broadcast::Sender<Event>,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    pub stored: u64,
    pub duplicates: u64,
}

impl Home {
    /// Opens the home and starts to listen. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The folder or its database can't be used: [`OpenError::code`] says how.
    pub async fn open(_options: HomeOptions) -> Result<Home, OpenError> {
        Ok(Home { events: broadcast::channel(EVENT_BACKLOG).0 })
    }

    /// What the home tells unasked, from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Stores past readings (a backfill), in any order; those already there are left alone. Give
    /// batches of up to some ten thousand.
    ///
    /// # Errors
    /// `Storage` when the database can't take them: none of the batch is stored.
    pub async fn import(&self, _readings: Vec<Reading>) -> Result<Imported, ApiError> {
        Err(not_yet())
    }

    /// Puts meters, tariffs and budgets in place, all or nothing.
    ///
    /// # Errors
    /// `Invalid` names the field; `Storage` when the database can't take them.
    pub async fn configure(&self, _preset: Preset) -> Result<(), ApiError> {
        Err(not_yet())
    }

    /// Stops listening, stores what is under way and closes the database in order.
    pub async fn close(self) {}
}

fn not_yet() -> ApiError {
    ApiError {
        code: ErrorCode::Unavailable,
        message: "The home does not answer this yet.".into(),
        retry: false,
    }
}

#[allow(non_snake_case, reason = "the answering method carries the name of its call's type")]
impl Answer for Home {
    async fn GetOverview(&self, _call: GetOverview) -> Result<Overview, ApiError> {
        Err(not_yet())
    }
    async fn GetLiveSeries(&self, _call: GetLiveSeries) -> Result<LiveSeries, ApiError> {
        Err(not_yet())
    }
    async fn GetHistory(&self, _call: GetHistory) -> Result<History, ApiError> {
        Err(not_yet())
    }
    async fn ListBudgets(&self, _call: ListBudgets) -> Result<Vec<BudgetStatus>, ApiError> {
        Err(not_yet())
    }
    async fn SaveBudget(&self, _call: SaveBudget) -> Result<BudgetStatus, ApiError> {
        Err(not_yet())
    }
    async fn DeleteBudget(&self, _call: DeleteBudget) -> Result<(), ApiError> {
        Err(not_yet())
    }
    async fn ListAlerts(&self, _call: ListAlerts) -> Result<Vec<Alert>, ApiError> {
        Err(not_yet())
    }
    async fn AcknowledgeAlert(&self, _call: AcknowledgeAlert) -> Result<Alert, ApiError> {
        Err(not_yet())
    }
    async fn ListMeters(&self, _call: ListMeters) -> Result<MeterList, ApiError> {
        Err(not_yet())
    }
    async fn AdoptMeters(&self, _call: AdoptMeters) -> Result<MeterList, ApiError> {
        Err(not_yet())
    }
    async fn IgnoreMeter(&self, _call: IgnoreMeter) -> Result<MeterList, ApiError> {
        Err(not_yet())
    }
    async fn UpdateMeter(&self, _call: UpdateMeter) -> Result<MeterList, ApiError> {
        Err(not_yet())
    }
    async fn ListRefusals(&self, _call: ListRefusals) -> Result<Vec<Refusal>, ApiError> {
        Err(not_yet())
    }
    async fn GetSettings(&self, _call: GetSettings) -> Result<Settings, ApiError> {
        Err(not_yet())
    }
    async fn SaveSettings(&self, _call: SaveSettings) -> Result<Settings, ApiError> {
        Err(not_yet())
    }
    async fn ListTariffs(&self, _call: ListTariffs) -> Result<Vec<Tariff>, ApiError> {
        Err(not_yet())
    }
    async fn SaveTariff(&self, _call: SaveTariff) -> Result<Vec<Tariff>, ApiError> {
        Err(not_yet())
    }
    async fn DeleteTariff(&self, _call: DeleteTariff) -> Result<Vec<Tariff>, ApiError> {
        Err(not_yet())
    }
    async fn ListBrokers(&self, _call: ListBrokers) -> Result<Vec<BrokerView>, ApiError> {
        Err(not_yet())
    }
    async fn SaveBroker(&self, _call: SaveBroker) -> Result<Vec<BrokerView>, ApiError> {
        Err(not_yet())
    }
    async fn DeleteBroker(&self, _call: DeleteBroker) -> Result<Vec<BrokerView>, ApiError> {
        Err(not_yet())
    }
    async fn SetOwnBroker(&self, _call: SetOwnBroker) -> Result<Vec<BrokerView>, ApiError> {
        Err(not_yet())
    }
    async fn GetHealth(&self, _call: GetHealth) -> Result<Vec<Notice>, ApiError> {
        Err(not_yet())
    }
    async fn StartDemo(&self, _call: StartDemo) -> Result<(), ApiError> {
        Err(not_yet())
    }
    async fn LeaveDemo(&self, _call: LeaveDemo) -> Result<(), ApiError> {
        Err(not_yet())
    }
}
