use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;
use crate::report::Report;
use crate::template::{Quickstart, quickstart};
use crate::{FILE, Protocol, load};

/// A folder as `quickstart` makes it, with something in place of what other crates write.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let plan = Quickstart { port_offset: 0, protocols: &[Protocol::Stomp, Protocol::Mqtt], plain: true };
    private::write_new(&folder.path().join(FILE), quickstart(&plan).unwrap().as_bytes()).unwrap();
    for name in ["tls", "keys"] {
        private::make_folder(&folder.path().join(name)).unwrap();
    }
    for name in ["tls/server.key", "keys/master.key", "users.toml"] {
        private::write_new(&folder.path().join(name), b"x").unwrap();
    }
    private::write_new_public(&folder.path().join("tls/server.pem"), b"x").unwrap();
    folder
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refused(folder: &TempDir) -> Report {
    load(folder.path()).unwrap_err()
}

/// The one fault that there is.
fn only(folder: &TempDir) -> (&'static str, String, String) {
    let mut report = refused(folder);
    assert_eq!(report.faults.len(), 1, "{report}");
    let fault = report.faults.remove(0);
    (fault.code, fault.key, fault.remedy)
}

#[test]
fn the_quickstarts_folder_loads_without_faults_or_warnings() {
    let folder = folder();
    let loaded = load(folder.path()).map_err(|report| report.to_string()).unwrap();
    assert_eq!(loaded.report, Report::default());
    assert_eq!(loaded.config.listeners.len(), 4);
    assert!(loaded.config.users.starts_with(folder.path()));
}

#[test]
fn every_missing_file_is_told_of() {
    let folder = folder();
    for name in ["tls/server.key", "tls/server.pem", "keys/master.key", "users.toml"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let report = refused(&folder);
    let keys: Vec<_> = report.faults.iter().map(|fault| (fault.code, &*fault.key)).collect();
    assert_eq!(
        keys,
        [
            ("missing", "tls.certificate"),
            ("missing", "tls.key"),
            ("missing", "store.master-key"),
            ("missing", "users.file"),
        ]
    );
    assert!(report.faults[3].remedy.contains("keepmq user add"));
    assert!(report.faults.iter().all(|fault| fault.place.is_some()));
}

#[test]
fn a_folder_without_a_configuration_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, remedy) = only(&folder);
    assert_eq!(code, "missing");
    assert!(remedy.contains("keepmq quickstart"));
    let report = load(&folder.path().join("nowhere")).unwrap_err();
    assert_eq!(report.faults[0].code, "missing");
}

#[test]
fn secrets_that_others_can_read_are_refused() {
    for (name, key) in
        [("tls/server.key", "tls.key"), ("keys/master.key", "store.master-key"), ("users.toml", "users.file")]
    {
        let folder = folder();
        set_mode(&folder.path().join(name), 0o640);
        let (code, found, remedy) = only(&folder);
        assert_eq!((code, &*found), ("exposed", key));
        assert!(remedy.starts_with("chmod go-rwx ") && remedy.ends_with(name), "{remedy}");
    }
}

#[test]
fn a_configuration_that_others_can_read_is_refused() {
    let folder = folder();
    set_mode(&folder.path().join(FILE), 0o644);
    let (code, _, remedy) = only(&folder);
    assert_eq!(code, "exposed");
    assert!(remedy.contains("chmod go-rwx"));
}

#[test]
fn a_folder_that_others_can_change_is_refused() {
    let folder = folder();
    set_mode(folder.path(), 0o777);
    let (code, key, remedy) = only(&folder);
    assert_eq!((code, &*key), ("exposed", ""));
    assert!(remedy.starts_with("chmod go-w "));
    set_mode(folder.path(), 0o755);
    assert!(load(folder.path()).is_ok());
}

#[test]
fn a_folder_of_keys_that_others_can_change_is_refused() {
    let folder = folder();
    set_mode(&folder.path().join("keys"), 0o770);
    let (code, key, remedy) = only(&folder);
    assert_eq!((code, &*key), ("exposed", "store.master-key"));
    assert!(remedy.starts_with("chmod go-w ") && remedy.ends_with("/keys"), "{remedy}");
    set_mode(&folder.path().join("keys"), 0o750);
    assert!(load(folder.path()).is_ok());
}

#[test]
fn a_certificate_may_be_read_by_others_but_not_written() {
    let folder = folder();
    set_mode(&folder.path().join("tls/server.pem"), 0o666);
    assert_eq!(only(&folder).0, "exposed");
}

#[test]
fn links_are_refused_wherever_they_lead() {
    let elsewhere = tempfile::tempdir().unwrap();
    private::write_new(&elsewhere.path().join("key"), b"x").unwrap();
    for (target, code) in [(elsewhere.path().join("key"), "outside"), ("../users.toml".into(), "link")] {
        let folder = folder();
        let key = folder.path().join("tls/server.key");
        std::fs::remove_file(&key).unwrap();
        symlink(target, &key).unwrap();
        assert_eq!(only(&folder).0, code);
    }
}

#[test]
fn a_configuration_that_is_a_link_is_refused() {
    let folder = folder();
    std::fs::rename(folder.path().join(FILE), folder.path().join("real.toml")).unwrap();
    symlink("real.toml", folder.path().join(FILE)).unwrap();
    assert_eq!(only(&folder).0, "link");
}

#[test]
fn a_linked_folder_that_leads_out_is_refused() {
    let elsewhere = tempfile::tempdir().unwrap();
    private::write_new(&elsewhere.path().join("master.key"), b"x").unwrap();
    let folder = folder();
    std::fs::remove_dir_all(folder.path().join("keys")).unwrap();
    symlink(elsewhere.path(), folder.path().join("keys")).unwrap();
    let (code, key, _) = only(&folder);
    assert_eq!((code, &*key), ("outside", "store.master-key"));
}

#[test]
fn an_absolute_path_may_be_outside() {
    let elsewhere = tempfile::tempdir().unwrap();
    let users = elsewhere.path().join("users.toml");
    private::write_new(&users, b"x").unwrap();
    let folder = folder();
    let path = folder.path().join(FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("file = \"users.toml\"", &format!("file = \"{}\"", users.display()));
    private::replace(&path, text.as_bytes()).unwrap();
    assert_eq!(load(folder.path()).unwrap().config.users, users);
}

#[test]
fn the_store_is_a_folder_of_its_owners_only() {
    let folder = folder();
    let store = folder.path().join("store");
    private::make_folder(&store).unwrap();
    assert!(load(folder.path()).is_ok());
    set_mode(&store, 0o755);
    assert_eq!(only(&folder).0, "exposed");
    std::fs::remove_dir(&store).unwrap();
    private::write_new(&store, b"").unwrap();
    assert_eq!(only(&folder).0, "kind");
}

#[test]
fn what_is_made_later_needs_a_folder_to_be_made_in() {
    let folder = folder();
    let path = folder.path().join(FILE);
    let text = std::fs::read_to_string(&path).unwrap().replace("\"audit.log\"", "\"logs/audit.log\"");
    private::replace(&path, text.as_bytes()).unwrap();
    let (code, key, remedy) = only(&folder);
    assert_eq!((code, &*key), ("missing", "audit.file"));
    assert!(remedy.starts_with("mkdir -m 700 "));
}

#[test]
fn a_configuration_that_is_no_text_is_refused() {
    let folder = folder();
    private::replace(&folder.path().join(FILE), b"\xff\xfe").unwrap();
    assert_eq!(only(&folder).0, "not-text");
    private::replace(&folder.path().join(FILE), &vec![b'#'; crate::MOST_BYTES + 1]).unwrap();
    assert_eq!(only(&folder).0, "too-large");
}

#[test]
fn a_path_in_a_remedy_can_be_put_into_a_command_line() {
    assert_eq!(shell(Path::new("/srv/mq/a.key")), "/srv/mq/a.key");
    assert_eq!(shell(Path::new("/srv/my mq/it's")), "'/srv/my mq/it'\\''s'");
}
