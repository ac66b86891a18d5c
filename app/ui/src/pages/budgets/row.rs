//! One budget: how much, how far, where it ends, what happens on the way.

use crate::effects::use_ctx;
use crate::i18n::I18n;
use crate::pages::sharing::conflicts::ConflictHint;
use crate::pages::words::{capital, in_period, on_day, period_name, share_of};
use crate::parts::BudgetBar;
use hearthwatt_api::SharedKind;
use hearthwatt_domain::budget::{Amount, Budget, BudgetStatus, Scope};
use hearthwatt_domain::ids::{BudgetId, MeterId};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::{Energy, Money};
use yew::prelude::*;

pub fn edit_id(id: BudgetId) -> String {
    format!("budget-edit-{id}")
}

#[derive(PartialEq, Properties)]
pub struct RowProps {
    pub status: BudgetStatus,
    pub meters: Vec<(MeterId, String)>,
    pub onedit: Callback<Budget>,
    pub ondelete: Callback<Budget>,
}

#[component]
pub fn Row(props: &RowProps) -> Html {
    let app = use_ctx();
    let (i18n, now, s) = (&app.i18n, app.clock.now(), &props.status);
    let budget = &s.budget;
    let verdict = verdict(i18n, s, now);
    let forecast = s.forecast.and_then(|f| Some((share(f.low, budget.limit)?, share(f.high, budget.limit)?)));
    let about = match budget.scope {
        Scope::Home => i18n.t("budget-scope-home"),
        Scope::Meter(id) => props
            .meters
            .iter()
            .find(|(m, _)| *m == id)
            .map_or_else(|| i18n.t("budget-scope-gone"), |(_, name)| name.clone()),
    };
    let (edit, delete) = (props.onedit.clone(), props.ondelete.clone());
    let (for_edit, for_delete) = (budget.clone(), budget.clone());
    let label = |key: &str| i18n.ta(key, [("name", budget.name.clone().into())]);
    let heading = format!("budget-name-{}", budget.id);
    html! {
        <li class={classes!("card", "budget", verdict.class)} data-testid="budget-row" id={format!("budget-{}", budget.id)} aria-labelledby={heading.clone()}>
            <div class="budget-head">
                <div>
                    <h2 id={heading}>{ &budget.name }</h2>
                    <p class="muted small">{ format!("{} · {}", capital(&about), period_name(i18n, budget.period)) }</p>
                </div>
                <div class="actions">
                    <button type="button" class="quiet" id={edit_id(budget.id)} data-testid="budget-edit" aria-label={label("budget-edit-named")}
                        onclick={move |_| edit.emit(for_edit.clone())}>{ app.t("form-edit") }</button>
                    <button type="button" class="quiet" data-testid="budget-delete" aria-label={label("budget-delete-named")}
                        onclick={move |_| delete.emit(for_delete.clone())}>{ app.t("form-delete") }</button>
                </div>
            </div>
            <ConflictHint kind={SharedKind::Budget} entity={budget.id.0} />
            <p class="budget-sum">
                <strong class="num">{ share_of(i18n, s.spent, budget.limit) }</strong>
                <span class="num muted">{ i18n.percent(s.fraction) }</span>
                <span class="muted">{ i18n.ta("budget-elapsed", [("period", capital(&in_period(i18n, s.period, now)).into()), ("share", i18n.percent(s.elapsed).into())]) }</span>
            </p>
            <BudgetBar fraction={s.fraction} elapsed={s.elapsed} {forecast} />
            <p class={classes!("budget-verdict", verdict.class)} data-testid="budget-verdict">
                <strong>{ verdict.word }</strong>{ " " }{ verdict.words }
            </p>
            <ul class="thresholds" aria-label={app.t("budget-thresholds")}>
                { for budget.thresholds.iter().map(|percent| threshold(i18n, s, *percent)) }
                if budget.warn_on_forecast {
                    <li><span class="mark" aria-hidden="true">{ "◇" }</span>{ app.t("budget-warns-ahead") }</li>
                }
            </ul>
        </li>
    }
}

fn threshold(i18n: &I18n, s: &BudgetStatus, percent: u16) -> Html {
    let crossed = s.crossed.contains(&percent);
    let at = scaled(s.budget.limit, percent);
    let key = if crossed { "budget-threshold-crossed" } else { "budget-threshold-ahead" };
    let text = i18n.ta(
        key,
        [("percent", i18n.percent(f64::from(percent) / 100.0).into()), ("amount", i18n.amount(at).into())],
    );
    html! {
        <li key={percent} class={crossed.then_some("crossed")}>
            <span class="mark" aria-hidden="true">{ if crossed { "●" } else { "○" } }</span>{ text }
        </li>
    }
}

struct Verdict {
    class: &'static str,
    word: String,
    words: String,
}

/// Whether it holds, in a word and a sentence.
fn verdict(i18n: &I18n, s: &BudgetStatus, now: UnixMillis) -> Verdict {
    let limit = s.budget.limit;
    if s.fraction > 1.0 {
        let over = minus(s.spent, limit);
        let words = i18n.ta("budget-over-by", [("amount", i18n.amount(over).into())]);
        return Verdict { class: "over", word: i18n.t("budget-over"), words };
    }
    let Some(f) = s.forecast else {
        return Verdict { class: "ok", word: i18n.t("budget-early"), words: i18n.t("budget-early-detail") };
    };
    let range = i18n.amount_range(f.low, f.high);
    match (f.breaks_at, share(f.high, limit).is_some_and(|h| h > 1.0)) {
        (Some(at), _) => Verdict {
            class: "warn",
            // certain only if even the lower end is above
            word: match share(f.low, limit).is_some_and(|l| l > 1.0) {
                true => i18n.ta("budget-breaks", [("day", on_day(i18n, at, now).into())]),
                false => i18n.ta("budget-breaks-likely", [("day", on_day(i18n, at, now).into())]),
            },
            words: i18n.ta("budget-ends-near", [("range", range.into())]),
        },
        (None, true) => Verdict {
            class: "warn",
            word: i18n.t("budget-close"),
            words: i18n.ta("budget-ends-near", [("range", range.into())]),
        },
        (None, false) => Verdict {
            class: "ok",
            word: i18n.t("budget-holds"),
            words: i18n.ta("budget-ends-near", [("range", range.into())]),
        },
    }
}

/// Share of the limit; `None` if one is energy and the other money.
fn share(part: Amount, limit: Amount) -> Option<f64> {
    let (part, limit) = match (part, limit) {
        (Amount::Energy(p), Amount::Energy(l)) => (p.0, l.0),
        (Amount::Money(p), Amount::Money(l)) => (p.0, l.0),
        _ => return None,
    };
    (limit > 0).then(|| part as f64 / limit as f64)
}

fn minus(a: Amount, b: Amount) -> Amount {
    match (a, b) {
        (Amount::Energy(a), Amount::Energy(b)) => Amount::Energy(a - b),
        (Amount::Money(a), Amount::Money(b)) => Amount::Money(a - b),
        _ => a,
    }
}

fn scaled(limit: Amount, percent: u16) -> Amount {
    let of = |v: i64| i64::try_from(i128::from(v) * i128::from(percent) / 100).unwrap_or(i64::MAX);
    match limit {
        Amount::Energy(e) => Amount::Energy(Energy(of(e.0))),
        Amount::Money(m) => Amount::Money(Money(of(m.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::tests::{at, languages, plain};
    use hearthwatt_domain::budget::{Forecast, Period};
    use hearthwatt_domain::time::Span;

    fn status(spent: f64, forecast: Option<(f64, f64, Option<UnixMillis>)>) -> BudgetStatus {
        let kwh = |v| Amount::Energy(Energy::from_kwh(v));
        BudgetStatus {
            budget: Budget {
                id: BudgetId::derive(&["b"]),
                name: "Electricity".into(),
                scope: Scope::Home,
                limit: kwh(260.0),
                period: Period::Month,
                thresholds: vec![80, 100],
                warn_on_forecast: true,
                created: UnixMillis(0),
            },
            period: Span::new(at("2026-11-01T00:00"), at("2026-12-01T00:00")),
            elapsed: 0.5,
            spent: kwh(spent),
            fraction: spent / 260.0,
            forecast: forecast.map(|(low, high, breaks_at)| Forecast {
                low: kwh(low),
                likely: kwh((low + high) / 2.0),
                high: kwh(high),
                breaks_at,
            }),
            crossed: vec![],
        }
    }

    #[test]
    fn the_verdict_is_a_word_and_a_sentence() {
        let (en, de) = languages();
        let now = at("2026-11-18T12:00");
        let check = |s: BudgetStatus, class: &str, english: &str, german: &str| {
            let say = |i: &I18n| {
                let v = verdict(i, &s, now);
                assert_eq!(v.class, class);
                plain(&format!("{} {}", v.word, v.words))
            };
            assert_eq!((say(&en).as_str(), say(&de).as_str()), (english, german));
        };
        check(
            status(142.0, Some((231.0, 248.0, None))),
            "ok",
            "Holds. Ends near 231–248 kWh.",
            "Hält. Endet bei etwa 231–248 kWh.",
        );
        check(
            status(142.0, Some((250.0, 268.0, None))),
            "warn",
            "It will be close. Ends near 250–268 kWh.",
            "Es wird knapp. Endet bei etwa 250–268 kWh.",
        );
        check(
            status(200.0, Some((280.0, 300.0, Some(at("2026-11-26T10:00"))))),
            "warn",
            "Breaks on Thu 26 Nov. Ends near 280–300 kWh.",
            "Bricht am Do 26. Nov. Endet bei etwa 280–300 kWh.",
        );
        check(
            status(200.0, Some((240.0, 300.0, Some(at("2026-11-26T10:00"))))),
            "warn",
            "Likely to break on Thu 26 Nov. Ends near 240–300 kWh.",
            "Bricht wohl am Do 26. Nov. Endet bei etwa 240–300 kWh.",
        );
        check(
            status(272.0, None),
            "over",
            "Over. 12.0 kWh more than planned.",
            "Überschritten. 12,0 kWh mehr als geplant.",
        );
    }

    #[test]
    fn a_threshold_names_its_amount() {
        assert_eq!(
            scaled(Amount::Energy(Energy::from_kwh(260.0)), 80),
            Amount::Energy(Energy::from_kwh(208.0))
        );
        assert_eq!(scaled(Amount::Money(Money(i64::MAX)), 1000), Amount::Money(Money(i64::MAX)));
    }
}
