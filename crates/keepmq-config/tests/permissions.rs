//! Every set of permission bits, on every file that a configuration names.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use keepmq_config::private::{make_folder, write_new, write_new_public};
use keepmq_config::template::{Quickstart, quickstart};
use keepmq_config::{FILE, Protocol, load};
use tempfile::TempDir;

/// What only its owner may read.
const SECRETS: [&str; 6] = [FILE, "tls/server.key", "keys/master.key", "users.toml", "audit.log", "store"];
/// What anybody may read, and only its owner may change.
const PUBLIC: [&str; 4] = ["tls/server.pem", "tls", "keys", ""];

fn folder() -> std::io::Result<(TempDir, PathBuf)> {
    let outer = tempfile::tempdir()?;
    let folder = outer.path().join("mq");
    for name in ["", "tls", "keys", "store"] {
        make_folder(&folder.join(name)).map_err(std::io::Error::other)?;
    }
    let plan = Quickstart { port_offset: 0, protocols: &[Protocol::Mqtt], plain: false };
    write_new(&folder.join(FILE), quickstart(&plan).map_err(std::io::Error::other)?.as_bytes())?;
    for name in ["tls/server.key", "keys/master.key", "users.toml", "audit.log"] {
        write_new(&folder.join(name), b"x")?;
    }
    write_new_public(&folder.join("tls/server.pem"), b"x")?;
    Ok((outer, folder))
}

fn set(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Tries all bits for group and others on one file; returns those with which the configuration loads.
fn taken(folder: &Path, name: &str, owner: u32) -> std::io::Result<Vec<u32>> {
    let path = folder.join(name);
    let before = path.metadata()?.permissions();
    let mut taken = Vec::new();
    for bits in 0..0o100 {
        set(&path, owner | bits)?;
        match load(folder) {
            Ok(_) => taken.push(bits),
            Err(report) => assert!(
                report.faults.iter().all(|fault| fault.code == "exposed"),
                "{name} {bits:o}: {report}"
            ),
        }
    }
    std::fs::set_permissions(&path, before)?;
    Ok(taken)
}

#[test]
fn a_secret_has_no_bit_for_others() -> std::io::Result<()> {
    let (_outer, folder) = folder()?;
    for name in SECRETS {
        let owner = if folder.join(name).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(taken(&folder, name, owner)?, [0], "{name}");
    }
    Ok(())
}

#[test]
fn what_is_public_has_no_bit_with_which_others_could_change_it() -> std::io::Result<()> {
    let (_outer, folder) = folder()?;
    for name in PUBLIC {
        let owner = if folder.join(name).is_dir() { 0o700 } else { 0o600 };
        let wanted: Vec<u32> = (0..0o100).filter(|bits| bits & 0o022 == 0).collect();
        assert_eq!(taken(&folder, name, owner)?, wanted, "{name}");
    }
    Ok(())
}

#[test]
fn many_exposed_files_are_all_told_of() -> std::io::Result<()> {
    let (_outer, folder) = folder()?;
    let exposed = ["tls/server.key", "keys/master.key", "users.toml", "audit.log"];
    for name in exposed {
        set(&folder.join(name), 0o666)?;
    }
    set(&folder.join("store"), 0o777)?;
    set(&folder.join("tls/server.pem"), 0o666)?;
    let Err(report) = load(&folder) else { panic!("it was taken") };
    assert_eq!(report.faults.len(), 6, "{report}");
    for fault in &report.faults {
        assert!(fault.remedy.starts_with("chmod go-"), "{}", fault.remedy);
        // The remedy is a command that heals.
        let done = std::process::Command::new("sh").arg("-c").arg(&fault.remedy).status()?;
        assert!(done.success(), "{}", fault.remedy);
    }
    assert!(load(&folder).is_ok());
    Ok(())
}
