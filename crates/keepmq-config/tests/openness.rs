//! The one rule that everything else serves: nothing is reachable from outside by accident. Every combination of what
//! can open a listener is tried, and compared with the rule written out once more, in other words.

use std::fmt::Write as _;
use std::path::Path;

use keepmq_config::{Posture, Report, judge};

const ADDRESSES: [(&str, Posture); 10] = [
    ("127.0.0.1", Posture::Loopback),
    ("::1", Posture::Loopback),
    ("10.0.0.1", Posture::Private),
    ("192.168.7.7", Posture::Private),
    ("fd00::1", Posture::UniqueLocal),
    ("169.254.1.1", Posture::LinkLocal),
    ("203.0.113.5", Posture::Public),
    ("2001:db8::5", Posture::Public),
    ("0.0.0.0", Posture::Unspecified),
    ("::", Posture::Unspecified),
];

/// What can open a listener.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is tried with each other")]
struct Choice {
    address: &'static str,
    posture: Posture,
    tls: bool,
    public: bool,
    ingress: bool,
    map: bool,
    certificate: bool,
}

impl Choice {
    fn all() -> impl Iterator<Item = Self> {
        ADDRESSES.into_iter().flat_map(|(address, posture)| {
            (0u8..32).map(move |bits| Self {
                address,
                posture,
                tls: bits & 1 != 0,
                public: bits & 2 != 0,
                ingress: bits & 4 != 0,
                map: bits & 8 != 0,
                certificate: bits & 16 != 0,
            })
        })
    }

    fn text(self) -> String {
        let mut text =
            format!("[[listener]]\nname = \"door\"\nprotocol = \"stomp\"\naddress = \"{}\"\n", self.address);
        let _ = write!(text, "tls = {}\npublic = {}\n", self.tls, self.public);
        if self.ingress {
            text += "ingress = { allow = [\"0.0.0.0/0\", \"::/0\"] }\n";
        }
        if self.certificate {
            text += "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
        }
        if self.map {
            text += "[authorization.default]\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n";
        }
        text
    }

    /// Whether it may be, by the promise that users are given.
    fn may_be(self) -> bool {
        let stays_on_the_machine = self.posture == Posture::Loopback;
        let stays_in_the_house =
            matches!(self.posture, Posture::Private | Posture::UniqueLocal | Posture::LinkLocal);
        let encrypted = self.tls && self.certificate;
        if stays_on_the_machine {
            encrypted || !self.tls
        } else if stays_in_the_house {
            encrypted
        } else {
            encrypted && self.public && self.ingress && self.map
        }
    }
}

fn look(choice: Choice) -> Result<keepmq_config::Config, Report> {
    judge(&choice.text(), Path::new("/srv/mq")).map(|loaded| loaded.config)
}

#[test]
fn a_listener_is_open_only_as_far_as_all_of_it_says_so() {
    let (mut taken, mut refused) = (0, 0);
    for choice in Choice::all() {
        match look(choice) {
            Ok(_) if choice.may_be() => taken += 1,
            Err(_) if !choice.may_be() => refused += 1,
            Ok(_) => panic!("taken: {choice:?}"),
            Err(report) => panic!("refused: {choice:?}\n{report}"),
        }
    }
    assert!(taken > 50 && refused > 100, "{taken} {refused}");
}

#[test]
fn who_is_not_written_in_does_not_come_in() {
    let sources = ["127.0.0.1", "10.9.9.9", "fd00::9", "fe80::9", "203.0.113.9", "2001:db8::9"];
    for choice in Choice::all().filter(|choice| choice.may_be() && !choice.ingress) {
        let config = look(choice).unwrap();
        let admitted =
            sources.into_iter().filter(|source| config.listeners[0].ingress.admits(source.parse().unwrap()));
        for source in admitted {
            let public = Posture::of(source.parse().unwrap()).is_public();
            assert!(!public, "{source} may connect to {choice:?}");
        }
    }
}

#[test]
fn whatever_is_open_is_listed_as_an_open_door() {
    for choice in Choice::all().filter(|choice| choice.may_be()) {
        let config = look(choice).unwrap();
        let doors = config.open_doors();
        let listed = |option: &str| doors.iter().any(|door| door.key == format!("listener.door.{option}"));
        assert_eq!(listed("tls"), !choice.tls, "{choice:?}");
        assert_eq!(listed("public"), choice.public, "{choice:?}");
        assert_eq!(listed("ingress"), choice.ingress, "{choice:?}");
        assert!(doors.iter().all(|door| !door.opens.is_empty()));
    }
}
