"""A model goes wrong because the world changes, and `headgate monitor` says that it is the world, and what it costs."""

import json
import math
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pytest

from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import Installation
from headgate.vocabulary import DAY, HOUR

MONDAY: Final = 1_362_355_200_000_000
"""2013-03-04T00:00:00Z, when the story begins."""
GOOD, BAD, ROWS = 4, 2, 400
"""Days before the world changes and after, and inputs of each."""


def rfc3339(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()


def advance(installation: Installation, moment: int) -> None:
    body = json.dumps({"to": rfc3339(moment)}).encode()
    status, said = installation.post("/v1/replay/advance", body, port=installation.control_port)
    assert status == 200, said


def rows(chance: random.Random, swapped: float) -> tuple[list[dict[str, float]], list[int]]:
    """Rows of a day with what turns out to be true; of so many it is the other thing."""
    asked = [{"f0": chance.gauss(0, 4), "f1": chance.gauss(0, 1)} for _ in range(ROWS)]
    logits = [each["f0"] + math.cos(1) * each["f1"] for each in asked]
    truth = [chance.random() < 1 / (1 + math.exp(-each)) for each in logits]
    return asked, [int(each != (chance.random() < swapped)) for each in truth]


def live(installation: Installation, day: int, swapped: float) -> None:
    """One day: callers ask, and an hour later it is known what was true."""
    chance = random.Random(100 + day)  # noqa: S311 - a story, not a secret
    asked, truth = rows(chance, swapped)
    begins = MONDAY + day * DAY
    at = sorted(begins + chance.randrange(DAY - 2 * HOUR) for _ in range(ROWS))
    body = json.dumps({"rows": asked, "at": [rfc3339(each) for each in at]}).encode()
    status, said = installation.post("/v1/endpoints/late/predict", body)
    assert status == 200, said
    ids = [each["id"] for each in json.loads(said)["predictions"]]
    known = [rfc3339(each + HOUR) for each in at]
    labels = [
        {"id": id_, "label": label, "observed_at": moment} for id_, label, moment in zip(ids, truth, known, strict=True)
    ]
    status, said = installation.post("/v1/endpoints/late/labels", json.dumps({"labels": labels}).encode())
    assert status == 200, said
    advance(installation, begins + DAY)


def monitor(installation: Installation, *words: str) -> str:
    command = headgate_argv("monitor", "late", "--home", str(installation.home.root), *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.full
@pytest.mark.timeout(180)
def test_that_the_world_has_changed_is_said_with_its_cost_through_the_controllers_death(tmp_path: Path) -> None:
    """Given good days, when the same inputs begin to mean other things, then the alert says so and what to do."""
    with Installation(tmp_path / "h", replay=True, seal_interval=0.5) as installation:
        version = installation.linear()
        asked, truth = rows(random.Random(99), 0.0)  # noqa: S311 - a story, not a secret
        with installation.open() as hg:
            hg.evaluate(
                version, pa.table({**{name: [each[name] for each in asked] for name in asked[0]}, "label": truth})
            )
        installation.serve("late", {version: 1.0}, more="label_maturity: 1h\n")
        installation.start()
        advance(installation, MONDAY)
        for day in range(GOOD):
            live(installation, day, swapped=0.0)
        advance(installation, MONDAY + GOOD * DAY + HOUR)
        with installation.open() as hg:
            assert hg.monitoring.diagnoses("late") == []

        live(installation, GOOD, swapped=0.3)
        installation.kill("controller")
        installation.settled()
        live(installation, GOOD + 1, swapped=0.3)
        advance(installation, MONDAY + (GOOD + BAD) * DAY + HOUR)
        with installation.open() as hg:
            [kept] = hg.monitoring.diagnoses("late")
            alerts = {each.finding.monitor: each.finding for each in hg.alerts.every("late")}
        assert kept.began == MONDAY + GOOD * DAY
        assert kept.last is not None
        assert kept.last.drift.value == "concept"
        assert kept.last.reference == f"the rows that {version} was evaluated with"
        assert [each.labelled for each in kept.said] == [ROWS, 2 * ROWS]
        assert "the same inputs lead to other outputs" in alerts["performance"].cause
        assert "learn again on recent rows" in alerts["performance"].advice

        text = monitor(installation)
        for words in ("ALARM      performance", "drift       concept: ", "another relation +0.", "as known on"):
            assert words in text
        told = json.loads(monitor(installation, "--json"))
        assert told["diagnosis"]["last"]["attributions"][0]["drift"] == "concept"
        before = monitor(installation, "--diagnose", "--from", "2013-03-06", "--to", "2013-03-08")
        assert "drift       none: " in before
        asked_of = json.loads(monitor(installation, "--diagnose", "--from", "2013-03-08", "--json"))
        assert asked_of["attributions"][0]["drift"] == "concept"
        assert installation.stop() == 0
