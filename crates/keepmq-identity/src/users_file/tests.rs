use std::os::unix::fs::{PermissionsExt, symlink};

use keepmq_model::Secret;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::hash::new_salt;

fn user(name: &str, groups: &[&str]) -> User {
    let groups = groups.iter().map(|group| (*group).into()).collect();
    User { name: name.into(), groups, hash: Hash::of_nobody().unwrap(), old: None, disabled: false }
}

fn users(list: Vec<User>) -> Users {
    let mut users = Users::default();
    for user in list {
        users.insert(user).unwrap();
    }
    users
}

fn folder(users: &Users) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    create(&path, users).unwrap();
    (folder, path)
}

fn fault(text: &str) -> (usize, String) {
    match parse(text).unwrap_err() {
        UsersFault::Content { line, what } => (line, what),
        UsersFault::File(..) => panic!("no file was read"),
    }
}

#[test]
fn what_is_written_reads_back() {
    let mut ann = user("ann", &["admins", "b.c~d_e-f"]);
    let old = OldHash { hash: ann.hash.clone(), until_ms: 1_900_000_000_000 };
    ann.old = Some(old);
    let mut bob = user("bob", &[]);
    bob.disabled = true;
    let users = users(vec![ann, bob]);
    let text = to_text(&users);
    assert_eq!(parse(&text).unwrap(), users);
    assert!(text.contains("old-until = 2030-03-17T17:46:40Z"), "{text}");
    assert!(text.starts_with("# The users"));
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let (_folder, path) = folder(&Users::default());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
    assert!(matches!(load(&path), Err(UsersFault::File(_, Exposure::Open(0o604)))));
}

#[test]
fn a_file_that_is_a_link_is_refused() {
    let (folder, path) = folder(&Users::default());
    let link = folder.path().join("link.toml");
    symlink(&path, &link).unwrap();
    assert!(matches!(load(&link), Err(UsersFault::File(_, Exposure::Link))));
    let missing = load(&folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().ends_with("none is not there"), "{missing}");
}

#[test]
fn a_change_is_whole_or_not_at_all() {
    let (_folder, path) = folder(&users(vec![user("ann", &["aa"])]));
    edit(&path, |users| users.set_groups("ann", &["bb"])).unwrap();
    assert_eq!(&*load(&path).unwrap().get("ann").unwrap().groups()[0], "bb");
    let before = std::fs::read(&path).unwrap();
    let refused = edit(&path, |users| {
        users.remove("ann")?;
        users.remove("bob")
    });
    assert!(matches!(refused, Err(EditFault::Change(UserFault::Unknown(_)))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn changes_at_the_same_time_are_all_made() {
    let (_folder, path) = folder(&Users::default());
    std::thread::scope(|threads| {
        for number in 0..8 {
            let path = &path;
            threads.spawn(move || {
                edit(path, |users| users.insert(user(&format!("user{number}"), &[]))).unwrap();
            });
        }
    });
    assert_eq!(load(&path).unwrap().list().len(), 8);
}

#[test]
fn a_new_file_never_takes_the_place_of_another() {
    let (_folder, path) = folder(&users(vec![user("ann", &[])]));
    assert!(matches!(create(&path, &Users::default()), Err(EditFault::Write(..))));
    assert_eq!(load(&path).unwrap().list().len(), 1);
}

#[test]
fn a_changed_file_has_another_stamp() {
    let (folder, path) = folder(&users(vec![user("ann", &[])]));
    let before = Stamp::of(&path).unwrap();
    assert_eq!(Stamp::of(&path), Some(before));
    edit(&path, |users| users.set_disabled("ann", true)).unwrap();
    assert_ne!(Stamp::of(&path), Some(before));
    assert_eq!(Stamp::of(&folder.path().join("none")), None);
}

#[test]
fn faults_have_a_line_and_show_nothing_of_the_text() {
    let hash = Hash::of_nobody().unwrap().to_phc();
    let good = format!("[[user]]\nname = \"ann\"\nhash = \"{hash}\"\n");
    assert!(parse(&good).is_ok());
    for (text, line, what) in [
        (format!("{good}{good}"), 4, "there is a user ann already"),
        (format!("{good}[[user]]\nname = \"x\"\nhash = \"{hash}\"\n"), 4, "a name has 2 to 100 characters"),
        (good.replace("hash =", "hsh ="), 3, "this is not how users are written"),
        (format!("{good}password = \"open\"\n"), 4, "this is not how users are written"),
        (
            format!("{good}groups = [\"a b\"]\n"),
            1,
            "a b is not a group: a name has letters, digits and - . _ ~ only",
        ),
        (format!("{good}old-hash = \"{hash}\"\n"), 1, "old-hash and old-until stand together"),
        (
            format!("{good}old-hash = \"{hash}\"\nold-until = 2030-01-01\n"),
            1,
            "old-until is not a date with time and zone",
        ),
        (format!("{good}[user\n"), 4, "this is not how users are written"),
        ("name = \"ann\"\n".to_owned(), 1, "this is not how users are written"),
    ] {
        let found = fault(&text);
        assert_eq!((found.0, &*found.1), (line, what), "{text}");
        assert!(!found.1.contains("argon2id$"));
    }
}

#[test]
fn a_password_in_plain_text_is_no_hash_and_not_shown() {
    let (line, what) = fault("[[user]]\nname = \"ann\"\nhash = \"vbcdefg12345\"\n");
    assert!(line == 1 && what.starts_with("the hash is not Argon2id") && !what.contains("vbcdefg"));
    let (_, what) = fault("[[user]]\nname = \"ann\"\nhash = 12345678901234567890123\n");
    assert!(!what.contains("1234567"), "{what}");
}

#[test]
fn an_old_hash_needs_the_salt_of_the_new_one() {
    let (new, old) = (Hash::of_nobody().unwrap(), Hash::of_nobody().unwrap());
    assert_ne!(new.salt(), old.salt());
    let text = format!(
        "[[user]]\nname = \"ann\"\nhash = \"{}\"\nold-hash = \"{}\"\nold-until = 2030-01-01T00:00:00Z\n",
        new.to_phc(),
        old.to_phc()
    );
    assert!(fault(&text).1.contains("another salt"));
}

#[test]
fn dates_are_read_in_every_zone() {
    let at = |text: &str| unix_ms(&text.parse().unwrap());
    assert_eq!(at("1970-01-01T00:00:01Z"), Some(1_000));
    assert_eq!(at("1970-01-01T02:00:01+02:00"), Some(1_000));
    assert_eq!(at("1969-12-31T23:00:01-01:00"), Some(1_000));
    assert_eq!(at("2000-02-29T00:00:00Z"), Some(951_782_400_000));
    for bad in ["1970-01-01T00:00:01", "1970-01-01", "00:00:01", "1960-01-01T00:00:00Z"] {
        assert_eq!(at(bad), None, "{bad}");
    }
}

#[test]
fn a_rotation_survives_the_file() {
    let (_folder, path) = folder(&Users::default());
    let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
    edit(&path, |users| users.add("ann", &["aa"], &secret("vbcdefg12345"))).unwrap();
    edit(&path, |users| users.set_password("ann", &secret("xbcdefg12345"), Some(1_900_000_000_999))).unwrap();
    let ann = load(&path).unwrap().get("ann").unwrap().clone();
    assert_eq!(ann.old_password_until(), Some(1_900_000_000_000), "to the second, never later");
    assert_ne!(Some(*ann.hash.salt()), new_salt());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_cut_or_changed_file_never_panics(cut: prop::sample::Index, change: prop::sample::Index, byte: u8) {
        let text = to_text(&users(vec![user("ann", &["aa", "bb"]), user("bob", &[])]));
        let mut bytes = text.into_bytes();
        let at = change.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn every_date_reads_back(seconds in 0u64..253_402_300_800) {
        let text = date(seconds * 1_000).unwrap();
        prop_assert_eq!(unix_ms(&text.parse().unwrap()), Some(seconds * 1_000));
    }
}
