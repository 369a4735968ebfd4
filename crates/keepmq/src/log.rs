//! The ordinary log: on standard error, where service managers look for it. (The audit log is another thing.)

use tracing_subscriber::filter::LevelFilter;

/// Names the least level that is logged: error, warn, info, debug, trace.
const LEVEL: &str = "KEEPMQ_LOG";

/// Starts the log.
pub(crate) fn start() {
    #[expect(clippy::disallowed_methods, reason = "the binary is where the environment is read")]
    let wanted = std::env::var(LEVEL).ok();
    let level = wanted.as_deref().and_then(|name| name.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .init();
}
