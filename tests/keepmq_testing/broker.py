"""A broker as its users have it: the binary, a folder, and signals."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from keepmq_testing import ports
from keepmq_testing.waiting import PATIENCE, eventually

Json = dict[str, Any]

# Brokers that run now, so that a failed test can show what they logged.
running: list["Broker"] = []


def binary() -> str:
    """The broker that is tested."""
    path = os.environ.get("KEEPMQ_BIN", "")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"KEEPMQ_BIN names no program: {path!r}")
    return path


def keepmq(
    *words: str | Path, stdin: str = "", cwd: Path | None = None, within: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs a command of the binary to its end."""
    return subprocess.run(
        [binary(), *map(str, words)], input=stdin, cwd=cwd, timeout=within, capture_output=True, text=True
    )


@dataclass(frozen=True)
class User:
    """Somebody who may log in."""

    name: str
    password: str


class Broker:
    """One broker with its folder. It is made by `quickstart` and can be stopped, killed and started again."""

    def __init__(self, plain: bool = False, log_level: str = "info") -> None:
        self.root = Path(tempfile.mkdtemp(prefix="keepmq-test-"))
        self.dir = self.root / "broker"
        self.plain, self.log_level = plain, log_level
        self.process: subprocess.Popen[bytes] | None = None
        self._offset = ports.Offset()
        self.offset = self._offset.number
        self.log_file = self.root / "log"
        self.log_file.touch()
        running.append(self)

    # Its life

    def quickstart(self, *options: str) -> Self:
        """Makes the folder and serves it."""
        plain = ["--plain"] if self.plain else []
        return self._run("quickstart", "--port-offset", str(self.offset), *plain, *options)

    def start(self) -> Self:
        """Serves the folder."""
        return self._run("serve")

    def _run(self, *words: str) -> Self:
        self.launch(*words)
        eventually(lambda: self._is_ready() or self._ended(), "ready")
        if self._ended():
            raise AssertionError(f"the broker did not start:\n{self.log()}")
        return self

    def launch(self, *words: str) -> None:
        """Starts the process and does not wait for anything."""
        assert self.process is None, "it runs already"
        self._from = self.log_file.stat().st_size
        with self.log_file.open("ab") as log:
            command = [binary(), *words, "--dir", str(self.dir)]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"KEEPMQ_LOG": self.log_level},
            )

    def _is_ready(self) -> bool:
        return "ready" in self.log_since_start().splitlines()

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, within: float = 30) -> int:
        """Ends it in order; returns the exit code."""
        return self._end(signal.SIGTERM, within)

    def kill(self) -> None:
        """Ends it as a crash does."""
        self._end(signal.SIGKILL, 30)

    def _end(self, how: signal.Signals, within: float) -> int:
        assert self.process is not None, "it does not run"
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the broker did not end within {within} s of {how.name}") from None

    def restart(self) -> Self:
        """Stops and starts it."""
        assert self.stop() == 0, self.log()
        return self.start()

    def dispose(self) -> None:
        """Ends it if it runs, and removes what it left."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        running.remove(self)
        self._offset.give_back()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self.process is not None, "it does not run"
        return self.process.pid

    # What it says

    def log(self) -> str:
        """Everything that it wrote, of all its starts."""
        return self.log_file.read_text(errors="replace")

    def log_since_start(self) -> str:
        """What it wrote since it was last started."""
        with self.log_file.open("rb") as log:
            log.seek(self._from)
            return log.read().decode(errors="replace")

    def audit(self) -> list[Json]:
        """The audit log."""
        lines = (self.dir / "audit.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def audited(self, event: str, within: float = PATIENCE, **facts: object) -> Json:
        """Waits for an entry of the audit log with these facts, and returns the last one."""

        def look() -> Json | None:
            found = [entry for entry in self.audit() if entry["event"] == event]
            matching = [entry for entry in found if all(entry.get(k) == v for k, v in facts.items())]
            return matching[-1] if matching else None

        entry = eventually(look, f"an audit entry {event} with {facts}", within)
        assert entry is not None
        return entry

    def explain(self, decision: str) -> Json:
        """What `keepmq explain` says of a decision."""
        done = eventually(lambda: self._explained(decision), f"keepmq explain {decision}", every=0.1)
        record: Json = json.loads(done)
        return record

    def _explained(self, decision: str) -> str:
        done = self.command("explain", decision)
        return done.stdout if done.returncode == 0 else ""

    # Its folder

    @property
    def ca(self) -> Path:
        """The certificate that its clients trust."""
        return self.dir / "tls" / "ca.pem"

    @property
    def admin(self) -> User:
        """The user that quickstart made."""
        lines = (self.dir / "credentials").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return User(values["KEEPMQ_USER"], values["KEEPMQ_PASSWORD"])

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.dir / "keepmq.toml"

    def edit(self, change: Callable[[str], str]) -> None:
        """Changes its configuration."""
        before = self.config.read_text()
        after = change(before)
        assert after != before, "the edit changed nothing"
        self.config.write_text(after)

    def set_option(self, section: str, line: str) -> None:
        """Adds a line to a section, which is made when it is not there."""
        head = f"[{section}]\n"
        self.edit(
            lambda text: text.replace(head, head + line + "\n", 1) if head in text else f"{text}\n{head}{line}\n"
        )

    def reload(self) -> Json:
        """Has it read its configuration again, and waits until it has."""
        before = len([entry for entry in self.audit() if entry["event"] == "reloaded"])
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

        def reloaded() -> list[Json]:
            entries = [entry for entry in self.audit() if entry["event"] == "reloaded"][before:]
            # Those that only tell of users come before.
            return [entry for entry in entries if not entry["what"].startswith("the users were")]

        return eventually(reloaded, "the configuration read again")[-1]

    # Its commands

    def command(
        self, *words: str, stdin: str = "", within: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command on its folder."""
        return keepmq(*words, "--dir", self.dir, stdin=stdin, within=within)

    def add_user(self, name: str, *groups: str, password: str = "") -> User:
        """Makes a user, and waits until a running broker knows them."""
        user = User(name, password or f"pass of {name}, 12+".replace(",", ";"))
        done = self.command("user", "add", name, "--groups", ",".join(groups), stdin=user.password + "\n")
        assert done.returncode == 0, done.stderr
        return user

    # What it costs

    def memory_kib(self) -> int:
        """Its resident memory."""
        return self._status("VmRSS")

    def peak_memory_kib(self) -> int:
        """The most resident memory that it had since the last call of `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Measures the most resident memory from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(f"/proc says nothing of {name}")

    # Its doors

    def port(self, protocol: str, tls: bool = True) -> int:
        """The port of a listener."""
        base = {
            ("stomp", True): ports.STOMP,
            ("stomp", False): ports.STOMP_PLAIN,
            ("mqtt", True): ports.MQTT,
            ("mqtt", False): ports.MQTT_PLAIN,
            ("openwire", True): ports.OPENWIRE,
            ("openwire", False): ports.OPENWIRE_PLAIN,
        }[protocol, tls]
        return base + self.offset

    def tls_context(self) -> ssl.SSLContext:
        """Trusts this broker's CA and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca))
