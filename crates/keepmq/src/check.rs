//! `keepmq check`: is this configuration sound, and what does it leave open?

use std::path::Path;
use std::process::ExitCode;

use keepmq_config::{Config, Fault, Loaded, Report, TlsFiles};
use keepmq_identity::{Users, chain, users_file};
use keepmq_net::Clock;

use crate::say;

/// A folder whose files are all sound.
pub(crate) struct Sound {
    pub(crate) loaded: Loaded,
    pub(crate) users: Users,
    pub(crate) chain: Option<chain::Chain>,
}

/// Reads a folder with every file that its configuration names; all faults at once.
pub(crate) fn read(folder: &Path) -> Result<Sound, Report> {
    let Loaded { config, mut report } = keepmq_config::load(folder)?;
    let users = keep(load_users(&config), &mut report);
    let chain = config.tls.as_ref().map(|files| keep(load_chain(files), &mut report));
    keep(load_key(&config), &mut report);
    if let Some(users) = &users {
        report.merge(keepmq_identity::judge(&config, users));
    }
    if let Some(facts) = chain.iter().flatten().map(|chain| &chain.facts).find(|facts| facts.ends_soon()) {
        let path = config.tls.as_ref().map(|files| files.certificate.clone()).unwrap_or_default();
        let what = format!("the certificate ends in {} days", facts.days_left);
        let remedy = "renew it and send SIGHUP to the broker";
        report.warnings.push(of_file("certificate-ends", "tls.certificate", &path, what, remedy));
    }
    match users {
        Some(users) if report.is_sound() => {
            Ok(Sound { loaded: Loaded { config, report }, users, chain: chain.flatten() })
        }
        _ => Err(report),
    }
}

/// What was read; what was wrong with it goes to the report.
fn keep<T>(read: Result<T, Box<Fault>>, report: &mut Report) -> Option<T> {
    read.map_err(|fault| report.faults.push(*fault)).ok()
}

fn load_users(config: &Config) -> Result<Users, Box<Fault>> {
    let remedy = "mend it, or restore it from a copy";
    users_file::load(&config.users)
        .map_err(|fault| of_file("users", "users.file", &config.users, fault.to_string(), remedy).into())
}

fn load_chain(files: &TlsFiles) -> Result<chain::Chain, Box<Fault>> {
    let remedy = "put a certificate and its key in their places";
    chain::read(&files.certificate, &files.key, Clock.now())
        .map_err(|fault| of_file("certificate", "tls", &files.certificate, fault.to_string(), remedy).into())
}

fn load_key(config: &Config) -> Result<(), Box<Fault>> {
    let (path, remedy) = (&config.store.master_key, "restore the file that this store was made with");
    let loaded = keepmq_identity::master_key::load(path).map(drop);
    loaded.map_err(|fault| of_file("master-key", "store.master-key", path, fault.to_string(), remedy).into())
}

fn of_file(code: &'static str, key: &str, path: &Path, what: String, remedy: &str) -> Fault {
    let (file, key, remedy) = (path.display().to_string(), key.to_owned(), remedy.to_owned());
    Fault { code, file, place: None, key, what, remedy }
}

pub(crate) fn run(folder: &Path, json: bool) -> ExitCode {
    let (report, doors) = match read(folder) {
        Ok(sound) => (sound.loaded.report, sound.loaded.config.open_doors()),
        Err(report) => (report, Vec::new()),
    };
    if json {
        say::line(&report.to_json());
    } else {
        say::line(report.to_string().trim_end());
        if report.is_sound() {
            say::line(&format!("{}: sound", folder.join(keepmq_config::FILE).display()));
        }
        for door in doors {
            say::line(&format!("open: {door}"));
        }
    }
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
