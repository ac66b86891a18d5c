//! What the screens show, computed where the data is.

use crate::event::Flow;
use hearthwatt_domain::budget::BudgetStatus;
use hearthwatt_domain::ids::{BrokerId, MeterId};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Money, Power};
use hearthwatt_domain::usage::Quality;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

// ---------------------------------------------------------------- Now

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    pub at: UnixMillis,
    pub home_name: String,
    /// IANA name of the home's zone, ISO 4217 code of its currency.
    pub time_zone: String,
    pub currency: String,
    pub demo: bool,
    pub flow: Flow,
    /// `None` until there are enough days to compare with.
    pub verdict: Option<Verdict>,
    pub today: Totals,
    /// The home's usage by hour of today's (23, 24 or 25 hours), `None` for hours to come.
    pub today_hours: Vec<Option<Energy>>,
    /// The month's energy or money budget for the home, if there is one.
    pub month: Option<BudgetStatus>,
    /// Loads, most power first.
    pub consumers: Vec<Consumer>,
    /// Home use that no load meter saw; `None` without a grid meter or any load.
    pub not_measured: Option<Power>,
    pub has_tariff: bool,
    /// Unacknowledged alerts.
    pub open_alerts: u32,
    pub found_meters: u32,
    pub adopted_meters: u32,
    /// Since when the engine has been looking for meters (first-run guide).
    pub looking_since: UnixMillis,
}

/// Power now against the same time on earlier days of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub level: Level,
    pub usual: Power,
    /// Monday = 1 … Sunday = 7, in the home's zone.
    pub weekday: u8,
    pub part_of_day: PartOfDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    MuchLower,
    Lower,
    Usual,
    Higher,
    MuchHigher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOfDay {
    Night,
    Morning,
    Afternoon,
    Evening,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// What the home used: import + solar - export ± battery. For a meter: what it took.
    pub used: Energy,
    pub import: Energy,
    pub export: Energy,
    pub produced: Energy,
    /// Import at its price plus standing charge less export pay; `None` without a tariff for all
    /// of the time.
    pub cost: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    pub meter: MeterId,
    pub name: String,
    pub power: Option<Power>,
    /// Today.
    pub used: Energy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveWindow {
    Hour,
    SixHours,
    Day,
}

/// Evenly spaced averages per role; `None` where nothing was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSeries {
    pub start: UnixMillis,
    pub step_ms: i64,
    pub lines: Vec<LiveLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveLine {
    pub line: LineKind,
    /// Watts.
    pub points: Vec<Option<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Home,
    Grid,
    Solar,
    Battery,
}

// ---------------------------------------------------------------- History

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryPeriod {
    /// A day by hours.
    Day,
    /// A week by days.
    Week,
    /// A month by days.
    Month,
    /// A year by months.
    Year,
    /// All years.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    None,
    /// The period before.
    Previous,
    /// The same period a year earlier.
    LastYear,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub span: Span,
    /// First day of the period, and of the one after.
    pub from: Date,
    pub to: Date,
    pub time_zone: String,
    pub bars: Vec<Bar>,
    pub total: Totals,
    /// Same length as `bars` where the calendars match, else shorter or longer (29 February,
    /// 25-hour days): compare by position.
    pub compare: Option<Comparison>,
    /// Days for which there is any data, to stop paging at.
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub from: Date,
    pub to: Date,
    pub bars: Vec<Bar>,
    pub total: Totals,
    /// The part of the comparison that has the same length as what has passed of the period:
    /// the fair number to compare a running period with.
    pub total_so_far: Totals,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    pub span: Span,
    pub totals: Totals,
    /// Share of the bar's time that readings speak for, 0..=1. 0: a gap, drawn as one.
    pub covered: f64,
    /// Worst quality inside, and the energy that is not plainly measured.
    pub quality: Quality,
    pub not_measured_energy: Energy,
}

// ---------------------------------------------------------------- Meters

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeterList {
    /// Adopted, parents before children.
    pub adopted: Vec<MeterView>,
    pub found: Vec<MeterView>,
    pub ignored: Vec<MeterView>,
    /// Devices that announced themselves but send nothing we can use yet, and why.
    pub seen: Vec<SeenDevice>,
    /// Messages refused that belong to no meter.
    pub refused_elsewhere: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeterView {
    pub meter: Meter,
    pub power: Option<Power>,
    pub last_seen: Option<UnixMillis>,
    pub health: MeterHealth,
    /// Messages understood and refused since the program started.
    pub accepted: u64,
    pub refused: u64,
    pub last_refusal: Option<Refusal>,
    /// Today, in the home's zone.
    pub used_today: Energy,
    pub broker: Option<BrokerId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterHealth {
    Well,
    /// Heard from, but not for longer than it usually pauses.
    Quiet,
    /// It said so itself, or its broker is gone.
    Offline,
    /// More refused than understood lately.
    Refused,
    /// Not heard since the start.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub at: UnixMillis,
    pub topic: String,
    pub reason: String,
}

/// Something on the network that looks like a meter or a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDevice {
    pub name: String,
    pub family: String,
    pub address: String,
    /// What to do to get its readings.
    pub hint: SeenHint,
    pub at: UnixMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenHint {
    /// Switch on MQTT in the device and name this home's broker.
    EnableMqtt,
    /// It publishes, we have just not heard a value yet.
    Waiting,
    /// Its family is not read yet.
    NotSupported,
}

// ---------------------------------------------------------------- Settings and health

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub home_name: String,
    /// IANA name.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Day of the month on which the bill's period starts, 1..=31.
    pub bill_day: u8,
    /// Adopt every meter that is understood without asking.
    pub auto_adopt: bool,
    pub notifications: bool,
}

/// What is stored, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataView {
    pub database_bytes: u64,
    /// Of these, room inside the database that deleted readings left for new ones.
    pub free_bytes: u64,
    /// Readings by the second are kept for so many days; `None` is for ever. Usage by quarter
    /// hours and days always is.
    pub keep_days: Option<u32>,
    /// Readings by the second before this are no longer kept; `None`: all are.
    pub readings_since: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerView {
    pub id: BrokerId,
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub username: String,
    pub has_password: bool,
    pub origin: BrokerOrigin,
    pub state: BrokerState,
    /// Since when it is in this state.
    pub since: UnixMillis,
    /// Words for a person where the state needs them.
    pub detail: String,
    pub messages: u64,
    /// Lost because a queue was full.
    pub lost: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerOrigin {
    /// Typed in by the household.
    Manual,
    /// Found by mDNS.
    Found,
    /// The broker inside Hearthwatt.
    Own,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerState {
    Connecting,
    Connected,
    /// Lost or never reached; trying again by itself.
    Unreachable,
    /// The broker refuses user name or password.
    BadCredentials,
    /// Its certificate is not one we can trust.
    BadCertificate,
    Disabled,
}

/// A broker as typed in. `password: None` keeps the stored one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerInput {
    pub id: BrokerId,
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// PEM of the authority that signed the broker's certificate. Empty keeps the stored one of the
    /// same host (switching TLS off forgets it); without one, what the system trusts.
    pub ca_pem: String,
    pub username: String,
    pub password: Option<String>,
}

/// Something a person should know, in words: what happened, what it means for the data, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub code: NoticeCode,
    pub severity: Severity,
    /// In English; the page has words of its own for the code in other languages.
    pub message: String,
    /// For those words: the name of what it is about (a broker's host), and what no translation
    /// can say (a fingerprint, a path, the system's reason). Empty where there is none.
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub detail: String,
    pub since: UnixMillis,
    /// What it is about, for a link.
    pub broker: Option<BrokerId>,
    pub meter: Option<MeterId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
    Info,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    BrokerUnreachable,
    BrokerBadCredentials,
    BrokerBadCertificate,
    /// Connected, but it does not let us listen to some topics.
    BrokerRefusesTopics,
    DiskFull,
    DatabaseReadOnly,
    DatabaseCorrupt,
    /// The database was damaged and has been rebuilt of what could be read.
    DatabaseRebuilt,
    /// Written by a newer Hearthwatt: this one must not touch it.
    DatabaseNewer,
    /// Another Hearthwatt has this home open.
    SecondInstance,
    ClockJumped,
    ReadingsLost,
    TooManyTopics,
    /// No network at all; everything local goes on.
    NetworkGone,
    /// mDNS can't be used here (no permission, port taken).
    DiscoveryUnavailable,
}

impl NoticeCode {
    pub const ALL: [NoticeCode; 15] = [
        Self::BrokerUnreachable,
        Self::BrokerBadCredentials,
        Self::BrokerBadCertificate,
        Self::BrokerRefusesTopics,
        Self::DiskFull,
        Self::DatabaseReadOnly,
        Self::DatabaseCorrupt,
        Self::DatabaseRebuilt,
        Self::DatabaseNewer,
        Self::SecondInstance,
        Self::ClockJumped,
        Self::ReadingsLost,
        Self::TooManyTopics,
        Self::NetworkGone,
        Self::DiscoveryUnavailable,
    ];
}
