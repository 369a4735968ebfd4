"""Processes that this program starts and ends, and what can be seen of them from outside."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


class Failed(Exception):
    """Something that a person has to mend; the text says how."""


class Process:
    """A program in a session of its own, so that all of it can be ended by its number and nothing else is."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None, pipe: bool = False):
        self.log = log
        self.started = time.monotonic()
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else output,
                stderr=output,
                env=os.environ | (env or {}),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def wait_for_ports(self, ports: list[int], seconds: float = 90) -> float:
        """Seconds from the start until every port accepts."""
        waiting = list(ports)
        while waiting:
            self.expect_running()
            if time.monotonic() - self.started > seconds:
                raise Failed(f"port {waiting[0]} did not open within {seconds:.0f} s; see {self.log}")
            if accepts(waiting[0]):
                waiting.pop(0)
            else:
                time.sleep(0.002)
        return time.monotonic() - self.started

    def wait_for_line(self, line: str, seconds: float = 90) -> float:
        """Seconds from the start until this line stands on standard output."""
        output = self.child.stdout
        assert output is not None, "standard output must be a pipe"
        for found in output:
            with self.log.open("ab") as log:
                log.write(found)
            if found.strip() == line.encode():
                return time.monotonic() - self.started
            if time.monotonic() - self.started > seconds:
                break
        raise Failed(f"`{line}` was never said; see {self.log}")

    def expect_running(self) -> None:
        if self.child.poll() is not None:
            raise Failed(f"{self.child.args[0]} ended with code {self.child.returncode}; see {self.log}")

    def stop(self, seconds: float = 30) -> None:
        """Asks the whole session to end, and insists after a while."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.child.pid, number)
            except ProcessLookupError:
                pass
            try:
                self.child.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        # What the leader left behind in its session has nobody to wait for it.
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.child.stdout is not None:
            self.child.stdout.close()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for parent in found:
        found.extend(child for child, above in parents.items() if above == parent and child not in found)
    return found


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and everything below it."""
    pages = 0
    for member in family(pid):
        try:
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def output_of(command: list[str]) -> str:
    """What a short command says; empty if it can't be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip()


def package_version(package: str) -> str:
    return output_of(["dpkg-query", "--show", "--showformat", "${Version}", package])


def find_program(name: str) -> str | None:
    """Servers are often outside the search path of ordinary users."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
