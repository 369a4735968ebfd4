"""Guessing passwords."""

from collections.abc import Callable

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker, User
from keepmq_testing.mqtt_peer import MqttPeer, Refused
from keepmq_testing.stomp_peer import StompError, StompPeer
from keepmq_testing.waiting import eventually
from security.bystander import unharmed


def said(broker: Broker, user: User) -> tuple[str, int]:
    """What a wrong login is told by STOMP, without what differs anyway, and by MQTT."""
    with pytest.raises(StompError) as refused:
        StompPeer.login(broker, user, tls=False)
    message = refused.value.frame["message"].split(" (decision ")[0].replace(user.name, "NAME")
    with pytest.raises(Refused) as code:
        MqttPeer.login(broker, user, tls=False)
    return message + refused.value.frame.body.decode().split("\n", 1)[1], code.value.code


def test_an_unknown_user_and_a_wrong_password_are_told_the_same(own_broker: Broker) -> None:
    own_broker.add_user("disabled", "admins")
    users = own_broker.dir / "users.toml"
    head, tail = users.read_text().split('name = "disabled"\n')
    users.write_text(f'{head}name = "disabled"\ndisabled = true\n{tail}')
    eventually(lambda: "the users were read again" in own_broker.log(), "the users read again")
    wrong = said(own_broker, User("admin", "wrong"))
    assert wrong[1] == mqtt.BAD_LOGIN
    assert said(own_broker, User("nobody", "wrong")) == wrong
    assert said(own_broker, User("disabled", "pass of disabled; 12+")) == wrong
    reasons = {entry["user"]: entry["why"] for entry in own_broker.audit() if entry["event"] == "login-refused"}
    assert len(set(reasons.values())) == 3, "the audit log tells them apart"


def test_twenty_guesses_meet_the_guard(own_broker: Broker) -> None:
    """Five by MQTT, then five by STOMP and so on: one count for both. On loopback nobody is locked out for long."""
    with unharmed(own_broker, 96):
        for number in range(20):
            guess = User("admin", f"guess number {number}")
            login: Callable[..., object] = (MqttPeer, StompPeer)[number // 5 % 2].login
            with pytest.raises((Refused, StompError)):
                login(own_broker, guess, tls=False)
        refused = [entry for entry in own_broker.audit() if entry["event"] == "login-refused"]
        assert len(refused) == 20
        assert len({entry["why"] for entry in refused}) == 2, "wrong at first, then the guard"
        assert refused[0]["why"] != refused[-1]["why"]

        def comes_in() -> bool:
            try:
                StompPeer.login(own_broker).disconnect()
            except StompError:
                return False
            return True

        eventually(comes_in, "the right password counts again", within=30, every=0.5)


def test_the_guard_locks_out_nobody_else(own_broker: Broker) -> None:
    carol = own_broker.add_user("carol", "admins")
    eventually(lambda: "the users were read again" in own_broker.log(), "the users read again")
    for number in range(12):
        with pytest.raises(StompError):
            StompPeer.login(own_broker, User("carol", f"guess number {number}"), tls=False)
    with pytest.raises(StompError):
        StompPeer.login(own_broker, carol, tls=False)
    StompPeer.login(own_broker, tls=False).disconnect()


ODD = {
    "a long password": User("admin", "x" * 8000),
    "a password of NUL": User("admin", "\\0\\0"),
    "a wildcard": User("*", "x"),
    "everybody": User(">", "x"),
    "an address": User("a)(uid=*", "x"),
    "a path": User("../../admin", "x"),
    "control characters": User("\x1b[31madmin\x07", "x"),
    "spaces": User(" admin ", "x"),
    "nothing": User("", ""),
    "capitals": User("ADMIN", "x"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_names_and_passwords_are_nobodys(broker: Broker, case: str) -> None:
    with unharmed(broker, 96):
        with pytest.raises(StompError) as refused:
            StompPeer.login(broker, ODD[case], tls=False)
        assert "\x1b" not in refused.value.frame["message"]
        with pytest.raises(Refused):
            MqttPeer.login(broker, ODD[case], tls=False)


def test_no_login_is_none(broker: Broker) -> None:
    peer = StompPeer.open(broker)
    peer.send("CONNECT", {"accept-version": "1.2", "host": "/"})
    assert "A user name and a password are needed" in peer.refused()["message"]
    anonymous = MqttPeer.open(broker)
    anonymous.send(mqtt.connect(None, "somebody"))
    assert anonymous.expect(mqtt.CONNACK).body[1] in (mqtt.BAD_LOGIN, mqtt.NOT_AUTHORIZED)
    assert {entry["listener"] for entry in broker.audit() if entry.get("user") == ""} >= {"stomp", "mqtt"}


def test_no_password_is_written_anywhere(own_broker: Broker) -> None:
    secrets = [own_broker.admin.password, "a wrong secret that I typed", "a word for the name field"]
    for user in (User("admin", secrets[1]), User(secrets[2], "x")):
        with pytest.raises(StompError):
            StompPeer.login(own_broker, user)
    StompPeer.login(own_broker).disconnect()
    told = own_broker.log() + (own_broker.dir / "audit.log").read_text()
    assert secrets[0] not in told and secrets[1] not in told
    for name in ("cmdline", "environ"):
        with open(f"/proc/{own_broker.pid}/{name}", "rb") as file:
            assert own_broker.admin.password.encode() not in file.read()
    assert own_broker.admin.password not in (own_broker.dir / "users.toml").read_text()


def test_many_logins_at_once_hold_up_nobody_who_is_in(own_broker: Broker) -> None:
    with unharmed(own_broker, 128) as bystander:
        wires = []
        for number in range(200):
            peer = MqttPeer.open(own_broker, tls=False)
            peer.send(mqtt.connect(User(f"user{number}", "wrong"), f"c{number}"))
            wires.append(peer)
            if number % 20 == 0:
                bystander.works()
        for peer in wires:
            peer.wire.wait_closed()
