"""ActiveMQ's own JMS clients: both lines of them, javax (5.x) and jakarta (6.x), run the same tests.

Each JUnit test is one item here. `KEEPMQ_JMS_REFERENCE=1` runs them against a broker of the original instead, and all of
them: that is how the tests themselves are known to be right.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.guarded import Guarded, guarded

JMS = Path(__file__).parent / "jms"
BUILD = Path(__file__).parents[2] / "target"

#: The last version of each line that runs on Java 17, and what goes with it.
LINES = {
    "javax": {"activemq": "5.19.2", "stomp": "5.18.3", "spring": "5.3.39", "pool": "1.2.4"},
    "jakarta": {"activemq": "6.1.7", "stomp": "6.1.7", "spring": "6.2.19", "pool": "3.1.7"},
}

#: Tags of tests that KeepMQ can't pass yet, and why.
LATER = {
    "later:scheduled": "scheduled delivery is not there yet",
    "later:advisories": "only advisories of destinations that come and go are there yet",
}

REFERENCE = os.environ.get("KEEPMQ_JMS_REFERENCE") == "1"

#: The clients look at these before anything else.
ADVISORIES = """
[[authorization.entry]]
topic = "ActiveMQ.Advisory.>"
read = ["shop", "billing", "guests"]

"""

#: What it takes to fetch what Maven doesn't have yet.
OFFLINE = re.compile(r"offline mode|has not been downloaded from it before")

TEST = re.compile(r'@Test\s+@DisplayName\("[^"]*"\)\s+void (\w+)\(')
TAG = re.compile(r'@Tag\("([^"]+)"\)')


def junit() -> Iterator[tuple[str, str, str | None]]:
    """Class, test and tag of each test, from the sources: Maven has not run when items are collected."""
    for source in sorted((JMS / "src").rglob("*Test.java")):
        text = source.read_text()
        tag = TAG.search(text)
        for method in TEST.findall(text):
            yield source.stem, method, tag.group(1) if tag else None


@dataclass(frozen=True)
class Run:
    """What came of each test (nothing is good), and what Maven said."""

    said: str
    found: dict[tuple[str, str], str] = field(default_factory=dict)


def project(line: str) -> Path:
    """The Maven project for a line of the client: they differ in the name of one package."""
    folder = BUILD / f"jms-{line}"
    shutil.rmtree(folder / "src", ignore_errors=True)
    shutil.rmtree(folder / "target", ignore_errors=True)
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
    return passwords | {
        "KEEPMQ_OPENWIRE_URL": f"ssl://localhost:{broker.port('openwire')}",
        "KEEPMQ_STOMP_PORT": str(broker.port("stomp")),
        "KEEPMQ_CA": str(broker.ca),
        "KEEPMQ_USER": broker.admin.name,
        "KEEPMQ_PASSWORD": broker.admin.password,
    }


def maven(line: str, env: dict[str, str], classes: set[str]) -> Run:
    """Runs the tests of these classes with what Maven has; fetches what it lacks once."""
    folder = project(line)
    versions = [f"-D{name}.version={version}" for name, version in LINES[line].items()]
    command = ["mvn", "--batch-mode", "--quiet", *versions, f"-Dtest={','.join(sorted(classes))}"]
    command += ["-Dreference=true"] if REFERENCE else [f"-DexcludedGroups={','.join(LATER)}"]
    for offline in (["--offline"], []):
        done = subprocess.run(
            [*command, *offline, "test"], cwd=folder, env=os.environ | env, capture_output=True, text=True, timeout=580
        )
        reports = list((folder / "target" / "surefire-reports").glob("TEST-*.xml"))
        said = done.stdout + done.stderr
        if reports or not OFFLINE.search(said):
            break
    return Run(said[-6000:], dict(outcome for report in reports for outcome in outcomes(report)))


def outcomes(report: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Class and test, and what was wrong. The file is named after the class; in it is what is displayed."""
    of = report.stem.rsplit(".", 1)[-1]
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        faults = [part for part in case if part.tag in ("failure", "error", "skipped")]
        method = case.get("name", "").split("(")[0].rsplit(".", 1)[-1]
        yield (of, method), "\n".join(part.text or part.tag for part in faults)


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Run]]:
    """What was run already, by the line of the client."""
    yield {}


@pytest.fixture(scope="module")
def classes(request: pytest.FixtureRequest) -> dict[str, set[str]]:
    """The test classes that are asked for, by the line of the client."""
    items = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    return {line: {one["of"] for one in items if one.get("line") == line} for line in LINES}


def run(line: str, classes: set[str]) -> Run:
    if REFERENCE:
        return maven(line, {}, classes)
    broker = Broker(plain=True)
    try:
        return maven(line, environment(guarded(broker, ADVISORIES)), classes)
    finally:
        broker.dispose()


def cases() -> Iterator[object]:
    for line in LINES:
        for of, method, tag in junit():
            marks = [] if REFERENCE or tag not in LATER else [pytest.mark.skip(reason=LATER[tag])]
            yield pytest.param(line, of, method, id=f"{line}-{of}.{method}", marks=marks)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("line", "of", "method"), list(cases()))
def test_jms(line: str, of: str, method: str, runs: dict[str, Run], classes: dict[str, set[str]]) -> None:
    done = runs[line] if line in runs else runs.setdefault(line, run(line, classes[line]))
    assert (of, method) in done.found, f"it was not run:\n{done.said}"
    fault = done.found[of, method]
    assert not fault, fault
