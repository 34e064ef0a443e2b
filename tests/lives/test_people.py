"""Runbooks where people decide first, and a model takes over from them as far as it may be trusted."""

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from headgate.client import Client
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Phase
from headgate.testing.installation import Installation
from headgate.traffic.endpoint import Live

PATIENCE: Final = 120.0
PEOPLE: Final = "live: human\n"


class Callers:
    """Somebody who asks all the time, and the people who decide what they are to."""

    made: ClassVar[list[Client]] = []

    def __init__(self, installation: Installation, *, mistakes: float = 0.05, reviewer: str = "ann") -> None:
        self.client = Client(installation.url)
        self.made.append(self.client)
        self.decided: Counter[str] = Counter()
        self.hints = 0
        self.audits = 0.1
        self._mistakes, self._reviewer = mistakes, reviewer
        self._chance = random.Random(5)  # noqa: S311 - rows, not secrets

    def ask(self, count: int = 100) -> None:
        """Ask `count` rows, decide those that are people's, and audit some of the others."""
        rows = [{"f0": self._chance.gauss(0, 1), "f1": self._chance.gauss(0, 1)} for _ in range(count)]
        said = self.client.predict("late", rows)
        decisions = []
        for row, each in zip(rows, said, strict=True):
            is_ours = "decides" in each
            self.decided["people" if is_ours else each["version"]] += 1
            self.hints += is_ours and "prediction" in each
            if is_ours or self._chance.random() < self.audits:
                right = row["f0"] + 0.54 * row["f1"] > 0
                wrong = self._chance.random() < self._mistakes
                decision = {"id": each["id"], "decision": int(right != wrong), "actor": self._reviewer}
                decisions.append(decision)
        if decisions:
            self.client.decide("late", decisions)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path / "home") as found:
        yield found
        while Callers.made:
            Callers.made.pop().close()


def served(installation: Installation, *, bias: float = 0.0, more: str = PEOPLE) -> str:
    """An endpoint whose people decide, beside a model that is as good as its bias lets it."""
    model = installation.linear(bias=bias)
    installation.serve("late", {model: 1.0}, more=more)
    installation.start()
    return model


def newest(installation: Installation) -> Rollout:
    with installation.open() as hg:
        return hg.rollouts.history("late")[-1]


def deploy(installation: Installation, candidate: str, body: str) -> None:
    with installation.open() as hg:
        hg.deploy(f"endpoint: late\ncandidate: {candidate}\n{body}", force=True, why="a test")


def ask_until(callers: Callers, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}; so far {callers.decided}"
        callers.ask()
        time.sleep(0.01)


def theirs(callers: Callers) -> int:
    """How many of the next hundred rows people decide."""
    before = callers.decided["people"]
    callers.ask(100)
    return callers.decided["people"] - before


def control(installation: Installation, method: str, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", installation.control_port, timeout=30)
    try:
        connection.request(method, f"/v1/endpoints/late/{path}")
        reply = connection.getresponse()
        body = reply.read()
        return reply.status, json.loads(body) if body else None
    finally:
        connection.close()


@pytest.mark.full
def test_a_model_takes_over_from_people_step_by_step(installation: Installation) -> None:
    """Given people who err in 5 of 100, when the model beside them agrees, then it takes over, and people take back."""
    model = served(installation)
    callers = Callers(installation)
    callers.ask()
    assert callers.decided == {"people": 100}
    deploy(installation, model, "steps: [shadow: 100%, analysis, set_weight: 20%, pause: 1s, analysis]\n")
    ask_until(callers, lambda: newest(installation).state.weight == 0.2, "it has a fifth")
    ask_until(callers, lambda: newest(installation).state.phase is Phase.PROMOTED, "it is promoted")
    assert callers.hints == 0, "nobody who decided was told"
    assert callers.decided[model] > 0
    with installation.open() as hg:
        assert hg.rollouts.declared.spec("default", "late").live is Live.MODEL
        found = hg.rollouts.report("late")
        assert found.live.name == "people"
        assert found.reviewed is not None
        assert [each.name for each in found.reviewed.reviewers] == ["ann"]
        assert found.agreement.value == pytest.approx(0.95, abs=0.03)
        assert found.reviewed.alone is not None
        assert found.reviewed.alone.decided > 0, "it had a fifth for a while"
    ask_until(callers, lambda: theirs(callers) == 0, "people decide nothing any more", 5.0)
    with installation.open() as hg:
        assert hg.rollouts.roll_back("late") == "human"
        hg.controller().reconcile()
    ask_until(callers, lambda: theirs(callers) == 100, "and there is a way back", 5.0)


@pytest.mark.slow
def test_a_model_that_differs_from_people_never_decides(installation: Installation) -> None:
    """Given a model that is wrong in half of the cases, when it is to take over, then it is rolled back unseen."""
    model = served(installation, bias=50.0)
    callers = Callers(installation)
    deploy(installation, model, "strategy: canary\n")
    ask_until(callers, lambda: newest(installation).state.phase is Phase.ROLLED_BACK, "it is rolled back")
    assert "agreement is worse" in newest(installation).state.why
    assert set(callers.decided) == {"people"}


@pytest.mark.slow
def test_the_model_decides_where_it_is_sure_and_is_audited(installation: Installation) -> None:
    """Given a stated risk, when enough is known, then the model decides what it is sure of, and people the rest."""
    model = served(installation)
    callers = Callers(installation, mistakes=0.01)
    callers.audits = 0.5
    deploy(installation, model, "steps: [shadow: 100%, partial: 5%, analysis]\nguards:\n- metric: errors\n")
    ask_until(callers, lambda: newest(installation).state.confidence > 0, "a confidence is found")
    confidence = newest(installation).state.confidence
    ask_until(callers, lambda: newest(installation).state.phase is Phase.PROMOTED, "it holds")
    assert callers.decided[model] > 0
    with installation.open() as hg:
        spec = hg.rollouts.declared.spec("default", "late")
        assert (spec.live, spec.review is not None and spec.review.confidence) == (Live.HUMAN, confidence)
        reviewed = hg.rollouts.report("late").reviewed
        assert reviewed is not None
        alone = reviewed.alone
        assert alone is not None
        assert alone.decided > alone.audited > 0
        assert alone.agreement == pytest.approx(0.99, abs=0.03)


@pytest.mark.slow
def test_people_are_shown_what_the_model_says_once_it_may_assist(installation: Installation) -> None:
    """Given an assisting step, when it is reached, then suggestions are told, and compare nobody with anybody."""
    model = served(installation)
    callers = Callers(installation)
    deploy(installation, model, "steps: [shadow: 100%, assist, approve]\nguards: []\n")
    installation.until(lambda: newest(installation).state.suggests, "it may assist", 10.0)
    found: list[dict[str, Any]] = []

    def suggests() -> bool:
        found[:] = callers.client.predict("late", [{"f0": 1.0, "f1": 1.0}])
        return "suggestion" in found[0]

    installation.until(suggests, "suggestions are told", 10.0)
    assert (found[0]["decides"], found[0]["suggestion"]) == ("human", 1)


@pytest.mark.full
def test_cases_are_reviewed_one_by_one(installation: Installation) -> None:
    """Given cases that wait, when two review, then each has cases of their own, and what is decided waits no more."""
    served(installation, more=f"{PEOPLE}review: {{double_percent: 0, lease: 2s}}\n")
    with Client(installation.url) as client:
        said = client.predict("late", [{"f0": float(place), "f1": 0.0} for place in range(3)])
        installation.until(lambda: control(installation, "GET", "reviews")[1]["cases"] == 3, "three wait", 10.0)
        status, first = control(installation, "GET", "reviews/next?reviewer=ann")
        assert (status, first["input_id"], first["features"]) == (200, said[0]["id"], {"f0": 0.0, "f1": 0.0})
        assert control(installation, "GET", "reviews/next?reviewer=ann")[1]["input_id"] == said[0]["id"]
        assert control(installation, "GET", "reviews/next?reviewer=bob")[1]["input_id"] == said[1]["id"]
        client.decide("late", [{"id": said[0]["id"], "decision": 1, "actor": "ann"}])
        installation.until(lambda: control(installation, "GET", "reviews")[1]["cases"] == 2, "one is decided", 10.0)
        assert control(installation, "GET", "reviews/next?reviewer=ann")[1]["input_id"] == said[2]["id"]
        assert control(installation, "GET", "reviews/next?reviewer=cid")[0] == 204, "all are with somebody"
        assert control(installation, "POST", f"reviews/{said[2]['id']}/skip?reviewer=ann")[0] == 200
        assert control(installation, "GET", "reviews/next?reviewer=ann")[0] == 204, "what was skipped does not return"
        assert control(installation, "GET", "reviews/next?reviewer=cid")[1]["input_id"] == said[2]["id"]
        time.sleep(2.1)
        assert control(installation, "GET", "reviews/next?reviewer=dot")[1]["input_id"] == said[1]["id"], "it came back"
        assert control(installation, "GET", "reviews/next")[0] == 422, "nobody reviews without a name"
        client.decide("late", [{"id": said[1]["id"], "decision": 1, "actor": "bob"} for _ in range(2)])
    with installation.open() as hg:
        installation.until(lambda: hg.counts("late").labelled == 2, "who decides twice is counted once", 10.0)
