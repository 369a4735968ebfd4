use super::*;
use keepmq_model::{MAX_NAME, RefusalKind};

fn names() -> Names {
    let mut names = Names::default();
    let real = Destination::new(Kind::TempQueue, "ID.7").unwrap();
    names.alias("mine".into(), real);
    names
}

fn one(text: &str) -> Result<String, Unnamed> {
    names().one(text, &Limits::default()).map(|found| found.to_string())
}

fn all(text: &str) -> Result<Vec<String>, Unnamed> {
    let (first, also) = names().all(text, &Limits::default())?;
    Ok(std::iter::once(&first).chain(&also).map(ToString::to_string).collect())
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, Unnamed>) -> RefusalKind {
    match result {
        Err(Unnamed::Refused(refusal)) => refusal.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_to_write_a_destination_is_read() {
    for (text, wanted) in [
        ("/queue/a.b", "queue://a.b"),
        ("/topic/a", "topic://a"),
        ("queue://a", "queue://a"),
        ("topic://a", "topic://a"),
        ("/remote-temp-queue/ID.1", "temp-queue://ID.1"),
        ("/remote-temp-topic/ID.1", "temp-topic://ID.1"),
        ("temp-queue://ID.1", "temp-queue://ID.1"),
        ("temp-topic://ID.1", "temp-topic://ID.1"),
        ("/temp-queue/mine", "temp-queue://ID.7"),
        (" /queue/a ", "queue://a"),
        ("/queue//a", "queue:///a"),
        ("/queue/a b", "queue://a b"),
    ] {
        assert_eq!(one(text).unwrap(), wanted, "{text}");
    }
}

#[test]
fn an_alias_that_is_new_asks_for_a_destination() {
    for (text, kind) in [("/temp-queue/new", Kind::TempQueue), ("/temp-topic/mine", Kind::TempTopic)] {
        let alias = text.rsplit('/').next().unwrap().into();
        assert_eq!(one(text), Err(Unnamed::Needs { kind, alias }));
        assert_eq!(names().pattern(text).map(drop), one(text).map(drop), "{text} in SUBSCRIBE");
    }
    assert_eq!(kind_of(one("/temp-queue/")), RefusalKind::Malformed);
}

#[test]
fn an_unknown_kind_is_refused_with_the_known_ones() {
    for text in ["a", "", "/queue", "/exchange/a", "QUEUE://a", "/Queue/a", "mqtt://a"] {
        let Err(Unnamed::Refused(refusal)) = one(text) else { panic!("{text}") };
        assert_eq!(refusal.kind, RefusalKind::Unsupported);
        for prefix in ["/queue/", "/topic/", "/temp-queue/", "/remote-temp-topic/", "queue://"] {
            assert!(refusal.text.contains(prefix), "{}", refusal.text);
        }
    }
}

#[test]
fn faulty_names_are_refused() {
    assert_eq!(kind_of(one("/queue/")), RefusalKind::Malformed);
    assert_eq!(kind_of(one("/queue/a\u{1}")), RefusalKind::Malformed);
    assert_eq!(kind_of(one(&format!("/queue/{}", "x".repeat(MAX_NAME + 1)))), RefusalKind::TooLarge);
    assert_eq!(kind_of(one(&format!("/queue/{}", "a.".repeat(200)))), RefusalKind::TooLarge);
}

#[test]
fn nothing_is_sent_to_a_wildcard() {
    for text in ["/queue/a.*", "/topic/>", "topic://*.a"] {
        let Err(Unnamed::Refused(refusal)) = one(text) else { panic!("{text}") };
        assert_eq!(refusal.kind, RefusalKind::Unsupported);
        let name = text.rsplit('/').next().unwrap();
        assert!(refusal.text.contains(name), "{}", refusal.text);
        assert_eq!(kind_of(all(&format!("/queue/ok,{text}"))), RefusalKind::Unsupported);
    }
}

#[test]
fn composite_names_are_taken_apart() {
    for (text, wanted) in [
        ("/queue/a,/topic/b", &["queue://a", "topic://b"][..]),
        ("/queue/a,b", &["queue://a", "queue://b"]),
        ("/queue/a,/topic/b,c", &["queue://a", "topic://b", "queue://c"]),
        ("queue://a, topic://b", &["queue://a", "topic://b"]),
        ("/queue/a,/queue/a,b,a", &["queue://a", "queue://b"]),
        ("/temp-queue/mine,/queue/a", &["temp-queue://ID.7", "queue://a"]),
    ] {
        assert_eq!(all(text).unwrap(), wanted, "{text}");
    }
    assert_eq!(kind_of(all("a,/queue/b")), RefusalKind::Unsupported);
    assert_eq!(kind_of(all("/queue/a,")), RefusalKind::Malformed);
    assert!(matches!(all("/queue/a,/temp-queue/new"), Err(Unnamed::Needs { .. })));
}

#[test]
fn a_composite_name_has_a_bounded_number_of_parts() {
    let name = |parts: usize| {
        let parts: Vec<String> = (0..parts).map(|i| format!("/queue/{i}")).collect();
        parts.join(",")
    };
    let limits = Limits::default();
    assert!(names().all(&name(limits.parts), &limits).is_ok());
    assert_eq!(kind_of(names().all(&name(limits.parts + 1), &limits)), RefusalKind::TooLarge);
}

#[test]
fn subscriptions_may_have_wildcards() {
    let pattern = |text: &str| names().pattern(text).map(|(kind, pattern)| (kind, pattern.to_string()));
    assert_eq!(pattern("/topic/a.>"), Ok((Kind::Topic, "a.>".to_owned())));
    assert_eq!(pattern("/queue/*"), Ok((Kind::Queue, "*".to_owned())));
    assert_eq!(pattern("/temp-queue/mine"), Ok((Kind::TempQueue, "ID.7".to_owned())));
    assert_eq!(kind_of(pattern("/remote-temp-queue/>")), RefusalKind::Unsupported);
    assert_eq!(kind_of(pattern("/topic/>.a")), RefusalKind::Unsupported);
    assert_eq!(kind_of(pattern("/queue/a,/queue/b")), RefusalKind::Unsupported);
}

#[test]
fn what_is_remembered_is_bounded_and_the_same() {
    let limits = Limits { remembered: 4, ..Limits::default() };
    let mut names = Names::default();
    let first = names.one("/queue/a", &limits).unwrap();
    assert!(names.one("/queue/a", &limits).unwrap().is_same(&first));
    for i in 0..100 {
        names.one(&format!("/queue/{i}"), &limits).unwrap();
        assert!(names.remembered.len() <= 4);
    }
    let long = format!("/queue/{}", "x".repeat(REMEMBER_UP_TO));
    names.remembered.clear();
    names.one(&long, &limits).unwrap();
    assert!(names.remembered.is_empty());
}

#[test]
fn an_alias_is_never_remembered_as_a_name() {
    let mut names = names();
    names.one("/temp-queue/mine", &Limits::default()).unwrap();
    assert!(names.remembered.is_empty());
}

#[test]
fn destinations_are_written_so_that_they_are_read_back() {
    for version in Version::ALL {
        for (kind, name, wanted) in [
            (Kind::Queue, "a.b", "/queue/a.b"),
            (Kind::Topic, "a", "/topic/a"),
            (Kind::TempQueue, "ID.7", "/temp-queue/mine"),
            (Kind::TempQueue, "ID.8", "/remote-temp-queue/ID.8"),
            (Kind::TempTopic, "ID.7", "/remote-temp-topic/ID.7"),
        ] {
            let mut out = BytesMut::new();
            let destination = Destination::new(kind, name).unwrap();
            names().put(&mut out, &destination, version);
            assert_eq!(out, wanted);
            assert_eq!(one(wanted).unwrap(), destination.to_string());
        }
    }
}

#[test]
fn a_stored_name_is_never_an_alias() {
    assert_eq!(stored("/remote-temp-queue/ID.1").unwrap().to_string(), "temp-queue://ID.1");
    assert_eq!(stored("/queue/a").unwrap().to_string(), "queue://a");
    assert!(stored("/temp-queue/mine").is_none() && stored("elsewhere").is_none());
    assert!(stored("/queue/a.*").is_none());
}
