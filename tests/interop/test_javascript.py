"""@stomp/stompjs and mqtt.js under Node."""

import os
import subprocess
from pathlib import Path

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.stomp_peer import StompPeer
from keepmq_testing.mqtt_peer import MqttPeer

JS = Path(__file__).parent / "js"


def environment(broker: Broker) -> dict[str, str]:
    """Where the scripts find the broker."""
    return os.environ | {
        "KEEPMQ_TEST_STOMP_PORT": str(broker.port("stomp")),
        "KEEPMQ_TEST_MQTT_PORT": str(broker.port("mqtt")),
        "KEEPMQ_TEST_CA": str(broker.ca),
        "KEEPMQ_TEST_USER": broker.admin.name,
        "KEEPMQ_TEST_PASSWORD": broker.admin.password,
    }


@pytest.mark.parametrize("file", ["stompjs.test.mjs", "mqttjs.test.mjs"])
def test_the_tests_of_a_client_pass(broker: Broker, file: str) -> None:
    command = ["node", "--test", "--test-reporter", "spec", file]
    done = subprocess.run(command, cwd=JS, env=environment(broker), capture_output=True, text=True, timeout=85)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "fail 0" in done.stdout


def test_clients_come_back_by_themselves_after_a_restart(own_broker: Broker) -> None:
    command = ["node", "survivor.mjs", "/queue/survivor", "survivor/topic"]
    survivor = subprocess.Popen(command, cwd=JS, env=environment(own_broker), stdout=subprocess.PIPE, text=True)
    assert survivor.stdout is not None
    lines = survivor.stdout

    def told(count: int) -> set[str]:
        return {lines.readline().strip() for _ in range(count)}

    try:
        assert told(2) == {"stomp ready", "mqtt ready false"}
        own_broker.restart()
        assert told(2) == {"stomp ready", "mqtt ready true"}
        with StompPeer.login(own_broker) as stomp, MqttPeer.login(own_broker) as mqtt:
            stomp.publish("/queue/survivor", b"after")
            mqtt.publish("survivor/topic", b"after")
        assert told(2) == {"stomp heard after", "mqtt heard after"}
    finally:
        survivor.kill()
        survivor.wait()
