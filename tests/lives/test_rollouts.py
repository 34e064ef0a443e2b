"""Runbooks of rollouts, one for each strategy: what an operator does, what callers see, how it ends.

Each takes many seconds, so `make test-full` runs a few of them; the others are long forms.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from headgate.app.facade import Headgate
from headgate.client import Client
from headgate.errors import Conflict
from headgate.events import first_broken
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import Installation
from headgate.vocabulary import SECOND

PATIENCE: Final = 90.0
UNHURRIED: Final = 0.1
"""Seconds between two requests of callers who have time."""
MOURNED: Final = 300.0
"""Patience while controllers die: the more of them, the longer the supervisor waits before it starts another."""
LABELLED: Final = "label_maturity: 1s\n"
RAMP: Final = "steps: [shadow: 100%, analysis, set_weight: 25%, pause: 1s, analysis, set_weight: 50%, analysis]\n"
LABELS: Final = "alpha: {roll_back: 0.01, promote: 0.05}\nguards:\n- metric: errors\n- metric: accuracy\n"
WINDOW: Final = "steps: [shadow: 100%, analysis, set_weight: 100%, pause: 2s]\n"
"""As `strategy: blue_green`, with a way back that closes after seconds in place of an hour."""
GENEROUS: Final = "rollouts: {alpha_per_year: 0.9, worse_per_year: 100}\n"
"""A year whose budget many promotions do not use up."""


class Callers:
    """Somebody who asks all the time, and tells the truth a moment later."""

    made: ClassVar[list[Client]] = []

    def __init__(self, installation: Installation, *, label: bool = True) -> None:
        self.client = Client(installation.url)
        self.made.append(self.client)
        self.answered: Counter[str] = Counter()
        self.label = label
        self.usual = 0.0
        """The mean of the first field of what it asks."""
        self._chance = random.Random(5)  # noqa: S311 - rows, not secrets

    def ask(self, count: int = 100) -> list[dict[str, Any]]:
        """Ask `count` rows at once; every one must be answered."""
        rows = [{"f0": self._chance.gauss(self.usual, 1), "f1": self._chance.gauss(0, 1)} for _ in range(count)]
        said = self.client.predict("late", rows)
        assert all("prediction" in each for each in said), said
        self.answered.update(each["version"] for each in said)
        if self.label:
            truths = [int(row["f0"] + 0.54 * row["f1"] > 0) for row in rows]
            self.client.label("late", [{"id": a["id"], "label": t} for a, t in zip(said, truths, strict=True)])
        return said


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path / "home") as found:
        yield found
        while Callers.made:
            Callers.made.pop().close()


def served(installation: Installation, *, bias: float) -> tuple[str, str, Callers]:
    """A live version that is always right, a candidate as near to it as its bias, and somebody to ask."""
    live, candidate = installation.linear(), installation.linear(bias=bias)
    installation.serve("late", {live: 1.0}, more=LABELLED)
    installation.start()
    return live, candidate, Callers(installation)


def newest(installation: Installation) -> Rollout:
    with installation.open() as hg:
        return hg.rollouts.history("late")[-1]


def deploy(installation: Installation, candidate: str, body: str) -> Rollout:
    with installation.open() as hg:
        return hg.deploy(f"endpoint: late\ncandidate: {candidate}\n{body}", force=True, why="a test")


def ask_until(callers: Callers, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}; so far {callers.answered}"
        callers.ask()
        time.sleep(0.01)


def seconds_until_all_hear(version: str, callers: Callers, hg: Headgate, order: Callable[[], object]) -> float:
    """How long it takes from before an order is given until nobody hears another version."""
    began = time.monotonic()
    order()
    hg.controller().reconcile()
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {version}, f"all hear {version}")
    return time.monotonic() - began


def phase_is(installation: Installation, phase: Phase) -> Callable[[], bool]:
    return lambda: newest(installation).state.phase is phase


def live_of(installation: Installation) -> str:
    with installation.open() as hg:
        return hg.traffic.read()["default", "late"].live


@pytest.mark.slow
def test_canary_a_good_version_is_promoted_by_itself(installation: Installation) -> None:
    """Given a live version and a candidate that hardly differs, when its rollout begins, then it takes all callers."""
    live, good, callers = served(installation, bias=0.001)
    callers.ask()
    deploy(installation, good, f"{RAMP}{LABELS}")
    ask_until(callers, phase_is(installation, Phase.PROMOTED), "it is promoted")
    ask_until(callers, lambda: live_of(installation) == good, "it owns the endpoint", 5.0)
    rollout = newest(installation)
    assert [each.action for each in rollout.moves].count(Action.STEP) == len(rollout.plan.steps)
    assert callers.answered[good] > 0
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {good}, "all callers hear it", 5.0)
    with installation.open() as hg:
        assert hg.rollouts.roll_back("late") == live, "and there is a way back"
        hg.controller().reconcile()
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {live}, "callers are back", 5.0)


@pytest.mark.full
def test_canary_a_bad_version_never_meets_a_caller(installation: Installation) -> None:
    """Given a candidate that is wrong on half of the rows, when it is a shadow first, then no caller ever hears it."""
    live, bad, callers = served(installation, bias=50.0)
    deploy(installation, bad, f"{RAMP}{LABELS}")
    ask_until(callers, phase_is(installation, Phase.ROLLED_BACK), "it is rolled back")
    assert set(callers.answered) == {live}
    assert "accuracy is worse" in newest(installation).state.why

    def only_live() -> bool:
        with installation.open() as hg:
            return [each.version for each in hg.traffic.read()["default", "late"].members] == [live]

    installation.until(only_live, "nobody is asked but the live version", 5.0)


@pytest.mark.slow
def test_canary_without_a_shadow_a_failing_version_costs_nobody_an_answer(installation: Installation) -> None:
    """Given a candidate that fails, when half of the callers are its own, then the live version answers for it."""
    live, failing = installation.scripted("echo"), installation.scripted("failing")
    installation.serve("late", {live: 1.0})
    installation.start()
    callers = Callers(installation, label=False)
    deploy(installation, failing, "steps: [set_weight: 50%, analysis]\nguards:\n- metric: errors\n")
    ask_until(callers, phase_is(installation, Phase.ROLLED_BACK), "it is rolled back")
    assert "errors is worse (split)" in newest(installation).state.why
    assert set(callers.answered) == {live}


@pytest.mark.slow
def test_shadow_a_person_reads_the_report_and_decides(installation: Installation) -> None:
    """Given a shadow whose guards hold, when a person approves, then it is promoted, and not before."""
    live, good, callers = served(installation, bias=0.001)
    deploy(installation, good, f"strategy: shadow\n{LABELS}")
    ask_until(callers, lambda: newest(installation).state.step == 2, "it waits for a person")
    assert set(callers.answered) == {live}
    with installation.open() as hg:
        status = hg.rollouts.status("late")
        assert status.judgement is not None
        assert {each.source for each in status.judgement.guards} == {"shadow"}
        hg.rollouts.order("late", Action.STEP, "the report reads well")
    ask_until(callers, phase_is(installation, Phase.PROMOTED), "it is promoted")
    assert "the report reads well" in [each.why for each in newest(installation).moves]


@pytest.mark.full
def test_blue_green_all_at_once_and_back_within_a_second(installation: Installation) -> None:
    """Given both versions ready, when a switch is ordered and taken back, then either takes less than a second."""
    live, good, callers = served(installation, bias=0.001)
    deploy(installation, good, f"strategy: blue_green\n{LABELS}")
    installation.until(lambda: newest(installation).state.step == 1, "it is to be a shadow")
    with installation.open() as hg:
        hg.controller().reconcile()
        installation.settled()
        switch = partial(hg.rollouts.order, "late", Action.STEP, "the report reads well")
        assert seconds_until_all_hear(good, callers, hg, switch) < 1.0
        assert newest(installation).state.weight == 1.0
        assert live_of(installation) == live, "the way back is open: the version before still owns the endpoint"
        back = partial(hg.rollouts.roll_back, "late", "a feeling")
        assert seconds_until_all_hear(live, callers, hg, back) < 1.0
    assert newest(installation).state.phase is Phase.ABORTED


@pytest.mark.slow
def test_blue_green_switches_by_itself_once_its_guards_have_decided(installation: Installation) -> None:
    """Given a shadow that hardly differs, when its guards have decided, then all callers are its own, and it stays."""
    live, good, callers = served(installation, bias=0.001)
    deploy(installation, good, f"{WINDOW}{LABELS}")
    ask_until(callers, lambda: newest(installation).state.weight == 1.0, "it has all callers")
    assert live_of(installation) == live, "the way back is open: the version before still owns the endpoint"
    ask_until(callers, phase_is(installation, Phase.PROMOTED), "it is promoted once the way back has closed")
    moves = newest(installation).moves
    assert [each.why for each in moves[1:4]] == [
        "every guard says that it may take more traffic",
        "it has taken effect",
        "the pause is over",
    ]
    assert moves[3].at - moves[2].at >= 2 * SECOND
    installation.until(lambda: live_of(installation) == good, "it owns the endpoint", 5.0)
    assert {each["version"] for each in callers.ask()} == {good}


@pytest.mark.slow
def test_blue_green_a_guard_takes_every_caller_back_while_the_way_back_is_open(installation: Installation) -> None:
    """Given a switch that was earned, when what callers ask shows a fault, then they are back within the hour."""
    live, bad, callers = served(installation, bias=4.0)
    callers.usual = 8.0  # where both versions say the same
    deploy(installation, bad, f"strategy: blue_green\n{LABELS}")
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {bad}, "all callers hear it")
    switched = newest(installation)
    assert (switched.state.weight, live_of(installation)) == (1.0, live)
    callers.usual = -2.0  # where the candidate is wrong
    ask_until(callers, phase_is(installation, Phase.ROLLED_BACK), "it is rolled back")
    rollout = newest(installation)
    assert "accuracy is worse (shadow)" in rollout.state.why
    assert rollout.moves[:-1] == switched.moves, "nothing but the evidence moved it in between"
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {live}, "all callers are back", 5.0)
    assert live_of(installation) == live


@pytest.mark.slow
def test_ab_test_ends_when_a_guard_has_decided(installation: Installation) -> None:
    """Given half of the callers each, when one is worse, then it is the one that ends."""
    live, bad, callers = served(installation, bias=50.0)
    deploy(installation, bad, f"strategy: ab_test\n{LABELS}")
    ask_until(callers, phase_is(installation, Phase.ROLLED_BACK), "it is rolled back")
    assert callers.answered[bad] > 0
    assert callers.answered[live] > 0


@pytest.mark.slow
def test_all_at_once_is_at_once(installation: Installation) -> None:
    """Given a plan that measures nothing, when it begins, then the candidate owns the endpoint a moment later."""
    live, good = installation.linear(), installation.linear(bias=0.001)
    installation.serve("late", {live: 1.0})
    installation.start()
    deploy(installation, good, "strategy: all_at_once\n")
    installation.until(phase_is(installation, Phase.PROMOTED), "it is promoted", 5.0)
    installation.until(lambda: live_of(installation) == good, "it owns the endpoint", 2.0)


@pytest.mark.full
def test_a_rollout_is_watched_until_it_ends(installation: Installation, tmp_path: Path) -> None:
    """Given a plan, when it is deployed and watched, then every move is told, and watching ends with the rollout."""
    live, good = installation.linear(), installation.linear(bias=0.001)
    installation.serve("late", {live: 1.0})
    installation.start()
    file = tmp_path / "rollout.yaml"
    steps = "steps: [set_weight: 50%, pause: 1s, set_weight: 100%]\nguards: []\n"
    file.write_text(f"endpoint: late\ncandidate: {good}\n{steps}")
    words = ("deploy", str(file), "--watch", "--force", "--home", str(installation.home.root))
    done = subprocess.run(headgate_argv(*words), capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("rollout 1 of late began: progressing, step 1 of 3")
    assert "step: the pause is over" in lines
    assert lines[-1] == f"  promoted: {good} has 100 % of the callers"
    assert newest(installation).state.phase is Phase.PROMOTED


@pytest.mark.slow
def test_a_person_pauses_resumes_and_aborts(installation: Installation) -> None:
    """Given a rollout under way, when a person orders, then it obeys, and nothing else may begin meanwhile."""
    live, good, callers = served(installation, bias=0.001)
    deploy(installation, good, f"{RAMP}{LABELS}")
    with pytest.raises(Conflict, match="is in rollout 1"):
        deploy(installation, good, "strategy: all_at_once\n")
    with installation.open() as hg, pytest.raises(Conflict, match="is in rollout 1"):
        hg.apply(f"endpoint: late\nmodel: {good}\n{LABELLED}", force=True)
    with installation.open() as hg:
        hg.rollouts.order("late", Action.PAUSE)
        with pytest.raises(Conflict, match="nothing to pause"):
            hg.rollouts.order("late", Action.PAUSE)
    for _ in range(30):
        callers.ask()
        time.sleep(0.05)
    paused = newest(installation)
    assert paused.state.phase is Phase.PAUSED
    with installation.open() as hg:
        hg.rollouts.order("late", Action.RESUME)
        hg.rollouts.order("late", Action.ABORT, "enough")
    assert newest(installation).state.phase is Phase.ABORTED
    callers.ask()
    assert live_of(installation) == live


class Deaths:
    """Controllers that are killed at random moments, so many of them, whatever they are doing."""

    def __init__(self, installation: Installation, count: int) -> None:
        self.left = count
        self._installation = installation
        self._chance = random.Random(9)  # noqa: S311 - moments, not secrets
        self._next = self._moment()

    def meanwhile(self, true: Callable[[], bool]) -> Callable[[], bool]:
        """The same condition; asking it kills the controller when its moment has come."""

        def asked() -> bool:
            if self.left and time.monotonic() >= self._next:
                self._kill()
            time.sleep(UNHURRIED)  # a controller that is started anew reads all of the rollout's rows
            return true()

        return asked

    def _kill(self) -> None:
        pid = self._installation.processes().get("controller")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self.left -= 1
        self._next = self._moment()

    def _moment(self) -> float:
        # From one that has hardly begun to one that has lived long enough to be started again at once.
        return time.monotonic() + self._chance.uniform(0.2, 6.0)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [pytest.param(3, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.slow)])
def test_controllers_killed_at_random_moments_change_nothing(installation: Installation, kills: int) -> None:
    """Given rollouts one after the other, when controllers are killed all the time, then each ends as if none was."""
    one, other, bad = installation.linear(), installation.linear(bias=0.001), installation.linear(bias=50.0)
    installation.serve("late", {one: 1.0}, more=f"{LABELLED}{GENEROUS}")
    installation.start()
    callers, deaths = Callers(installation), Deaths(installation, kills)

    def ends(candidate: str, phase: Phase, live: str) -> None:
        deploy(installation, candidate, f"{RAMP}{LABELS}")
        ask_until(callers, deaths.meanwhile(phase_is(installation, phase)), f"{candidate} is {phase}", MOURNED)
        as_if_nothing_had_happened(installation, callers, live)

    live, good = one, other
    while deaths.left:
        ends(bad, Phase.ROLLED_BACK, live)
        ends(good, Phase.PROMOTED, good)
        live, good = good, live
    assert callers.answered[bad] == 0


def as_if_nothing_had_happened(installation: Installation, callers: Callers, live: str) -> None:
    """The newest rollout has each of its moves once, in order; its endpoint, its traffic and its callers say the same.

    A bad one may be known for what it is as soon as it has begun, or after its first step has taken effect.
    """
    rollout = newest(installation)
    actions = [each.action for each in rollout.moves]
    if rollout.state.phase is Phase.PROMOTED:
        assert actions == [Action.STEP] * len(rollout.plan.steps) + [Action.PROMOTE]
    else:
        assert actions[-1:] == [Action.ROLL_BACK]
        assert actions[:-1] in ([], [Action.STEP])
    with installation.open() as hg:
        mine = [each for each in hg.events("late", limit=1000) if each.details.get("rollout") == rollout.number]
        assert [each.details["action"] for each in reversed(mine)] == [each.value for each in actions]
        assert first_broken(hg.audit()) is None

    def only_live() -> bool:
        with installation.open() as hg:
            traffic = hg.traffic.read()["default", "late"]
        shares = {each.version: each.weight for each in traffic.members if each.weight}
        return (traffic.live, shares, traffic.shadows) == (live, {live: 1.0}, [])

    ask_until(callers, only_live, f"{live} alone has the endpoint")
    ask_until(callers, lambda: {each["version"] for each in callers.ask()} == {live}, "all callers hear it", 5.0)
