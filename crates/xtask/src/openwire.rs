//! Makes the OpenWire codec's commands from the tables of the wire: `crates/keepmq-openwire/openwire.json`.
//!
//! What it makes is committed; a test sees to it that the two agree.

mod emit;
mod table;

use std::path::Path;

use anyhow::Context;

use table::Table;

const TABLE: &str = "crates/keepmq-openwire/openwire.json";
const OUTPUT: &str = "crates/keepmq-openwire/src/codec/wire";

/// Writes the files anew.
pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    for (name, text) in files(root)? {
        let path = root.join(OUTPUT).join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    let formatted = std::process::Command::new("cargo").arg("fmt").current_dir(root).status()?;
    Ok(formatted.success())
}

/// The files by their names, not formatted.
fn files(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let path = root.join(TABLE);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let table: Table = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    emit::files(&table)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    fn formatted(text: &str) -> String {
        let mut rustfmt = Command::new("rustfmt")
            .arg("--config-path")
            .arg(crate::root().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        rustfmt.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        String::from_utf8(rustfmt.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn what_is_committed_is_what_the_tables_say() {
        let root = crate::root().unwrap();
        for (name, text) in files(&root).unwrap() {
            let committed = std::fs::read_to_string(root.join(OUTPUT).join(&name)).unwrap_or_default();
            assert_eq!(committed, formatted(&text), "{name}: run `cargo xtask openwire`");
        }
    }
}
