"""Tests of the comparison that need no broker: `python3 -m unittest discover bench/compare`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

import brokers
import measure
import processes
import report
import rows

#: A stand-in that keeps the contract of `keepmq quickstart`: listens, writes its files, says `ready`, stays.
STAND_IN = """\
    import pathlib, signal, socket, sys
    home = pathlib.Path(sys.argv[sys.argv.index("--dir") + 1])
    offset = int(sys.argv[sys.argv.index("--port-offset") + 1])
    assert sys.argv[1] == "quickstart" and "--plain" in sys.argv
    (home / "tls").mkdir(parents=True, exist_ok=True)
    (home / "tls/ca.pem").write_text("")
    sockets = [socket.create_server(("127.0.0.1", port + offset)) for port in (61613, 61614, 1883, 8883)]
    print("listening", "ready", sep="\\n", flush=True)
    signal.pause()
"""

#: A stand-in for the generator: says what a run of it says.
GENERATOR = """\
    import json, sys
    if "disk" in sys.argv:
        print(json.dumps({"per_second": 1000.0}))
    elif "bench-mqtt-qos1-1" in sys.argv:
        print("keepmq bench: no such broker; start it", file=sys.stderr)
        sys.exit(2)
    else:
        found = {"broker_cpu": {"published": 2.5, "delivered": 2.5}, "faults": []}
        found |= {"delivered": {"per_second": 10.0}, "published": {"per_second": 500.0}}
        print(json.dumps(found))
"""


def script(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(text)}")
    path.chmod(0o755)
    return path


def is_running(pid: int) -> bool:
    """Whether a process is more than a number that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Temporary(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)


class ProcessesAreStartedAndEnded(Temporary):
    def start(self, text: str, pipe: bool = False) -> processes.Process:
        command = [str(script(self.directory, "program", text))]
        process = processes.Process(command, self.directory / "log", pipe=pipe)
        self.addCleanup(process.stop)
        return process

    def test_a_port_is_waited_for(self) -> None:
        (port,) = processes.free_ports(1)
        self.assertFalse(processes.accepts(port))
        process = self.start(f"import socket, signal\na = socket.create_server(('127.0.0.1', {port}))\nsignal.pause()")
        self.assertGreater(process.wait_for_ports([port]), 0)
        self.assertGreater(processes.resident_bytes(process.pid), 0)
        process.stop()
        self.assertFalse(processes.accepts(port))

    def test_a_program_that_ends_is_not_waited_for(self) -> None:
        process = self.start("raise SystemExit(3)")
        with self.assertRaisesRegex(processes.Failed, "code 3; see .*log"):
            process.wait_for_ports(processes.free_ports(1))

    def test_a_line_is_waited_for(self) -> None:
        process = self.start("print('a', 'ready', sep='\\n')", pipe=True)
        self.assertGreater(process.wait_for_line("ready"), 0)
        silent = self.start("print('a')", pipe=True)
        with self.assertRaisesRegex(processes.Failed, "never said"):
            silent.wait_for_line("ready")

    def test_children_end_with_their_parent_and_are_counted(self) -> None:
        process = self.start(
            "import subprocess, signal\nc = subprocess.Popen(['sleep', '600'])\nprint(c.pid, 'ready', sep='\\n', flush=True)\nsignal.pause()",
            pipe=True,
        )
        process.wait_for_line("ready")
        child = int((self.directory / "log").read_text().split()[0])
        self.assertEqual(processes.family(process.pid), [process.pid, child])
        process.stop()
        while is_running(child):
            time.sleep(0.001)


class BrokersAreSetUp(Temporary):
    def test_keepmq_is_started_by_its_contract(self) -> None:
        brokers.KeepMq.program = script(self.directory, "keepmq", STAND_IN)
        broker = brokers.KeepMq(self.directory / "home")
        broker.offset = next(n for n in range(1000, 3900, 7) if not self._is_taken(n))
        self.addCleanup(broker.stop)
        self.assertGreater(broker.start(), 0)
        door = broker.doors["mqtt-tls"]
        self.assertEqual((door.port, door.ca), (8883 + broker.offset, self.directory / "home/home/tls/ca.pem"))
        row = rows.chosen(["mqtt-qos0"])[0]
        self.assertEqual(
            measure.reach(row, broker),
            ["--address", f"127.0.0.1:{1883 + broker.offset}", "--pid", str(broker.pid)]
            + ["--credentials", str(self.directory / "home/home/credentials")],
        )
        again = brokers.KeepMq(self.directory / "other")
        again.offset = broker.offset
        with self.assertRaisesRegex(processes.Failed, "another --keepmq-offset"):
            again.start()

    def _is_taken(self, offset: int) -> bool:
        return any(processes.accepts(port + offset) for port in (1883, 8883, 61613, 61614, 61616, 61617))

    def test_activemq_gets_no_door_that_does_not_answer(self) -> None:
        for jar, names in (("stomp", ["stomp", "openwire"]), ("mqtt-client-1.0", ["stomp", "openwire", "mqtt"])):
            home = self.directory / jar
            (home / "lib").mkdir(parents=True)
            (home / f"lib/{jar}.jar").touch()
            broker = brokers.ActiveMq(home)
            broker.home = home
            broker._configure()
            self.assertEqual(list(broker.doors), names)
            text = (home / "activemq.xml").read_text()
            self.assertEqual(text.count("<transportConnector "), len(names))
            self.assertIn('name="openwire" uri="tcp://', text)
            self.assertIn('enableJournalDiskSyncs="true"', text)

    def test_a_broker_that_is_not_running_has_no_process(self) -> None:
        with self.assertRaisesRegex(processes.Failed, "not running"):
            _ = brokers.Mosquitto(self.directory).pid


class RowsAreSound(unittest.TestCase):
    def test_rows_have_names_of_their_own_and_aims_at_figures_that_they_have(self) -> None:
        names = [row.name for row in rows.ROWS]
        self.assertEqual(len(names), len(set(names)))
        for row in rows.ROWS:
            keys = [figure.key for figure in row.figures]
            self.assertEqual(len(keys), len(set(keys)), row.name)
            for aim in row.aims:
                self.assertIn(aim.key, keys, row.name)

    def test_rows_are_chosen_by_the_beginning_of_their_name(self) -> None:
        self.assertEqual([row.name for row in rows.chosen(["stomp-1-", "memory"])], ["memory", "stomp-1-waiting"])
        self.assertEqual(rows.chosen([]), rows.ROWS)
        self.assertEqual(rows.chosen(["none"]), [])

    def test_figures_are_read_where_they_are_and_only_there(self) -> None:
        self.assertEqual(rows.CPU.read({"broker_cpu": {"published": 2.0}}), 2.0)
        self.assertIsNone(rows.CPU.read({"broker_cpu": None}))
        self.assertIsNone(rows.EACH.read({}))
        self.assertEqual(rows.EACH.read({"memory_each": 2048}), 2.0)

    def test_aims_know_their_direction(self) -> None:
        self.assertTrue(rows.Aim("a", 0.3).is_met(0.2))
        self.assertFalse(rows.Aim("a", 20, "x", at_least=True).is_met(19))
        self.assertEqual(rows.Aim("a", 20, "x", at_least=True).text(), "at least 20 of x's")


class RunsAreMeasured(Temporary):
    def setUp(self) -> None:
        super().setUp()
        self.generator = measure.Generator([str(script(self.directory, "generator", GENERATOR))])
        self.broker = brokers.Mosquitto(self.directory, environment={}, arguments=[])
        self.broker.doors = {name: brokers.Door(1) for name in ("mqtt", "stomp")}
        # It only has to have a number.
        self.broker.process = processes.Process(["true"], self.directory / "log")
        self.addCleanup(self.broker.stop)
        self.results = measure.Results()

    def run_row(self, name: str) -> None:
        effort = measure.Effort(1, 0.1, 0, 1, 0, 0)
        measure.measure_load(rows.chosen([name])[0], self.broker, self.generator, effort, self.results)

    def test_a_run_is_read(self) -> None:
        self.run_row("mqtt-qos0")
        self.assertEqual(self.results.of("mqtt-qos0", "mosquitto", "cpu"), [2.5])
        self.assertEqual(self.results.median("mqtt-qos0", "mosquitto", "rate"), 10.0)
        self.assertIsNone(self.results.median("mqtt-qos0", "other", "rate"))

    def test_the_disk_is_measured_beside_the_row_that_needs_it(self) -> None:
        self.run_row("stomp-1-waiting")
        self.assertEqual(self.results.of("stomp-1-waiting", "mosquitto", "of-disk"), [0.5])

    def test_a_run_that_could_not_be_carried_out_is_told(self) -> None:
        self.run_row("mqtt-qos1")
        self.assertIn("start it", self.results.faults["mqtt-qos1", "mosquitto"][0])

    def test_a_run_with_faults_has_no_figures(self) -> None:
        row = rows.chosen(["mqtt-qos0"])[0]
        self.results.add(row, "mosquitto", {"broker_cpu": {"published": 1.0}, "faults": ["1 message was lost"]})
        self.assertEqual(self.results.of("mqtt-qos0", "mosquitto", "cpu"), [])
        self.assertEqual(len(self.results.faults), 1)

    def test_brokers_take_turns(self) -> None:
        crew = [brokers.Mosquitto(self.directory / str(number)) for number in range(3)]
        self.assertEqual(measure.in_turn(crew, 0), crew)
        self.assertEqual(measure.in_turn(crew, 4), [crew[1], crew[2], crew[0]])


class ReportsAreWritten(unittest.TestCase):
    def results(self) -> measure.Results:
        results = measure.Results()
        for name, cpu in (("mosquitto", 8.0), ("mosquitto", 10.0), ("mosquitto", 9.0), ("keepmq", 1.8)):
            results.values.setdefault(("mqtt-qos0", name, "cpu"), []).append(cpu)
        return results

    def text(self, results: measure.Results, names: list[str]) -> str:
        kinds = [kind for kind in brokers.ALL if kind.name in names]
        return report.markdown(rows.chosen(["mqtt-qos0", "stomp"]), kinds, {"mosquitto": "2.0"}, results, measure.QUICK)

    def test_medians_ranges_ratios_and_aims_are_shown(self) -> None:
        text = self.text(self.results(), ["mosquitto", "keepmq"])
        line = "| broker CPU per message, us | 9.00 (8.00 to 10.00) | 1.80 | 0.2 |"
        self.assertIn(line, text)
        self.assertIn("| mqtt-qos0 | cpu | at most 0.3 of mosquitto's | 0.2 | met |", text)
        self.assertNotIn("stomp", text)

    def test_without_keepmq_there_are_no_ratios(self) -> None:
        results = self.results()
        del results.values["mqtt-qos0", "keepmq", "cpu"]
        text = self.text(results, ["mosquitto"])
        self.assertIn("| broker CPU per message, us | 9.00 (8.00 to 10.00) |\n", text)
        self.assertNotIn("## Aims", text)

    def test_faults_are_shown(self) -> None:
        results = self.results()
        results.faults["stomp-window", "activemq"] = ["1 message was lost"]
        self.assertIn("activemq failed 1 times, first: 1 message was lost", self.text(results, ["activemq"]))

    def test_spreads(self) -> None:
        self.assertEqual(report.spread([], 2), "-")
        self.assertEqual(report.spread([1234.5], 0), "1,234")
        self.assertEqual(report.spread([1, 3, 2], 1), "2.0 (1.0 to 3.0)")
        self.assertIsNone(report.quotient(1.0, 0.0))


class CommandLine(Temporary):
    def run_compare(self, *arguments: str) -> tuple[int, str, str]:
        here = Path(__file__).parent
        command = [sys.executable, str(here), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_rows_are_listed(self) -> None:
        code, out, _ = self.run_compare("--list")
        self.assertEqual((code, len(out.splitlines())), (0, len(rows.ROWS)))

    def test_mistakes_are_told_with_their_remedy(self) -> None:
        for arguments, remedy in (
            (["--brokers", "x"], "no broker is called x"),
            (["--keepmq", "/nowhere"], "cargo build --release"),
            (["--rows", "x", "--brokers", "keepmq", "--keepmq", sys.executable], "--list shows them"),
            (["--brokers", "keepmq"], "--keepmq FILE"),
        ):
            code, _, error = self.run_compare(*arguments)
            self.assertEqual(code, 2, error)
            self.assertIn(remedy, error)


if __name__ == "__main__":
    unittest.main()
