//! `keepmq check`: is this configuration sound, and what does it leave open?

use std::path::Path;
use std::process::ExitCode;

use keepmq_config::{Fault, Loaded, Report};
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
    let mut loaded = keepmq_config::load(folder)?;
    let config = &loaded.config;
    let users = users_file::load(&config.users).map_err(|fault| {
        of_file("users", "users.file", &config.users, fault.to_string(), "mend it, or restore it from a copy")
    });
    let chain = config.tls.as_ref().map(|files| {
        chain::read(&files.certificate, &files.key, Clock.now()).map_err(|fault| {
            of_file(
                "certificate",
                "tls",
                &files.certificate,
                fault.to_string(),
                "put a sound pair in its place",
            )
        })
    });
    let key = keepmq_identity::master_key::load(&config.store.master_key).map_err(|fault| {
        let (path, remedy) = (&config.store.master_key, "restore the file that this store was made with");
        of_file("master-key", "store.master-key", path, fault.to_string(), remedy)
    });
    if let Ok(users) = &users {
        loaded.report.merge(keepmq_identity::judge(config, users));
    }
    if let Some(Ok(chain)) = chain.as_ref().filter(|chain| chain.as_ref().is_ok_and(|c| c.facts.ends_soon()))
    {
        let what = format!("the certificate ends in {} days", chain.facts.days_left);
        let path = config.tls.as_ref().map(|files| files.certificate.clone()).unwrap_or_default();
        let warning = of_file("certificate-ends", "tls.certificate", &path, what, "renew it and send SIGHUP");
        loaded.report.warnings.push(warning);
    }
    let faults =
        [users.as_ref().err(), chain.as_ref().and_then(|chain| chain.as_ref().err()), key.as_ref().err()];
    loaded.report.faults.extend(faults.into_iter().flatten().cloned());
    match (users, chain.transpose()) {
        (Ok(users), Ok(chain)) if loaded.report.is_sound() => Ok(Sound { loaded, users, chain }),
        _ => Err(loaded.report),
    }
}

fn of_file(code: &'static str, key: &str, path: &Path, what: String, remedy: &str) -> Fault {
    let (file, key, remedy) = (path.display().to_string(), key.to_owned(), remedy.to_owned());
    Fault { code, file, place: None, key, what, remedy }
}

pub(crate) fn run(folder: &Path, json: bool) -> anyhow::Result<ExitCode> {
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
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
