"""Shadows that hang, die or answer ten megabytes: no caller notices, the journal tells, and the guard ends it."""

import json
import time
from pathlib import Path
from typing import Final

import pytest

from headgate.rollouts.state import Phase
from headgate.testing.installation import Installation
from headgate.vocabulary import Role

BODY = json.dumps({"rows": [{"f0": float(place), "f1": 0.0} for place in range(20)]}).encode()
PLAN = "endpoint: late\ncandidate: {candidate}\nsteps: [shadow: 100%, analysis, approve]\nguards:\n- metric: errors\n"


SLOW: Final = ("huge", "failing", "wrong_rows", "not_finite")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param("hanging", marks=pytest.mark.full),
        pytest.param("dying", marks=pytest.mark.full),
        *(pytest.param(each, marks=pytest.mark.slow) for each in SLOW),
    ],
)
def test_no_caller_notices_and_the_guard_ends_it(behaviour: str, tmp_path: Path) -> None:
    with Installation(tmp_path / "home") as installation:
        live, bad = installation.scripted("echo"), installation.scripted(behaviour)
        installation.serve("late", {live: 1.0}, more="deadline_ms: 500\nresources: {call_seconds: 2}\n")
        installation.start()
        with installation.open() as hg:
            hg.deploy(PLAN.format(candidate=bad), force=True)
        asked = 0
        slowest = 0.0
        deadline = time.monotonic() + 60

        def ended() -> bool:
            with installation.open() as hg:
                return hg.rollouts.history("late")[-1].state.phase is Phase.ROLLED_BACK

        while not ended():
            assert time.monotonic() < deadline, "the guard ends it"
            for _ in range(20):
                began = time.monotonic()
                status, said = installation.post("/v1/endpoints/late/predict", BODY)
                slowest = max(slowest, time.monotonic() - began)
                assert status == 200
                predictions = json.loads(said)["predictions"]
                assert [each["version"] for each in predictions] == [live] * 20
                assert [each["prediction"] for each in predictions] == [float(place) for place in range(20)]
                asked += 20
        assert slowest < 5.0
        with installation.open() as hg:
            table = hg.reader.joined("default", "late", roles=[Role.SHADOW], columns=["role", "fallback"])
            assert hg.counts("late").inputs == asked
        said_why = {
            why for role, why in zip(*(table[name].to_pylist() for name in ("role", "fallback")), strict=True) if role
        }
        assert said_why
        assert said_why <= {"failed", "late", "resting"}
