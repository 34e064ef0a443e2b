"""A controller that hangs cannot roll back: gateways that do not hear it trust what is live alone, until they do."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Final

import pytest

from headgate.controller.declared import LEASE_S
from headgate.testing.installation import Installation

ROWS: Final = json.dumps({"rows": [{"f0": 1.0, "f1": 2.0}] * 40}).encode()
PLAN: Final = "endpoint: late\ncandidate: {candidate}\nsteps: [set_weight: 50%, approve]\nguards:\n- metric: errors\n"


def answering(installation: Installation) -> set[str]:
    """The versions that answer now."""
    status, said = installation.post("/v1/endpoints/late/predict", ROWS)
    assert status == 200
    return {each["version"] for each in json.loads(said)["predictions"]}


@pytest.mark.slow
def test_a_canary_nobody_watches_over_gets_nothing(tmp_path: Path) -> None:
    with Installation(tmp_path / "home", workers=2) as installation:
        live, candidate = installation.linear(), installation.linear(bias=1.0)
        installation.serve("late", {live: 1.0})
        installation.start()
        with installation.open() as hg:
            hg.deploy(PLAN.format(candidate=candidate), force=True, why="a test")
        installation.until(lambda: answering(installation) == {live, candidate}, "both answer")
        controller = installation.processes()["controller"]
        os.kill(controller, signal.SIGSTOP)
        stopped = time.monotonic()
        while time.monotonic() < stopped + LEASE_S / 2:
            assert answering(installation) == {live, candidate}, "a short silence is none"
            time.sleep(0.2)
        installation.until(lambda: all(answering(installation) == {live} for _ in range(20)), "what is live alone does")
        assert time.monotonic() - stopped < LEASE_S + 5
        os.kill(controller, signal.SIGCONT)
        installation.until(lambda: answering(installation) == {live, candidate}, "both answer again")
        assert installation.stop() == 0
        assert "the controller is not heard" in installation.log
