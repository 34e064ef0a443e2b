"""Days beside the reference: what is worse is found, what is borne is not, and alarms are false as rarely as said."""

from dataclasses import replace

import msgspec
import numpy as np
from tests.monitors.joined import Row, moment
from tests.monitors.watch.rows import VERSION, day_of

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.report import Report, evaluate
from headgate.monitors.alarms.terms import Budget, Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.monitor import Over, Portion, Told
from headgate.monitors.watch.performance import LEAST, Performance, PerformanceState
from headgate.vocabulary import DAY, Micros, Task

MONDAY = moment("2013-03-04")
OUTPUT = Output(Task.BINARY, classes=("no", "yes"))
TERMS = Terms(Budget.of("at most one per 90 days", ("performance",)))


def answered(random: np.random.Generator, rows: int, accuracy: float) -> tuple[list[str], list[str], list[float]]:
    """Truths, predictions and scores of the second class."""
    truths = random.random(rows) < 0.5
    says = np.where(random.random(rows) < accuracy, truths, ~truths)
    scores = np.where(says, 0.8, 0.2)
    words = np.array(["no", "yes"])
    return words[truths.astype(int)].tolist(), words[says.astype(int)].tolist(), scores.tolist()


def reference(seed: int = 0, rows: int = 4000) -> Report:
    return evaluate(Task.BINARY, *answered(np.random.default_rng(seed), rows, 0.8), ("no", "yes"))


def labelled(random: np.random.Generator, rows: int, accuracy: float, day: int, report: Report | None) -> Portion:
    start = MONDAY + day * DAY
    told = zip(*answered(random, rows, accuracy), strict=True)
    made = [
        Row(at=start + place, label=truth, prediction=says, scores=[1 - score, score])
        for place, (truth, says, score) in enumerate(told)
    ]
    return day_of(made, start, report)


def monitor(report: Report | None, terms: Terms = TERMS) -> Performance:
    return Performance("default", "flights", VERSION, report, terms)


def test_a_drop_is_found_shown_with_its_figures_and_over_after_a_good_week() -> None:
    random, report = np.random.default_rng(1), reference()
    watched = monitor(report)
    state = watched.start(Micros(MONDAY))
    state, told = watched.take(state, labelled(random, 500, 0.8, 0, report))
    assert (told, watched.says(state).standing) == ((), Standing.STEADY)
    state, told = watched.take(state, labelled(random, 500, 0.6, 1, report))
    [found] = told
    assert not isinstance(found, Over)
    assert {"accuracy", "auc"} <= {each.name for each in found.evidence}
    says = watched.says(state)
    assert (says.standing, says.since) == (Standing.ALARM, MONDAY + 2 * DAY)
    assert "is worse than it was evaluated" in says.what
    assert "of 2013-03-05 is" in says.what
    assert "at most 1 per 90 days" in says.certainty
    over = list[Told]()
    for day in range(2, 9):
        assert over == []
        state, told = watched.take(state, labelled(random, 500, 0.8, day, report))
        over += told
    assert over == [Over(found.key, Micros(MONDAY + 9 * DAY))]
    assert watched.says(state).standing is Standing.STEADY


def test_a_day_with_few_labels_says_neither_that_it_goes_on_nor_that_it_is_over() -> None:
    random, report = np.random.default_rng(1), reference()
    watched = monitor(report)
    state = watched.start(Micros(MONDAY))
    state, _ = watched.take(state, labelled(random, LEAST - 1, 0.2, 0, report))
    assert watched.says(state).standing is Standing.UNDECIDED
    state, _ = watched.take(state, labelled(random, 500, 0.5, 1, report))
    state, told = watched.take(state, labelled(random, LEAST - 1, 0.8, 2, report))
    assert (told, watched.says(state).standing) == ((), Standing.ALARM)


def test_what_is_borne_is_not_found_and_without_a_reference_nothing_is() -> None:
    random, report = np.random.default_rng(1), reference()
    watched = replace(monitor(report), tolerance=0.3)
    state, told = watched.take(watched.start(Micros(MONDAY)), labelled(random, 3000, 0.7, 0, report))
    accuracy = [each for each in told if not isinstance(each, Over) and "accuracy" in str(each.evidence)]
    assert accuracy == []
    alone = monitor(None)
    state, told = alone.take(alone.start(Micros(MONDAY)), labelled(random, 3000, 0.1, 0, None))
    says = alone.says(state)
    assert (told, says.standing) == ((), Standing.UNDECIDED)
    assert f"headgate evaluate {VERSION}" in says.advice
    assert says.figures, "its figures are shown all the same"


def test_before_any_label_is_due_it_says_what_it_waits_for() -> None:
    watched = monitor(reference())
    state, told = watched.take(watched.start(Micros(MONDAY)), day_of([], MONDAY))
    assert (state, told) == (PerformanceState(), ())
    assert "label_maturity" in watched.says(state).advice


def test_alarms_are_false_no_more_often_than_was_said() -> None:
    """Over 150 days without any change, on a new reference every 15 days, three standard errors allowed."""
    random, periods, length = np.random.default_rng(7), 10, 15
    days = periods * length
    allowed = {"at most one per 2 days": days / 2, "at most 20 % per 10 days": 0.02 * days, "at most 10 % ever": 1.0}
    alarms = dict.fromkeys(allowed, 0)
    for period in range(periods):
        report = reference(period, 2000)
        portions = [labelled(random, 150, 0.8, day, report) for day in range(length)]
        for words in allowed:
            # Nothing is borne, so that the rate is tested and not the tolerance.
            watched = replace(monitor(report, Terms(Budget.of(words, ("performance",)))), tolerance=0.0)
            state = watched.start(Micros(MONDAY))
            for portion in portions:
                state, told = watched.take(state, portion)
                alarms[words] += sum(not isinstance(each, Over) for each in told)
    for words, most in allowed.items():
        assert alarms[words] <= most + 3 * most**0.5
    assert alarms["at most one per 2 days"] >= 0.02 * days, "there are false alarms at all where they are allowed"


def test_a_day_of_which_nothing_can_be_compared_is_not_said_to_be_fine() -> None:
    random, report = np.random.default_rng(1), reference()
    estimates = {name: unmeasured(each) for name, each in report.estimates.items()}
    nothing = msgspec.structs.replace(report, estimates=estimates)
    watched = monitor(nothing)
    state, told = watched.take(watched.start(Micros(MONDAY)), labelled(random, 500, 0.1, 0, nothing))
    says = watched.says(state)
    assert (told, says.standing, state.tests) == ((), Standing.UNDECIDED, 0)
    assert "no metric of 2013-03-04 can be compared with the evaluation" in says.what


def unmeasured(estimate: Estimate) -> Estimate:
    """The same, but that it could not be measured."""
    return msgspec.structs.replace(estimate, value=None, low=None, high=None, reason="no scores")
