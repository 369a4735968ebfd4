//! `keepmq bench`: the load generator.

use std::process::ExitCode;

use keepmq_bench::{Args, Login, Verdict};

use crate::say;

/// Exit code of a run that could not be carried out, which says nothing about the broker.
const NO_RUN: u8 = 2;

pub(crate) fn run(args: &Args) -> ExitCode {
    match keepmq_bench::run(args, login(), &mut std::io::stdout().lock()) {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Faulty) => ExitCode::FAILURE,
        Err(error) => {
            say::fault(&format!("keepmq bench: {error}"));
            ExitCode::from(NO_RUN)
        }
    }
}

/// Who to be, from the environment: arguments can be read by everybody on the machine.
#[expect(clippy::disallowed_methods, reason = "a command line reads the environment, the broker does not")]
fn login() -> Option<Login> {
    let read = |name| std::env::var(name).ok();
    Some(Login { user: read("KEEPMQ_USER")?, password: read("KEEPMQ_PASSWORD")? })
}
