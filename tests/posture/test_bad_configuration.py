"""Faults of a configuration: all of them together, each with its place and a remedy, and nothing listens."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from keepmq_testing.broker import Broker, binary
from keepmq_testing.ports import free_port

Edit = Callable[[str], str]


@pytest.fixture
def folder(make_broker: Callable[..., Broker]) -> Broker:
    """The folder of a broker that does not run."""
    broker = make_broker(plain=True).quickstart()
    assert broker.stop() == 0
    return broker


def replaced(before: str, after: str) -> Edit:
    """An edit of the configuration."""
    return lambda text: text.replace(before, after, 1)


def serve(broker: Broker) -> str:
    """Tries to serve the folder; returns what was said. Nothing may have listened."""
    done = broker.command("serve", within=20)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ready" not in done.stdout
    assert "nothing was started" in done.stderr
    return done.stderr


def faults(text: str) -> list[tuple[str, int, str]]:
    """File, line and kind of each fault that was told. Each must come with a remedy."""
    blocks = [block for block in text.split("\n\n") if block.startswith("fault: ")]
    found = []
    for block in blocks:
        assert re.search(r"^  do: \S", block, re.M), f"no remedy: {block}"
        head = re.match(r"fault: ([^:]+):(?:(\d+):(\d+):)? .*\[([a-z-]+)\]$", block, re.M)
        assert head, block
        found.append((head[1], int(head[2] or 0), head[4]))
    return found


def line_of(broker: Broker, text: str) -> int:
    """Where a text stands in the configuration."""
    return broker.config.read_text()[: broker.config.read_text().index(text)].count("\n") + 1


def test_all_faults_are_told_together(folder: Broker) -> None:
    """An unknown key, a public address without a map, a missing certificate, an unreadable directory, a secret that
    others may read, and a port in use."""
    mqtt_port = f"port = {folder.port('mqtt')}\n"
    with socket.create_server(("127.0.0.1", folder.port("stomp"))):
        folder.edit(replaced('name = "keepmq"\n', 'name = "keepmq"\nno-such-key = 1\n'))
        folder.edit(replaced('address = "127.0.0.1"\n' + mqtt_port, 'address = "0.0.0.0"\npublic = true\n' + mqtt_port))
        folder.edit(lambda text: text[: text.index("\n[[authorization.entry]]")] + "\n")
        folder.edit(replaced('"tls/server.pem"', '"tls/missing.pem"'))
        folder.edit(replaced('directory = "store"', 'directory = "keepmq.toml/store"'))
        (folder.dir / "users.toml").chmod(0o644)
        told = serve(folder)
        assert folder.command("check").returncode == 1
    found = set(faults(told))
    for text, kind in {
        "no-such-key": "unknown-key",
        'certificate = "tls/missing.pem"': "missing",
        'file = "users.toml"': "exposed",
    }.items():
        assert ("keepmq.toml", line_of(folder, text), kind) in found, told
    lines = {line for _, line, _ in found}
    assert line_of(folder, 'directory = "keepmq.toml/store"') in lines, told
    assert ("keepmq.toml", line_of(folder, 'address = "0.0.0.0"'), "public-without-map") in found, told
    assert ("keepmq.toml", line_of(folder, f"port = {folder.port('stomp')}"), "port") in found, told


CASES: dict[str, tuple[Edit, str, str]] = {
    "an unknown key": (replaced("[broker]\n", "[broker]\nnmae = 1\n"), "unknown-key", "nmae = 1"),
    "an unknown section": (replaced("[broker]\n", "[brokre]\n"), "unknown-key", "[brokre]"),
    "no TOML": (replaced("[broker]\n", "[broker\n"), "", "[broker"),
    "a public address": (replaced('"127.0.0.1"', '"0.0.0.0"'), "public-undeclared", '"0.0.0.0"'),
    "all IPv6 addresses": (replaced('"127.0.0.1"', '"::"'), "public-undeclared", '"::"'),
    "a public host": (replaced('"127.0.0.1"', '"8.8.8.8"'), "public-undeclared", '"8.8.8.8"'),
    "plain text on a private address": (
        replaced('"127.0.0.1"\nport = {mqtt}', '"10.1.2.3"\ntls = false\nport = {mqtt}'),
        "plain-text",
        "tls = false",
    ),
    "a missing certificate": (replaced("tls/server.pem", "tls/none.pem"), "missing", "tls/none.pem"),
    "a missing key": (replaced("tls/server.key", "tls/none.key"), "missing", "tls/none.key"),
    "a path that climbs out": (replaced("tls/server.key", "../server.key"), "path", "../server.key"),
    "a protocol that is none": (replaced('protocol = "mqtt"', 'protocol = "smtp"'), "", 'protocol = "smtp"'),
    "a protocol of a later version": (
        replaced('protocol = "mqtt"', 'protocol = "amqp"'),
        "not-available",
        'protocol = "amqp"',
    ),
    "a port that is none": (replaced("port = {mqtt}", "port = 70000"), "range", "port = 70000"),
    "a size of nothing": (replaced('"64GiB"', '"64 elephants"'), "", "64 elephants"),
    "a pattern that is none": (replaced('queue = ">"', 'queue = "A.>.B"'), "pattern", "A.>.B"),
    "a group that is none": (replaced('read = ["admins"', 'read = ["a,b"'), "group", '"a,b"'),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_with_its_place(folder: Broker, case: str) -> None:
    edit, kind, text = CASES[case]
    port = str(folder.port("mqtt"))
    folder.edit(lambda before: edit(before.replace(f"port = {port}\n", "port = {mqtt}\n", 1)).replace("{mqtt}", port))
    told = faults(serve(folder))
    assert any(line == line_of(folder, text) and kind in ("", what) for _, line, what in told), told
    assert folder.command("check").returncode == 1
    machine = json.loads(folder.command("check", "--json").stdout)
    assert [(fault["file"], fault.get("line") or 0, fault["code"]) for fault in machine["faults"]] == told
    assert all(fault["what"] and fault["remedy"] for fault in machine["faults"])


@pytest.mark.parametrize("name", ["keepmq.toml", "users.toml", "keys/master.key", "tls/server.key", "audit.log"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666])
def test_a_secret_that_others_may_read_stops_the_start(folder: Broker, name: str, mode: int) -> None:
    path = folder.dir / name
    path.chmod(mode)
    told = serve(folder)
    assert name in told and "chmod" in told, told
    path.chmod(0o600)
    folder.start()


@pytest.mark.parametrize("name", ["keys", "tls", "store", "."])
def test_a_folder_that_others_may_write_stops_the_start(folder: Broker, name: str) -> None:
    path = folder.dir / name
    path.chmod(0o777)
    told = serve(folder)
    assert "chmod" in told, told
    path.chmod(0o700)
    folder.start()


@pytest.mark.parametrize("name", ["users.toml", "keys/master.key", "tls/server.key"])
def test_a_secret_that_is_a_link_out_of_the_folder_is_not_followed(folder: Broker, name: str) -> None:
    path, elsewhere = folder.dir / name, folder.root / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert Path(name).name in serve(folder)


def test_files_that_are_damaged_are_told(folder: Broker) -> None:
    for name in ("users.toml", "keys/master.key", "tls/server.pem"):
        (folder.dir / name).write_text("this is none\n")
    told = serve(folder)
    assert len(faults(told)) == 3, told
    for name in ("users.toml", "master.key", "server.pem"):
        assert name in told


def test_a_key_that_is_not_the_certificates_is_told(folder: Broker, own_broker: Broker) -> None:
    (folder.dir / "tls/server.key").write_bytes((own_broker.dir / "tls/server.key").read_bytes())
    assert "certificate" in serve(folder)


def test_a_port_in_use_is_told_for_each_listener(folder: Broker) -> None:
    ports = [folder.port("stomp"), folder.port("mqtt", tls=False)]
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_server(("127.0.0.1", ports[1])):
        told = serve(folder)
    lines = [line_of(folder, f"port = {port}") for port in ports]
    assert faults(told) == [("keepmq.toml", line, "port") for line in sorted(lines)], told


def test_two_listeners_on_one_port_are_told(folder: Broker) -> None:
    folder.edit(lambda text: text.replace(str(folder.port("mqtt")), str(folder.port("stomp"))))
    assert str(folder.port("stomp")) in serve(folder)


def test_a_folder_that_is_not_there_is_told(folder: Broker) -> None:
    done = subprocess.run([binary(), "serve", "--dir", folder.root / "none"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "quickstart" in done.stderr, done.stderr


def test_another_master_key_opens_nothing(folder: Broker) -> None:
    key = folder.dir / "keys/master.key"
    text = key.read_text()
    key.write_text(("0" if text[0] != "0" else "1") + text[1:])
    done = folder.command("serve", within=20)
    assert done.returncode == 1 and "ready" not in done.stdout
    assert "key" in done.stderr, done.stderr


def test_a_second_broker_on_the_folder_is_refused(own_broker: Broker) -> None:
    """With ports of its own, so that nothing but the folder is in use."""
    for protocol in ("stomp", "mqtt"):
        for tls in (True, False):
            old, new = own_broker.port(protocol, tls), free_port()
            own_broker.edit(lambda text, old=old, new=new: text.replace(str(old), str(new)))
    done = own_broker.command("serve", within=20)
    assert done.returncode == 1 and "ready" not in done.stdout
    assert "store" in done.stderr or "in use" in done.stderr, done.stderr
    for command in ("verify", "stat"):
        looked = own_broker.command("journal", command)
        assert looked.returncode == 1 and looked.stderr, looked


def test_a_second_quickstart_leaves_the_folder_as_it_is(own_broker: Broker) -> None:
    before = {path: path.read_bytes() for path in own_broker.dir.glob("*.toml")}
    done = own_broker.command("quickstart", within=20)
    assert done.returncode == 1
    assert "[port]" in done.stderr or "in use" in done.stderr
    assert {path: path.read_bytes() for path in own_broker.dir.glob("*.toml")} == before


WEAK = {
    "short": "Sh0rt!pass",
    "the own name": "carol-carol-carol",
    "common": "password1234",
    "one letter": "aaaaaaaaaaaaaaaa",
    "empty": "",
    "long": "x1y2" * 100,
    "a comma": "a password, with comma",
    "a colon": "a password: with colon",
}


@pytest.mark.parametrize("case", WEAK)
def test_a_weak_password_is_refused(folder: Broker, case: str) -> None:
    before = (folder.dir / "users.toml").read_bytes()
    name = "carol-carol-carol" if case == "the own name" else "carol"
    done = folder.command("user", "add", name, "--groups", "admins", stdin=WEAK[case] + "\n")
    assert done.returncode == 1, done.stdout
    assert "password" in done.stderr
    assert not WEAK[case] or WEAK[case] not in done.stderr
    assert (folder.dir / "users.toml").read_bytes() == before


def test_there_is_no_argument_for_a_password(folder: Broker) -> None:
    for words in (["user", "add", "x"], ["user", "passwd", "admin"], ["send", "/queue/a"], ["quickstart"], ["serve"]):
        for option in ("--password", "--passcode", "-p", "-P"):
            done = subprocess.run(
                [binary(), *words, option, "secret"],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=20,
                env=os.environ,
                cwd=folder.root,
            )
            assert done.returncode == 2, (words, option, done.stdout)
