//! Where the steps work: the workspace, and the tools that `.ci/run` put there.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The Python environment with the tools, made by `.ci/run`.
const VENV: &str = "target/venv";

/// A workspace with its tools.
pub(crate) struct Shop {
    root: PathBuf,
    /// Where programs are looked for.
    path: OsString,
    /// Where cargo builds.
    target: PathBuf,
}

impl Shop {
    /// The workspace at `root`.
    pub(crate) fn at(root: &Path) -> anyhow::Result<Self> {
        let this = env::current_exe().context("where xtask itself is")?;
        let target = this.ancestors().nth(2).context("xtask is expected in target/debug")?.to_path_buf();
        Ok(Self { root: root.to_path_buf(), path: search_path(root)?, target })
    }

    /// The workspace's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the workspace.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Runs cargo with these words.
    pub(crate) fn cargo(&self, words: &[&str]) -> anyhow::Result<()> {
        run(self.command("cargo").args(words))
    }

    /// Whether cargo has this subcommand.
    pub(crate) fn has_cargo(&self, subcommand: &str) -> bool {
        let mut cargo = self.command("cargo");
        let asked =
            cargo.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    }

    /// Runs a script of the workspace, which finds the broker under `KEEPMQ_BIN`.
    pub(crate) fn script(&self, path: &str) -> anyhow::Result<()> {
        let mut script = self.command(self.file(path));
        run(script.env("KEEPMQ_BIN", self.target.join("release/keepmq")))
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", &self.path);
        command
    }
}

/// The user's own with the tools' folder before it.
#[expect(clippy::disallowed_methods, reason = "the tools are found as a shell finds them")]
fn search_path(root: &Path) -> anyhow::Result<OsString> {
    let own = env::var_os("PATH").unwrap_or_default();
    let tools = root.join(VENV).join("bin");
    env::join_paths(std::iter::once(tools).chain(env::split_paths(&own))).context("PATH")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("{name} could not be started (is it there, and executable?)"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Shop;

    #[test]
    fn a_command_that_fails_is_an_error_with_its_name() {
        let shop = Shop::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let error = shop.script("no/such/script").unwrap_err();
        assert!(format!("{error:#}").contains("no/such/script could not be started"), "{error:#}");
        assert!(shop.script("src").is_err());
    }

    #[test]
    fn the_tools_of_the_workspace_come_first() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shop = Shop::at(root).unwrap();
        assert!(Path::new(&shop.path).starts_with(root.join("target/venv")));
        assert!(shop.has_cargo("fmt") && !shop.has_cargo("no-such-command"));
    }
}
