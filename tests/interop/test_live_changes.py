"""Users, map, ingress and certificate are changed while clients are connected."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from keepmq_testing.broker import Broker, User
from keepmq_testing.guarded import ENTRIES, Guarded, guarded
from keepmq_testing.mqtt_peer import BAD_LOGIN, MqttPeer, Refused
from keepmq_testing.stomp_peer import StompError, StompPeer
from keepmq_testing.waiting import eventually
from keepmq_testing.wire import Closed, Wire


@pytest.fixture
def world(make_broker: type[Broker]) -> Guarded:
    """A broker with a map, for one test only."""
    return guarded(make_broker(plain=True))


def logins(broker: Broker, user: User) -> tuple[bool, bool]:
    """Whether the broker lets somebody in by STOMP, and by MQTT."""
    try:
        with StompPeer.login(broker, user):
            stomp = True
    except StompError:
        stomp = False
    try:
        with MqttPeer.login(broker, user):
            return stomp, True
    except Refused as refused:
        assert refused.code == BAD_LOGIN
        return stomp, False


def wait_for_login(broker: Broker, user: User) -> None:
    """Waits until somebody may log in by both protocols."""
    eventually(lambda: logins(broker, user) == (True, True), f"{user.name} may log in", every=0.2)


# Users


def test_a_user_who_is_added_may_log_in_without_a_restart(own_broker: Broker) -> None:
    carol = own_broker.add_user("carol", "admins")
    wait_for_login(own_broker, carol)


def test_the_connections_of_a_user_who_is_removed_end(world: Guarded) -> None:
    broker = world.broker
    with (
        StompPeer.login(broker, world.billing) as stomp,
        MqttPeer.login(broker, world.billing) as mqtt,
        StompPeer.login(broker, world.shop) as other,
    ):
        stomp.subscribe("/topic/news.eu")
        mqtt.subscribe("news/eu")
        done = broker.command("user", "remove", "billing")
        assert done.returncode == 0, done.stderr
        assert "log in again" in stomp.refused(within=5)["message"]
        mqtt.wire.wait_closed(within=5)
        other.publish("/topic/news.eu", b"x")
    assert logins(broker, world.billing) == (False, False)
    assert "connections of changed users end" in broker.audited("reloaded")["what"]


def test_other_groups_are_other_rights_at_once(world: Guarded) -> None:
    broker = world.broker
    with StompPeer.login(broker, world.billing) as peer:
        done = broker.command("user", "groups", "billing", "shop")
        assert done.returncode == 0, done.stderr
        peer.refused(within=5)
    with StompPeer.login(broker, world.billing) as peer:
        peer.publish("/queue/ORDERS.eu", b"now a shop")


def test_another_password_counts_at_once(own_broker: Broker) -> None:
    old = own_broker.add_user("carol", "admins")
    wait_for_login(own_broker, old)
    new = User("carol", "another password of hers")
    done = own_broker.command("user", "passwd", "carol", stdin=new.password + "\n")
    assert done.returncode == 0, done.stderr
    wait_for_login(own_broker, new)
    assert logins(own_broker, old) == (False, False)


def test_the_old_password_can_be_kept_for_a_while(own_broker: Broker) -> None:
    old = own_broker.add_user("carol", "admins")
    wait_for_login(own_broker, old)
    new = User("carol", "another password of hers")
    done = own_broker.command("user", "passwd", "carol", "--keep-old", "1", stdin=new.password + "\n")
    assert done.returncode == 0, done.stderr
    wait_for_login(own_broker, new)
    assert logins(own_broker, old) == (True, True)
    own_broker.audited("logged-in", user="carol", by="users, by the old password")


def test_a_broken_users_file_changes_nothing(own_broker: Broker) -> None:
    users = own_broker.dir / "users.toml"
    users.write_text(users.read_text() + "\nthis is no TOML\n")
    eventually(lambda: "the users were not read again" in own_broker.log(), "the broker says so")
    assert logins(own_broker, own_broker.admin) == (True, True)


# The map


def test_a_reader_who_loses_the_right_is_told_and_hears_nothing_more(world: Guarded) -> None:
    broker = world.broker
    with (
        StompPeer.login(broker, world.billing) as stomp,
        MqttPeer.login(broker, world.billing) as mqtt,
        StompPeer.login(broker) as admin,
    ):
        stomp.subscribe("/topic/news.eu")
        assert mqtt.subscribe("news/eu") == [1]
        broker.edit(lambda text: text.replace('topic = "news.>"\nread = ["billing"]', 'topic = "news.>"'))
        assert "2 subscriptions lost their right" in broker.reload()["what"]
        admin.publish("/topic/news.eu", b"not for billing any more")
        error = stomp.refused()
        assert "User billing is not authorized to read from: topic://news.eu" in error["message"]
        assert stomp.held == []
        said = mqtt.wire.wait_closed()
        assert said == b"" and mqtt.held == []
    record = broker.audited("denied", destination="topic://news.eu", listener="stomp")
    assert (record["user"], record["right"]) == ("billing", "read")


def test_a_writer_who_loses_the_right_is_refused_with_the_next_message(world: Guarded) -> None:
    broker = world.broker
    with StompPeer.login(broker, world.shop) as stomp, MqttPeer.login(broker, world.shop) as mqtt:
        stomp.publish("/topic/news.eu", b"x")
        mqtt.publish("news/eu", b"x")
        broker.edit(lambda text: text.replace('write = ["shop"]', 'write = ["nobody"]'))
        broker.reload()
        with pytest.raises(StompError, match="not authorized to write to: topic://news.eu"):
            stomp.publish("/topic/news.eu", b"x")
        with pytest.raises(Closed):
            mqtt.publish("news/eu", b"x")


def test_a_new_right_counts_without_a_new_connection(world: Guarded) -> None:
    broker = world.broker
    with StompPeer.login(broker, world.shop) as shop:
        shop.publish("/topic/news.eu", b"now it is there")
    with StompPeer.login(broker, world.guest) as stomp, MqttPeer.login(broker, world.guest) as mqtt:
        assert mqtt.subscribe("news/eu") == [0x80]
        broker.edit(lambda text: text.replace('read = ["billing"]', 'read = ["billing", "guests"]'))
        broker.reload()
        stomp.subscribe("/topic/news.eu")
        assert mqtt.subscribe("news/eu") == [1]


def lose_the_right_while_away(world: Guarded) -> None:
    """Billing's session of MQTT waits with a message, and may not read it any more."""
    with MqttPeer.login(world.broker, world.billing, client_id="away", clean=False) as mqtt:
        mqtt.subscribe("news/eu")
    with StompPeer.login(world.broker, world.shop) as shop:
        shop.publish("/topic/news.eu", b"secret by now")
    world.broker.edit(lambda text: text.replace('topic = "news.>"\nread = ["billing"]', 'topic = "news.>"'))
    world.broker.reload()


def test_a_session_that_lost_the_right_while_away_gets_nothing(world: Guarded) -> None:
    lose_the_right_while_away(world)
    with MqttPeer.login(world.broker, world.billing, client_id="away", clean=False) as mqtt:
        mqtt.nothing_comes()


def test_a_session_that_lost_the_right_while_away_is_audited(world: Guarded) -> None:
    lose_the_right_while_away(world)
    with MqttPeer.login(world.broker, world.billing, client_id="away", clean=False):
        world.broker.audited("denied", within=3, user="billing", destination="topic://news.eu")


def test_a_configuration_with_faults_changes_nothing(world: Guarded) -> None:
    broker = world.broker
    with StompPeer.login(broker, world.billing) as peer:
        peer.subscribe("/topic/news.eu")
        broker.edit(lambda text: text.replace(ENTRIES, "").replace("[broker]", "[broker]\nno-such-key = 1"))
        assert "nothing was changed: 1 faults" in broker.reload()["what"]
        assert "no-such-key" in broker.log()
        with StompPeer.login(broker, world.shop) as shop:
            shop.publish("/topic/news.eu", b"as before")
        assert peer.message().body == b"as before"


# Ingress


def test_ingress_closes_a_listener_for_new_connections(own_broker: Broker) -> None:
    inside = StompPeer.login(own_broker)
    line = 'name = "stomp"\n'
    own_broker.edit(lambda text: text.replace(line, line + 'ingress = { allow = ["10.0.0.0/8"] }\n'))
    own_broker.reload()
    with socket.create_connection(("127.0.0.1", own_broker.port("stomp")), 10) as refused:
        assert Wire(refused).wait_closed() == b""
    assert own_broker.audited("rejected", listener="stomp")["peer"] == "127.0.0.1"
    inside.publish("/queue/still", b"here")
    with MqttPeer.login(own_broker):
        pass
    own_broker.edit(lambda text: text.replace('ingress = { allow = ["10.0.0.0/8"] }\n', ""))
    own_broker.reload()
    with StompPeer.login(own_broker):
        pass


# The certificate


def openssl(*words: str | Path) -> None:
    """Runs openssl."""
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def renew(broker: Broker, common_name: str) -> None:
    """Has the broker's CA sign another certificate and puts it in place."""
    tls, new = broker.dir / "tls", broker.root / "new"
    new.mkdir()
    key, request, certificate, names = new / "key", new / "request", new / "certificate", new / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", f"/CN={common_name}", "-out", request)
    signed_by = ["-CA", tls / "ca.pem", "-CAkey", tls / "ca.key", "-CAcreateserial"]
    openssl("x509", "-req", "-in", request, *signed_by, "-days", "30", "-extfile", names, "-out", certificate)
    (tls / "server.key").write_bytes(key.read_bytes())
    (tls / "server.pem").write_bytes(certificate.read_bytes())


def shown_name(broker: Broker, protocol: str) -> str:
    """The common name of the certificate that a listener shows."""
    wire = Wire.open(broker, protocol)
    assert isinstance(wire.sock, ssl.SSLSocket)
    certificate = wire.sock.getpeercert()
    wire.close()
    assert certificate is not None
    subject: dict[str, str] = dict(pair for part in certificate["subject"] for pair in part)  # type: ignore[misc]
    return subject["commonName"]


def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(own_broker: Broker) -> None:
    with StompPeer.login(own_broker) as before:
        renew(own_broker, "renewed")
        assert "certificate" in own_broker.reload()["what"]
        assert {shown_name(own_broker, protocol) for protocol in ("stomp", "mqtt")} == {"renewed"}
        before.publish("/queue/a", b"x")


def test_a_certificate_with_another_key_is_not_taken(own_broker: Broker) -> None:
    name = shown_name(own_broker, "stomp")
    key = (own_broker.dir / "tls/server.key").read_bytes()
    renew(own_broker, "half")
    (own_broker.dir / "tls/server.key").write_bytes(key)
    assert "nothing was changed" in own_broker.reload()["what"]
    assert shown_name(own_broker, "stomp") == name
