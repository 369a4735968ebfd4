"""What a reader of the documents has: a checkout in which the broker is built, and terminals that are open there."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from keepmq_testing.broker import binary
from readme.markdown import ROOT

BUILT = Path("target/release/keepmq")
LONGEST = 60

# What is exported goes from one command to the next.
RUN = '. "$1"; eval "$2"; code=$?; export -p >"$1"; exit $code'
START = '. "$1"; eval "exec $2"'

CARGO = f"""#!/bin/sh
# Stands in for cargo: runs what is built.
if [ "$1 $2 $3" != "run --release --" ]; then
  echo "only cargo run --release -- is known here" >&2
  exit 2
fi
shift 3
exec {BUILT} "$@"
"""


class Checkout:
    """A new folder. `cargo` is on the path, and keepmq only where it is built."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="keepmq-readme-"))
        self.folder, commands = self.root / "keepmq", self.root / "commands"
        for folder in (self.folder / BUILT.parent, commands):
            folder.mkdir(parents=True)
        (self.folder / BUILT).symlink_to(Path(binary()).resolve())
        (self.folder / "bench").symlink_to(ROOT / "bench")
        (commands / "cargo").write_text(CARGO)
        (commands / "cargo").chmod(0o700)
        path = f"{commands}:{os.environ['PATH']}"
        self._environment = {"PATH": path, "HOME": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        self._exported = self.root / "exported"
        self._exported.touch()

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, with all that it says as its output."""
        return subprocess.run(
            ["bash", "-c", RUN, "bash", self._exported, command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
        )

    def start(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Starts it in another terminal, whose content is the log."""
        with log.open("wb") as screen:
            return subprocess.Popen(
                ["bash", "-c", START, "bash", self._exported, command],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
            )

    def remove(self) -> None:
        """Leaves nothing behind."""
        shutil.rmtree(self.root)
