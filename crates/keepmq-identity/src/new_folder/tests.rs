use std::os::unix::fs::PermissionsExt;

use keepmq_config::{Protocol, load};

use super::*;
use crate::{Authenticator, HashingBounds, Verdict, chain};

const PLAN: Quickstart<'_> =
    Quickstart { port_offset: 0, protocols: &[Protocol::Stomp, Protocol::Mqtt], plain: true };

fn now() -> Now {
    Now { mono_ms: 0, unix_ms: 1_764_000_000_000 }
}

#[test]
fn a_new_folder_is_whole_closed_and_without_faults_or_warnings() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    let made = make(&folder, &PLAN, now()).unwrap();
    let loaded = load(&folder).map_err(|report| report.to_string()).unwrap();
    assert_eq!(loaded.report.to_string(), "no faults, no warnings\n");
    let config = loaded.config;
    let tls = config.tls.as_ref().unwrap();
    let chain = chain::read(&tls.certificate, &tls.key, now()).unwrap();
    assert_eq!(chain.facts.names, LOCAL_NAMES);
    master_key::load(&config.store.master_key).unwrap();
    let users = users_file::load(&config.users).unwrap();
    assert_eq!(crate::judge(&config, &users).to_string(), "no faults, no warnings\n");
    let of = Authenticator::new(&users, HashingBounds::default()).unwrap();
    let verdict = of.verify(FIRST_USER, &made.password, [127, 0, 0, 1].into(), now());
    let Verdict::Verified { principal, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(principal.groups.iter().map(|group| &**group).collect::<Vec<_>>(), [CONSOLE_GROUP, "admins"]);
}

#[test]
fn only_what_is_public_can_be_read_by_others() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    make(&folder, &PLAN, now()).unwrap();
    let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
    for name in
        ["keepmq.toml", "users.toml", "credentials", "tls/ca.key", "tls/server.key", "keys/master.key"]
    {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    for name in ["tls/ca.pem", "tls/server.pem"] {
        assert_eq!(mode(name), 0o644, "{name}");
    }
    for name in ["", "tls", "keys"] {
        assert_eq!(mode(name), 0o700, "{name}");
    }
}

#[test]
fn the_credentials_are_two_lines() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    let made = make(&folder, &PLAN, now()).unwrap();
    let text = std::fs::read_to_string(&made.credentials).unwrap();
    let password = std::str::from_utf8(made.password.expose()).unwrap();
    assert_eq!(text, format!("KEEPMQ_USER=admin\nKEEPMQ_PASSWORD={password}\n"));
    assert!(!format!("{made:?}").contains(password));
    let users = std::fs::read_to_string(folder.join("users.toml")).unwrap();
    assert!(!users.contains(password));
    let pem = std::fs::read_to_string(&made.ca).unwrap();
    assert_eq!(fingerprint(&pem), Some(made.ca_fingerprint));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    make(&folder, &PLAN, now()).unwrap();
    let before = std::fs::read(folder.join("keys/master.key")).unwrap();
    assert!(matches!(make(&folder, &PLAN, now()), Err(NewFolderFault::Exists)));
    // What a start that was cut short left is not thrown away either.
    std::fs::remove_file(folder.join(FILE)).unwrap();
    assert!(matches!(make(&folder, &PLAN, now()), Err(NewFolderFault::Write(..))));
    assert_eq!(std::fs::read(folder.join("keys/master.key")).unwrap(), before);
}

#[test]
fn a_folder_that_others_can_enter_is_not_used() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("something"), "of others").unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let fault = make(&folder, &PLAN, now()).unwrap_err();
    assert!(matches!(fault, NewFolderFault::Folder(_, Exposure::Open(0o755))), "{fault}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn an_empty_folder_that_others_can_enter_is_closed_to_them() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    make(&folder, &PLAN, now()).unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_plan_that_cannot_be_leaves_nothing_behind() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("mq");
    let plan = Quickstart { protocols: &[Protocol::Amqp], ..PLAN };
    assert!(matches!(make(&folder, &plan, now()), Err(NewFolderFault::Plan(_))));
    assert!(!folder.exists());
}
