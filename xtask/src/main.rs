//! The commands of the README. Each does its own set-up and says what it does and why.

mod bench;
mod exec;
mod page;
mod run;
mod server;
mod setup;
mod test;
mod tools;
mod wasm;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Hearthwatt")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and open the app (or, without a display, start the hub and print its address).
    Run(run::Options),
    /// Start the sync server on this computer, for this computer, and print its address.
    Server(server::Options),
    /// Run every test there is, unit to whole-system, and end with the counts.
    Test(test::Options),
    /// Build only the page, into app/ui/dist.
    Ui {
        /// Without the slow size optimisation.
        #[arg(long)]
        fast: bool,
    },
    /// Install what building and testing need, and nothing else.
    Setup {
        /// Also what only the tests need.
        #[arg(long)]
        tests: bool,
    },
    /// Measure: latency, first paint, start, memory, sync; see `cargo xtask bench --help`.
    Bench(bench::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Server(options) => server::server(&options),
        Command::Test(options) => test::test(&options),
        Command::Ui { fast } => page::build(if fast { page::Size::Fast } else { page::Size::Small }),
        Command::Setup { tests } => {
            setup::for_window()?;
            if tests { setup::for_tests() } else { Ok(()) }
        }
        Command::Bench(options) => bench::bench(&options),
    }
}
