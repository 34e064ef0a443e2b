"""The world changes, and nobody is asked: an alarm, a training set, a recipe, a proof, a rollout, a new champion."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pytest

from headgate.retraining.run import Outcome, Run, Source
from headgate.testing.installation import Installation
from headgate.vocabulary import DAY, HOUR

MONDAY: Final = 1_362_355_200_000_000
"""2013-03-04T00:00:00Z, when the story begins."""
ROWS: Final = 600
"""Inputs of a day."""
GOOD: Final = 3
"""Days before the world changes."""
RECIPE: Final = """
from sklearn.linear_model import LogisticRegression

def train(data):
    return LogisticRegression().fit(data.X, data.y, sample_weight=data.weight)
"""
ENDPOINT: Final = """
endpoint: late
model: {version}
label_maturity: 1h
retraining:
  recipe: {{python: learn.py:train}}
  original: false
  probation: 1d
"""


def rfc3339(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()


def advance(installation: Installation, moment: int) -> None:
    body = json.dumps({"to": rfc3339(moment)}).encode()
    status, said = installation.post("/v1/replay/advance", body, port=installation.control_port)
    assert status == 200, said


def rows(chance: random.Random, *, turned: bool) -> tuple[list[dict[str, float]], list[int]]:
    """Rows of a day with what turns out to be true; in the new world the first field means the opposite."""
    asked = [{"f0": chance.gauss(0, 2), "f1": chance.gauss(0, 1)} for _ in range(ROWS)]
    logits = [(-each["f0"] if turned else each["f0"]) + math.cos(1) * each["f1"] for each in asked]
    return asked, [int(chance.random() < 1 / (1 + math.exp(-each))) for each in logits]


def live(installation: Installation, day: int, *, turned: bool) -> None:
    """One day: callers ask, and an hour later it is known what was true."""
    chance = random.Random(100 + day)  # noqa: S311 - a story, not a secret
    asked, truth = rows(chance, turned=turned)
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


def may_end(run: Run) -> tuple[Outcome, ...]:
    """How else a run may end: more rows of the same new world need not make a better model than the first ones did."""
    again = {firing.source for firing in run.firings} == {Source.AGAIN}
    return (Outcome.KEPT_CHAMPION,) if again else ()


@pytest.mark.full
@pytest.mark.timeout(180)
def test_an_alarm_leads_to_a_promoted_version_and_nobody_is_asked(tmp_path: Path) -> None:
    """Given good days, when the same inputs begin to mean the opposite, then a new model has the endpoint in days."""
    with Installation(tmp_path / "h", replay=True, seal_interval=0.5) as installation:
        version = installation.linear()
        asked, truth = rows(random.Random(99), turned=False)  # noqa: S311 - a story, not a secret
        with installation.open() as hg:
            hg.evaluate(
                version, pa.table({**{name: [each[name] for each in asked] for name in asked[0]}, "label": truth})
            )
        (tmp_path / "learn.py").write_text(RECIPE)
        (tmp_path / "endpoint.yaml").write_text(ENDPOINT.format(version=version))
        with installation.open() as hg:
            hg.apply(tmp_path / "endpoint.yaml", force=True)
        installation.start()
        advance(installation, MONDAY)
        for day in range(GOOD):
            live(installation, day, turned=False)
        with installation.open() as hg:
            assert hg.retraining.runs("late") == []
        for day in range(GOOD, GOOD + 10):
            live(installation, day, turned=True)
            with installation.open() as hg:
                for each in hg.retraining.runs("late"):
                    assert each.outcome in (None, Outcome.PROMOTED, *may_end(each)), each.why
        with installation.open() as hg:
            run, *more = hg.retraining.runs("late")
            traffic = hg.traffic.read()["default", "late"]
            champion = hg.aliases("linear")["champion"]
            story = hg.stories.explain("late.1")
        assert run.outcome is Outcome.PROMOTED
        assert run.cut is not None
        assert run.cut.change is not None
        assert abs(run.cut.change - (MONDAY + GOOD * DAY)) < HOUR, "to the row, not to the day"
        assert (run.champion, run.challenger) == ("linear:1", "linear:2")
        # What was learned from the few rows since the change is learned again once there are more of them.
        assert {firing.source for each in more for firing in each.firings} <= {Source.AGAIN}
        owners = ["linear:2", *(each.challenger for each in more if each.promoted is not None)]
        assert traffic.live == owners[-1] == f"linear:{champion}"
        assert (story.id, story.gaps) == ("late.1", ())
        assert installation.stop() == 0
