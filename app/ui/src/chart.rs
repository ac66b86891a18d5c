//! The one chart of the page: lines over time or bars over periods, drawn by uPlot through
//! `static/chart.js`. Every chart can be read by mouse, touch, keyboard, as a table and as CSV.

use crate::effects::use_ctx;
use crate::i18n::I18n;
use crate::{browser, csv};
use hearthwatt_domain::format::NBSP;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::Quality;
use serde::Serialize;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// What the colour says: a role of the home, never decoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Usage,
    Grid,
    Solar,
    Battery,
    Export,
    /// What it is compared with; drawn behind.
    Ghost,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Tone::Usage => "usage",
            Tone::Grid => "grid",
            Tone::Solar => "solar",
            Tone::Battery => "battery",
            Tone::Export => "export",
            Tone::Ghost => "ghost",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Watts,
    KilowattHours,
    /// The home's currency.
    Money,
}

impl Unit {
    pub fn words(self, value: f64, i18n: &I18n) -> String {
        match self {
            Unit::Watts => i18n.watts(value).to_string(),
            Unit::KilowattHours => i18n.kwh(value).to_string(),
            Unit::Money => i18n.money(hearthwatt_domain::units::Money::from_major(value)),
        }
    }
    /// For the head of a column, whose cells are plain numbers.
    fn symbol(self, i18n: &I18n) -> String {
        match self {
            Unit::Watts => "W".into(),
            Unit::KilowattHours => "kWh".into(),
            Unit::Money => i18n.currency().to_owned(),
        }
    }
    fn axis(self, value: f64, i18n: &I18n) -> String {
        match self {
            // "0.5 kW", not "500 W", beside "1 kW": one unit along an axis
            Unit::Watts => format!("{}{NBSP}kW", trimmed(i18n, value / 1e3)),
            Unit::KilowattHours => format!("{}{NBSP}kWh", trimmed(i18n, value)),
            Unit::Money => i18n.money_round(value),
        }
    }
}

fn trimmed(i18n: &I18n, value: f64) -> String {
    let digits = (0..3).find(|d| (value - round_to(value, *d)).abs() < 1e-6).unwrap_or(3);
    i18n.decimal(value, digits as usize)
}

fn round_to(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    pub tone: Tone,
    /// In the chart's unit; `None` is a gap.
    pub values: Rc<[Option<f64>]>,
}

/// One bar's place: what stands under it, and what it is called in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    pub label: String,
    pub name: String,
    pub quality: Quality,
    /// Share of its time that readings speak for.
    pub covered: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Evenly spaced points.
    Time {
        start: UnixMillis,
        step_ms: i64,
    },
    Slots(Rc<[Slot]>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChartSpec {
    pub axis: Axis,
    pub unit: Unit,
    pub series: Vec<Series>,
}

impl ChartSpec {
    pub fn len(&self) -> usize {
        match &self.axis {
            Axis::Slots(slots) => slots.len(),
            Axis::Time { .. } => self.series.iter().map(|s| s.values.len()).max().unwrap_or(0),
        }
    }
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.values.iter().all(Option::is_none))
    }

    fn place(&self, index: usize, i18n: &I18n) -> String {
        match &self.axis {
            Axis::Slots(slots) => slots.get(index).map(|s| s.name.clone()).unwrap_or_default(),
            Axis::Time { start, step_ms } => i18n.time(start.plus_ms(step_ms.saturating_mul(index as i64))),
        }
    }

    /// What the cursor says at a point: "14:02 · Home 1.24 kW · Solar 2.1 kW".
    pub fn reading(&self, index: usize, i18n: &I18n) -> String {
        let mut parts = vec![self.place(index, i18n)];
        for s in &self.series {
            if let Some(v) = s.values.get(index).copied().flatten() {
                parts.push(format!("{}{NBSP}{}", s.name, self.unit.words(v, i18n)));
            }
        }
        if let Axis::Slots(slots) = &self.axis
            && let Some(slot) = slots.get(index)
            && (slot.covered <= 0.0 || slot.quality != Quality::Measured)
        {
            parts.push(quality_words(slot, i18n));
        }
        if parts.len() == 1 {
            parts.push(i18n.t("no-value"));
        }
        parts.join(" · ")
    }

    /// Head and rows, numbers plain so that a spreadsheet reads them.
    pub fn table(&self, i18n: &I18n, plain: bool) -> (Vec<String>, Vec<Vec<String>>) {
        let unit = self.unit.symbol(i18n);
        let is_bars = matches!(self.axis, Axis::Slots(_));
        let mut head = vec![i18n.t("chart-time")];
        head.extend(self.series.iter().map(|s| format!("{} ({unit})", s.name)));
        if is_bars {
            head.push(i18n.t("chart-quality"));
        }
        let digits = if self.unit == Unit::Watts { 0 } else { 3 };
        let number = |v: Option<f64>| match v {
            Some(v) if plain => format!("{v:.digits$}"),
            Some(v) => i18n.decimal(v, if self.unit == Unit::Money { 2 } else { digits }),
            None => String::new(),
        };
        let rows = (0..self.len())
            .map(|i| {
                let time = match &self.axis {
                    Axis::Time { start, step_ms } if plain => start
                        .plus_ms(step_ms.saturating_mul(i as i64))
                        .to_jiff()
                        .map(|t| t.to_zoned(i18n.zone().clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
                        .unwrap_or_default(),
                    _ => self.place(i, i18n),
                };
                let mut row = vec![time];
                row.extend(self.series.iter().map(|s| number(s.values.get(i).copied().flatten())));
                if let Axis::Slots(slots) = &self.axis {
                    row.push(slots.get(i).map(|s| quality_words(s, i18n)).unwrap_or_default());
                }
                row
            })
            .collect();
        (head, rows)
    }
}

fn quality_words(slot: &Slot, i18n: &I18n) -> String {
    if slot.covered <= 0.0 {
        return i18n.t("quality-none");
    }
    i18n.t(match slot.quality {
        Quality::Measured => "quality-measured",
        Quality::Interpolated => "quality-interpolated",
        Quality::Recovered => "quality-recovered",
        Quality::Suspect => "quality-suspect",
        Quality::Corrected => "quality-corrected",
    })
}

// ---------------------------------------------------------------- the drawing

#[wasm_bindgen(raw_module = "./chart.js")]
extern "C" {
    /// A drawn chart; see `static/chart.js`.
    type Plot;
    #[wasm_bindgen(constructor)]
    fn new(
        host: &web_sys::Element,
        options: &JsValue,
        axis_text: &js_sys::Function,
        on_cursor: &js_sys::Function,
    ) -> Plot;
    /// New values for the same series: x (seconds or index), then each series; NaN is a gap.
    #[wasm_bindgen(method)]
    fn data(this: &Plot, columns: js_sys::Array, slots: &JsValue);
    #[wasm_bindgen(method)]
    fn destroy(this: &Plot);
}

/// What a new drawing is needed for; anything else is only new data.
#[derive(PartialEq, Serialize)]
struct Options {
    bars: bool,
    unit: Unit,
    lang: &'static str,
    zone: String,
    series: Vec<(String, Tone)>,
}

#[derive(Serialize)]
struct SlotMark<'a> {
    label: &'a str,
    /// "" measured, "hatch" filled in, "outline" doubtful, "gap" nothing known.
    mark: &'static str,
}

fn mark(slot: &Slot) -> &'static str {
    match slot.quality {
        _ if slot.covered <= 0.0 => "gap",
        Quality::Interpolated | Quality::Recovered => "hatch",
        Quality::Suspect => "outline",
        Quality::Measured | Quality::Corrected => "",
    }
}

fn to_js(value: &impl Serialize) -> JsValue {
    serde_json::to_string(value).ok().and_then(|s| js_sys::JSON::parse(&s).ok()).unwrap_or(JsValue::NULL)
}

fn columns(spec: &ChartSpec) -> js_sys::Array {
    let count = spec.len();
    let x: Vec<f64> = match &spec.axis {
        Axis::Slots(_) => (0..count).map(|i| i as f64).collect(),
        Axis::Time { start, step_ms } => {
            (0..count).map(|i| (start.0 as f64 + *step_ms as f64 * i as f64) / 1e3).collect()
        }
    };
    let out = js_sys::Array::of1(&js_sys::Float64Array::from(x.as_slice()));
    for s in &spec.series {
        let y: Vec<f64> =
            (0..count).map(|i| s.values.get(i).copied().flatten().unwrap_or(f64::NAN)).collect();
        out.push(&js_sys::Float64Array::from(y.as_slice()));
    }
    out
}

fn slot_marks(spec: &ChartSpec) -> JsValue {
    match &spec.axis {
        Axis::Slots(slots) => {
            to_js(&slots.iter().map(|s| SlotMark { label: &s.label, mark: mark(s) }).collect::<Vec<_>>())
        }
        Axis::Time { .. } => JsValue::NULL,
    }
}

struct Drawn {
    plot: Plot,
    // called from the drawing for as long as it stands
    _axis: Closure<dyn Fn(f64) -> String>,
    _cursor: Closure<dyn Fn(i32)>,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.plot.destroy();
    }
}

#[derive(PartialEq, Properties)]
pub struct ChartProps {
    /// Stable, unique on the page.
    pub id: AttrValue,
    /// Says what is shown; read by screen readers.
    pub title: AttrValue,
    pub spec: Rc<ChartSpec>,
    /// Why there is nothing yet and what to do, for a chart without data.
    pub empty: AttrValue,
    /// Name of the CSV file, without its ending.
    pub file: AttrValue,
}

#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let app = use_ctx();
    let i18n = app.i18n.clone();
    let host = use_node_ref();
    let drawn = use_mut_ref(|| None::<Drawn>);
    let cursor = use_state(|| None::<usize>);
    let as_table = use_state(|| false);
    let is_empty = props.spec.is_empty();
    let visible = !is_empty && !*as_table;

    let options = Options {
        bars: matches!(props.spec.axis, Axis::Slots(_)),
        unit: props.spec.unit,
        lang: i18n.lang.tag(),
        zone: i18n.zone().iana_name().unwrap_or("UTC").to_owned(),
        series: props.spec.series.iter().map(|s| (s.name.clone(), s.tone)).collect(),
    };
    {
        let (drawn, host, cursor, words) = (drawn.clone(), host.clone(), cursor.clone(), i18n.clone());
        use_effect_with((options, i18n.clone(), visible), move |(options, _, visible)| {
            if let (true, Some(element)) = (*visible, host.cast::<web_sys::Element>()) {
                let unit = options.unit;
                let axis = Closure::<dyn Fn(f64) -> String>::new(move |v| unit.axis(v, &words));
                let on_cursor =
                    Closure::<dyn Fn(i32)>::new(move |i: i32| cursor.set(usize::try_from(i).ok()));
                let plot = Plot::new(
                    &element,
                    &to_js(options),
                    axis.as_ref().unchecked_ref(),
                    on_cursor.as_ref().unchecked_ref(),
                );
                *drawn.borrow_mut() = Some(Drawn { plot, _axis: axis, _cursor: on_cursor });
            }
            let gone = drawn.clone();
            move || {
                gone.borrow_mut().take();
            }
        });
    }
    // after every drawing and on every change of the data
    {
        let spec = props.spec.clone();
        use_effect_with((spec, i18n.clone(), visible), move |(spec, ..)| {
            if let Some(d) = &*drawn.borrow() {
                d.plot.data(columns(spec), &slot_marks(spec));
            }
        });
    }

    if is_empty {
        return html! {
            <div class="chart" id={props.id.clone()} data-testid={props.id.clone()}>
                <p class="empty muted" data-testid="chart-empty">{ &props.empty }</p>
            </div>
        };
    }
    let reading = (*cursor).map(|i| props.spec.reading(i, &i18n));
    let last = props.spec.len().saturating_sub(1);
    let toggle = {
        let as_table = as_table.clone();
        Callback::from(move |_| as_table.set(!*as_table))
    };
    let save = {
        let (spec, i18n, file) = (props.spec.clone(), i18n.clone(), props.file.clone());
        Callback::from(move |_| {
            let (head, rows) = spec.table(&i18n, true);
            browser::download(&format!("{file}.csv"), "text/csv;charset=utf-8", &csv::write(&head, &rows));
        })
    };
    html! {
        <div class="chart" id={props.id.clone()} data-testid={props.id.clone()}>
            if *as_table {
                <ChartTable spec={props.spec.clone()} title={props.title.clone()} />
            } else {
                <p class="chart-reading num" aria-hidden="true" data-testid="chart-reading">{ reading.clone().unwrap_or_else(|| NBSP.to_string()) }</p>
                <div class="chart-host" ref={host} tabindex="0" role="slider" data-chart="true"
                    aria-label={props.title.clone()} aria-describedby={format!("{}-help", props.id)}
                    aria-valuemin="0" aria-valuemax={last.to_string()} aria-valuenow={cursor.unwrap_or(last).to_string()}
                    aria-valuetext={reading.unwrap_or_else(|| props.spec.reading(last, &i18n))} />
                if matches!(props.spec.axis, Axis::Slots(_)) && props.spec.series.len() > 1 {
                    <Key spec={props.spec.clone()} />
                }
                <p class="only-heard" id={format!("{}-help", props.id)}>{ i18n.t("chart-help") }</p>
            }
            <p class="chart-tools">
                <button type="button" class="quiet" aria-pressed={as_table.to_string()} data-testid={format!("{}-table", props.id)} onclick={toggle}>
                    { i18n.t(if *as_table { "chart-as-chart" } else { "chart-as-table" }) }
                </button>
                if *as_table {
                    <button type="button" class="quiet" data-testid={format!("{}-csv", props.id)} onclick={save}>{ i18n.t("chart-download") }</button>
                }
            </p>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct KeyProps {
    spec: Rc<ChartSpec>,
}

/// Which bar is which, where bars stand behind others; lines carry their names themselves.
#[component]
fn Key(props: &KeyProps) -> Html {
    html! {
        <ul class="chart-key" aria-hidden="true">
            { for props.spec.series.iter().rev().map(|s| html! {
                <li>
                    <svg viewBox="0 0 12 12" width="12" height="12" focusable="false"><rect class={s.tone.name()} width="12" height="12" rx="2" /></svg>
                    { &s.name }
                </li>
            }) }
        </ul>
    }
}

#[derive(PartialEq, Properties)]
struct ChartTableProps {
    spec: Rc<ChartSpec>,
    title: AttrValue,
}

#[component]
fn ChartTable(props: &ChartTableProps) -> Html {
    let app = use_ctx();
    let (head, rows) = props.spec.table(&app.i18n, false);
    let numbers = 1..=props.spec.series.len();
    let class = |i: usize| numbers.contains(&i).then_some("num");
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={props.title.clone()}>
            <table>
                <caption class="only-heard">{ &props.title }</caption>
                <thead><tr>{ for head.iter().enumerate().map(|(i, h)| html! { <th scope="col" class={class(i)}>{ h }</th> }) }</tr></thead>
                <tbody>
                    { for rows.iter().map(|row| html! {
                        <tr>{ for row.iter().enumerate().map(|(i, c)| match i {
                            0 => html! { <th scope="row">{ c }</th> },
                            _ => html! { <td class={class(i)}>{ c }</td> },
                        }) }</tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    fn bars() -> ChartSpec {
        let slot =
            |name: &str, quality, covered| Slot { label: name.into(), name: name.into(), quality, covered };
        ChartSpec {
            axis: Axis::Slots(Rc::from([
                slot("Mon", Quality::Measured, 1.0),
                slot("Tue", Quality::Recovered, 1.0),
                slot("Wed", Quality::Measured, 0.0),
            ])),
            unit: Unit::KilowattHours,
            series: vec![Series {
                name: "Used".into(),
                tone: Tone::Usage,
                values: Rc::from([Some(1.5), Some(12.34), None]),
            }],
        }
    }

    #[test]
    fn the_cursor_names_place_value_and_what_is_doubtful() {
        let en = I18n::new(Lang::English);
        let said = |i| bars().reading(i, &en).replace(NBSP, " ");
        assert_eq!(said(0), "Mon · Used 1.5 kWh");
        assert_eq!(said(1), "Tue · Used 12.3 kWh · spread over a pause");
        assert_eq!(said(2), "Wed · no readings");
    }

    #[test]
    fn the_file_has_plain_numbers_and_the_screen_its_languages() {
        let de = I18n::new(Lang::German);
        let (head, file) = bars().table(&de, true);
        assert_eq!(head, ["Zeit", "Used (kWh)", "Güte"]);
        assert_eq!(file[1], ["Tue", "12.340", "über eine Pause verteilt"]);
        assert_eq!(bars().table(&de, false).1[1][1], "12,340");
        assert_eq!(file[2][1], "", "a gap is not a zero");
    }

    #[test]
    fn what_is_not_plainly_measured_looks_different() {
        let Axis::Slots(slots) = bars().axis else { panic!("bars") };
        assert_eq!(slots.iter().map(mark).collect::<Vec<_>>(), ["", "hatch", "gap"]);
    }

    #[test]
    fn an_axis_keeps_one_unit_with_few_digits() {
        let en = I18n::new(Lang::English);
        let said: Vec<String> =
            [0.0, 500.0, 1000.0, 250.0].map(|v| Unit::Watts.axis(v, &en).replace(NBSP, " ")).into();
        assert_eq!(said, ["0 kW", "0.5 kW", "1 kW", "0.25 kW"]);
    }
}
