//! The program: see [`Config`] for its options.

use anyhow::Context;
use clap::Parser;
use hearthwatt_server::app::RealWorld;
use hearthwatt_server::config::{LogFormat, Service, StoreUrl};
use hearthwatt_server::http::serve;
use hearthwatt_server::store::Store;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::store::mongo::Mongo;
use hearthwatt_server::store::sqlite::Sqlite;
use hearthwatt_server::{App, Config};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Threads that wait for the disk, or work on something large.
const BLOCKING_THREADS: usize = 16;

fn main() -> ExitCode {
    let config = Config::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return fail(&format!("no threads to run on: {e}")),
    };
    let code = match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&format!("{e:#}")),
    };
    // whatever still runs has nothing left that was acknowledged
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "hearthwatt-server: {message}");
    ExitCode::FAILURE
}

async fn run(mut config: Config) -> anyhow::Result<()> {
    // registered first: a signal during the start is not lost
    let stop = serve::stop_signal()?;
    start_log(&config)?;
    let tls = match (&config.tls.cert, &config.tls.key) {
        (Some(cert), Some(key)) => Some(serve::tls(cert, key).map_err(anyhow::Error::msg)?),
        _ => None,
    };
    let store = open_store(&config).await?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "can't listen on {}. Another program may be using the port; --listen takes another",
            config.listen
        )
    })?;
    config.listen = listener.local_addr()?;
    let url = config.public_url();
    let app = App::new(config, store, Arc::new(RealWorld)).await?;
    app.start();
    let setup =
        if app.config.runs(Service::User) { hearthwatt_server::user::setup_hint(&app).await? } else { None };
    announce(&app, &url, setup);
    hearthwatt_server::http::serve(listener, tls, app, stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// The first line is for programs. Nobody reading them is no reason not to run.
fn announce(app: &App, url: &str, setup: Option<String>) {
    let listen = app.config.listen;
    let scheme = if app.config.tls.cert.is_some() { "https" } else { "http" };
    let mut words = format!("listening {scheme}://{listen}\nOpen {url}/ in a browser.\n");
    if let Some(setup) = setup {
        words.push_str(&setup);
        words.push('\n');
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
    tracing::info!(%listen, store = app.store.name(), "ready");
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).context("--log")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("the log can't be started: {e}"))
}

async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let url = match (&config.store, &config.store_file) {
        (Some(url), _) => url.clone(),
        (None, Some(file)) => {
            let text = hearthwatt_server::config::read_secret(file).map_err(anyhow::Error::msg)?;
            text.parse().map_err(anyhow::Error::msg)?
        }
        (None, None) => StoreUrl::Sqlite(default_database()?),
    };
    Ok(match url {
        StoreUrl::Memory => Arc::new(Memory::default()),
        StoreUrl::Sqlite(path) => Arc::new(Sqlite::open(&path)?),
        StoreUrl::MongoDb(address) => Arc::new(Mongo::connect(&address).await?),
    })
}

fn default_database() -> anyhow::Result<PathBuf> {
    let folder = directories::ProjectDirs::from("org", "Hearthwatt", "Hearthwatt Server")
        .context("this user has no home folder; say where to keep things with --store sqlite:PATH")?;
    let folder = folder.data_dir();
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    Ok(folder.join("server.db"))
}
