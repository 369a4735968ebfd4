use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refused(path: &Path) -> Exposure {
    read(path, Readers::Owner, 1000).unwrap_err()
}

#[test]
fn a_new_file_is_its_owners_only() {
    let folder = folder();
    let path = folder.path().join("key");
    write_new(&path, b"secret").unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(&**read(&path, Readers::Owner, 6).unwrap(), b"secret");
}

#[test]
fn a_new_file_never_takes_the_place_of_another() {
    let folder = folder();
    let path = folder.path().join("key");
    write_new(&path, b"old").unwrap();
    assert_eq!(write_new(&path, b"new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let link = folder.path().join("link");
    symlink(folder.path().join("elsewhere"), &link).unwrap();
    assert!(write_new(&link, b"new").is_err());
    assert!(!folder.path().join("elsewhere").exists());
    assert_eq!(&**read(&path, Readers::Owner, 10).unwrap(), b"old");
}

#[test]
fn what_others_may_read_is_no_secret() {
    let folder = folder();
    let path = folder.path().join("key");
    write_new(&path, b"secret").unwrap();
    for open in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666] {
        set_mode(&path, open);
        assert!(matches!(refused(&path), Exposure::Open(mode) if mode == open), "{open:o}");
    }
    for closed in [0o600, 0o400, 0o700] {
        set_mode(&path, closed);
        assert!(read(&path, Readers::Owner, 1000).is_ok(), "{closed:o}");
    }
}

#[test]
fn what_anybody_may_read_only_its_owner_may_write() {
    let folder = folder();
    let path = folder.path().join("cert");
    write_new_public(&path, b"public").unwrap();
    assert_eq!(mode(&path), 0o644);
    assert!(read(&path, Readers::Anybody, 1000).is_ok());
    set_mode(&path, 0o664);
    assert!(matches!(read(&path, Readers::Anybody, 1000), Err(Exposure::Open(0o664))));
}

#[test]
fn links_are_not_followed() {
    let folder = folder();
    write_new(&folder.path().join("key"), b"secret").unwrap();
    let link = folder.path().join("link");
    symlink("key", &link).unwrap();
    assert!(matches!(refused(&link), Exposure::Link));
}

#[test]
fn only_plain_files_are_read() {
    let folder = folder();
    assert!(matches!(refused(&folder.path().join("nothing")), Exposure::Missing));
    assert!(matches!(refused(folder.path()), Exposure::Kind));
    // Opening a pipe that nobody writes to would otherwise wait for ever.
    let pipe = folder.path().join("pipe");
    let done = std::process::Command::new("mkfifo").arg("-m").arg("600").arg(&pipe).status().unwrap();
    assert!(done.success() && matches!(refused(&pipe), Exposure::Kind));
}

#[test]
fn a_file_is_read_up_to_its_bound() {
    let folder = folder();
    let path = folder.path().join("key");
    write_new(&path, &[7; 1001]).unwrap();
    assert!(matches!(refused(&path), Exposure::TooLarge));
    assert_eq!(read(&path, Readers::Owner, 1001).unwrap().len(), 1001);
}

#[test]
fn a_replaced_file_is_the_new_one_and_closed() {
    let folder = folder();
    let path = folder.path().join("users.toml");
    write_new(&path, b"old").unwrap();
    set_mode(&path, 0o644);
    replace(&path, b"new").unwrap();
    assert_eq!(&**read(&path, Readers::Owner, 10).unwrap(), b"new");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_draft_left_by_a_crash_is_in_nobodys_way() {
    let folder = folder();
    let path = folder.path().join("users.toml");
    std::fs::write(folder.path().join(".users.toml.new"), b"half").unwrap();
    replace(&path, b"whole").unwrap();
    assert_eq!(&**read(&path, Readers::Owner, 10).unwrap(), b"whole");
}

#[test]
fn a_draft_that_is_a_link_is_not_followed() {
    let folder = folder();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, b"untouched").unwrap();
    symlink(&victim, folder.path().join(".users.toml.new")).unwrap();
    replace(&folder.path().join("users.toml"), b"whole").unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"untouched");
}

#[test]
fn a_replaced_file_keeps_its_owner() {
    let folder = folder();
    let path = folder.path().join("users.toml");
    write_new(&path, b"old").unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(&path, Some(12345), Some(12345)).is_ok() {
        replace(&path, b"new").unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12345, 12345));
    }
}

#[test]
fn folders_are_made_closed_and_judged() {
    let folder = folder();
    let path = folder.path().join("keys");
    make_folder(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    make_folder(&path).unwrap();
    set_mode(&path, 0o755);
    make_folder(&path).unwrap();
    assert_eq!(mode(&path), 0o700, "an empty one is closed");
    write_new(&path.join("a"), b"").unwrap();
    set_mode(&path, 0o750);
    assert!(
        matches!(make_folder(&path), Err(Exposure::Open(0o750))),
        "what others may use already stays theirs"
    );
    assert!(check_folder(&path, Readers::Anybody).is_ok());
    set_mode(&path, 0o770);
    assert!(matches!(check_folder(&path, Readers::Anybody), Err(Exposure::Open(0o770))));
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(check_folder(&link, Readers::Owner), Err(Exposure::Link)));
    let file = folder.path().join("file");
    write_new(&file, b"").unwrap();
    assert!(matches!(check_folder(&file, Readers::Owner), Err(Exposure::Kind)));
}

#[test]
fn only_one_at_a_time_holds_a_folder() {
    let folder = folder();
    let path = folder.path().join("users.toml");
    let lock = lock_folder_of(&path).unwrap();
    let other = File::open(folder.path()).unwrap();
    let attempt = || unix::flock(&other, unix::FlockOperation::NonBlockingLockExclusive);
    assert!(attempt().is_err());
    drop(lock);
    assert!(attempt().is_ok());
}

#[test]
fn a_file_of_a_stranger_is_a_trap() {
    for (owner, me, taken) in [(7, 7, true), (0, 7, true), (7, 0, true), (0, 0, true), (8, 7, false)] {
        assert_eq!(may_own(owner, me), taken, "{owner} {me}");
    }
}

#[test]
fn each_exposure_says_what_it_is() {
    assert_eq!(Exposure::Open(0o644).to_string(), "can be used by others than its owner (mode 0644)");
    assert_eq!(Exposure::Foreign(33).to_string(), "belongs to somebody else (user 33)");
    assert!(Exposure::Io(io::ErrorKind::PermissionDenied.into()).to_string().starts_with("cannot be read"));
}
