"""A live Python model that loops, leaks or dies is replaced: its own callers hear why, and its neighbours nothing."""

import json
from collections.abc import Iterator
from typing import Final

import pytest
from tests.lives.test_fallback import package

from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

pytestmark = pytest.mark.full

MOODY: Final = """
import os

import numpy as np


class Model:
    def __init__(self):
        self.kept = []

    def predict(self, rows):
        mood = int(rows[0, 1])
        while mood == 1:
            pass
        if mood == 2:
            os._exit(9)
        while mood == 3:
            self.kept.append(bytearray(32 << 20))
        yes = 1 / (1 + np.exp(-rows[:, 0]))
        return np.column_stack([1 - yes, yes])
"""
MOODS: Final = {"loops": 1.0, "dies": 2.0, "leaks": 3.0}
LIMITS: Final = "deadline_ms: 4000\nresources: {memory_mb: 512, call_seconds: 1.5}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("replaced") / "h") as installation:
        packages = installation.home.packages
        moody = installation.keep("moody", package(packages, "model.py", MOODY.encode()))
        well = installation.keep("well", package(packages, "model.py", (MOODY + "# another\n").encode()))
        installation.serve("moody", {moody: 1.0}, more=LIMITS)
        installation.serve("late", {well: 1.0}, more=LIMITS)
        yield installation.start()


def asked(served: Installation, mood: float) -> tuple[int, bytes]:
    body = json.dumps({"rows": [{"f0": 0.0, "f1": mood}]}).encode()
    return served.post("/v1/endpoints/moody/predict", body)


@pytest.mark.parametrize("mood", MOODS)
def test_a_live_model_that_misbehaves_is_replaced_and_touches_nobody(mood: str, served: Installation) -> None:
    served.until(lambda: asked(served, 0.0)[0] == 200, "it answers")
    with served.open() as hg:
        host = f"host {hg.registry.resolve('moody:1').digest.removeprefix('sha256:')[:12]}"
    before = served.processes()
    with Callers(served.port, "late", connections=2, requests=100_000) as neighbours:
        for _ in range(5):  # a leak is taken for one when it stays
            status, said = asked(served, MOODS[mood])
            assert status in (503, 504)
            assert json.loads(said)["error"]["rule"] in ("runtime", "deadline")
        served.until(lambda: served.processes().get(host) not in (None, before[host]), "another takes its place")
        served.until(lambda: asked(served, 0.0)[0] == 200, "it answers again")
        promised = neighbours.stop()
    after = served.processes()
    assert {name: pid for name, pid in after.items() if name != host} == {
        name: pid for name, pid in before.items() if name != host
    }
    assert promised.problems == []
    assert promised.statuses.keys() == {200}
    assert len(promised.predictions) > 10
