"""Somebody else changes an endpoint's file between a look at it and the write: nothing of either is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.app import rollouts as verbs
from headgate.app.facade import Headgate
from headgate.app.orders import LOOKS
from headgate.app.rollouts import Rollouts
from headgate.errors import Conflict
from headgate.events import EventKind
from headgate.rollouts.observe import thresholds_before
from headgate.rollouts.rollout import Edit, Rollout
from headgate.rollouts.state import Action, Phase
from headgate.testing.installation import Installation
from headgate.traffic.endpoint import EndpointSpec

LATER = "endpoint: late\nmodel: linear:1\nlabel_maturity: 1d\n"
PLAN = "endpoint: late\ncandidate: linear:2\nsteps: [set_weight: 50%, approve]\nguards: []\n"
FORCED = "forced: ['linear:1', 'linear:2']\n"
"""In a file that has it, beginning a rollout of either changes nothing."""


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """An endpoint with two versions, the first of them live; nothing runs."""
    installation = Installation(tmp_path / "h")
    installation.linear()
    installation.linear(bias=1.0)
    installation.serve("late", {"linear:1": 1.0})
    return installation


@pytest.fixture
def hg(here: Installation) -> Iterator[Headgate]:
    with here.open() as found:
        yield found


@pytest.fixture
def other(here: Installation) -> Iterator[Headgate]:
    """The same installation in somebody else's hands."""
    with here.open() as found:
        yield found


def file(hg: Headgate) -> EndpointSpec:
    return hg.rollouts.declared.spec("default", "late")


def test_an_apply_does_not_undo_a_promotion(hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Rollouts.decides

    def looks(rollouts: Rollouts, spec: EndpointSpec, before: str | None) -> bool:
        decides = look(rollouts, spec, before)
        monkeypatch.undo()
        other.deploy(PLAN, force=True)
        other.rollouts.order("late", Action.PROMOTE)
        return decides

    monkeypatch.setattr(Rollouts, "decides", looks)
    with pytest.raises(Conflict, match="was changed meanwhile; look again"):
        hg.apply(LATER, force=True)
    assert (file(hg).model, file(hg).label_maturity) == ("linear:2", "0s")
    hg.apply(LATER, force=True)
    assert file(hg).label_maturity == "1d", "who has looked again may"


def test_a_rollout_begins_on_the_file_its_plan_was_checked_against(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looks(*words: Any) -> tuple[float, ...]:
        monkeypatch.undo()
        other.apply(LATER, force=True)
        return thresholds_before(*words)

    monkeypatch.setattr(verbs, "thresholds_before", looks)
    with pytest.raises(Conflict, match="was changed meanwhile"):
        hg.deploy(PLAN, force=True)
    assert hg.rollouts.history("late") == []
    assert (file(hg).label_maturity, file(hg).forced) == ("1d", ["linear:1"])
    assert hg.deploy(PLAN, force=True).number == 1
    assert (file(hg).label_maturity, file(hg).forced) == ("1d", ["linear:1", "linear:2"])


def test_a_promotion_does_not_undo_an_apply(hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch) -> None:
    hg.deploy(PLAN, force=True)
    read = Rollouts.promoted

    def reads(rollouts: Rollouts, rollout: Rollout) -> Edit:
        edit = read(rollouts, rollout)
        monkeypatch.undo()
        other.apply(LATER + FORCED, force=True)
        return edit

    monkeypatch.setattr(Rollouts, "promoted", reads)
    with pytest.raises(Conflict, match="was changed meanwhile"):
        hg.rollouts.order("late", Action.PROMOTE)
    assert hg.rollouts.history("late")[-1].state.phase is Phase.PROGRESSING
    assert hg.rollouts.order("late", Action.PROMOTE).state.phase is Phase.PROMOTED
    assert (file(hg).model, file(hg).label_maturity) == ("linear:2", "1d")


def test_a_way_back_does_not_undo_an_apply(hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch) -> None:
    hg.deploy(PLAN, force=True)
    hg.rollouts.order("late", Action.PROMOTE)
    look = Rollouts.history

    def looks(rollouts: Rollouts, endpoint: str) -> list[Rollout]:
        monkeypatch.undo()
        other.apply(LATER.replace("linear:1", "linear:2"), force=True)
        return look(rollouts, endpoint)

    monkeypatch.setattr(Rollouts, "history", looks)
    with pytest.raises(Conflict, match="was changed meanwhile"):
        hg.rollouts.roll_back("late")
    assert hg.rollouts.roll_back("late") == "linear:1"
    assert (file(hg).model, file(hg).label_maturity) == ("linear:1", "1d")


def begun_at_the_last_look(other: Headgate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever applies a file next finds no rollout when it looks, and one that has begun when it writes."""
    look = Rollouts.decides

    def looks(rollouts: Rollouts, spec: EndpointSpec, before: str | None) -> bool:
        monkeypatch.undo()
        decides = look(rollouts, spec, before)
        other.deploy(PLAN, force=True)
        assert other.rollouts.declared.file("default", "late")[0] == before, "the text alone would show nothing"
        return decides

    monkeypatch.setattr(Rollouts, "decides", looks)


def test_a_file_that_says_who_answers_does_not_slip_under_a_rollout(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hg.apply(LATER + FORCED, force=True)
    begun_at_the_last_look(other, monkeypatch)
    with pytest.raises(Conflict, match="is in rollout 1; wait for its end, or abort it"):
        hg.apply((LATER + FORCED).replace("model: linear:1", "model: linear:2"), force=True)
    assert file(hg).model == "linear:1"
    assert [each.kind for each in hg.events("late")].count(EventKind.APPLIED) == 2, "nothing is told that was not done"
    hg.rollouts.order("late", Action.ABORT)
    hg.apply((LATER + FORCED).replace("model: linear:1", "model: linear:2"), force=True)
    assert file(hg).model == "linear:2"


def test_a_file_that_leaves_that_alone_may_come_while_a_rollout_begins(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hg.apply(LATER + FORCED, force=True)
    begun_at_the_last_look(other, monkeypatch)
    hg.apply((LATER + FORCED).replace("1d", "2d"), force=True)
    assert (file(hg).label_maturity, hg.rollouts.status("late").state.phase) == ("2d", Phase.PROGRESSING)


def test_a_way_back_does_not_slip_under_a_rollout(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hg.apply(LATER + FORCED, force=True)
    hg.deploy(PLAN, force=True)
    hg.rollouts.order("late", Action.PROMOTE)
    look = Rollouts.history

    def looks(rollouts: Rollouts, endpoint: str) -> list[Rollout]:
        monkeypatch.undo()
        found = look(rollouts, endpoint)
        other.deploy(PLAN.replace("linear:2", "linear:1"), force=True)
        return found

    monkeypatch.setattr(Rollouts, "history", looks)
    with pytest.raises(Conflict, match="is in rollout 2"):
        hg.rollouts.roll_back("late")
    assert file(hg).model == "linear:2"
    assert [each.state.ended for each in hg.rollouts.history("late")] == [True, False]


@pytest.mark.parametrize("action", [Action.ABORT, Action.PROMOTE])
def test_an_order_counts_though_somebody_moved_the_rollout_at_that_moment(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    hg.deploy(PLAN, force=True)
    moves_at_once(monkeypatch, other, Action.PAUSE, Action.RESUME)
    found = hg.rollouts.order("late", action, "seen enough")
    assert found.state.ended
    assert [each.action for each in found.moves][-3:] == [Action.PAUSE, Action.RESUME, action]


def test_an_order_that_means_nothing_by_then_is_refused(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hg.deploy(PLAN, force=True)
    moves_at_once(monkeypatch, other, Action.ABORT)
    with pytest.raises(Conflict, match="there is nothing to promote"):
        hg.rollouts.order("late", Action.PROMOTE)
    assert file(hg).model == "linear:1"


def test_an_order_gives_up_where_the_rollout_never_stands_still(
    hg: Headgate, other: Headgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hg.deploy(PLAN, force=True)
    moves_at_once(monkeypatch, other, *[Action.PAUSE, Action.RESUME] * LOOKS)
    with pytest.raises(Conflict, match="moved meanwhile; look again"):
        hg.rollouts.order("late", Action.ABORT)
    assert not hg.rollouts.history("late")[-1].state.ended


def moves_at_once(monkeypatch: pytest.MonkeyPatch, other: Headgate, *actions: Action) -> None:
    """Have `other` move the rollout between each look at it and the write, as often as there are actions."""
    moved, left = Rollouts._moved, list(actions)

    def moves(rollouts: Rollouts, rollout: Rollout, action: Action, why: str) -> Rollout:
        if rollouts.actor != "somebody else" and left:
            other.rollouts.by("somebody else").order("late", left.pop(0))
        return moved(rollouts, rollout, action, why)

    monkeypatch.setattr(Rollouts, "_moved", moves)
