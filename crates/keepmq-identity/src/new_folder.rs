//! The first files of a new broker: configuration, certificates, master key, one user.

use std::io;
use std::path::{Path, PathBuf};

use keepmq_config::private::{self, Exposure};
use keepmq_config::template::{Quickstart, TemplateFault, quickstart};
use keepmq_config::{CONSOLE_GROUP, FILE};
use keepmq_model::{Now, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::certificate::{CertificateFault, LOCAL_NAMES, issue_server, make_ca};
use crate::chain::fingerprint;
use crate::master_key::{self, MasterKeyFault};
use crate::password::random_password;
use crate::users::{UserFault, Users};
use crate::users_file::{self, EditFault};

/// The first user.
pub const FIRST_USER: &str = "admin";
/// The file with the first user's name and password.
pub const CREDENTIALS: &str = "credentials";

/// What was made.
#[derive(Debug)]
pub struct NewFolder {
    /// What clients trust.
    pub ca: PathBuf,
    /// Its SHA-256 fingerprint.
    pub ca_fingerprint: String,
    /// The file with the first user's name and password.
    pub credentials: PathBuf,
    /// The first user's password.
    pub password: Secret,
}

/// Why nothing was made, or not all of it.
#[derive(Debug, Error)]
pub enum NewFolderFault {
    /// There is a broker already.
    #[error("there is a {FILE} already")]
    Exists,
    /// The plan.
    #[error(transparent)]
    Plan(#[from] TemplateFault),
    /// A folder.
    #[error("{path} {exposure}", path = .0.display(), exposure = .1)]
    Folder(PathBuf, Exposure),
    /// A file.
    #[error("{path} cannot be written: {error}", path = .0.display(), error = .1)]
    Write(PathBuf, io::Error),
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyFault),
    /// The user.
    #[error(transparent)]
    User(#[from] UserFault),
    /// The users' file.
    #[error(transparent)]
    Users(#[from] EditFault),
    /// The machine gives no randomness.
    #[error("the machine gives no randomness")]
    Machine,
}

/// Makes the folder and what belongs in it. The configuration is written last: a folder that has one is whole.
pub fn make(folder: &Path, plan: &Quickstart<'_>, now: Now) -> Result<NewFolder, NewFolderFault> {
    let text = quickstart(plan)?;
    if folder.join(FILE).symlink_metadata().is_ok() {
        return Err(NewFolderFault::Exists);
    }
    for path in [folder.to_owned(), folder.join("tls"), folder.join("keys")] {
        private::make_folder(&path).map_err(|exposure| NewFolderFault::Folder(path, exposure))?;
    }
    let ca_fingerprint = certificates(folder, now)?;
    master_key::make(&folder.join("keys/master.key"))?;
    let password = random_password().ok_or(NewFolderFault::Machine)?;
    let mut users = Users::default();
    users.add(FIRST_USER, &["admins", CONSOLE_GROUP], &password)?;
    users_file::create(&folder.join("users.toml"), &users)?;
    write(&folder.join(CREDENTIALS), &credentials(FIRST_USER, &password))?;
    write(&folder.join(FILE), text.as_bytes())?;
    let (ca, credentials) = (folder.join("tls/ca.pem"), folder.join(CREDENTIALS));
    Ok(NewFolder { ca, ca_fingerprint, credentials, password })
}

/// Writes the CA and the server's certificate; returns the CA's fingerprint.
fn certificates(folder: &Path, now: Now) -> Result<String, NewFolderFault> {
    let tls = folder.join("tls");
    let ca = make_ca("KeepMQ CA of this broker", now)?;
    let server = issue_server(&ca, &LOCAL_NAMES, now)?;
    for (name, certificate) in [("ca.pem", &ca.certificate), ("server.pem", &server.certificate)] {
        let path = tls.join(name);
        private::write_new_public(&path, certificate.as_bytes())
            .map_err(|error| NewFolderFault::Write(path, error))?;
    }
    write(&tls.join("ca.key"), ca.key.as_bytes())?;
    write(&tls.join("server.key"), server.key.as_bytes())?;
    fingerprint(&ca.certificate).ok_or(NewFolderFault::Machine)
}

/// As a shell and most other things can read it.
fn credentials(user: &str, password: &Secret) -> Zeroizing<Vec<u8>> {
    let parts = [b"KEEPMQ_USER=", user.as_bytes(), b"\nKEEPMQ_PASSWORD=", password.expose(), b"\n"];
    let mut text = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        text.extend_from_slice(part);
    }
    text
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), NewFolderFault> {
    private::write_new(path, bytes).map_err(|error| NewFolderFault::Write(path.to_owned(), error))
}

#[cfg(test)]
mod tests;
