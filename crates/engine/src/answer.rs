//! The answers to the page's calls. Each edit plans, writes, and only then is true in memory.

use crate::documents::{ALERT, BUDGET, SETTINGS, TARIFF, delete, put};
use crate::home::Home;
use crate::words::{invalid, not_found};
use hearthwatt_api::*;
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::{Budget, BudgetStatus};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use jiff::tz::TimeZone;

const ALERTS_MAX: usize = 500;
const NAME_MAX_CHARS: usize = 80;
const BUDGETS_MAX: usize = 100;
const TARIFFS_MAX: usize = 200;

#[allow(non_snake_case, reason = "the answering method carries the name of its call's type")]
impl Answer for Home {
    async fn GetOverview(&self, _: GetOverview) -> Result<Overview, ApiError> {
        self.core.overview().await
    }

    async fn GetLiveSeries(&self, call: GetLiveSeries) -> Result<LiveSeries, ApiError> {
        self.core.live_series(call.window).await
    }

    async fn GetHistory(&self, call: GetHistory) -> Result<History, ApiError> {
        self.core.history(call).await
    }

    async fn ListBudgets(&self, _: ListBudgets) -> Result<Vec<BudgetStatus>, ApiError> {
        let mut budgets: Vec<Budget> = self.core.state().budgets.values().cloned().collect();
        budgets.sort_by_key(|b| (b.created, b.id));
        let mut statuses = Vec::with_capacity(budgets.len());
        for budget in budgets {
            let judged = self.core.state().statuses.get(&budget.id).filter(|s| s.budget == budget).cloned();
            match judged {
                Some(status) => statuses.push(status),
                None => match self.core.assess(&budget).await {
                    Ok(assessment) => statuses.push(assessment.status),
                    Err(error) if error.code == ErrorCode::NotFound => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(statuses)
    }

    async fn SaveBudget(&self, call: SaveBudget) -> Result<BudgetStatus, ApiError> {
        let core = &self.core;
        let budget = call.budget;
        check_budget(&budget)?;
        let _edit = core.edit.lock().await;
        {
            let state = core.state();
            if state.budgets.len() >= BUDGETS_MAX && !state.budgets.contains_key(&budget.id) {
                return Err(invalid(format!("Budgets: at most {BUDGETS_MAX}.")));
            }
        }
        let status = core.assess(&budget).await?.status;
        core.write(vec![put(BUDGET, budget.id, &budget)?]).await?;
        {
            let mut state = core.state();
            state.statuses.insert(budget.id, status.clone());
            state.budgets.insert(budget.id, budget);
        }
        core.tell(Event::BudgetsChanged);
        core.rejudge.notify_one();
        Ok(status)
    }

    async fn DeleteBudget(&self, call: DeleteBudget) -> Result<(), ApiError> {
        let core = &self.core;
        let _edit = core.edit.lock().await;
        if !core.state().budgets.contains_key(&call.id) {
            return Err(not_found("budget"));
        }
        core.write(vec![delete(BUDGET, call.id)]).await?;
        {
            let mut state = core.state();
            state.budgets.remove(&call.id);
            state.statuses.remove(&call.id);
        }
        core.tell(Event::BudgetsChanged);
        Ok(())
    }

    async fn ListAlerts(&self, call: ListAlerts) -> Result<Vec<Alert>, ApiError> {
        let state = self.core.state();
        let wanted = |a: &&Alert| !call.unacknowledged_only || a.acknowledged_at.is_none();
        let mut alerts: Vec<Alert> = state.alerts.values().filter(wanted).cloned().collect();
        alerts.sort_by_key(|a| (std::cmp::Reverse((a.raised_at, a.crossed_at)), a.id));
        alerts.truncate(ALERTS_MAX);
        Ok(alerts)
    }

    async fn AcknowledgeAlert(&self, call: AcknowledgeAlert) -> Result<Alert, ApiError> {
        let core = &self.core;
        let _edit = core.edit.lock().await;
        let mut alert = core.state().alerts.get(&call.id).cloned().ok_or_else(|| not_found("alert"))?;
        if alert.acknowledged_at.is_none() {
            alert.acknowledged_at = Some(core.now());
            core.write(vec![put(ALERT, alert.id, &alert)?]).await?;
            core.state().alerts.insert(alert.id, alert.clone());
            core.tell(Event::AlertsChanged);
        }
        Ok(alert)
    }

    async fn ListMeters(&self, _: ListMeters) -> Result<MeterList, ApiError> {
        self.core.meter_list().await
    }

    async fn AdoptMeters(&self, call: AdoptMeters) -> Result<MeterList, ApiError> {
        let edit = self.core.edit.lock().await;
        let adopted = self.core.state().meters.plan_adoption(&call.ids)?;
        let ids: Vec<_> = adopted.iter().map(|m| m.id).collect();
        self.put_meters(adopted).await?;
        let held = self.core.state().meters.release(&ids);
        self.core.writer.push(held.into_iter());
        drop(edit);
        self.core.meter_list().await
    }

    async fn IgnoreMeter(&self, call: IgnoreMeter) -> Result<MeterList, ApiError> {
        let edit = self.core.edit.lock().await;
        let meter = self.core.state().meters.plan_ignoring(call.id)?;
        self.put_meters(vec![meter]).await?;
        drop(edit);
        self.core.meter_list().await
    }

    async fn UpdateMeter(&self, call: UpdateMeter) -> Result<MeterList, ApiError> {
        let edit = self.core.edit.lock().await;
        let meter = self.core.state().meters.plan_update(&call)?;
        self.put_meters(vec![meter]).await?;
        drop(edit);
        self.core.meter_list().await
    }

    async fn ListRefusals(&self, call: ListRefusals) -> Result<Vec<Refusal>, ApiError> {
        Ok(self.core.state().meters.refusals(call.meter))
    }

    async fn GetSettings(&self, _: GetSettings) -> Result<Settings, ApiError> {
        Ok(self.core.state().settings.clone())
    }

    async fn SaveSettings(&self, call: SaveSettings) -> Result<Settings, ApiError> {
        let core = &self.core;
        let mut settings = call.settings;
        settings.home_name = settings.home_name.trim().to_owned();
        let zone = check_settings(&settings)?;
        let _edit = core.edit.lock().await;
        let new_zone = core.state().settings.time_zone != settings.time_zone;
        core.write(vec![put(SETTINGS, crate::documents::HOME, &settings)?]).await?;
        if new_zone {
            // days are rebuilt; opening does it again should the end come before it is done
            let zone = zone.clone();
            core.writer.run(move |store| store.set_zone(&zone)).await?;
        }
        {
            let mut state = core.state();
            state.settings = settings.clone();
            state.zone = zone;
            if new_zone {
                state.reprice();
            }
        }
        if new_zone {
            core.changes.all();
            core.tell(Event::UsageChanged);
        }
        core.tell(Event::SettingsChanged);
        Ok(settings)
    }

    async fn ListTariffs(&self, _: ListTariffs) -> Result<Vec<Tariff>, ApiError> {
        Ok(self.core.state().tariffs.clone())
    }

    async fn SaveTariff(&self, call: SaveTariff) -> Result<Vec<Tariff>, ApiError> {
        let tariff = call.tariff;
        check_tariff(&tariff)?;
        let _edit = self.core.edit.lock().await;
        let mut tariffs = self.core.state().tariffs.clone();
        tariffs.retain(|t| t.id != tariff.id);
        if tariffs.len() >= TARIFFS_MAX {
            return Err(invalid(format!("Tariffs: at most {TARIFFS_MAX}.")));
        }
        let change = put(TARIFF, tariff.id, &tariff)?;
        tariffs.push(tariff);
        self.put_tariffs(tariffs, change).await
    }

    async fn DeleteTariff(&self, call: DeleteTariff) -> Result<Vec<Tariff>, ApiError> {
        let _edit = self.core.edit.lock().await;
        let mut tariffs = self.core.state().tariffs.clone();
        let before = tariffs.len();
        tariffs.retain(|t| t.id != call.id);
        if tariffs.len() == before {
            return Err(not_found("tariff"));
        }
        self.put_tariffs(tariffs, delete(TARIFF, call.id)).await
    }

    async fn ListBrokers(&self, _: ListBrokers) -> Result<Vec<BrokerView>, ApiError> {
        Ok(self.core.brokers().view())
    }

    async fn SaveBroker(&self, call: SaveBroker) -> Result<Vec<BrokerView>, ApiError> {
        self.core.save_broker(call.broker).await
    }

    async fn DeleteBroker(&self, call: DeleteBroker) -> Result<Vec<BrokerView>, ApiError> {
        self.core.delete_broker(call.id).await
    }

    async fn SetOwnBroker(&self, call: SetOwnBroker) -> Result<Vec<BrokerView>, ApiError> {
        self.core.set_own_broker(call.enabled).await
    }

    async fn GetAccount(&self, _: GetAccount) -> Result<Account, ApiError> {
        self.core.refresh_homes_if_old();
        Ok(self.core.account())
    }

    async fn SignIn(&self, call: SignIn) -> Result<Account, ApiError> {
        self.core.sign_in(call).await
    }

    async fn CancelSignIn(&self, _: CancelSignIn) -> Result<Account, ApiError> {
        self.core.cancel_sign_in().await
    }

    async fn SignOut(&self, call: SignOut) -> Result<Account, ApiError> {
        self.core.sign_out(call).await
    }

    async fn ShareHome(&self, _: ShareHome) -> Result<Account, ApiError> {
        self.core.share_home().await
    }

    async fn JoinHome(&self, call: JoinHome) -> Result<Account, ApiError> {
        self.core.join_home(call).await
    }

    async fn LeaveHome(&self, _: LeaveHome) -> Result<Account, ApiError> {
        self.core.leave_home().await
    }

    async fn ListMembers(&self, _: ListMembers) -> Result<Roster, ApiError> {
        self.core.members()
    }

    async fn SetRole(&self, call: SetRole) -> Result<Roster, ApiError> {
        self.core.set_role(call).await
    }

    async fn RemoveMember(&self, call: RemoveMember) -> Result<Roster, ApiError> {
        self.core.remove_member(call).await
    }

    async fn ConfirmMember(&self, call: ConfirmMember) -> Result<Roster, ApiError> {
        self.core.confirm_member(call).await
    }

    async fn ListDevices(&self, _: ListDevices) -> Result<DeviceList, ApiError> {
        self.core.devices()
    }

    async fn RemoveDevice(&self, call: RemoveDevice) -> Result<DeviceList, ApiError> {
        self.core.remove_device(call).await
    }

    async fn ListInvitations(&self, _: ListInvitations) -> Result<InvitationList, ApiError> {
        self.core.invitations()
    }

    async fn Invite(&self, call: Invite) -> Result<Invitation, ApiError> {
        self.core.invite(call).await
    }

    async fn RevokeInvitation(&self, call: RevokeInvitation) -> Result<InvitationList, ApiError> {
        self.core.revoke_invitation(call).await
    }

    async fn AcceptInvitation(&self, call: AcceptInvitation) -> Result<Account, ApiError> {
        self.core.accept_invitation(call).await
    }

    async fn ListConflicts(&self, _: ListConflicts) -> Result<Vec<ConflictView>, ApiError> {
        self.core.conflicts()
    }

    async fn ResolveConflict(&self, call: ResolveConflict) -> Result<Vec<ConflictView>, ApiError> {
        self.core.resolve_conflict(call).await
    }

    async fn GetData(&self, _: GetData) -> Result<DataView, ApiError> {
        self.core.data_view().await
    }

    async fn SetRetention(&self, call: SetRetention) -> Result<DataView, ApiError> {
        self.core.set_retention(call.keep_days).await
    }

    async fn GetHealth(&self, _: GetHealth) -> Result<Vec<Notice>, ApiError> {
        Ok(self.core.notices())
    }

    async fn StartDemo(&self, _: StartDemo) -> Result<(), ApiError> {
        Err(demo_elsewhere())
    }

    async fn LeaveDemo(&self, _: LeaveDemo) -> Result<(), ApiError> {
        Err(demo_elsewhere())
    }
}

fn demo_elsewhere() -> ApiError {
    ApiError {
        code: ErrorCode::Unavailable,
        message: "A home can't change into another one: the program that opened it begins and ends the demo."
            .into(),
        retry: false,
    }
}

impl Home {
    /// Roles and parents decide all sums: everything computed is old after an edit.
    async fn put_meters(&self, meters: Vec<Meter>) -> Result<(), ApiError> {
        if meters.is_empty() {
            return Ok(());
        }
        self.core.put_meters(&meters).await?;
        {
            let mut state = self.core.state();
            meters.into_iter().for_each(|m| state.meters.put(m));
        }
        self.core.changes.all();
        self.core.tell(Event::MetersChanged);
        self.core.tell(Event::UsageChanged);
        Ok(())
    }

    async fn put_tariffs(
        &self,
        tariffs: Vec<Tariff>,
        change: hearthwatt_store::DocumentChange,
    ) -> Result<Vec<Tariff>, ApiError> {
        self.core.write(vec![change]).await?;
        let tariffs = {
            let mut state = self.core.state();
            state.tariffs = tariffs;
            state.reprice();
            state.tariffs.clone()
        };
        self.core.changes.all();
        self.core.tell(Event::SettingsChanged);
        self.core.tell(Event::UsageChanged);
        Ok(tariffs)
    }
}

fn check_settings(settings: &Settings) -> Result<TimeZone, ApiError> {
    if settings.home_name.chars().count() > NAME_MAX_CHARS {
        return Err(invalid(format!("Name of the home: at most {NAME_MAX_CHARS} characters.")));
    }
    if settings.currency.len() != 3 || !settings.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(invalid("Currency: three letters, such as EUR."));
    }
    if !(1..=31).contains(&settings.bill_day) {
        return Err(invalid("Bill day: between 1 and 31."));
    }
    TimeZone::get(&settings.time_zone).map_err(|_| invalid("Time zone: a name such as Europe/Vienna."))
}

pub(crate) fn check_tariff(tariff: &Tariff) -> Result<(), ApiError> {
    tariff.validate().map_err(|e| invalid(e.message))
}

pub(crate) fn check_budget(budget: &Budget) -> Result<(), ApiError> {
    budget.validate().map_err(|e| invalid(e.message))
}
