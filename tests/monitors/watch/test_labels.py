"""Labels that stop coming are missed, those that never came are not, and what is usual stays so meanwhile."""

import numpy as np
from tests.monitors.joined import Row, moment
from tests.monitors.watch.rows import day_of

from headgate.monitors.alarms.terms import Budget, Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.labels import KNOWN, LEAST, Came, Labels, LabelState, misses
from headgate.monitors.watch.monitor import Over, Portion, Says, Told
from headgate.vocabulary import DAY, Micros

MONDAY = moment("2013-03-04")
MONITOR = Labels("default", "flights", Terms(Budget.of("at most one per 90 days", ("labels",))))


def day(number: int, coverage: float, rows: int = 200) -> Portion:
    start = MONDAY + number * DAY
    labelled = round(coverage * rows)
    return day_of([Row(at=start + each, label="no" if each < labelled else None) for each in range(rows)], start)


def fed(coverages: list[float], rows: int = 200) -> tuple[Says, list[Told]]:
    state, told = MONITOR.start(Micros(MONDAY)), list[Told]()
    for number, each in enumerate(coverages):
        state, said = MONITOR.take(state, day(number, each, rows))
        told += said
    return MONITOR.says(state), told


def test_labels_that_stop_are_missed_until_they_come_again_for_a_week() -> None:
    says, told = fed([0.8] * 7)
    assert (says.standing, told) == (Standing.STEADY, [])
    says, told = fed([0.8] * 7 + [0.1] * 9)
    assert (says.standing, says.since) == (Standing.ALARM, MONDAY + 8 * DAY)
    assert len(told) == 9, "nine days without labels make none of them usual"
    assert "20 of 200 (10 %)" in says.figures[0].value
    assert "80 % usually" in says.figures[0].limit
    says, told = fed([0.8] * 7 + [0.1] * 9 + [0.7] * 7)
    assert isinstance(told[-1], Over)
    assert says.standing is Standing.STEADY


def test_a_few_labels_fewer_are_no_alarm() -> None:
    assert fed([0.8] * 7 + [0.45] * 5)[1] == []
    assert fed([0.8] * 7 + [0.3] * 2, LEAST)[1] == [], "of so few nobody can be sure"


def test_where_labels_never_come_nothing_is_missed() -> None:
    says, told = fed([0.0] * 10)
    assert (says.standing, told) == (Standing.UNDECIDED, [])
    assert "label_maturity" in says.advice


def test_before_anything_is_usual_nothing_is_said() -> None:
    assert fed([])[0].standing is Standing.UNDECIDED
    assert fed([0.8] * KNOWN)[0].standing is Standing.UNDECIDED
    state, told = MONITOR.take(LabelState(), day(0, 0.8, LEAST - 1))
    assert (state, told) == (LabelState(), ())


def test_alarms_are_false_no_more_often_than_was_said() -> None:
    """Given days on which just half of the usual labels come, each by chance, one false alarm in 90 is allowed."""
    random, days = np.random.default_rng(0), 30_000
    came = (Came(Micros(MONDAY), each, 60) for each in random.binomial(60, 0.5, days).tolist())
    false = sum(misses(1.0, each, 1 / 90) for each in came)
    assert 0 < false <= days / 90 + 3 * (days / 90) ** 0.5
