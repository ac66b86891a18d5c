//! Native notifications of alerts; a click opens the alert.

use crate::bridge;
use crate::words::Words;
use hearthwatt_api::{Call, GetSettings, Settings};
use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::budget::Amount;
use hearthwatt_domain::ids::AlertId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_shell::Shell;
use jiff::tz::TimeZone;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

/// Where the notification keeps what it is about.
const ALERT: &str = "alert";
/// A click on the notification itself, whatever the platform calls it.
const CLICK: &str = "tap";

/// Registers for clicks. Must come before the first notification: one that was shown earlier
/// reports none.
pub fn start(app: &AppHandle) {
    let handle = app.clone();
    let registered = app.notification().on_action(move |action| {
        let alert = action.notification().and_then(|n| n.extra().get(ALERT)).and_then(|v| v.as_str());
        if action.action_id() != CLICK {
            return;
        }
        // what comes back passed through other programs: only a real id goes into an address
        if let Some(id) = alert.and_then(|text| text.parse::<AlertId>().ok()) {
            bridge::open_alert(&handle, &id.to_string());
        }
    });
    if let Err(e) = registered {
        tracing::warn!("clicks on notifications will not open the alert: {e}");
    }
}

/// Shows the alert, unless the household wants no notifications.
pub async fn raised(app: &AppHandle, shell: &Shell, alert: &Alert) {
    let settings = shell
        .call(GetSettings::NAME, serde_json::json!({}))
        .await
        .ok()
        .and_then(|value| serde_json::from_value::<Settings>(value).ok());
    let (currency, zone) = match &settings {
        Some(settings) if !settings.notifications => return,
        Some(settings) => (settings.currency.as_str(), TimeZone::get(&settings.time_zone).ok()),
        None => ("EUR", None),
    };
    let words = Words::of_this_computer();
    let (title, body) = text(alert, &words, currency, &zone.unwrap_or(TimeZone::UTC));
    let shown =
        app.notification().builder().title(title).body(body).extra(ALERT, alert.id.to_string()).show();
    if let Err(e) = shown {
        tracing::warn!("the alert can't be shown as a notification: {e}");
    }
}

/// Title and sentence. The name of the budget is only in the title: some desktops read markup in
/// the body.
fn text(alert: &Alert, words: &Words, currency: &str, zone: &TimeZone) -> (String, String) {
    let amount = |a: Amount| match a {
        Amount::Energy(energy) => words.energy(energy),
        Amount::Money(money) => words.money(money, currency),
    };
    let (spent, limit) = (amount(alert.spent), amount(alert.limit));
    let (key, percent, date) = match alert.cause {
        Cause::Threshold { percent } if percent >= 100 => ("alert-over", percent, String::new()),
        Cause::Threshold { percent } => ("alert-threshold", percent, String::new()),
        Cause::Forecast { breaks_at } => ("alert-forecast", 0, date(breaks_at, words, zone)),
    };
    let percent = percent.to_string();
    let values = [
        ("budget", alert.budget_name.as_str()),
        ("percent", &percent),
        ("spent", &spent),
        ("limit", &limit),
        ("date", &date),
    ];
    (words.text(key, &values), words.text(&format!("{key}-body"), &values))
}

fn date(at: UnixMillis, words: &Words, zone: &TimeZone) -> String {
    at.to_jiff().map_or_else(String::new, |t| words.date(t.to_zoned(zone.clone()).date()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::ids::BudgetId;
    use hearthwatt_domain::time::Span;
    use hearthwatt_domain::units::{Energy, Money};

    fn check(cause: Cause, spent: Amount, limit: Amount, language: &str, title: &str, body: &str) {
        let at = UnixMillis::from_secs(1_763_900_000); // 23 November 2025, 12:13 UTC
        let alert = Alert {
            id: AlertId::derive(&["x"]),
            budget: BudgetId::derive(&["x"]),
            budget_name: "November".into(),
            cause,
            period: Span::new(at, at),
            crossed_at: at,
            raised_at: at,
            spent,
            limit,
            acknowledged_at: None,
        };
        let (t, b) = text(&alert, &Words::new(language), "EUR", &TimeZone::UTC);
        assert_eq!((t.replace('\u{a0}', " ").as_str(), b.replace('\u{a0}', " ").as_str()), (title, body));
    }

    #[test]
    fn an_alert_is_a_sentence_with_its_numbers() {
        let kwh = |v| Amount::Energy(Energy::from_kwh(v));
        let euro = |v| Amount::Money(Money::from_major(v));
        let at = UnixMillis::from_secs(1_763_900_000);
        check(
            Cause::Threshold { percent: 80 },
            kwh(208.4),
            kwh(260.0),
            "en",
            "November: 80 % used",
            "208 kWh of 260 kWh used so far.",
        );
        check(
            Cause::Threshold { percent: 100 },
            euro(60.02),
            euro(60.0),
            "de-AT",
            "November ist aufgebraucht",
            "60,02 € verbraucht, 60,00 € vorgesehen.",
        );
        check(
            Cause::Forecast { breaks_at: at },
            euro(48.5),
            euro(60.0),
            "fr",
            "November will probably not hold",
            "48.50 € of 60.00 € used so far. At this rate it is used up on 23 November.",
        );
    }
}
