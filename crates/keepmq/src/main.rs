//! KeepMQ: a message broker that is closed until you open it.
#![forbid(unsafe_code)]
// What stands over an argument is its help text, for people and not for rustdoc.
#![allow(clippy::doc_markdown)]

mod bench;
mod check;
mod cli;
mod client;
mod credentials;
mod explain;
mod journal;
mod log;
mod quickstart;
mod say;
mod serve;
mod user;

use std::process::ExitCode;

use clap::Parser as _;

/// Small and quick to give memory back, which a broker with many idle connections needs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = cli::Args::parse();
    log::start();
    match args.run() {
        Ok(code) => code,
        Err(error) => {
            say::fault(&format!("keepmq: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
