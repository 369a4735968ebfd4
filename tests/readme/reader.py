"""Somebody who does what a document says, and compares what happens with what it shows."""

import re
import signal
import subprocess
from pathlib import Path

from keepmq_testing import ports
from keepmq_testing.waiting import eventually
from readme.checkout import LONGEST, Checkout
from readme.examples import Addition, Command, Example, is_as_shown
from readme.exceptions import EXIT_CODES, NOT_RUN, SHORTENED

SERVES = re.compile(r"(cargo run --release --|keepmq) (quickstart|serve)\b.*")
RELOADS, STOPS = "pkill -HUP keepmq", "pkill keepmq"
PORTS = re.compile(
    rf"\b({ports.STOMP}|{ports.STOMP_PLAIN}|{ports.MQTT}|{ports.MQTT_PLAIN}|{ports.OPENWIRE}|{ports.OPENWIRE_PLAIN})\b"
)


class Reader:
    """Goes through the examples of one document. Other brokers of the machine are left alone."""

    def __init__(self) -> None:
        self.checkout = Checkout()
        # The ports of the document, where nothing else has them.
        self._offset = ports.Offset(0)
        self._broker: subprocess.Popen[bytes] | None = None
        self._log = self.checkout.root / "log"

    def leave(self) -> None:
        """Ends the broker if it runs, and cleans up."""
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
        self._offset.give_back()
        self.checkout.remove()

    def follow(self, example: Example) -> None:
        """Does it, and compares."""
        if isinstance(example, Addition):
            with (self.checkout.folder / example.file).open("a") as file:
                file.write(self._here(example.text))
        elif example.text not in NOT_RUN:
            said = self._do(example)
            shown = [self._here(line) for line in example.shown]
            assert is_as_shown(shown, said), f"{example.place}: {example.text}\nsays:\n{said}"

    def _here(self, text: str) -> str:
        """With the ports that the broker has here."""
        return PORTS.sub(lambda port: str(int(port[0]) + self._offset.number), text)

    def _do(self, command: Command) -> str:
        """What the command said."""
        if SERVES.fullmatch(command.text):
            return self._serve(command.text)
        if command.text == RELOADS:
            return self._reload()
        if command.text == STOPS:
            return self._stop()
        return self._run(command)

    def _run(self, command: Command) -> str:
        text = self._here(command.text)
        for long, short in SHORTENED.items():
            text = text.replace(long, short)
        if self._broker is not None:
            text = text.replace("$(pidof keepmq)", str(self._broker.pid))
        done = self.checkout.run(text)
        wanted = EXIT_CODES.get(command.text, 0)
        assert done.returncode == wanted, f"{command.place}: {text}\nends with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def _serve(self, command: str) -> str:
        assert self._broker is None, "the broker runs already"
        if "quickstart" in command and self._offset.number:
            command += f" --port-offset {self._offset.number}"
        self._broker = self.checkout.start(command, self._log)
        self._await(self._broker, "\nready\n")
        return self._log.read_text()

    def _reload(self) -> str:
        """To its end: people are slow, and the next command sees what it did."""
        broker, before = self._found(), len(self._log.read_text())
        broker.send_signal(signal.SIGHUP)
        self._await(broker, "read again: ", before)
        return ""

    def _stop(self) -> str:
        broker, self._broker = self._found(), None
        broker.terminate()
        assert broker.wait(LONGEST) == 0, self._log.read_text()
        return ""

    def _found(self) -> subprocess.Popen[bytes]:
        """The broker, if `pkill keepmq` would find it."""
        assert self._broker is not None, "no broker runs"
        assert Path(f"/proc/{self._broker.pid}/comm").read_text() == "keepmq\n"
        return self._broker

    def _await(self, broker: subprocess.Popen[bytes], text: str, since: int = 0) -> None:
        eventually(lambda: text in self._log.read_text()[since:] or broker.poll() is not None, text.strip())
        assert broker.poll() is None, f"the broker ended:\n{self._log.read_text()}"
