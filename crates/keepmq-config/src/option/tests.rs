use toml::de::DeTable;

use super::*;
use crate::quantity::{Count, Period, Size};
use crate::report::Report;

section! {
    /// A section that only tests have,
    /// told in two lines.
    struct Sample in "sample" {
        /// How many.
        "how-many" how_many: Count = Count::of(5), live, within 1 => 10, opens "more is weaker";
        /// How large.
        "how-large" how_large: Size = Size::kib(4), restart, within 1024 => 8192;
        /// How long.
        "how-long" how_long: Option<At<Period>> = None, live, opens "waiting is weaker";
        /// Whether.
        "whether" whether: At<bool> = At::unwritten(true), restart, opens "without is weaker";
    }
}

fn read(text: &str) -> (Sample, Report) {
    let (table, errors) = DeTable::parse_recoverable(text);
    assert!(errors.is_empty(), "{errors:?}");
    let mut findings = Findings::new("f.toml", text);
    let sample = findings.within("sample", |findings| Sample::read(table.get_ref(), findings));
    (sample, findings.into_report())
}

fn sound(text: &str) -> Sample {
    let (sample, report) = read(text);
    assert_eq!(report, Report::default(), "{report}");
    sample
}

fn weak(text: &str) -> Vec<String> {
    let stated = sound(text).stated("s");
    stated.into_iter().filter(|one| one.weakens).map(|one| one.key).collect()
}

#[test]
fn one_definition_makes_field_default_reader_and_reference() {
    assert_eq!(sound(""), Sample::default());
    let sample = sound("how-many = 7\nhow-large = \"8KiB\"\nhow-long = \"2s\"\nwhether = false");
    assert_eq!((sample.how_many, sample.how_large), (Count::of(7), Size::kib(8)));
    assert_eq!((sample.how_long.unwrap().value, sample.whether.value), (Period::seconds(2), false));
    let many = Sample::OPTIONS.first().unwrap();
    assert_eq!((many.key, many.about, many.change), ("how-many", "How many.", Change::Live));
    assert_eq!((many.range, many.opens), (Some((1, 10)), Some("more is weaker")));
    assert_eq!(Sample::OPTIONS.get(1).unwrap().change, Change::Restart);
    assert_eq!(
        (Sample::PATH, Sample::ABOUT),
        ("sample", "A section that only tests have, told in two lines.")
    );
}

#[test]
fn what_is_written_knows_its_place_and_a_default_has_none() {
    assert_eq!(sound("whether = true").whether.span, Some(10..14));
    assert_eq!(sound("").whether.span, None);
    assert_eq!(sound("whether = true"), sound(""), "but it is the same value");
}

#[test]
fn a_faulty_option_keeps_its_default_and_hides_no_other() {
    let (sample, report) = read("how-many = 11\nhow-large = 10\nhow-long = \"2s\"\nwhether = \"no\"\n");
    assert_eq!((sample.how_many, sample.how_large, sample.whether.value), (Count::of(5), Size::kib(4), true));
    assert_eq!(sample.how_long.unwrap().value, Period::seconds(2));
    let faults: Vec<_> = report.faults.iter().map(|fault| (fault.code, &*fault.key)).collect();
    assert_eq!(
        faults,
        [("range", "sample.how-many"), ("range", "sample.how-large"), ("type", "sample.whether")]
    );
    assert_eq!(report.faults[1].remedy, "write \"1KiB\" to \"8KiB\"");
}

#[test]
fn the_ends_of_a_range_belong_to_it() {
    for number in [1, 10] {
        assert_eq!(sound(&format!("how-many = {number}")).how_many, Count::of(number));
    }
    for number in [0, 11] {
        assert_eq!(read(&format!("how-many = {number}")).1.faults[0].code, "range");
    }
}

#[test]
fn numbers_are_weaker_when_they_are_more_and_others_when_they_differ() {
    assert_eq!(weak("how-many = 4\nhow-large = 1024\nwhether = true"), [""; 0]);
    assert_eq!(weak("how-many = 6"), ["s.how-many"]);
    assert_eq!(weak("how-large = 8192"), [""; 0], "nothing is said to become weaker");
    assert_eq!(weak("whether = false\nhow-long = \"1s\""), ["s.how-long", "s.whether"]);
}

#[test]
fn what_has_no_value_is_not_stated() {
    let keys: Vec<String> = sound("").stated("s").into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["s.how-many", "s.how-large", "s.whether"]);
    assert_eq!(sound("how-long = \"90s\"").stated("s")[2].value, "\"90s\"");
}

#[test]
fn names_are_matched_letter_by_letter() {
    for written in ["how_many", "How-Many", "how-many ", "\"how-many.x\"", "howmany"] {
        let (_, report) = read(&format!("{written} = 5"));
        let wanted = usize::from(written.trim() != "how-many");
        assert_eq!(report.faults.len(), wanted, "{written}");
        assert!(report.faults.iter().all(|fault| fault.remedy.contains("`how-many`")), "{report}");
    }
}

#[test]
fn an_unknown_name_is_shown_safely_and_not_endlessly() {
    let (_, report) = read(&format!("\"\\u001b[2J{}\" = 5", "x".repeat(500)));
    assert!(report.faults[0].what.starts_with("`\u{fffd}[2J") && report.faults[0].what.len() < 100);
}
