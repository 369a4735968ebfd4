use super::*;
use crate::hash::derive;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn with_ann() -> Users {
    let mut users = Users::default();
    users.add("ann", &["admins"], &secret("vbcdefg12345")).unwrap();
    users
}

/// Users without the cost of hashing.
fn many(number: usize) -> Users {
    let hash = Hash::of_nobody().unwrap();
    let list = (0..number)
        .map(|number| User {
            name: format!("user{number}").into(),
            groups: Vec::new(),
            hash: hash.clone(),
            old: None,
            disabled: false,
        })
        .collect();
    Users { list }
}

fn is_password(hash: &Hash, password: &str) -> bool {
    hash.is(&derive(password.as_bytes(), hash.salt()).unwrap())
}

#[test]
fn an_added_user_has_name_groups_and_a_hash() {
    let users = with_ann();
    let ann = users.get("ann").unwrap();
    assert_eq!((ann.name(), ann.groups().len(), ann.is_disabled()), ("ann", 1, false));
    assert!(is_password(&ann.hash, "vbcdefg12345"));
    assert_eq!(ann.principal(), Principal::new("ann", ["admins"]));
    assert!(!format!("{ann:?}").contains("argon2"), "a hash is never printed");
}

#[test]
fn a_name_is_given_once_and_letter_by_letter() {
    let mut users = with_ann();
    let again = users.add("ann", &[], &secret("vbcdefg12345"));
    assert_eq!(again, Err(UserFault::Exists("ann".to_owned())));
    assert_eq!(users.add("Ann", &[], &secret("vbcdefg12345")), Ok(()));
    assert!(users.get("ANN").is_none());
}

#[test]
fn bad_names_groups_and_passwords_are_refused() {
    let mut users = Users::default();
    let good = secret("vbcdefg12345");
    assert_eq!(users.add("a", &[], &good), Err(UserFault::Name(NameFault::Length)));
    assert_eq!(users.add("a b", &[], &good), Err(UserFault::Name(NameFault::Character)));
    let group = users.add("ann", &["ok", "a,b"], &good);
    assert_eq!(group, Err(UserFault::Group("a,b".to_owned(), NameFault::Character)));
    let any = users.add("ann", &["*"], &good);
    assert!(matches!(any, Err(UserFault::Group(..))), "nobody is in every group");
    let short = users.add("ann", &[], &secret("short"));
    assert_eq!(short, Err(UserFault::Password(PasswordFault::Length)));
    assert_eq!(users, Users::default());
}

#[test]
fn a_user_has_at_most_twenty_groups() {
    let names: Vec<String> = (0..21).map(|number| format!("group{number}")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(check_groups(&groups), Err(UserFault::TooManyGroups));
    assert_eq!(check_groups(&groups[..20]).unwrap().len(), 20);
    assert_eq!(check_groups(&["aa"; 30]).unwrap().len(), 1, "the same one counts once");
}

#[test]
fn a_broker_has_at_most_ten_thousand_users() {
    let mut users = many(MOST_USERS);
    let one_more = users.list[0].clone();
    assert_eq!(users.insert(User { name: "new".into(), ..one_more }), Err(UserFault::TooMany));
}

#[test]
fn a_new_password_ends_the_old_one_at_once() {
    let mut users = with_ann();
    let before = users.get("ann").unwrap().hash.clone();
    users.set_password("ann", &secret("xbcdefg12345"), None).unwrap();
    let ann = users.get("ann").unwrap();
    assert!(is_password(&ann.hash, "xbcdefg12345") && !is_password(&ann.hash, "vbcdefg12345"));
    assert_eq!(ann.old, None);
    assert_ne!(before.salt(), ann.hash.salt());
}

#[test]
fn an_old_password_can_be_kept_for_a_while_under_the_same_salt() {
    let mut users = with_ann();
    users.set_password("ann", &secret("xbcdefg12345"), Some(9_000)).unwrap();
    let ann = users.get("ann").unwrap();
    let old = ann.old.as_ref().unwrap();
    assert!(is_password(&ann.hash, "xbcdefg12345") && is_password(&old.hash, "vbcdefg12345"));
    assert_eq!(ann.old_password_until(), Some(9_000));
    assert_eq!(old.hash.salt(), ann.hash.salt());
    users.set_password("ann", &secret("ybcdefg12345"), None).unwrap();
    assert_eq!(users.get("ann").unwrap().old, None);
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let mut users = with_ann();
    let unknown = UserFault::Unknown("bob".to_owned());
    assert_eq!(users.set_password("bob", &secret("vbcdefg12345"), None), Err(unknown.clone()));
    assert_eq!(users.set_groups("bob", &[]), Err(unknown.clone()));
    assert_eq!(users.set_disabled("bob", true), Err(unknown.clone()));
    assert_eq!(users.remove("bob"), Err(unknown));
    assert_eq!(
        users.remove("b\u{1b}ob"),
        Err(UserFault::Unknown("bob".to_owned())),
        "no terminal is steered"
    );
}

#[test]
fn order_stays_whatever_is_changed() {
    let mut users = many(4);
    users.set_groups("user2", &["aa"]).unwrap();
    users.set_disabled("user0", true).unwrap();
    users.remove("user1").unwrap();
    let names: Vec<&str> = users.list().iter().map(User::name).collect();
    assert_eq!(names, ["user0", "user2", "user3"]);
    assert!(users.get("user0").unwrap().is_disabled());
    users.set_disabled("user0", false).unwrap();
    assert!(!users.get("user0").unwrap().is_disabled());
}
