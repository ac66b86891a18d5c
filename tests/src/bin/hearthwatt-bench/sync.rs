//! The sync server beside the JavaScript one and samod's, on the same load, interleaved.
//!
//! 200 documents in 8 households, a writing and a reading client each, both connected throughout:
//! - bulk: each document was changed 50 times offline; from the writers' return until all readers
//!   have everything;
//! - live: each document is changed 50 times, the next change as soon as the reader has the last;
//! - paced: 100 changes a second over all documents; how long each takes to the reader.
//!
//! The peers acknowledge before they write; ours acknowledges what is durable.

mod load;

use crate::report::Report;
use anyhow::{Context, Result};
use hearthwatt_tests::account::Person;
use hearthwatt_tests::foreign::JsServer;
use hearthwatt_tests::process::{Program, peak_of, usage_of};
use hearthwatt_tests::program;
use hearthwatt_tests::repo::Entry;
use hearthwatt_tests::server::Server;
use load::{Household, Load};
use std::process::Command;
use std::time::Duration;
use uuid::Uuid;

const HOUSEHOLDS: usize = 8;
const DOCUMENTS_EACH: usize = 25;
pub const CHANGES: usize = 50;
const PACE: Duration = Duration::from_millis(10);
const PACED_FOR: Duration = Duration::from_secs(10);

pub async fn measure(report: &mut Report) -> Result<()> {
    for round in 0..report.rounds {
        println!("round {}", round + 1);
        ours(report).await?;
        javascript(report).await?;
        rust(report).await?;
    }
    Ok(())
}

/// The server as anybody starts it, with accounts and rights; only the number of HTTP requests is
/// not limited, so that making two hundred homes takes no minutes.
async fn ours(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let limits = ["--requests-per-address", "10000", "--requests-per-client", "10000"];
    let server = Server::start(folder.path(), &limits);
    let mut households = Vec::new();
    for n in 0..HOUSEHOLDS {
        let name = format!("Household{n}");
        let mut person = match n {
            0 => Person::first(&server, &name).await?,
            _ => Person::register(&server, &name).await?,
        };
        let (writer, reader) = (person.device("writer").await?, person.device("reader").await?);
        let mut documents = Vec::new();
        for n in 0..DOCUMENTS_EACH {
            documents.push(writer.home(&format!("Home {n}")).await?);
        }
        households.push(Household { writer: writer.entry(), reader: reader.entry(), documents });
    }
    run(report, None, households, &server.program).await
}

async fn javascript(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = JsServer::start(folder.path());
    run(report, Some("automerge_repo"), open_households(&server.url), &server.program).await
}

async fn rust(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Program::start(Command::new(program("hearthwatt-samod")).arg(folder.path()));
    let url = server.wait_for_line(Duration::from_secs(10), |l| {
        l.strip_prefix("listening on ").map(|s| s.trim().to_owned())
    });
    run(report, Some("samod"), open_households(&url), &server).await
}

/// On a server that knows no accounts.
fn open_households(url: &str) -> Vec<Household> {
    let one = |_| Household {
        writer: Entry::new(url),
        reader: Entry::new(url),
        documents: (0..DOCUMENTS_EACH).map(|_| Uuid::new_v4()).collect(),
    };
    (0..HOUSEHOLDS).map(one).collect()
}

async fn run(
    report: &mut Report,
    peer: Option<&str>,
    households: Vec<Household>,
    server: &Program,
) -> Result<()> {
    let name = peer.unwrap_or("hearthwatt");
    phases(report, peer, households, server.id())
        .await
        .with_context(|| format!("{name} said last: {}", server.output()))
}

async fn phases(
    report: &mut Report,
    peer: Option<&str>,
    households: Vec<Household>,
    server: u32,
) -> Result<()> {
    let total = (HOUSEHOLDS * DOCUMENTS_EACH * CHANGES) as f64;
    let seconds = |ticks: u64| ticks as f64 / 100.0;
    let cpu = || (usage_of(server).1, usage_of(std::process::id()).1);

    let mut load = Load::start(households).await.context("start")?;
    let mut add = |figure: &str, value: f64| report.add_for(peer, figure, value);

    let (before, own) = cpu();
    let took = load.bulk(CHANGES).await.context("bulk")?;
    let (after, own_after) = cpu();
    add("bulk_changes_per_s", total / took.as_secs_f64());
    add("bulk_cpu_s", seconds(after - before));
    add("bulk_generator_cpu_s", seconds(own_after - own));

    let (before, own) = cpu();
    let (took, _) = load.live(CHANGES).await.context("live")?;
    let (after, own_after) = cpu();
    add("live_changes_per_s", total / took.as_secs_f64());
    add("live_cpu_s", seconds(after - before));
    add("live_generator_cpu_s", seconds(own_after - own));

    let mut delays = load.paced(PACE, PACED_FOR).await.context("paced")?;
    delays.sort_by(f64::total_cmp);
    add("paced_p50_ms", crate::report::quantile(&delays, 0.5));
    add("paced_p99_ms", crate::report::quantile(&delays, 0.99));

    add("rss_peak_mb", peak_of(server) as f64 / 1024.0);
    load.check()
}
