"""ActiveMQ's own JMS clients: both lines of them, javax (5.x) and jakarta (6.x), run the same tests.

`KEEPMQ_JMS_REFERENCE=1` runs them against a broker of the original instead: that is how the tests themselves are known to be
right.
"""

import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.guarded import Guarded, guarded

JMS = Path(__file__).parent / "jms"
BUILD = Path(__file__).parents[2] / "target"

#: The last version of each line that runs on Java 17.
LINES = {"javax": "5.19.2", "jakarta": "6.1.7"}

#: The versions of the original's STOMP listener that go with them.
REFERENCE_STOMP = {"javax": "5.18.3", "jakarta": "6.1.7"}

#: So many tests there are at least; fewer were not run.
LEAST = 84

#: The clients look at these before anything else.
ADVISORIES = """
[[authorization.entry]]
topic = "ActiveMQ.Advisory.>"
read = ["shop", "billing", "guests"]

"""


def project(line: str) -> Path:
    """The Maven project for a line of the client: they differ in the name of one package."""
    folder = BUILD / f"jms-{line}"
    shutil.rmtree(folder / "src", ignore_errors=True)
    shutil.copytree(JMS / "src", folder / "src")
    shutil.copy(JMS / "pom.xml", folder / "pom.xml")
    if line == "javax":
        for source in folder.rglob("*.java"):
            source.write_text(source.read_text().replace("jakarta.jms", "javax.jms"))
    return folder


def environment(people: Guarded) -> dict[str, str]:
    """Where the tests find the broker and its people."""
    broker = people.broker
    passwords = {f"KEEPMQ_PASSWORD_{user.name}": user.password for user in (people.shop, people.billing, people.guest)}
    return os.environ | passwords | {
        "KEEPMQ_OPENWIRE_URL": f"ssl://localhost:{broker.port('openwire')}",
        "KEEPMQ_STOMP_PORT": str(broker.port("stomp")),
        "KEEPMQ_CA": str(broker.ca),
        "KEEPMQ_USER": broker.admin.name,
        "KEEPMQ_PASSWORD": broker.admin.password,
    }


def outcomes(folder: Path) -> dict[str, str]:
    """What came of each test: nothing is good."""
    found: dict[str, str] = {}
    for report in (folder / "target" / "surefire-reports").glob("*.xml"):
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            faults = [part for part in case if part.tag in ("failure", "error", "skipped")]
            found[f"{case.get('classname')}.{case.get('name')}"] = "\n".join(part.text or part.tag for part in faults)
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", LINES)
def test_every_behaviour_that_applications_rely_on(make_broker: type[Broker], line: str) -> None:
    people = guarded(make_broker(plain=True), ADVISORIES)
    folder = project(line)
    shutil.rmtree(folder / "target" / "surefire-reports", ignore_errors=True)
    reference = os.environ.get("KEEPMQ_JMS_REFERENCE") == "1"
    command = ["mvn", "--batch-mode", "--quiet", f"-Dactivemq.version={LINES[line]}"]
    command += (["-Dreference=true", f"-Dstomp.version={REFERENCE_STOMP[line]}"] if reference else []) + ["test"]
    done = subprocess.run(command, cwd=folder, env=environment(people), capture_output=True, text=True, timeout=580)
    found = outcomes(folder)
    bad = {name: fault for name, fault in found.items() if fault}
    assert bad == {}, done.stdout[-6000:]
    assert done.returncode == 0 and len(found) >= LEAST, done.stdout[-6000:] + done.stderr[-2000:]
