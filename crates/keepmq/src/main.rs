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
    // The allocator asks for pages of 2 MiB. A broker with little to do would keep many of them for a few bytes each, and
    // one with much to do is not quicker with them. A kernel that does not know the request has no such pages.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
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
