"""What is measured of rollouts is judged right: the event that crossed the line, and what shadows cost."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.load import Row
from benchmarks.openloop import Offered
from tests.rollouts.tables import coins

from benchmarks import rollback, shadow
from headgate.evidence.allocation import AllocationTest
from headgate.rollouts.answers import Answers, Arms

ALPHA = 0.01
ROW = Row(1000.0, 1.0, 2.0, 0, 0.99, 0.05)


def arms(failed: list[bool], ours: list[bool]) -> Arms:
    count = len(failed)
    numbers, never = np.zeros(count), np.zeros(count, np.bool_)
    answers = Answers(np.arange(count), numbers, None, numbers, np.array(failed), numbers, never)
    return Arms(answers, np.array(ours), np.full(count, 0.5))


def test_the_event_that_crosses_the_line_is_the_first_with_which_the_test_rejects() -> None:
    random = np.random.default_rng(3)
    ours = coins(random, 400, 0.5)
    # Both fail now and then; from the hundredth input on the candidate fails whenever it is asked.
    by_chance = coins(random, 400, 0.05)
    failed = [by_chance[place] or (mine and place >= 100) for place, mine in enumerate(ours)]
    found = rollback.crossing(arms(failed, ours), ALPHA)
    assert found is not None
    assert found > 100
    assert failed[found]
    test, some = AllocationTest.worse(), arms(failed, ours)
    for end, rejects in ((found, False), (found + 1, True)):
        events = np.flatnonzero(some.answers.failed[:end])
        assert test.update(test.start(), some.candidate[events], some.shares[events]).rejects(ALPHA) is rejects


def test_without_evidence_nothing_crosses_the_line() -> None:
    assert rollback.crossing(arms([False] * 50, [True] * 50), ALPHA) is None
    assert rollback.crossing(arms([True, True], [True, False]), ALPHA) is None


def fall(*, obeyed: float = 101.5, last: float = 101.0, unanswered: int = 0) -> rollback.Fall:
    return rollback.Fall(rows=10, crossed=100.0, obeyed=obeyed, last=last, errors=12, unanswered=unanswered)


def test_a_rollback_is_as_slow_as_its_last_worker_or_the_candidates_last_row() -> None:
    assert [each["ok"] for each in rollback.gates([fall(), fall(obeyed=102.0)])] == [True, True]
    assert [each["ok"] for each in rollback.gates([fall(), fall(obeyed=102.01)])] == [False, True]
    assert [each["ok"] for each in rollback.gates([fall(last=102.01), fall()])] == [False, True]
    assert [each["ok"] for each in rollback.gates([fall(unanswered=1)])] == [True, False]


def stretch(p99_s: float, status: int = 200) -> Offered:
    due = 100 + np.arange(100) / 10
    return Offered(10.0, due, due, due + p99_s, np.array([200] * 99 + [status], np.int16), 0.3)


@pytest.mark.parametrize(
    ("with_a_shadow", "shadowed", "oks"),
    [
        ([0.010, 0.011, 0.0105], 990, [True, True, True, True]),
        ([0.012, 0.013, 0.0125], 989, [True, False, False, True]),
        ([0.008, 0.010, 0.0165], 1000, [True, False, True, True]),
    ],
    ids=["cheap", "dear and shed", "cheap on the whole, and nobody knows"],
)
def test_shadows_are_judged_by_the_upper_end_of_what_they_may_cost(
    with_a_shadow: list[float], shadowed: int, oks: list[bool]
) -> None:
    pairs = [(stretch(0.010), stretch(each)) for each in with_a_shadow]
    assert [each["ok"] for each in shadow.gates(shadow.Found(ROW, pairs, 1000, shadowed))] == oks


def test_where_requests_leave_late_without_a_shadow_nothing_is_said_of_shadows() -> None:
    late = replace(stretch(0.010), sent=stretch(0.010).due + 0.003)
    gates = shadow.gates(shadow.Found(ROW, [(late, stretch(0.010))] * 3, 100, 100))
    assert [each["ok"] for each in gates] == [True, True, True, False]


def test_a_request_nobody_answered_keeps_no_promise() -> None:
    pairs = [(stretch(0.010), stretch(0.010, status=503))] * 2
    assert shadow.gates(shadow.Found(ROW, pairs, 100, 100))[0]["ok"] is False
