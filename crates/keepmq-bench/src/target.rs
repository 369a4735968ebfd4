//! The broker that is measured: where it is, how to reach it, and who asks.

use std::fs::File;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::stream::Stream;
use crate::tls::{Tls, tls_error, was_resumed};
use crate::wire::Login;

/// How long one of several addresses may take to answer.
const TRIAL: Duration = Duration::from_secs(2);

/// Where the broker is and how to get in.
#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// The broker's address; with --ca its certificate must name this host
    #[arg(long, value_name = "HOST:PORT")]
    pub address: String,
    /// Speaks TLS and trusts the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Reads user and password from the lines `KEEPMQ_USER=` and `KEEPMQ_PASSWORD=` of this file, instead of from the
    /// environment variables of these names
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// How long the broker may be silent before that is an error
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// The `host` of a STOMP login: RabbitMQ's virtual host, `/` for its default one [default: the host of --address]
    #[arg(long, value_name = "NAME")]
    pub virtual_host: Option<String>,
}

/// Longest file of credentials.
const MOST_CREDENTIALS: u64 = 64 * 1024;

/// A broker that can be connected to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    pub(crate) login: Option<Login>,
    pub(crate) patience: Duration,
    pub(crate) tls: Option<Tls>,
}

impl Target {
    /// Checks the arguments; `login` is what the environment says.
    pub(crate) fn new(args: &TargetArgs, login: Option<Login>, resumes: bool) -> Result<Self, Error> {
        let (address, host) = resolve(&args.address)?;
        let tls = args.ca.as_deref().map(|ca| Tls::new(ca, &host, resumes)).transpose()?;
        let login = args.credentials.as_deref().map(read_credentials).transpose()?.or(login);
        if let Some(login) = &login {
            check_login(login)?;
            if tls.is_none() && !address.ip().is_loopback() {
                return Err(Error::PlainPassword { address });
            }
        }
        Ok(Self { address, host, login, patience: Duration::from_secs(args.patience), tls })
    }

    /// Connects, with the TLS handshake if there is one, on a socket that waits.
    pub(crate) fn connect(&self) -> Result<Stream, Error> {
        let address = self.address;
        let failed = |source| Error::Connect { address, source };
        let mut socket = TcpStream::connect_timeout(&address, self.patience).map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        socket.set_read_timeout(Some(self.patience)).map_err(failed)?;
        socket.set_write_timeout(Some(self.patience)).map_err(failed)?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(socket)) };
        let mut connection = tls.connection()?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).map_err(|error| tls_error(&tls.host(), &error))?;
        }
        Ok(Stream::Tls(Box::new((connection, socket))))
    }
}

/// Whether the connection's handshake went the short way.
pub(crate) fn is_resumed(stream: &Stream) -> bool {
    match stream {
        Stream::Plain(_) => false,
        Stream::Tls(tls) => was_resumed(&tls.0),
    }
}

fn resolve(address: &str) -> Result<(SocketAddr, String), Error> {
    let failed = |source| Error::Resolve { address: address.to_owned(), source };
    let found: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.collect();
    let none = || failed(std::io::Error::other("the host has no address"));
    let first = *found.first().ok_or_else(none)?;
    // A broker may listen at one of several, as `localhost` has. When none answers, the first is what is told.
    let answers = |address: &&SocketAddr| TcpStream::connect_timeout(address, TRIAL).is_ok();
    let first = if found.len() == 1 { first } else { found.iter().find(answers).copied().unwrap_or(first) };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    Ok((first, host.trim_start_matches('[').trim_end_matches(']').to_owned()))
}

/// Both protocols could be told something else by such a login.
fn check_login(login: &Login) -> Result<(), Error> {
    let is_plain = |text: &str| u16::try_from(text.len()).is_ok() && !text.contains(['\n', '\r', '\0']);
    if is_plain(&login.user) && is_plain(&login.password) {
        return Ok(());
    }
    Err(Error::arguments("the user or the password has line ends in it or is too long", "give others"))
}

fn read_credentials(path: &Path) -> Result<Login, Error> {
    let bad = |why: String| Error::File {
        what: "the credentials",
        path: path.to_owned(),
        why,
        remedy: "it must hold the lines KEEPMQ_USER=... and KEEPMQ_PASSWORD=..., and after `keepmq quickstart` it is \
                 DIR/credentials",
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    let length =
        file.take(MOST_CREDENTIALS + 1).read_to_end(&mut bytes).map_err(|error| bad(error.to_string()))?;
    if length > usize::try_from(MOST_CREDENTIALS).unwrap_or(usize::MAX) {
        return Err(bad("it is too long".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8".to_owned()))?;
    let value = |name: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(str::to_owned).ok_or_else(|| bad(format!("there is no line {name}=")))
    };
    Ok(Login { user: value("KEEPMQ_USER")?, password: value("KEEPMQ_PASSWORD")? })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Target, TargetArgs, read_credentials, resolve};
    use crate::wire::Login;

    fn args(address: &str) -> TargetArgs {
        TargetArgs {
            address: address.to_owned(),
            ca: None,
            credentials: None,
            patience: 1,
            virtual_host: None,
        }
    }

    fn login(user: &str) -> Login {
        Login { user: user.to_owned(), password: "secret".to_owned() }
    }

    fn credentials(text: &str) -> Result<Login, String> {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(&file, text).unwrap();
        read_credentials(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(resolve("127.0.0.1:1883").unwrap().1, "127.0.0.1");
        assert_eq!(resolve("[::1]:1883").unwrap().1, "::1");
        assert!(resolve("127.0.0.1").unwrap_err().to_string().contains("HOST:PORT"));
    }

    #[test]
    fn a_password_does_not_cross_a_network_in_clear_text() {
        assert!(Target::new(&args("127.0.0.1:1"), Some(login("a")), true).is_ok());
        assert!(Target::new(&args("192.0.2.1:1"), None, true).is_ok());
        let error = Target::new(&args("192.0.2.1:1"), Some(login("a")), true).unwrap_err().to_string();
        assert!(error.contains("--ca FILE"), "{error}");
    }

    #[test]
    fn a_login_can_not_smuggle_in_headers() {
        assert!(Target::new(&args("127.0.0.1:1"), Some(login("a\nb:c")), true).is_err());
    }

    #[test]
    fn credentials_are_two_lines_among_others() {
        let found = credentials("# made by quickstart\nKEEPMQ_USER=admin\nKEEPMQ_PASSWORD=a=b \n").unwrap();
        assert_eq!((found.user.as_str(), found.password.as_str()), ("admin", "a=b "));
        assert!(credentials("KEEPMQ_USER=admin\n").unwrap_err().contains("no line KEEPMQ_PASSWORD="));
        assert!(credentials(&"x".repeat(70_000)).unwrap_err().contains("too long"));
        let missing = read_credentials(&PathBuf::from("/nowhere/credentials")).unwrap_err().to_string();
        assert!(missing.contains("DIR/credentials"), "{missing}");
    }

    #[test]
    fn nobody_there_is_told_with_the_address() {
        // Port 1 of the loopback address is not listened at.
        let target = Target::new(&args("127.0.0.1:1"), None, true).unwrap();
        assert!(target.connect().unwrap_err().to_string().contains("127.0.0.1:1 does not answer"));
    }
}
