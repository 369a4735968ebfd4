//! `keepmq-bench`: the load generator by itself, for machines without the broker.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use keepmq_bench::{Args, Login, Verdict};

/// Measures STOMP and MQTT brokers. Exit codes: 0 everything arrived; 1 something did not; 2 the run could not be carried
/// out.
#[derive(Parser)]
#[command(version)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    let line = Line::parse();
    match keepmq_bench::run(&line.args, login(), &mut std::io::stdout().lock()) {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Faulty) => ExitCode::FAILURE,
        Err(error) => {
            // There is nobody left to tell if this fails.
            let _ = writeln!(std::io::stderr(), "keepmq-bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Who to be, from the environment: arguments can be read by everybody on the machine.
#[expect(clippy::disallowed_methods, reason = "a binary reads the environment, here and nowhere else")]
fn login() -> Option<Login> {
    let read = |name| std::env::var(name).ok();
    Some(Login { user: read("KEEPMQ_USER")?, password: read("KEEPMQ_PASSWORD")? })
}
