"""`headgate report` tells of a rollout from its first step to its last, of whatever the journal holds of them."""

from pathlib import Path

import pytest

from headgate.app.facade import Headgate
from headgate.clock import SystemClock
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Stream
from headgate.journal.records import Answer, Block, Input, Refusal, Schema, SchemaField
from headgate.rollouts.comparison.values import Failure
from headgate.rollouts.state import Action
from headgate.testing.installation import Installation
from headgate.vocabulary import Role

PLAN = "endpoint: late\ncandidate: linear:2\nsteps: [shadow: 100%, set_weight: 100%, approve]\nguards: []\n"
FIELDS = (SchemaField("f0", "number", "public"), SchemaField("f1", "number", "public"))
SCHEMA = Schema("default", "late", "sha256:00", FIELDS, "binary", "integer", (0, 1))
LIVE, CANDIDATE = "linear:1", "linear:2"


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "h")
    installation.linear()
    installation.linear(bias=1.0)
    installation.serve("late", {LIVE: 1.0})
    return installation


class Caller:
    """Writes what a gateway would, one input after the other."""

    def __init__(self, journal: Committer) -> None:
        self.journal, self.asked = journal, 0

    def asks(self, *said: tuple[str, Role], refusal: Refusal | None = None) -> None:
        """An input of now, and which version answered it in which role."""
        self.asked += 1
        id_, at = self.asked.to_bytes(16), SystemClock().now()
        asked = Input(id_, at, (1.0, 2.0), f"r{self.asked}", 0, refusal=refusal)
        answers = [Answer(id_, who, who, role, 1.0, 1, [0.2, 0.8], 10, 20) for who, role in said]
        self.journal.write(SCHEMA, Block([asked], answers, []), None)


def steps(hg: Headgate, count: int) -> None:
    for _ in range(count):
        hg.rollouts.order("late", Action.STEP)


def test_the_time_after_a_switch_is_part_of_it(here: Installation) -> None:
    journal = Committer(LocalDisk(here.home.root), Stream("here-0"), clock=SystemClock())
    caller = Caller(journal)
    with here.open() as hg:
        hg.deploy(PLAN, force=True)
        caller.asks((LIVE, Role.LIVE), (CANDIDATE, Role.SHADOW))
        steps(hg, 2)
        assert hg.rollouts.status("late").state.weight == 1.0
        caller.asks((CANDIDATE, Role.CANARY), (LIVE, Role.SHADOW))
        caller.asks((LIVE, Role.SHADOW), refusal=Refusal("row", "deadline", "the deadline passed first"))
        journal.close()
        found = hg.rollouts.report("late")
        assert (found.inputs, found.both, found.only_live) == (3, 2, 1)
        assert (found.live.name, found.candidate.name) == (LIVE, CANDIDATE)
        assert found.candidate.failures == (Failure("deadline", 1),)
        hg.rollouts.order("late", Action.PROMOTE)
        assert hg.rollouts.report("late") == found, "what it was before its end"
