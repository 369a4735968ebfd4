use proptest::prelude::*;

use super::*;
use crate::reading::{fault_of, read_one};

#[test]
fn sizes_are_a_number_with_a_unit_or_bytes() {
    for (written, bytes) in [
        ("\"64MiB\"", 64 << 20),
        ("\"64 MiB\"", 64 << 20),
        ("\"1KiB\"", 1024),
        ("\"2GiB\"", 2 << 30),
        ("\"1TiB\"", 1 << 40),
        ("\"512B\"", 512),
        ("4096", 4096),
        ("1_000", 1000),
        ("0x10", 16),
    ] {
        assert_eq!(read_one::<Size>(written).unwrap().bytes(), bytes, "{written}");
    }
}

#[test]
fn units_that_mean_two_things_are_refused() {
    for written in [
        "\"64MB\"",
        "\"64M\"",
        "\"64mib\"",
        "\"1.5GiB\"",
        "\"MiB\"",
        "\"-1KiB\"",
        "\"+1KiB\"",
        "\"\"",
        "\"64\"",
    ] {
        let (code, _, remedy) = fault_of::<Size>(written);
        assert_eq!(code, "size", "{written}");
        assert!(remedy.contains("MiB"));
    }
}

#[test]
fn a_size_that_is_too_large_for_a_machine_is_refused() {
    assert_eq!(fault_of::<Size>("\"99999999TiB\"").0, "size");
    assert_eq!(fault_of::<Size>("99999999999999999999").0, "range");
    assert_eq!(fault_of::<Size>("-1").0, "range");
}

#[test]
fn times_have_a_unit() {
    for (written, millis) in [
        ("\"5s\"", 5_000),
        ("\"250ms\"", 250),
        ("\"2m\"", 120_000),
        ("\"1h\"", 3_600_000),
        ("\"1d\"", 86_400_000),
        ("\"0s\"", 0),
    ] {
        assert_eq!(read_one::<Period>(written).unwrap().as_millis(), millis, "{written}");
    }
    assert_eq!(fault_of::<Period>("5").0, "type", "seconds or milliseconds?");
    for written in ["\"5\"", "\"5 weeks\"", "\"s\"", "\"1.5s\"", "\"99999999999999999d\""] {
        assert_eq!(fault_of::<Period>(written).0, "time", "{written}");
    }
}

#[test]
fn counts_are_whole_and_not_negative() {
    assert_eq!(read_one::<Count>("5").unwrap().get(), 5);
    for written in ["-5", "4294967296"] {
        assert_eq!(fault_of::<Count>(written).0, "range", "{written}");
    }
    for written in ["5.0", "\"5\"", "true", "[5]", "{ a = 5 }", "1979-05-27"] {
        assert_eq!(fault_of::<Count>(written).0, "type", "{written}");
    }
}

#[test]
fn quantities_are_shown_in_their_largest_whole_unit() {
    assert_eq!(Size::mib(1024).to_string(), "1GiB");
    assert_eq!(Size::of(1025).to_string(), "1025B");
    assert_eq!(Size::of(0).to_string(), "0B");
    assert_eq!(Period::seconds(90).to_string(), "90s");
    assert_eq!(Period::seconds(120).to_string(), "2m");
    assert_eq!(Period::millis(1500).to_string(), "1500ms");
    assert_eq!(Period::millis(0).to_string(), "0ms");
    assert_eq!(Period::seconds(2).as_duration(), Duration::from_secs(2));
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(number in any::<u32>(), shift in 0u32..12) {
        let number = u64::from(number) << shift;
        let (size, period) = (Size::of(number), Period::millis(number));
        prop_assert_eq!(read_one::<Size>(&size.show().unwrap()), Some(size));
        prop_assert_eq!(read_one::<Period>(&period.show().unwrap()), Some(period));
    }

    #[test]
    fn no_text_makes_them_panic(text in "\\PC{0,20}") {
        let _ = Size::parse(&text);
        let _ = Period::parse(&text);
    }
}
