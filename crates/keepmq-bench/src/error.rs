//! Why a run could not be carried out, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a run could not be carried out. Every text names the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The arguments contradict each other.
    #[error("{wrong}; {remedy}")]
    Arguments {
        /// What does not fit.
        wrong: String,
        /// What to give instead.
        remedy: String,
    },
    /// A file that was named can't be used.
    #[error("{what} {path} can't be used: {why}; {remedy}", path = path.display())]
    File {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What it should be.
        remedy: &'static str,
    },
    /// The address names no host that is known.
    #[error("the address {address} can't be resolved: {source}; give --address HOST:PORT")]
    Resolve {
        /// As given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A password would go over a network in clear text.
    #[error(
        "{address} is not this machine and the connection is plain, so the password could be read on its way; \
         name the port that speaks TLS and its CA: --ca FILE"
    )]
    PlainPassword {
        /// Where it would go.
        address: SocketAddr,
    },
    /// Nobody listens.
    #[error(
        "{address} does not answer: {source}; start the broker, or name another one: --address HOST:PORT"
    )]
    Connect {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS can't be set up or was refused.
    #[error(
        "TLS with {server}: {why}; --ca FILE must hold the CA that signed the broker's certificate, \
         the certificate must name this host, and the port must be one that speaks TLS"
    )]
    Tls {
        /// The host as named in the address.
        server: String,
        /// What rustls said.
        why: String,
    },
    /// The broker refused something.
    #[error("the broker refused {what}: {why}; {remedy}")]
    Refused {
        /// Whose request, and which.
        what: String,
        /// In the broker's words, or by its code.
        why: String,
        /// What may help.
        remedy: &'static str,
    },
    /// The broker did not answer in time.
    #[error(
        "{who} waited {seconds} s for the broker {to}; look into the broker's log, or give it more: --patience SECONDS"
    )]
    Silent {
        /// Who waited.
        who: String,
        /// For how long.
        seconds: u64,
        /// What it should have done.
        to: &'static str,
    },
    /// The broker closed the connection.
    #[error("the broker closed the connection of {who}{when}: {why}; its log should say why")]
    Closed {
        /// Whose.
        who: String,
        /// At what stage.
        when: String,
        /// What the system said.
        why: String,
    },
    /// The broker sent something that is not the protocol.
    #[error("{who} received what is not {protocol}: {why}; is it the right port?")]
    Malformed {
        /// Who received it.
        who: String,
        /// What was expected.
        protocol: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The process to watch is not there.
    #[error("process {pid} can't be watched: {why}; give the broker's own process: --pid PID")]
    Process {
        /// Its number.
        pid: u32,
        /// What is wrong.
        why: String,
    },
    /// This process may not open so many connections.
    #[error("{wanted} connections need more open files than the {limit} that this process may have; raise it: ulimit -n {}", wanted + 100)]
    Files {
        /// How many connections.
        wanted: u64,
        /// How many files.
        limit: u64,
    },
    /// The system refused something that has no remedy of its own.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For arguments that do not fit.
    pub(crate) fn arguments(wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Arguments { wrong: wrong.into(), remedy: remedy.into() }
    }

    /// For use with `map_err`.
    pub(crate) fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn errors_name_the_remedy() {
        let error = Error::Files { wanted: 20_000, limit: 1024 };
        assert!(error.to_string().ends_with("ulimit -n 20100"), "{error}");
        let error = Error::arguments("no consumer", "give --consumers");
        assert_eq!(error.to_string(), "no consumer; give --consumers");
    }
}
