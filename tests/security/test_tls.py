"""The TLS listeners: which versions, what comes of bytes that are none, and of those who take their time."""

import socket
import ssl
import time
import warnings
from collections.abc import Callable

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker
from keepmq_testing.stomp_peer import frame
from keepmq_testing.waiting import PATIENCE
from keepmq_testing.wire import Closed, Wire
from security.bystander import reason, unharmed

PROTOCOLS = ["stomp", "mqtt"]
DEADLINE = 10


def tcp(broker: Broker, protocol: str) -> socket.socket:
    """A connection to a TLS listener, without TLS."""
    return socket.create_connection(("127.0.0.1", broker.port(protocol)), PATIENCE)


def context(lowest: ssl.TLSVersion, highest: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """A client that speaks old versions, and trusts everybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version, made.maximum_version = lowest, highest
    return made


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_old_versions_of_tls_are_refused(broker: Broker, protocol: str, version: ssl.TLSVersion) -> None:
    with tcp(broker, protocol) as sock, pytest.raises(ssl.SSLError, match="(?i)alert.*(version|handshake.failure)"):
        context(version, version).wrap_socket(sock)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_present_versions_of_tls_are_spoken(broker: Broker, protocol: str, version: ssl.TLSVersion) -> None:
    with tcp(broker, protocol) as sock, context(version, version).wrap_socket(sock) as wrapped:
        assert wrapped.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


@pytest.mark.parametrize("ciphers", ["RC4", "3DES", "NULL", "aNULL", "AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "kRSA"])
def test_weak_ciphers_are_refused(broker: Broker, ciphers: str) -> None:
    try:
        weak = context(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, f"{ciphers}:@SECLEVEL=0")
    except ssl.SSLError:
        return  # This machine's library does not even know them any more.
    with tcp(broker, "stomp") as sock, pytest.raises((ssl.SSLError, ConnectionError)):
        weak.wrap_socket(sock)


PLAIN = {
    "stomp": frame("CONNECT", {"accept-version": "1.2", "host": "/", "login": "admin", "passcode": "x"}),
    "mqtt": mqtt.packet(mqtt.CONNECT, mqtt.text("MQTT") + b"\4\2\0\0" + mqtt.text("a")),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": b"\0" * 1000,
    "ones": b"\xff" * 1000,
    "a record of 64 KiB": b"\x16\x03\x01\xff\xff" + b"\1" * 70_000,
    "an alert": b"\x15\x03\x03\0\2\2\x28",
    "data": b"\x17\x03\x03\0\x10" + b"x" * 16,
    "a hello of 16 MiB": b"\x16\x03\x01\x40\0\1\xff\xff\xff" + b"\1" * 16_384,
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("said", PLAIN)
def test_what_is_no_tls_is_not_answered_as_anything_else(broker: Broker, protocol: str, said: str) -> None:
    with unharmed(broker, 8):
        for _ in range(10):
            with tcp(broker, protocol) as sock:
                wire = Wire(sock)
                try:
                    wire.send(PLAIN[said])
                except Closed:
                    continue
                answer = wire.wait_closed(DEADLINE + PATIENCE) if said != "a hello of 16 MiB" else b""
                # Nothing, or an alert of TLS.
                assert answer == b"" or answer[:1] == b"\x15", answer
    reason(broker, "no TLS connection")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tls_at_a_plain_listener_ends(broker: Broker, protocol: str) -> None:
    with socket.create_connection(("127.0.0.1", broker.port(protocol, tls=False)), PATIENCE) as sock:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            broker.tls_context().wrap_socket(sock, server_hostname="localhost")


@pytest.mark.parametrize(
    ("protocol", "said"),
    [("stomp", mqtt.connect(None, "a")), ("mqtt", frame("CONNECT", {"accept-version": "1.2", "host": "/"}))],
)
def test_the_other_protocol_is_not_understood(broker: Broker, protocol: str, said: bytes) -> None:
    wire = Wire.open(broker, protocol)
    wire.send(said + b"\0\n\n")
    answer = wire.wait_closed()
    assert answer == b"" or answer.startswith(b"ERROR"), answer


def hello(broker: Broker) -> bytes:
    """The beginning of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = broker.tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        half.do_handshake()
    return outgoing.read()


def say_nothing(broker: Broker, protocol: str) -> Wire:
    return Wire(tcp(broker, protocol))


def say_half_a_hello(broker: Broker, protocol: str) -> Wire:
    wire = Wire(tcp(broker, protocol))
    wire.send(hello(broker)[:100])
    return wire


def say_hello_and_no_more(broker: Broker, protocol: str) -> Wire:
    wire = Wire(tcp(broker, protocol))
    wire.send(hello(broker))
    return wire


def say_nothing_within_tls(broker: Broker, protocol: str) -> Wire:
    return Wire.open(broker, protocol)


def say_half_a_login(broker: Broker, protocol: str) -> Wire:
    wire = Wire.open(broker, protocol)
    wire.send(b"CONNECT\naccept-ver" if protocol == "stomp" else b"\x10\x20\0\4MQ")
    return wire


SLOW: list[Callable[[Broker, str], Wire]] = [
    say_nothing,
    say_half_a_hello,
    say_hello_and_no_more,
    say_nothing_within_tls,
    say_half_a_login,
]


def test_whoever_does_not_log_in_is_put_out(broker: Broker) -> None:
    """All at the same time, each in its way; one of each says a byte a second, which gives no further time."""
    with unharmed(broker, 16):
        began = time.monotonic()
        silent = [begin(broker, protocol) for begin in SLOW for protocol in PROTOCOLS]
        dripping = [Wire.open(broker, protocol) for protocol in PROTOCOLS]
        drops = {0: b"CONNECT\n" + b"a:b\n" * 30, 1: b"\x10\x7f\0\4MQTT" + b"\4" * 99}
        gone: set[int] = set()
        at = 0
        while len(gone) < len(dripping):
            for number, wire in enumerate(dripping):
                try:
                    wire.send(drops[number][at : at + 1])
                    wire.fill(time.monotonic() + 0.25)
                except TimeoutError:
                    continue
                except Closed:
                    gone.add(number)
            at += 1
            assert time.monotonic() - began < 2 * DEADLINE, "dripping goes on"
        for wire in silent:
            wire.wait_closed(DEADLINE)
        assert time.monotonic() - began < 2 * DEADLINE
    reason(broker, "no login in time")
    reason(broker, "the TLS handshake took too long")


def test_many_half_logins_are_bounded_in_memory(broker: Broker) -> None:
    """Each holds 60 KiB of a login that never ends."""
    with unharmed(broker, 96):
        part = b"\x10" + mqtt.length(65_000) + mqtt.text("MQTT") + b"\4\2\0\0" + b"\xff\xff" + b"a" * 60_000
        wires = []
        for _ in range(600):
            try:
                wire = Wire.open(broker, "mqtt", tls=False)
                wire.send(part)
                wires.append(wire)
            except (Closed, ConnectionError):
                pass
        for wire in wires:
            wire.close()
