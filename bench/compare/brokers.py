"""The brokers, each started as its users have it, with the durable settings that its documentation gives.

Everything they write is below one directory, everything they listen at is a port of the loopback address.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from processes import Failed, Process, accepts, find_program, free_ports, package_version


@dataclass
class Door:
    """Where a protocol is spoken, and what a client needs to get in."""

    port: int
    ca: Path | None = None


@dataclass
class Broker:
    """A broker that can be started in a directory."""

    directory: Path
    process: Process | None = None
    doors: dict[str, Door] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    name = ""
    #: What must be known to read its figures.
    remark = ""

    @classmethod
    def missing(cls) -> str | None:
        """What has to be installed before it can run."""
        return None

    def version(self) -> str:
        return ""

    def start(self) -> float:
        """Starts it and returns the seconds until all its ports accept."""
        raise NotImplementedError

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
            self.process = None

    @property
    def pid(self) -> int:
        if self.process is None:
            raise Failed(f"{self.name} is not running")
        return self.process.pid

    def _log(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        return self.directory / "output.log"


class Mosquitto(Broker):
    name = "mosquitto"
    remark = (
        "answers QoS 1 and 2 before anything is on disk: it writes its database every 30 minutes and at its end; nobody "
        "logs in"
    )

    @classmethod
    def missing(cls) -> str | None:
        return None if find_program("mosquitto") else "mosquitto"

    def version(self) -> str:
        return package_version("mosquitto")

    def start(self) -> float:
        log = self._log()
        if not self.doors:
            plain, tls = free_ports(2)
            certificate, key = make_certificate(self.directory)
            self.doors = {"mqtt": Door(plain), "mqtt-tls": Door(tls, certificate)}
            user = "root" if os.geteuid() == 0 else ""
            lines = [
                f"listener {plain} 127.0.0.1",
                "allow_anonymous true",
                f"listener {tls} 127.0.0.1",
                f"certfile {certificate}",
                f"keyfile {key}",
                "persistence true",
                f"persistence_location {self.directory}/",
            ] + ([f"user {user}"] if user else [])
            (self.directory / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        program = find_program("mosquitto") or "mosquitto"
        self.process = Process([program, "-c", str(self.directory / "mosquitto.conf")], log)
        return self.process.wait_for_ports([door.port for door in self.doors.values()])


class RabbitMq(Broker):
    name = "rabbitmq"
    remark = (
        "classic durable queues, version 1, its default; a receipt is a publisher confirm, which comes without the disk "
        "for a message that a consumer has acknowledged already"
    )

    script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

    @classmethod
    def missing(cls) -> str | None:
        return None if cls.script.exists() else "rabbitmq-server"

    def version(self) -> str:
        return package_version("rabbitmq-server")

    def start(self) -> float:
        log = self._log()
        if not self.doors:
            self._configure()
        # The port mapper that Erlang needs would otherwise stay behind as a service of the machine.
        self.mapper = Process(["epmd", "-port", str(self.mapper_port), "-address", "127.0.0.1"], log, self.variables)
        self.mapper.wait_for_ports([self.mapper_port])
        self.process = Process([str(self.script)], log, self.variables)
        return self.process.wait_for_ports([door.port for door in self.doors.values()])

    def _configure(self) -> None:
        self.mapper_port, distribution, amqp, mqtt, stomp = free_ports(5)
        user, password = "bench", secrets.token_urlsafe(18)
        lines = [
            f"listeners.tcp.local = 127.0.0.1:{amqp}",
            f"mqtt.listeners.tcp.local = 127.0.0.1:{mqtt}",
            f"stomp.listeners.tcp.local = 127.0.0.1:{stomp}",
            f"default_user = {user}",
            f"default_pass = {password}",
            "log.console = false",
        ]
        (self.directory / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.directory / "plugins").write_text("[rabbitmq_mqtt,rabbitmq_stomp].\n")
        cookie = self.directory / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        self.variables = {
            "HOME": str(self.directory),
            "RABBITMQ_NODENAME": f"bench{distribution}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "no-environment"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self.mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        self.environment = {"KEEPMQ_USER": user, "KEEPMQ_PASSWORD": password}
        self.arguments = ["--virtual-host", "/"]
        self.doors = {"mqtt": Door(mqtt), "stomp": Door(stomp)}

    def stop(self) -> None:
        super().stop()
        if getattr(self, "mapper", None) is not None:
            self.mapper.stop()
            self.mapper = None


class ActiveMq(Broker):
    name = "activemq"
    remark = "KahaDB with enableJournalDiskSyncs=true, the heap of its own start script; nobody logs in"

    #: Debian's, or set from the command line.
    home = Path("/usr/share/activemq")
    debian = home

    @classmethod
    def missing(cls) -> str | None:
        wanted = []
        if not (cls.home / "bin/activemq.jar").exists():
            wanted.append("activemq")
        if find_program("java") is None:
            wanted.append("default-jre-headless")
        return " ".join(wanted) or None

    def version(self) -> str:
        if self.home == self.debian:
            return package_version("activemq") + " (no MQTT in Debian's; give --activemq-home DIR)"
        jars = [jar.stem for jar in self.home.glob("lib/activemq-broker-*.jar")]
        return jars[0].removeprefix("activemq-broker-") if jars else "of unknown version"

    def start(self) -> float:
        log = self._log()
        if not self.doors:
            self._configure()
        memory = ["-Xms512M", "-Xmx512M"] if self.home == self.debian else ["-Xms64M", "-Xmx1G"]
        command = [
            "java",
            *memory,
            "-Dorg.apache.activemq.UseDedicatedTaskRunner=true",
            f"-Dactivemq.home={self.home}",
            f"-Dactivemq.base={self.directory}",
            f"-Dactivemq.conf={self.directory}",
            f"-Djava.io.tmpdir={self.directory / 'tmp'}",
            "-jar",
            str(self.home / "bin/activemq.jar"),
            "start",
            f"xbean:file:{self.directory / 'activemq.xml'}",
        ]
        self.process = Process(command, log)
        return self.process.wait_for_ports([door.port for door in self.doors.values()])

    def _configure(self) -> None:
        # Debian packages the transport without the library that it needs: it accepts connections and never answers.
        names = ["stomp", "openwire"] + ["mqtt"] * any(self.home.glob("lib/**/mqtt-client*.jar"))
        self.doors = {name: Door(port) for name, port in zip(names, free_ports(len(names)))}
        (self.directory / "tmp").mkdir(exist_ok=True)
        (self.directory / "activemq.xml").write_text(self._xml())

    def _xml(self) -> str:
        spring = "http://www.springframework.org/schema/beans"
        own = "http://activemq.apache.org/schema/core"
        schemas = f"{spring} {spring}/spring-beans-2.0.xsd {own} {own}/activemq-core.xsd"
        connectors = "\n".join(
            f'<transportConnector name="{name}" uri="{scheme}://127.0.0.1:{door.port}?maximumConnections=100000"/>'
            for name, door in self.doors.items()
            for scheme in ["tcp" if name == "openwire" else name]
        )
        return f"""<beans xmlns="{spring}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="{schemas}">
<broker xmlns="{own}" useJmx="false" brokerName="localhost" dataDirectory="{self.directory}/data">
<persistenceAdapter>
<kahaDB directory="{self.directory}/data/kahadb" enableJournalDiskSyncs="true"/>
</persistenceAdapter>
<transportConnectors>
{connectors}
</transportConnectors>
</broker>
</beans>
"""


class KeepMq(Broker):
    name = "keepmq"
    remark = "every connection logs in and every message is authorized"

    #: Set from the command line.
    program = Path("keepmq")
    offset = 1700

    def version(self) -> str:
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False)
        return done.stdout.strip().removeprefix("keepmq ")

    def start(self) -> float:
        log = self._log()
        home = self.directory / "home"
        ca = home / "tls/ca.pem"
        plain = {"stomp": 61613, "mqtt": 1883, "openwire": 61616}
        tls = {"stomp-tls": 61614, "mqtt-tls": 8883, "openwire-tls": 61617}
        self.doors = {name: Door(port + self.offset) for name, port in plain.items()}
        self.doors |= {name: Door(port + self.offset, ca) for name, port in tls.items()}
        taken = [door.port for door in self.doors.values() if accepts(door.port)]
        if taken:
            raise Failed(f"ports {taken} are in use; give another --keepmq-offset")
        command = [str(self.program), "quickstart", "--dir", str(home)]
        command += ["--port-offset", str(self.offset), "--plain"]
        self.process = Process(command, log, pipe=True)
        seconds = self.process.wait_for_line("ready")
        self.arguments = ["--credentials", str(home / "credentials")]
        return seconds


ALL: list[type[Broker]] = [Mosquitto, RabbitMq, ActiveMq, KeepMq]


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for the loopback address that signs itself, and its key."""
    certificate, key, config = (directory / name for name in ("server.pem", "server.key", "openssl.cnf"))
    config.write_text(
        "[req]\ndistinguished_name=name\nx509_extensions=own\nprompt=no\n[name]\nCN=localhost\n"
        "[own]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
    )
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "30", "-config", config, "-keyout", key, "-out", certificate]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl could not make a certificate: {done.stderr.strip()}")
    return certificate, key
