"""Headers without number, without length and without end."""

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.stomp_peer import Closed, StompPeer
from keepmq_testing.wire import Wire
from security.bystander import reason, unharmed

CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\n"
SEND = b"SEND\ndestination:/queue/flood\n"


def pour(peer: StompPeer, begin: bytes, more: bytes, megabytes: int) -> None:
    """Sends the same thing again and again, until the broker has had enough."""
    try:
        peer.wire.send(begin)
        chunk = more * (65_536 // len(more))
        for _ in range(megabytes * 16):
            peer.wire.send(chunk)
    except Closed:
        pass


FLOODS = {
    "headers": (b"a:b\n", ("more headers", "headers are longer")),
    "one endless name": (b"aaaaaaaa", ("header line is longer",)),
    "one endless value": (b"x:aaaaaaaa", ("header line is longer",)),
    "headers of a kilobyte": (b"n:" + b"v" * 1021 + b"\n", ("headers are longer", "more headers")),
    "empty names": (b":\n", ("has no name",)),
    "carriage returns": (b"\r", ("header line is longer", "malformed", "has no colon")),
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("where", ["before the login", "after the login"])
def test_a_flood_of_headers_is_stopped(broker: Broker, flood: str, where: str) -> None:
    more, why = FLOODS[flood]
    with unharmed(broker, 12):
        for _ in range(5):
            before = where == "before the login"
            peer = StompPeer.open(broker, tls=False) if before else StompPeer.login(broker, tls=False)
            pour(peer, CONNECT if before else SEND, more, 4)
            peer.wire.close()
    # Who pours does not listen, and the broker's last word may be lost with the connection.
    assert any(text in broker.log() for text in why), broker.log()[-3000:]


@pytest.mark.parametrize("flood", FLOODS)
def test_the_peer_is_told_why(broker: Broker, flood: str) -> None:
    more, why = FLOODS[flood]
    peer = StompPeer.login(broker, tls=False)
    peer.wire.send(SEND + more * (70_000 // len(more)))
    message = peer.refused()["message"]
    assert any(text in message for text in why), message


def test_an_endless_command_is_stopped(broker: Broker) -> None:
    with unharmed(broker, 12):
        for login in (False, True):
            peer = StompPeer.login(broker, tls=False) if login else StompPeer.open(broker, tls=False)
            pour(peer, b"", b"AAAAAAAA", 4)
            peer.wire.close()
    reason(broker, "no STOMP command of a client")


def test_a_hundred_thousand_headers_are_refused(broker: Broker) -> None:
    with unharmed(broker, 12), StompPeer.login(broker, tls=False) as peer:
        headers = "".join(f"h{number}:v\n" for number in range(100_000)).encode()
        pour(peer, SEND, headers, 1)
    reason(broker, "more headers than this broker allows")


def test_an_endless_body_without_length_is_stopped(broker: Broker) -> None:
    with unharmed(broker, 96):
        peer = StompPeer.login(broker, tls=False)
        pour(peer, SEND + b"\n", b"AAAAAAAA", 64)
        peer.wire.close()
    reason(broker, "the body is longer than this broker allows")


def test_new_lines_without_end_are_no_frames_and_no_login(broker: Broker) -> None:
    """They are heart-beats after the login. Before it they do not keep the deadline from coming."""
    with unharmed(broker, 12):
        wire = Wire.open(broker, "stomp", tls=False)
        try:
            for _ in range(64):
                wire.send(b"\n" * 65_536)
        except Closed:
            pass
        wire.close()
        with StompPeer.login(broker, tls=False) as peer:
            peer.wire.send(b"\n" * 1_000_000)
            peer.publish("/queue/flood", b"still here")
