"""A rollout's report covers every step of it, the time after a switch among them, and what nobody answered."""

from collections.abc import Sequence
from typing import Any

from tests.rollouts.comparison.spoken import BINARY, LIVE, SHADOW, Said, live, shadow, table

from headgate.rollouts.comparison.asked import OF_VERSIONS, asked_of_both
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.pairs import pairs_of
from headgate.rollouts.comparison.values import Comparison, Failure

CANDIDATE = SHADOW
UNSEEN = {"assigned": LIVE}
"""What the live version says beside a candidate that has all callers."""


def canary(input_id: str, prediction: str | None = "no", **more: Any) -> Said:
    return Said(input_id, "canary", prediction, assigned=CANDIDATE, **more)


def reported(rows: Sequence[Said]) -> Comparison:
    ours, theirs = OF_VERSIONS
    joined = asked_of_both(table(rows), LIVE, CANDIDATE)
    versions = {"live_version": LIVE, "candidate_version": CANDIDATE}
    return compare(pairs_of(joined, BINARY, live_roles=ours, candidate_roles=theirs, **versions), BINARY)


def test_before_and_after_the_switch_both_are_compared() -> None:
    before = [live("a", "yes", at=1), shadow("a", "yes", at=1), live("b", "yes", at=2), shadow("b", "no", at=2)]
    after = [canary("c", "no", at=3), shadow("c", "no", at=3, **UNSEEN), canary("d", "yes", at=4)]
    found = reported([*before, *after, shadow("d", "yes", at=4, **UNSEEN)])
    assert (found.inputs, found.both, found.agreement.value) == (4, 4, 0.75)
    assert (found.live.name, found.candidate.name) == (LIVE, CANDIDATE)
    assert found.last == 4


def test_what_a_candidate_answers_while_callers_are_divided_is_compared_with_nothing() -> None:
    found = reported([live("a"), shadow("a"), canary("b"), canary("c", "yes"), live("d")])
    assert (found.inputs, found.both, found.only_live, found.only_candidate) == (2, 1, 1, 0)


def test_a_candidate_that_leaves_callers_unanswered_failed_on_them() -> None:
    rows = [
        canary("a"),
        shadow("a", **UNSEEN),
        shadow("b", refusal_rule="deadline", **UNSEEN),
        shadow("c", None, fallback="failed", refusal_rule="runtime", **UNSEEN),
        canary("d", "yes", fallback="failed"),
        shadow("d", "yes", **UNSEEN),
    ]
    found = reported(rows)
    assert (found.inputs, found.both, found.only_live, found.neither) == (4, 1, 2, 1)
    assert (found.live.asked, found.live.failures) == (4, (Failure("failed", 1),))
    assert found.candidate.asked == 4
    assert found.candidate.failures == (Failure("deadline", 1), Failure("failed", 1), Failure("runtime", 1))
    assert not any("was asked about" in each for each in found.notes)


def test_a_live_version_that_leaves_callers_unanswered_failed_on_them() -> None:
    found = reported([live("a"), shadow("a"), shadow("b", refusal_rule="runtime")])
    assert (found.live.asked, found.live.failures) == (2, (Failure("runtime", 1),))
    assert (found.both, found.only_candidate) == (1, 1)


def test_a_row_that_broke_its_contract_is_nobodys_failure() -> None:
    found = reported([live("a"), shadow("a"), Said("b", None, None, refusal_rule="range")])
    assert (found.inputs, found.live.failures, found.candidate.failures) == (1, (), ())
