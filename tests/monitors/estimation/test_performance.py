"""One window from no label to all of them: figures turn from estimated to realised."""

import msgspec
import numpy as np
import pytest
from tests.monitors.estimation.followed import after, founded, limit
from tests.monitors.estimation.models import CLASSES, binary, noisy, overconfident

from headgate.errors import BadInput
from headgate.evaluation.metrics import measure
from headgate.evaluation.rows import UNLABELLED, Rows
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.expectations import ClassExpectation, Source
from headgate.monitors.estimation.expected import EXPECTED
from headgate.monitors.estimation.figure import Performance
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.losses import LossModels, loss_models
from headgate.monitors.estimation.performance import performance
from headgate.monitors.standing import Standing, broken
from headgate.vocabulary import Task

DRAW = np.random.default_rng(51)
REFERENCE = overconfident(5000, DRAW)
WINDOW = overconfident(2000, DRAW)


@pytest.fixture(scope="module")
def made() -> Footing:
    return founded(REFERENCE)


@pytest.mark.parametrize(
    ("labels", "source"),
    [(0, Source.ESTIMATED), (29, Source.ESTIMATED), (400, Source.CORRECTED), (1950, Source.REALISED)],
)
def test_the_source_follows_the_labels(made: Footing, labels: int, source: Source) -> None:
    found = after(made, labels, WINDOW)
    assert {each.source for each in found.figures.values()} == {source}
    assert found.coverage == labels / 2000
    assert all(each.standing is Standing.MEASURED for each in found.figures.values())


def test_intervals_narrow_and_the_value_ends_at_what_was_measured(made: Footing) -> None:
    widths = []
    for labels in (60, 600, 1800):
        each = after(made, labels, WINDOW).figures["accuracy"].estimate
        assert each.low is not None
        assert each.high is not None
        widths.append(each.high - each.low)
    assert widths[0] > widths[1] > widths[2]
    whole = after(made, 2000, WINDOW).figures["accuracy"].estimate
    assert whole == measure(Task.BINARY, WINDOW.truth, WINDOW.predicted, WINDOW.scores, (0, 1))["accuracy"]


def test_estimates_lie_within_their_interval_of_what_labels_say_later() -> None:
    hits, runs = dict.fromkeys(EXPECTED, 0), 60
    draw = np.random.default_rng(52)
    for _ in range(runs):
        made = founded(overconfident(2000, draw))
        window = overconfident(500, draw)
        estimated, realised = after(made, 0, window), after(made, 500, window)
        for name in made.metrics:
            guess, truth = estimated.figures[name].estimate, realised.figures[name].estimate.value
            assert guess.low is not None
            assert guess.high is not None
            assert truth is not None
            hits[name] += guess.low <= truth <= guess.high
    # Three standard errors of 95 % in 60 runs are 8.4 points.
    assert min(hits.values()) >= 52, hits


def test_intervals_hold_where_a_class_is_rarer_than_in_the_reference(made: Footing) -> None:
    draw = np.random.default_rng(59)
    names, runs = ("accuracy", "recall", "auc", "brier"), 100
    hits = dict.fromkeys(names, 0)
    for _ in range(runs):
        chance = draw.beta(0.7, 6, 800)
        window = binary(chance, chance, draw, at=0.2)
        said = Answered.of(window)
        assert said.scores is not None
        sure = ClassExpectation(said, said.scores, made.metrics, learnt_on=1e9)
        realised = measure(Task.BINARY, window.truth, window.predicted, window.scores, (0, 1), metrics=names)
        figures = performance(made, sure, said).figures
        for name in names:
            each, truth = figures[name].estimate, realised[name].value
            assert each.low is not None
            assert each.high is not None
            assert truth is not None
            hits[name] += each.low <= truth <= each.high
    # Three standard errors of 95 % in 100 runs are 6.5 points. By the reference's spread recall has 77.
    assert min(hits.values()) >= 89, hits


def test_nothing_to_expect_and_no_labels_says_why(made: Footing) -> None:
    said = Answered(Task.BINARY, WINDOW.predicted, None, CLASSES)
    found = performance(made, cbpe(made, said), said)
    accuracy = found.figures["accuracy"]
    assert accuracy.standing is Standing.BROKEN
    assert accuracy.estimate.value is None
    assert accuracy.sentence.startswith("accuracy is broken: the model gives no scores")
    assert found.limits == ()


def test_nothing_to_expect_but_a_few_labels_are_better_than_nothing(made: Footing) -> None:
    said = Answered(Task.BINARY, WINDOW.predicted, None, CLASSES)
    truth = np.where(np.arange(2000) < 100, WINDOW.truth, UNLABELLED)
    found = performance(made, cbpe(made, said), said, truth)
    assert found.figures["accuracy"].source is Source.REALISED
    assert found.figures["accuracy"].estimate.rows == 100
    assert found.figures["auc"].estimate.value is None


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_windows_of_almost_nothing(made: Footing, rows: int) -> None:
    for labels in range(rows + 1):
        window = WINDOW.take(np.arange(rows))
        for each in after(made, labels, window).figures.values():
            value = each.estimate.value
            assert (value is None) == (each.standing is not Standing.MEASURED)
            assert value is None or np.isfinite(value)
            assert value is not None or each.estimate.reason


def test_labels_for_other_rows_and_a_confidence_in_per_cent_are_refused(made: Footing) -> None:
    said = Answered.of(WINDOW)
    with pytest.raises(BadInput, match="3 labels for 2,000 answers"):
        performance(made, cbpe(made, said), said, np.zeros(3))
    with pytest.raises(BadInput, match="between 0 and 1"):
        performance(made, cbpe(made, said), said, confidence=95.0)


def test_a_regression_from_no_label_to_all() -> None:
    draw = np.random.default_rng(56)
    reference, before = noisy(2000, draw)
    window, now = noisy(1000, draw)
    made, models = founded(reference), loss_models(reference, before, np.array([False]))
    assert isinstance(models, LossModels)
    said = Answered.of(window)
    for labels, source in ((0, Source.ESTIMATED), (200, Source.CORRECTED), (1000, Source.REALISED)):
        truth = np.where(np.arange(1000) < labels, window.truth, np.nan)
        found = performance(made, models.expect(said, now), said, truth, excess=models.excess)
        assert {each.source for each in found.figures.values()} == {source}
        assert limit(found, "calibration") is True
        for each in found.figures.values():
            assert each.band is not None
            assert each.estimate.value is not None
            assert each.estimate.value == pytest.approx((each.band.low + each.band.high) / 2, rel=0.35)


def test_the_record_of_a_window_survives_being_kept(made: Footing) -> None:
    found = after(made, 300, WINDOW)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Performance) == found


def test_numbers_too_large_to_be_squared_have_no_band_and_say_so() -> None:
    draw = np.random.default_rng(58)
    plain, _ = noisy(500, draw)
    reference = Rows(Task.REGRESSION, plain.truth * 1e200, plain.predicted, None)
    made = founded(reference)
    assert (made.spreads, set(made.bands)) == ({}, set())
    assert msgspec.json.decode(msgspec.json.encode(made), type=Footing) == made
    said = Answered.of(plain)
    truth = np.where(np.arange(500) < 50, plain.truth, np.nan)
    found = performance(made, broken("losses cannot be modelled"), said, truth)
    assert found.figures["mae"].source is Source.REALISED
    assert found.figures["rmse"].outside is None
    assert performance(made, broken("losses cannot be modelled"), said).figures["mae"].standing is Standing.BROKEN
