//! Hearthwatt without a window, for a NAS, a Raspberry Pi, any box that is always on: the same
//! home over HTTP and server-sent events, and the page for a browser.

mod access;
mod args;
mod calls;
mod page;
mod router;
mod server;
mod token;
mod transfer;

#[cfg(test)]
mod tests;

use access::Access;
use anyhow::Context;
use args::Args;
use clap::Parser;
use hearthwatt_api::NoticeCode;
use hearthwatt_shell::{Claim, Machine, Shell, ShellOptions, logging};
use router::Hub;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Another Hearthwatt has the data folder.
const EXIT_SECOND_INSTANCE: u8 = 3;
/// Anything else that keeps the hub from starting.
const EXIT_FAILED: u8 = 1;
/// Closing the home after the last connection; with [`server::DRAIN`] it stays under 5 s.
const CLOSE_LIMIT: Duration = Duration::from_millis(2500);

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(EXIT_FAILED, &format!("no threads to run on: {e}")),
    };
    let code = match runtime.block_on(run(args)) {
        Ok(code) => code,
        Err(e) => fail(EXIT_FAILED, &format!("{e:#}")),
    };
    // whatever still runs has nothing left to save
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    // registered first: a signal during the start is not lost
    let stop = server::stop_signal()?;
    let claim = Claim::new(args.home.data.clone());
    logging::start(&args.home.log, claim.folder().ok().map(|f| f.logs()).as_deref())?;
    let token = match claim.folder() {
        Err(failure) if failure.code == NoticeCode::SecondInstance => {
            return Ok(fail(EXIT_SECOND_INSTANCE, &failure.message));
        }
        Ok(folder) if !args.listen.is_loopback() => Some(token::load(folder.path())?),
        Ok(_) => None,
        Err(failure) if !args.listen.is_loopback() => anyhow::bail!("{failure}"),
        // on loopback the page comes up and says what is wrong
        Err(_) => None,
    };
    let address = SocketAddr::new(args.listen, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("can't listen on {address}. Another program may be using the port; --port 0 takes a free one")
    })?;
    let bound = listener.local_addr()?;
    let options = ShellOptions { demo: args.home.demo, discovery: args.home.discovery.into() };
    // whoever signs in sits at another device: a code, no browser
    let shell = Shell::start_on(claim, options, Machine::this(None));
    announce(bound, token.as_ref());

    let access = Access::new(bound, token.map(|t| t.value));
    let stopping = watch::Sender::new(false);
    let page = page::Page::new(args.ui);
    let app = router::router(Hub::new(shell.clone(), page, stopping.subscribe()), access);
    server::serve(listener, app, stop, &stopping).await;
    if tokio::time::timeout(CLOSE_LIMIT, shell.close()).await.is_err() {
        tracing::warn!("the home took too long to close; what was stored is safe");
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The first line is for programs: `listening <address>`. Another one is for the person who has
/// just started a hub that others can reach. Nobody reading them is no reason not to run.
fn announce(bound: SocketAddr, token: Option<&token::Token>) {
    let words = match token {
        None => format!("Open http://{bound}/ in a browser on this computer.\n"),
        Some(token) => {
            let url = format!("http://{}/", SocketAddr::new(reachable(bound.ip()), bound.port()));
            let path = token.path.display();
            if token.is_new {
                format!(
                    "Open {url}#token={} in a browser of your network.\nThis is shown once. The token is kept in {path}.\n",
                    token.value
                )
            } else {
                format!(
                    "Open {url} in a browser of your network.\nA browser that is new needs #token= and what is in {path}.\n"
                )
            }
        }
    };
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("listening http://{bound}\n{words}").as_bytes()).and_then(|()| out.flush());
}

/// An address that others can use for one that means "all of mine". Sends nothing: connecting a
/// datagram socket only asks the routing table.
fn reachable(ip: IpAddr) -> IpAddr {
    if !ip.is_unspecified() {
        return ip;
    }
    let (from, to) = if ip.is_ipv4() { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    std::net::UdpSocket::bind(from)
        .and_then(|socket| socket.connect(to).and_then(|()| socket.local_addr()))
        .map_or(ip, |address| address.ip())
}

fn fail(code: u8, message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "hearthwatt-hub: {message}");
    ExitCode::from(code)
}
