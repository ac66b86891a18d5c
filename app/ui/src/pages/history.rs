//! *History*: when it was used, and how that compares.

use crate::browser;
use crate::calendar;
use crate::chart::{Axis, Chart, ChartSpec, Series, Slot, Tone, Unit};
use crate::effects::{App, use_ctx, use_query};
use crate::i18n::I18n;
use crate::parts::{Choice, Fault, Icon, PageHead, quantity};
use crate::route::{HistoryQuery, Route, compare_name, parse_compare, parse_period, period_name};
use crate::state::Topics;
use hearthwatt_api::{Bar, Compare, GetHistory, History, HistoryPeriod, ListMeters};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use hearthwatt_domain::usage::Quality;
use jiff::civil::Date;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

const PERIODS: [(HistoryPeriod, &str); 5] = [
    (HistoryPeriod::Day, "history-day"),
    (HistoryPeriod::Week, "history-week"),
    (HistoryPeriod::Month, "history-month"),
    (HistoryPeriod::Year, "history-year"),
    (HistoryPeriod::All, "history-all"),
];

#[derive(PartialEq, Properties)]
pub struct HistoryProps {
    pub query: HistoryQuery,
}

#[component]
pub fn HistoryPage(props: &HistoryProps) -> Html {
    let app = use_ctx();
    let head = html! { <PageHead title={app.t("nav-history")} /> };
    // the home's day is not known before its zone is
    if app.overview.is_none() {
        return html! { <>{ head }<div class="skeleton block" aria-busy="true" /></> };
    }
    html! { <Full query={props.query} /> }
}

#[component]
fn Full(props: &HistoryProps) -> Html {
    let app = use_ctx();
    let q = props.query;
    let today = app.today();
    let anchor = q.on.unwrap_or(today);
    let answer = use_query(
        GetHistory { resolution: q.by, anchor, compare: q.vs, meter: q.meter },
        Topics::USAGE.and(Topics::METERS).and(Topics::SETTINGS),
    );
    let by = Callback::from(move |name: AttrValue| {
        if let Some(by) = parse_period(&name) {
            go(HistoryQuery { by, ..q });
        }
    });
    html! {
        <>
            <PageHead title={app.t("nav-history")}>
                <Choice id="history-by" label={app.t("history-by")} value={period_name(q.by)} onchange={by}
                    options={PERIODS.iter().map(|(p, key)| (period_name(*p).into(), app.i18n.t(key).into())).collect::<Vec<_>>()} />
            </PageHead>
            <div class="history-bar">
                <Pager query={q} {anchor} {today} history={answer.data.clone()} />
                <Selectors query={q} />
            </div>
            { match (&answer.data, &answer.error) {
                (_, Some(error)) if answer.data.is_none() || answer.stale => html! { <Fault error={error.clone()} /> },
                (Some(history), _) => html! {
                    <div aria-busy={answer.stale.to_string()}><Shown query={q} {today} history={history.clone()} /></div>
                },
                _ => html! { <div class="skeleton block" aria-busy="true" /> },
            } }
        </>
    }
}

fn go(query: HistoryQuery) {
    browser::set_hash(&Route::History(query).href());
}

#[derive(PartialEq, Properties)]
struct PagerProps {
    query: HistoryQuery,
    anchor: Date,
    today: Date,
    history: Option<Rc<History>>,
}

/// Earlier, later, today, and the period's name.
#[component]
fn Pager(props: &PagerProps) -> Html {
    let app = use_ctx();
    let (q, today) = (props.query, props.today);
    let (from, to) = calendar::bounds(q.by, props.anchor);
    let first = props.history.as_ref().and_then(|h| h.first_day);
    let is_all = q.by == HistoryPeriod::All;
    let has_earlier = !is_all && first.is_some_and(|first| first < from);
    // nothing to see beyond the last day, in a home whose meters are silent
    let last = props.history.as_ref().and_then(|h| h.last_day);
    let has_later = has_later(q.by, to, today, last);
    let to_step = move |n: i32| {
        Callback::from(move |_: MouseEvent| {
            let on = calendar::step(q.by, props_anchor(q, today), n);
            let (from, to) = calendar::bounds(q.by, on);
            // the period that holds today is the one that goes on by itself
            go(HistoryQuery { on: (today < from || today >= to).then_some(on), ..q });
        })
    };
    html! {
        <div class="pager">
            <button type="button" class="square" id="history-earlier" disabled={!has_earlier} aria-label={app.t("history-earlier")} onclick={to_step(-1)}><Icon name="left" /></button>
            <button type="button" class="square" id="history-later" disabled={!has_later} aria-label={app.t("history-later")} onclick={to_step(1)}><Icon name="right" /></button>
            <h2 id="history-period" aria-live="polite">{ period_title(&app.i18n, q.by, from, to, today) }</h2>
            if !is_all && to <= today {
                <button type="button" class="quiet" id="history-today" onclick={move |_| go(HistoryQuery { on: None, ..q })}>{ app.t("history-to-today") }</button>
            }
        </div>
    }
}

/// Whether a period that ends before `to` has one after it that is worth a look.
fn has_later(by: HistoryPeriod, to: Date, today: Date, last: Option<Date>) -> bool {
    by != HistoryPeriod::All && to <= today && last.is_none_or(|last| to <= last)
}

fn props_anchor(q: HistoryQuery, today: Date) -> Date {
    q.on.unwrap_or(today)
}

/// "Today", "16 Nov – 22 Nov", "November 2026", "2026".
pub fn period_title(i18n: &I18n, by: HistoryPeriod, from: Date, to: Date, today: Date) -> String {
    let last = to.yesterday().unwrap_or(to);
    match by {
        HistoryPeriod::Day => i18n.day(from, today),
        HistoryPeriod::Week => {
            let end = if last.year() == today.year() { i18n.day_month(last) } else { i18n.day_of_year(last) };
            i18n.ta("history-range", [("from", i18n.day_month(from).into()), ("to", end.into())])
        }
        HistoryPeriod::Month => format!("{} {}", i18n.month(from.month()), from.year()),
        HistoryPeriod::Year => from.year().to_string(),
        HistoryPeriod::All => i18n.t("history-all-years"),
    }
}

#[derive(PartialEq, Properties)]
struct ShownProps {
    query: HistoryQuery,
    today: Date,
    history: Rc<History>,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let app = use_ctx();
    let h = &props.history;
    let by = props.query.by;
    let title = period_title(&app.i18n, by, h.from, h.to, props.today);
    let i18n = app.i18n.clone();
    let now = app.clock.now();
    let spec =
        use_memo((Rc::as_ptr(h) as usize, i18n, by), |(_, i18n, by)| spec_of(i18n, *by, h, props.today, now));
    let doubtful: Energy = h.bars.iter().map(|b| b.not_measured_energy).sum();
    let t = &h.total;
    let rows: Vec<(&str, String)> = [
        ("history-import", Some(t.import).filter(|_| props.query.meter.is_none())),
        ("history-export", Some(t.export).filter(|e| !e.is_zero())),
        ("history-produced", Some(t.produced).filter(|e| !e.is_zero())),
    ]
    .into_iter()
    .filter_map(|(key, energy)| Some((key, app.i18n.energy(energy?).to_string())))
    .collect();
    html! {
        <div class="history" data-testid="history">
            <div class="history-head">
                <p class="history-total" id="history-total" data-testid="history-total">
                    { quantity(&app.i18n.energy(t.used)) }
                    <span class="history-taken">{ format!(" {}", app.t("history-taken")) }</span>
                    if let Some(cost) = t.cost {
                        <span class="history-cost num" id="history-cost">{ format!(" · {}", app.i18n.money(cost)) }</span>
                    }
                </p>
                <p id="history-difference" data-testid="history-difference" class="muted">{ difference(&app, props) }</p>
            </div>
            <Chart id="history-chart" title={app.i18n.ta("history-chart", [("period", title.into())])} {spec}
                empty={app.t("history-empty")} file={format!("hearthwatt-{}-{}", period_name(by), h.from)} />
            if !rows.is_empty() {
                <dl class="facts">
                    { for rows.into_iter().map(|(key, text)| html! { <div key={key}><dt>{ app.i18n.t(key) }</dt><dd class="num">{ text }</dd></div> }) }
                </dl>
            }
            if !doubtful.is_zero() {
                <p class="small muted" id="history-quality">{ app.i18n.ta("history-doubtful", [("energy", app.i18n.energy(doubtful).to_string().into())]) }</p>
            }
        </div>
    }
}

/// The sum against the comparison's, in words; fair while the period still runs.
fn difference(app: &App, props: &ShownProps) -> String {
    let (h, i18n) = (&props.history, &app.i18n);
    let Some(other) = &h.compare else { return String::new() };
    let period = period_title(i18n, props.query.by, other.from, other.to, props.today);
    let runs = props.today < h.to;
    let base = if runs { other.total_so_far.used } else { other.total.used };
    if other.bars.iter().all(|b| b.covered <= 0.0) {
        return i18n.ta("history-nothing-before", [("period", period.into())]);
    }
    let diff = h.total.used - base;
    let share = if base.0 == 0 { 0.0 } else { diff.0 as f64 / base.0 as f64 };
    let key = match (share, runs) {
        (s, false) if s.abs() < 0.005 => "history-same",
        (s, true) if s.abs() < 0.005 => "history-same-so-far",
        (s, false) if s < 0.0 => "history-less",
        (s, true) if s < 0.0 => "history-less-so-far",
        (_, false) => "history-more",
        (_, true) => "history-more-so-far",
    };
    let percent = format!("{}{}", if share > 0.0 { "+" } else { "" }, i18n.percent(share));
    i18n.ta(
        key,
        [
            ("difference", i18n.energy(Energy(diff.0.saturating_abs())).to_string().into()),
            ("period", period.into()),
            ("percent", percent.into()),
        ],
    )
}

fn spec_of(i18n: &I18n, by: HistoryPeriod, h: &History, today: Date, now: UnixMillis) -> ChartSpec {
    let slots: Vec<Slot> = h.bars.iter().map(|b| slot_of(i18n, by, b, today, now)).collect();
    let used = |b: &Bar| (b.covered > 0.0).then(|| b.totals.used.kwh());
    let mut series = Vec::new();
    if let Some(other) = &h.compare
        && other.bars.iter().any(|b| b.covered > 0.0)
    {
        let mut values: Vec<Option<f64>> = other.bars.iter().map(used).collect();
        values.resize(h.bars.len(), None);
        let name = period_title(i18n, by, other.from, other.to, today);
        series.push(Series { name, tone: Tone::Ghost, values: values.into() });
    }
    let values: Vec<Option<f64>> = h.bars.iter().map(used).collect();
    series.push(Series { name: i18n.t("history-used"), tone: Tone::Usage, values: values.into() });
    ChartSpec { axis: Axis::Slots(slots.into()), unit: Unit::KilowattHours, series }
}

fn slot_of(i18n: &I18n, by: HistoryPeriod, bar: &Bar, today: Date, now: UnixMillis) -> Slot {
    let start = bar.span.start;
    let day = i18n.day_of(start);
    let (label, name) = match by {
        HistoryPeriod::Day => {
            let (hour, _) = calendar::clock_of(start, i18n.zone());
            (hour.to_string(), format!("{}–{}", i18n.time(start), i18n.time(bar.span.end)))
        }
        HistoryPeriod::Week => (i18n.weekday_short(day), i18n.day(day, today)),
        HistoryPeriod::Month => (day.day().to_string(), i18n.day(day, today)),
        HistoryPeriod::Year => {
            (i18n.month_short(day.month()), format!("{} {}", i18n.month(day.month()), day.year()))
        }
        HistoryPeriod::All => (day.year().to_string(), day.year().to_string()),
    };
    // what is still to come is not a gap
    let to_come = start > now;
    Slot {
        label,
        name,
        quality: if to_come { Quality::Measured } else { bar.quality },
        covered: if to_come { 1.0 } else { bar.covered },
    }
}

#[derive(PartialEq, Properties)]
struct SelectorsProps {
    query: HistoryQuery,
}

/// Of which meter, compared with what.
#[component]
fn Selectors(props: &SelectorsProps) -> Html {
    let app = use_ctx();
    let q = props.query;
    let meters = use_query(ListMeters {}, Topics::METERS);
    let of = Callback::from(move |e: Event| {
        let meter = chosen(&e).and_then(|v| v.parse().ok());
        go(HistoryQuery { meter, ..q });
    });
    let versus = Callback::from(move |e: Event| {
        if let Some(vs) = chosen(&e).and_then(|v| parse_compare(&v)) {
            go(HistoryQuery { vs, ..q });
        }
    });
    let compares = [
        (Compare::None, "history-compare-none"),
        (Compare::Previous, "history-compare-previous"),
        (Compare::LastYear, "history-compare-last-year"),
    ];
    html! {
        <div class="selectors">
            <label>
                <span class="small muted">{ app.t("history-of") }</span>
                <select id="history-of" onchange={of}>
                    <option value="" selected={q.meter.is_none()}>{ app.t("history-whole-home") }</option>
                    { for meters.data.iter().flat_map(|m| m.adopted.iter()).map(|m| html! {
                        <option key={m.meter.id.to_string()} value={m.meter.id.to_string()} selected={q.meter == Some(m.meter.id)}>{ &m.meter.name }</option>
                    }) }
                </select>
            </label>
            <label>
                <span class="small muted">{ app.t("history-compare") }</span>
                <select id="history-compare" onchange={versus}>
                    { for compares.into_iter().map(|(vs, key)| html! {
                        <option key={key} value={compare_name(vs)} selected={q.vs == vs}>{ app.i18n.t(key) }</option>
                    }) }
                </select>
            </label>
        </div>
    }
}

fn chosen(e: &Event) -> Option<String> {
    e.target()?.dyn_into::<web_sys::HtmlSelectElement>().ok().map(|s| s.value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use hearthwatt_api::{Comparison, Totals};
    use hearthwatt_domain::time::Span;
    use jiff::civil::date;

    const DAY: i64 = 86_400_000;

    #[test]
    fn later_stops_at_today_and_at_the_last_day() {
        let (today, month) = (date(2026, 11, 23), HistoryPeriod::Month);
        let later = |to, last| has_later(month, to, today, last);
        assert!(later(date(2026, 11, 1), Some(today)));
        assert!(!later(date(2026, 12, 1), Some(today)), "this month goes on by itself");
        let last = Some(date(2026, 8, 31));
        assert!(later(date(2026, 8, 1), last) && !later(date(2026, 9, 1), last));
        assert!(later(date(2026, 11, 1), None), "not known yet");
        assert!(!has_later(HistoryPeriod::All, date(2026, 1, 1), today, last));
    }

    fn bar(day: i64, kwh: f64, covered: f64) -> Bar {
        Bar {
            span: Span::new(UnixMillis(day * DAY), UnixMillis((day + 1) * DAY)),
            totals: Totals { used: Energy::from_kwh(kwh), ..Totals::default() },
            covered,
            quality: Quality::Measured,
            not_measured_energy: Energy::ZERO,
        }
    }

    #[test]
    fn a_period_is_called_what_people_call_it() {
        let en = I18n::new(Lang::English);
        let today = date(2026, 11, 23);
        let title = |by, day| {
            let (from, to) = calendar::bounds(by, day);
            period_title(&en, by, from, to, today)
        };
        assert_eq!(title(HistoryPeriod::Day, today), "Today");
        assert_eq!(title(HistoryPeriod::Week, date(2026, 11, 20)), "16 Nov – 22 Nov");
        assert_eq!(title(HistoryPeriod::Week, date(2025, 12, 31)), "29 Dec – 4 Jan");
        assert_eq!(title(HistoryPeriod::Month, today), "November 2026");
        assert_eq!(title(HistoryPeriod::Year, today), "2026");
    }

    #[test]
    fn a_gap_is_not_a_zero_and_the_future_not_a_gap() {
        let en = I18n::new(Lang::English);
        let first = date(1970, 1, 5);
        let mut before: Vec<Bar> = (-7..0).map(|d| bar(d, 2.0, 1.0)).collect();
        before.push(bar(0, 9.0, 1.0));
        let h = History {
            span: Span::new(UnixMillis(0), UnixMillis(7 * DAY)),
            from: first,
            to: date(1970, 1, 12),
            time_zone: "UTC".into(),
            bars: vec![bar(4, 1.0, 1.0), bar(5, 0.0, 0.0), bar(6, 0.0, 0.0)],
            total: Totals::default(),
            compare: Some(Comparison {
                from: first,
                to: first,
                bars: before,
                total: Totals::default(),
                total_so_far: Totals::default(),
            }),
            first_day: None,
            last_day: None,
        };
        let spec = spec_of(&en, HistoryPeriod::Week, &h, first, UnixMillis(5 * DAY + 1));
        assert_eq!(*spec.series[1].values, [Some(1.0), None, None]);
        assert_eq!(spec.series[0].values.len(), 3, "the ghost has as many places as the bars");
        assert!(spec.reading(1, &en).contains("no readings"), "{}", spec.reading(1, &en));
        assert!(!spec.reading(2, &en).contains("no readings"), "{}", spec.reading(2, &en));
    }
}
