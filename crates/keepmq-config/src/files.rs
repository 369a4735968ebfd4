//! The files that a configuration names, as they lie on the disk.

use std::path::{Path, PathBuf};

use crate::findings::{Findings, Span};
use crate::option::At;
use crate::private::{self, Exposure, Readers, check_folder};
use crate::value::FilePath;

/// What a file is for, and so what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Has to be there; anybody may read it.
    Certificate,
    /// Has to be there; its owner only may read it.
    Secret,
    /// Is made when it is not there; its owner only may read it.
    Log,
    /// A folder; is made when it is not there; its owner only may enter it.
    Folder,
}

/// A file that the configuration names.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// The option.
    pub key: &'static str,
    /// What it says.
    pub path: At<FilePath>,
    role: Role,
}

impl Use {
    pub(crate) fn certificate(key: &'static str, path: At<FilePath>) -> Self {
        Self { key, path, role: Role::Certificate }
    }

    pub(crate) fn secret(key: &'static str, path: At<FilePath>) -> Self {
        Self { key, path, role: Role::Secret }
    }

    pub(crate) fn log(key: &'static str, path: At<FilePath>) -> Self {
        Self { key, path, role: Role::Log }
    }

    pub(crate) fn folder(key: &'static str, path: At<FilePath>) -> Self {
        Self { key, path, role: Role::Folder }
    }

    fn readers(&self) -> Readers {
        if self.role == Role::Certificate { Readers::Anybody } else { Readers::Owner }
    }

    fn may_be_missing(&self) -> bool {
        matches!(self.role, Role::Log | Role::Folder)
    }
}

/// Looks at the folder and at every file.
pub(crate) fn inspect(folder: &Path, uses: &[Use], findings: &mut Findings<'_>) {
    if let Err(exposure) = check_folder(folder, Readers::Anybody) {
        let remedy = remedy(folder, &exposure, Readers::Anybody);
        findings.fault(code(&exposure), None, format!("its folder {exposure}"), remedy);
    }
    for one in uses {
        findings.within(one.key, |findings| inspect_one(folder, one, findings));
    }
}

fn inspect_one(folder: &Path, one: &Use, findings: &mut Findings<'_>) {
    let path = one.path.value.in_folder(folder);
    let at = one.path.span.as_ref();
    if let Some(elsewhere) = leads_out(folder, one.path.value.as_path()) {
        let what = format!("{} leads out of the folder, to {}", path.display(), elsewhere.display());
        let remedy = "put the file into the folder, or write its absolute path";
        findings.fault("outside", at, what, remedy);
        return;
    }
    let judged = match one.role {
        Role::Folder => check_folder(&path, Readers::Owner),
        _ => private::open(&path, one.readers()).map(drop),
    };
    match judged {
        Ok(()) => inspect_place(folder, &path, findings, at),
        Err(Exposure::Missing) if one.may_be_missing() => inspect_parent(&path, findings, at),
        Err(exposure) => {
            let what = format!("{} {exposure}", path.display());
            let remedy = match (&exposure, one.key) {
                (Exposure::Missing, "users.file") => "add a user with `keepmq user add`".to_owned(),
                _ => remedy(&path, &exposure, one.readers()),
            };
            findings.fault(code(&exposure), at, what, remedy);
        }
    }
}

/// Whoever may change the folder of a file can put another in its place.
fn inspect_place(folder: &Path, path: &Path, findings: &mut Findings<'_>, at: Option<&Span>) {
    let Some(place) = path.parent().filter(|place| *place != folder) else { return };
    if let Err(exposure) = check_folder(place, Readers::Anybody) {
        let what = format!("its folder {} {exposure}", place.display());
        findings.fault(code(&exposure), at, what, remedy(place, &exposure, Readers::Anybody));
    }
}

/// What is made later needs a folder to be made in.
fn inspect_parent(path: &Path, findings: &mut Findings<'_>, at: Option<&Span>) {
    let Some(parent) = path.parent() else { return };
    if !parent.is_dir() {
        let what = format!("{} cannot be made: {} is not there", path.display(), parent.display());
        findings.fault("missing", at, what, format!("mkdir -m 700 {}", shell(parent)));
    }
}

/// Where a relative path ends when its links lead out of the folder.
fn leads_out(folder: &Path, path: &Path) -> Option<PathBuf> {
    if path.is_absolute() {
        return None;
    }
    let home = folder.canonicalize().ok()?;
    // What is not there leads nowhere, but the folder that it would be in can.
    let whole = folder.join(path);
    let real = whole.canonicalize().or_else(|_| whole.parent().unwrap_or(folder).canonicalize()).ok()?;
    (!real.starts_with(&home)).then_some(real)
}

/// A word for programs.
pub(crate) fn code(exposure: &Exposure) -> &'static str {
    match exposure {
        Exposure::Missing => "missing",
        Exposure::Link => "link",
        Exposure::Kind => "kind",
        Exposure::Open(_) => "exposed",
        Exposure::Foreign(_) => "foreign",
        Exposure::TooLarge => "too-large",
        Exposure::Io(_) => "unreadable",
    }
}

/// What to do about a file.
pub(crate) fn remedy(path: &Path, exposure: &Exposure, readers: Readers) -> String {
    let shown = shell(path);
    match (exposure, readers) {
        (Exposure::Missing, _) => format!("make {shown}, or write where it is"),
        (Exposure::Link, _) => "put the file itself there, or write the path of the real file".to_owned(),
        (Exposure::Kind | Exposure::TooLarge, _) => format!("look what {shown} is, and write another path"),
        (Exposure::Open(_), Readers::Owner) => format!("chmod go-rwx {shown}"),
        (Exposure::Open(_), Readers::Anybody) => format!("chmod go-w {shown}"),
        (Exposure::Foreign(_), _) => format!("chown it to the user that the broker runs as: {shown}"),
        (Exposure::Io(_), _) => format!("see to it that {shown} can be read"),
    }
}

/// A path as it can be put into a command line.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests;
