//! The simulated home from a shell.

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use hearthwatt_discovery::net::mdns::Interfaces;
use hearthwatt_sim::{BrokerAddress, SimHome, SimOptions};
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::time::Duration;

/// A simulated home that speaks MQTT as its meters would.
#[derive(Debug, Parser)]
#[command(name = "hearthwatt-sim", version)]
struct Args {
    /// Publish to this broker.
    #[arg(
        long,
        value_name = "HOST:PORT",
        required_unless_present = "own_broker",
        conflicts_with = "own_broker"
    )]
    broker: Option<String>,
    /// Be the broker as well, at this address.
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    own_broker: Option<SocketAddr>,
    /// The same seed gives the same home.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Time zone of the home, e.g. Europe/Berlin; the computer's if left out.
    #[arg(long)]
    zone: Option<String>,
    /// Home time at the start, e.g. 2025-06-01T12:00:00Z; now if left out.
    #[arg(long)]
    start_at: Option<jiff::Timestamp>,
    /// Seconds of home time per second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Milliseconds between two messages of a meter.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    every: u64,
    /// Where the devices are announced by multicast DNS.
    #[arg(long, value_enum, default_value_t = Announce::Off)]
    announce: Announce,
    /// Meters in all: the eleven of the home, and as many plugs as are missing.
    #[arg(long, default_value_t = 0)]
    meters: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Announce {
    Off,
    Loopback,
    All,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let zone = match &args.zone {
        Some(name) => TimeZone::get(name).with_context(|| format!("no time zone is called {name:?}"))?,
        None => TimeZone::try_system().unwrap_or(TimeZone::UTC),
    };
    let start_at = args.start_at.unwrap_or_else(jiff::Timestamp::now).into();
    let mut options = SimOptions::new(args.seed, zone, start_at);
    options.broker = broker(&args)?;
    options.speed = args.speed;
    options.publish_every = Duration::from_millis(args.every);
    options.announce = match args.announce {
        Announce::Off => Interfaces::Off,
        Announce::Loopback => Interfaces::Loopback,
        Announce::All => Interfaces::All,
    };
    let planned = hearthwatt_sim::plan(args.seed, options.zone.clone()).meters().len();
    options.extra_meters = args.meters.saturating_sub(planned);
    run(options).await
}

fn broker(args: &Args) -> anyhow::Result<BrokerAddress> {
    if let Some(listen) = args.own_broker {
        return Ok(BrokerAddress::OwnAt(listen));
    }
    let Some((host, port)) = args.broker.as_deref().and_then(|b| b.rsplit_once(':')) else {
        bail!("--broker wants HOST:PORT");
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = port.parse().with_context(|| format!("{port:?} is not a port"))?;
    Ok(BrokerAddress::At { host, port })
}

#[allow(clippy::print_stdout, reason = "a program for the shell: this is its output")]
async fn run(options: SimOptions) -> anyhow::Result<()> {
    let home = SimHome::start(options).await?;
    let (host, port) = home.broker();
    println!("{} meters publish to {host}:{port}", home.meters().len());
    if let Some(error) = home.announce_error() {
        println!("not announced: {error}");
    }
    for meter in home.meters() {
        println!("  {:<16} {} {} {}", meter.name, meter.key.family, meter.key.device_id, meter.key.group);
    }
    asked_to_end().await?;
    home.stop().await;
    Ok(())
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
