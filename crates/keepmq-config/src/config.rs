//! The whole configuration, judged.

use std::fmt;
use std::path::{Path, PathBuf};

use keepmq_policy::Map;

use crate::authorization::{self, grants_anything};
use crate::files::{Use, inspect};
use crate::findings::Findings;
use crate::listener::{Listener, Surroundings, judge as judge_listeners};
use crate::needed::Needed;
use crate::option::{At, Change, Stated};
use crate::private::{self, Exposure, Readers};
use crate::quantity::Size;
use crate::raw::Raw;
use crate::report::{Fault, Report};
use crate::sections::{Broker, DeadLetter, Limits, TlsOptions};
use crate::value::FilePath;

/// The name of the file in its folder.
pub const FILE: &str = "keepmq.toml";
/// The largest file that is read.
pub const MOST_BYTES: usize = 1 << 20;

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The broker as a whole.
    pub broker: Broker,
    /// The certificate, when a listener shows one.
    pub tls: Option<TlsFiles>,
    /// The doors.
    pub listeners: Vec<Listener>,
    /// Where messages are kept.
    pub store: StorePlan,
    /// The file with the users.
    pub users: PathBuf,
    /// The file for the audit log.
    pub audit: PathBuf,
    /// Who may do what where.
    pub map: Map,
    /// Bounds on what the broker holds.
    pub limits: Limits,
    /// What becomes of messages that nobody could use.
    pub dead_letter: DeadLetter,
    settings: Vec<Stated>,
}

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

/// Where and how messages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorePlan {
    /// The folder.
    pub directory: PathBuf,
    /// The file with the master key.
    pub master_key: PathBuf,
    /// Most bytes of disk.
    pub max_bytes: Size,
    /// Length of the journal's files.
    pub segment_bytes: Size,
    /// Growth after which a checkpoint is written.
    pub checkpoint_bytes: Size,
    /// Memory for what is known of records.
    pub table_cache_bytes: Size,
    /// Memory for messages read lately.
    pub frame_cache_bytes: Size,
    /// How long what nobody waits for may wait.
    pub lazy_delay: std::time::Duration,
}

/// A configuration and what is probably not meant in it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings only.
    pub report: Report,
}

/// An option that is set weaker than its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDoor {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What is weaker by it.
    pub opens: String,
}

impl fmt::Display for OpenDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.key, self.value, self.opens)
    }
}

/// A difference between two configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The option.
    pub key: String,
    /// Its value before.
    pub before: Option<String>,
    /// Its value after.
    pub after: Option<String>,
    /// When it takes effect.
    pub change: Change,
}

impl Config {
    /// Every option with its value.
    pub fn settings(&self) -> &[Stated] {
        &self.settings
    }

    /// What is open that would be closed by default.
    pub fn open_doors(&self) -> Vec<OpenDoor> {
        let weak = self.settings.iter().filter(|setting| setting.weakens);
        let mut doors: Vec<OpenDoor> = weak
            .map(|setting| OpenDoor {
                key: setting.key.clone(),
                value: setting.value.clone(),
                opens: setting.option.opens.unwrap_or_default().to_owned(),
            })
            .collect();
        if self.map.temporary().is_none() {
            doors.push(OpenDoor {
                key: "authorization.temporary".to_owned(),
                value: "not written".to_owned(),
                opens: "every user who is logged in may make and use temporary destinations".to_owned(),
            });
        }
        doors
    }

    /// What another configuration changes.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let find = |list: &[Stated], key: &str| {
            list.iter().find(|setting| setting.key == key).map(|setting| setting.value.clone())
        };
        let mut differences = Vec::new();
        for setting in &self.settings {
            let value = find(&after.settings, &setting.key);
            if value.as_ref() != Some(&setting.value) {
                differences.push(difference(setting, Some(setting.value.clone()), value));
            }
        }
        let is_new = |setting: &&Stated| find(&self.settings, &setting.key).is_none();
        let added = after.settings.iter().filter(is_new);
        differences.extend(added.map(|setting| difference(setting, None, Some(setting.value.clone()))));
        differences
    }
}

fn difference(setting: &Stated, before: Option<String>, after: Option<String>) -> Difference {
    Difference { key: setting.key.clone(), before, after, change: setting.option.change }
}

/// Reads and judges the configuration of a folder, with every file that it names.
pub fn load(folder: &Path) -> Result<Loaded, Report> {
    let path = folder.join(FILE);
    let refused = |fault: Fault| Err(Report { faults: vec![fault], warnings: Vec::new() });
    let bytes = match private::read(&path, Readers::Owner, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(exposure) => return refused(of_file(&path, &exposure)),
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return refused(fault(&path, "not-text", "is not UTF-8 text".to_owned(), "write it anew".to_owned()));
    };
    judge_all(text, folder, true)
}

/// The listeners of a folder's configuration as far as they can be read, however faulty the rest is: for those who want to
/// tell of their ports, too, before anything is mended.
pub fn readable_listeners(folder: &Path) -> Vec<Listener> {
    let Ok(bytes) = private::read(&folder.join(FILE), Readers::Owner, MOST_BYTES) else { return Vec::new() };
    let Ok(text) = std::str::from_utf8(&bytes) else { return Vec::new() };
    let mut findings = Findings::new(FILE, text);
    let raw = Raw::read(text, &mut findings);
    let around = Surroundings { tls_is_named: true, map_grants: true };
    judge_listeners(&raw.listeners, &around, &mut findings)
}

/// Judges a text as if it were the configuration of a folder, without a look at the disk.
pub fn judge(text: &str, folder: &Path) -> Result<Loaded, Report> {
    if text.len() > MOST_BYTES {
        let fault = of_file(&folder.join(FILE), &Exposure::TooLarge);
        return Err(Report { faults: vec![fault], warnings: Vec::new() });
    }
    judge_all(text, folder, false)
}

fn judge_all(text: &str, folder: &Path, with_files: bool) -> Result<Loaded, Report> {
    let mut findings = Findings::new(FILE, text);
    let raw = Raw::read(text, &mut findings);
    let map = authorization::judge(&raw, &mut findings);
    let tls = judge_tls(&raw, folder, &mut findings);
    let around = Surroundings {
        tls_is_named: raw.tls.value != TlsOptions::default(),
        map_grants: grants_anything(&map),
    };
    let listeners = judge_listeners(&raw.listeners, &around, &mut findings);
    let uses = uses(&raw);
    judge_uses(&uses, folder, &mut findings);
    if with_files {
        inspect(folder, &uses, &mut findings);
    }
    let report = findings.into_report();
    if !report.is_sound() {
        return Err(report);
    }
    let settings = raw.stated();
    let config = Config {
        tls: tls.filter(|_| listeners.iter().any(|listener| listener.tls)),
        listeners,
        store: store_plan(&raw, folder),
        users: raw.users.file.value.in_folder(folder),
        audit: raw.audit.file.value.in_folder(folder),
        map,
        broker: raw.broker,
        limits: raw.limits,
        dead_letter: raw.dead_letter,
        settings,
    };
    Ok(Loaded { config, report })
}

fn store_plan(raw: &Raw, folder: &Path) -> StorePlan {
    let store = &raw.store;
    StorePlan {
        directory: store.directory.value.in_folder(folder),
        master_key: store.master_key.value.in_folder(folder),
        max_bytes: store.max_bytes.value,
        segment_bytes: store.segment_bytes,
        checkpoint_bytes: store.checkpoint_bytes,
        table_cache_bytes: store.table_cache_bytes,
        frame_cache_bytes: store.frame_cache_bytes,
        lazy_delay: store.lazy_delay.as_duration(),
    }
}

fn judge_tls(raw: &Raw, folder: &Path, findings: &mut Findings<'_>) -> Option<TlsFiles> {
    let tls = &raw.tls.value;
    let lacking = match (&tls.certificate, &tls.key) {
        (Needed::Missing, Needed::Missing) => None,
        (Needed::Missing, _) => Some("certificate"),
        (_, Needed::Missing) => Some("key"),
        _ => None,
    };
    if let Some(lacking) = lacking {
        let what = format!("a certificate needs its key, and {lacking} is not named");
        findings.within("tls", |findings| {
            findings.absence("missing-key", raw.tls.span.as_ref(), what, format!("add {lacking} = \"…\""));
        });
    }
    let whole = |path: &At<FilePath>| path.value.in_folder(folder);
    let (certificate, key) = tls.certificate.given().zip(tls.key.given())?;
    Some(TlsFiles { certificate: whole(certificate), key: whole(key) })
}

/// The files that the configuration names, each with what it is for.
fn uses(raw: &Raw) -> Vec<Use> {
    let (mut uses, tls) = (Vec::new(), &raw.tls.value);
    if raw.listeners.iter().any(|listener| listener.value.tls.value) {
        uses.extend(tls.certificate.given().cloned().map(|path| Use::certificate("tls.certificate", path)));
        uses.extend(tls.key.given().cloned().map(|path| Use::secret("tls.key", path)));
    }
    uses.push(Use::secret("store.master-key", raw.store.master_key.clone()));
    uses.push(Use::secret("users.file", raw.users.file.clone()));
    uses.push(Use::log("audit.file", raw.audit.file.clone()));
    uses.push(Use::folder("store.directory", raw.store.directory.clone()));
    uses
}

/// Two options that name one file would destroy it.
fn judge_uses(uses: &[Use], folder: &Path, findings: &mut Findings<'_>) {
    for (index, one) in uses.iter().enumerate() {
        let whole = one.path.value.in_folder(folder);
        let before = uses.iter().take(index).find(|other| other.path.value.in_folder(folder) == whole);
        if let Some(other) = before {
            let what = format!("{} names this too", other.key);
            findings.within(one.key, |f| {
                f.fault("same-file", one.path.span.as_ref(), what, "give each a file of its own");
            });
        }
    }
}

/// A fault about the configuration's file itself.
fn of_file(path: &Path, exposure: &Exposure) -> Fault {
    let remedy = match exposure {
        Exposure::Missing => {
            "make a folder with `keepmq quickstart --dir DIR`, or name another one".to_owned()
        }
        Exposure::TooLarge => format!("a configuration has at most {}", Size::of(MOST_BYTES as u64)),
        other => crate::files::remedy(path, other, Readers::Owner),
    };
    fault(path, crate::files::code(exposure), exposure.to_string(), remedy)
}

fn fault(path: &Path, code: &'static str, what: String, remedy: String) -> Fault {
    Fault { code, file: path.display().to_string(), place: None, key: String::new(), what, remedy }
}

#[cfg(test)]
mod tests;
