"""A served endpoint goes wrong, and `headgate monitor` says what, since when, and what to do."""

import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import Installation
from headgate.vocabulary import DAY, HOUR

MONDAY: Final = 1_362_355_200_000_000
"""2013-03-04T00:00:00Z, when the story begins."""


def rfc3339(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()


def advance(installation: Installation, moment: int) -> None:
    body = json.dumps({"to": rfc3339(moment)}).encode()
    status, said = installation.post("/v1/replay/advance", body, port=installation.control_port)
    assert status == 200, said


def ask(installation: Installation, begins: int, lasting: int, *, failing: int = 0, count: int = 60) -> None:
    """Callers of a while; the model fails on the first field of so many of them."""
    chance = random.Random(begins)  # noqa: S311 - a story, not a secret
    at = sorted(begins + chance.randrange(lasting) for _ in range(count))
    bad = set(chance.sample(range(count), failing))
    rows = [{"f0": -1.0 if place in bad else 1.0, "f1": 0.0} for place in range(count)]
    body = json.dumps({"rows": rows, "at": [rfc3339(each) for each in at]}).encode()
    status, said = installation.post("/v1/endpoints/late/predict", body)
    assert status == 200, said


def monitor(installation: Installation, *words: str) -> str:
    command = headgate_argv("monitor", "late", "--home", str(installation.home.root), *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def monitors(installation: Installation) -> dict[str, dict[str, Any]]:
    return {each["monitor"]: each["says"] for each in json.loads(monitor(installation, "--json"))["monitors"]}


@pytest.mark.full
def test_errors_of_a_day_are_found_told_once_and_over_through_the_controllers_death(tmp_path: Path) -> None:
    """Given two good days, when the model begins to fail, then it is said so until a day after it has ended."""
    with Installation(tmp_path / "h", replay=True, seal_interval=0.5) as installation:
        installation.serve("late", {installation.scripted("failing_on_negative"): 1.0})
        installation.start()
        advance(installation, MONDAY)
        assert "nobody has looked yet" not in monitor(installation)
        for day in range(2):
            ask(installation, MONDAY + day * DAY, DAY)
            advance(installation, MONDAY + (day + 1) * DAY)
        assert monitors(installation)["errors"]["standing"] == "steady"

        broke = MONDAY + 2 * DAY
        ask(installation, broke, 6 * HOUR, failing=20)
        advance(installation, broke + 6 * HOUR)
        said = monitors(installation)["errors"]
        assert said["standing"] == "alarm"
        assert broke < said["since"] < broke + 6 * HOUR
        text = monitor(installation)
        for words in ("ALARM      errors", "20 of ", "what to do: ", "at most 1 per 90 days"):
            assert words in text
        with installation.open() as hg:
            [alert] = hg.alerts.every("late")
        assert (alert.finding.monitor, alert.raised) == ("errors", said["since"])

        installation.kill("controller")
        installation.settled()
        ask(installation, broke + 6 * HOUR, 60 * HOUR)
        advance(installation, broke + 66 * HOUR)
        assert monitors(installation)["errors"]["standing"] == "steady"
        with installation.open() as hg:
            assert hg.alerts.every("late") == []
            [over] = hg.alerts.every("late", over=True)
            days = hg.monitoring.days("late")
        assert (over.id, over.episode) == (alert.id, 1)
        assert sum(each.volume for each in days) == 4 * 60
        assert sum(each.errors for each in days) == 20
        assert installation.stop() == 0
