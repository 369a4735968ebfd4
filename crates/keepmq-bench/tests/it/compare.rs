//! The comparison of brokers is a program in another language; its tests are run with these.

use std::path::Path;
use std::process::Command;

#[test]
fn the_comparison_passes_its_own_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/compare");
    let mut command = Command::new("python3");
    // No compiled files beside the sources.
    command.arg("-B").args(["-m", "unittest", "discover"]).arg(&folder);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
