//! Users as an operator has them: through the file, with the real hash function, through public doors only.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::IpAddr;
use std::path::PathBuf;

use keepmq_identity::users_file::{self, Stamp, edit};
use keepmq_identity::{
    Authenticator, BY_OLD_PASSWORD, BY_USERS, HashingBounds, UserFault, Users, Verdict, why,
};
use keepmq_model::{Now, Secret};
use tempfile::TempDir;

const HOUR: u64 = 3_600_000;

struct Broker {
    path: PathBuf,
    authenticator: Authenticator,
    now: Now,
    _folder: TempDir,
}

impl Broker {
    fn with(users: &[(&str, &str, &[&str])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let mut list = Users::default();
        for (name, password, groups) in users {
            list.add(name, groups, &secret(password)).unwrap();
        }
        users_file::create(&path, &list).unwrap();
        let authenticator =
            Authenticator::new(&users_file::load(&path).unwrap(), HashingBounds::default()).unwrap();
        let now = Now { mono_ms: 5 * HOUR, unix_ms: 1_764_000_000_000 };
        Self { path, authenticator, now, _folder: folder }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Users) -> Result<T, UserFault>) {
        let before = Stamp::of(&self.path);
        edit(&self.path, change).unwrap();
        assert_ne!(Stamp::of(&self.path), before, "who watches the file sees it");
        self.authenticator.reload(&self.path).unwrap();
    }

    fn login(&self, user: &str, password: &str) -> Result<(&'static str, Vec<String>), &'static str> {
        self.login_from(user, password, [10, 0, 0, 1].into())
    }

    fn login_from(
        &self,
        user: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<(&'static str, Vec<String>), &'static str> {
        match self.authenticator.verify(user, &secret(password), source, self.now) {
            Verdict::Verified { principal, by } => {
                Ok((by, principal.groups.iter().map(ToString::to_string).collect()))
            }
            Verdict::Refused { why } => Err(why),
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.unix_ms += ms;
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn groups(groups: &[&str]) -> Vec<String> {
    groups.iter().map(|group| (*group).to_owned()).collect()
}

#[test]
fn a_user_lives_from_add_to_remove() {
    let broker = Broker::with(&[]);
    assert_eq!(broker.login("ann", "vbcdefg12345"), Err(why::UNKNOWN));
    broker.change(|users| users.add("ann", &["shop"], &secret("vbcdefg12345")));
    assert_eq!(broker.login("ann", "vbcdefg12345"), Ok((BY_USERS, groups(&["shop"]))));
    broker.change(|users| users.set_groups("ann", &["billing", "audit"]));
    assert_eq!(broker.login("ann", "vbcdefg12345"), Ok((BY_USERS, groups(&["audit", "billing"]))));
    broker.change(|users| users.set_disabled("ann", true));
    assert_eq!(broker.login("ann", "vbcdefg12345"), Err(why::DISABLED));
    broker.change(|users| users.set_disabled("ann", false));
    assert!(broker.login("ann", "vbcdefg12345").is_ok());
    broker.change(|users| users.set_password("ann", &secret("xbcdefg12345"), None));
    assert_eq!(broker.login("ann", "vbcdefg12345"), Err(why::WRONG));
    assert!(broker.login("ann", "xbcdefg12345").is_ok());
    broker.change(|users| users.remove("ann"));
    assert_eq!(broker.login("ann", "xbcdefg12345"), Err(why::UNKNOWN));
}

#[test]
fn a_password_is_changed_without_an_hour_of_silence() {
    let mut broker = Broker::with(&[("ann", "vbcdefg12345", &["shop"])]);
    let until = broker.now.unix_ms + HOUR;
    broker.change(|users| users.set_password("ann", &secret("xbcdefg12345"), Some(until)));
    assert_eq!(broker.login("ann", "vbcdefg12345").unwrap().0, BY_OLD_PASSWORD);
    assert_eq!(broker.login("ann", "xbcdefg12345").unwrap().0, BY_USERS);
    broker.wait(HOUR - 1);
    assert_eq!(broker.login("ann", "vbcdefg12345").unwrap().0, BY_OLD_PASSWORD);
    broker.wait(1);
    assert_eq!(broker.login("ann", "vbcdefg12345"), Err(why::WRONG));
    assert_eq!(broker.login("ann", "xbcdefg12345").unwrap().0, BY_USERS);
}

#[test]
fn default_credentials_of_other_brokers_open_nothing() {
    let broker = Broker::with(&[("admin", "vbcdefg12345", &["admins"])]);
    let known = [
        ("admin", "admin"),
        ("guest", "guest"),
        ("admin", "public"),
        ("iggy", "iggy"),
        ("artemis", "artemis"),
        ("user", "password"),
        ("system", "manager"),
        ("", ""),
        ("admin", ""),
    ];
    for (number, (user, password)) in known.into_iter().enumerate() {
        let source = [10, 0, 1, u8::try_from(number).unwrap()];
        assert!(broker.login_from(user, password, source.into()).is_err(), "{user}/{password}");
    }
}

#[test]
fn names_that_mean_something_elsewhere_are_nobody() {
    let broker = Broker::with(&[("ann", "vbcdefg12345", &["shop"])]);
    let odd = [
        "*",
        "ann\0",
        "ann\n",
        "ANN",
        " ann",
        "ann ",
        "a*",
        ">",
        "#",
        "+",
        "a)(uid=*",
        "ann,dc=x",
        "\u{202e}nna",
    ];
    for (number, name) in odd.into_iter().enumerate() {
        let source = [10, 0, 2, u8::try_from(number).unwrap()];
        assert_eq!(broker.login_from(name, "vbcdefg12345", source.into()), Err(why::UNKNOWN), "{name:?}");
    }
    let long = "a".repeat(64 * 1024);
    assert_eq!(broker.login(&long, "vbcdefg12345"), Err(why::UNKNOWN));
}

#[test]
fn a_guesser_is_held_up_and_the_user_gets_in_elsewhere_and_later() {
    let mut broker = Broker::with(&[("ann", "vbcdefg12345", &["shop"])]);
    let there: IpAddr = [203, 0, 113, 7].into();
    for number in 0..5 {
        assert_eq!(broker.login_from("ann", &format!("guess-number-{number}"), there), Err(why::WRONG));
    }
    assert_eq!(broker.login_from("ann", "vbcdefg12345", there), Err(why::LOCKED_PAIR));
    assert!(broker.login("ann", "vbcdefg12345").is_ok());
    broker.wait(1_000);
    assert!(broker.login_from("ann", "vbcdefg12345", there).is_ok());
}

#[test]
fn an_administrator_at_the_machine_gets_in_whatever_happens() {
    let mut broker = Broker::with(&[("admin", "vbcdefg12345", &["admins"])]);
    let here: IpAddr = [127, 0, 0, 1].into();
    for number in 0..20 {
        let _ = broker.login_from("admin", &format!("guess-number-{number}"), here);
    }
    assert!(broker.login_from("admin", "vbcdefg12345", here).is_err());
    broker.wait(5_000);
    assert!(broker.login_from("admin", "vbcdefg12345", here).is_ok());
}

#[test]
fn a_broken_file_leaves_everybody_as_they_were() {
    let broker = Broker::with(&[("ann", "vbcdefg12345", &["shop"])]);
    for broken in ["[[user]]\nname = \"ann\"\n", "not toml", "[[user]]\nname = \"eve\"\nhash = \"x\"\n"] {
        keepmq_identity::private::replace(&broker.path, broken.as_bytes()).unwrap();
        assert!(broker.authenticator.reload(&broker.path).is_err());
        assert!(broker.login("ann", "vbcdefg12345").is_ok(), "{broken}");
    }
    // A file that lost all users is a valid one, and then nobody gets in: less is never more.
    keepmq_identity::private::replace(&broker.path, b"").unwrap();
    broker.authenticator.reload(&broker.path).unwrap();
    assert_eq!(broker.login("ann", "vbcdefg12345"), Err(why::UNKNOWN));
}
