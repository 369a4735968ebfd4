//! `keepmq quickstart`: from nothing to a broker that serves this machine.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use keepmq_config::Protocol;
use keepmq_config::template::Quickstart;
use keepmq_identity::new_folder;
use keepmq_net::Clock;

use crate::say;

/// What a new folder's broker listens to.
#[derive(Debug, Args)]
pub(crate) struct QuickstartArgs {
    /// The folder, which is made when it is new.
    #[arg(long, value_name = "DIR", default_value = "keepmq-data")]
    dir: PathBuf,
    /// Added to every port.
    #[arg(long, value_name = "N", default_value_t = 0)]
    port_offset: u16,
    /// Only these protocols, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = protocol)]
    protocols: Vec<Protocol>,
    /// A listener without TLS for each protocol besides, on loopback only.
    #[arg(long)]
    plain: bool,
}

fn protocol(name: &str) -> Result<Protocol, String> {
    let found = Protocol::named(name).filter(|protocol| protocol.is_available());
    found.ok_or_else(|| {
        let names: Vec<&str> = Protocol::AVAILABLE.iter().map(|protocol| protocol.name()).collect();
        format!("this version speaks {}", names.join(" and "))
    })
}

impl QuickstartArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.dir.join(keepmq_config::FILE).exists() {
            self.agree()?;
            return crate::serve::serve(&self.dir);
        }
        let protocols = self.protocols();
        let plan = Quickstart { port_offset: self.port_offset, protocols, plain: self.plain };
        let made = new_folder::make(&self.dir, &plan, Clock.now())
            .with_context(|| format!("{} can't be made", self.dir.display()))?;
        say::line(&format!("made {}", self.dir.display()));
        say::line(&format!("  user and password   {} (for its owner only)", made.credentials.display()));
        say::line(&format!("  CA for clients      {}", made.ca.display()));
        say::line(&format!("  its SHA-256         {}", made.ca_fingerprint));
        self.serve_anew()
    }

    /// Becomes `keepmq serve`: a broker has no use for the memory in which keys and the password were made.
    fn serve_anew(&self) -> anyhow::Result<ExitCode> {
        let program = std::env::current_exe().context("where this program is can't be told")?;
        let mut serve = std::process::Command::new(&program);
        let error = serve.arg("serve").arg("--dir").arg(&self.dir).exec();
        Err(error).with_context(|| format!("{} can't be started", program.display()))
    }

    fn protocols(&self) -> &[Protocol] {
        if self.protocols.is_empty() { &Protocol::AVAILABLE } else { &self.protocols }
    }

    /// A folder keeps what it was made with: the same command serves it again, another one must not seem to work.
    fn agree(&self) -> anyhow::Result<()> {
        if self.port_offset == 0 && !self.plain && self.protocols.is_empty() {
            return Ok(());
        }
        let listeners = keepmq_config::readable_listeners(&self.dir);
        let tls = self.protocols().iter().map(|protocol| (*protocol, true));
        let plain = self.protocols().iter().filter(|_| self.plain).map(|protocol| (*protocol, false));
        for (protocol, tls) in tls.chain(plain) {
            let port = protocol.port(tls).checked_add(self.port_offset);
            let mut same =
                listeners.iter().filter(|listener| (listener.protocol, listener.tls) == (protocol, tls));
            if !same.any(|listener| Some(listener.address.port()) == port) {
                let file = self.dir.join(keepmq_config::FILE);
                bail!(
                    "{} is there already and has other listeners: change it there, or leave the options away",
                    file.display()
                );
            }
        }
        Ok(())
    }
}
