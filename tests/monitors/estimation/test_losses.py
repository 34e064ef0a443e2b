"""Losses of a regression foretold from its features, where the error depends on them."""

import numpy as np
import pytest
from tests.monitors.estimation.models import honest, noisy

from headgate.evaluation.metrics import measure
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered
from headgate.monitors.domains import Domains, domains
from headgate.monitors.estimation.expectations import LossExpectation, Source
from headgate.monitors.estimation.expected import Foretold
from headgate.monitors.estimation.losses import LossModels, loss_models
from headgate.monitors.standing import Shortfall, Standing
from headgate.vocabulary import Task

NUMBER = np.array([False])


@pytest.fixture(scope="module")
def fitted() -> LossModels:
    made = loss_models(*noisy(4000, np.random.default_rng(31)), NUMBER)
    assert isinstance(made, LossModels)
    return made


def test_losses_follow_the_inputs(fitted: LossModels) -> None:
    window, features = noisy(3000, np.random.default_rng(32), centre=0.7)
    found = fitted.expect(Answered.of(window), features)
    assert isinstance(found, LossExpectation)
    realised = measure(Task.REGRESSION, window.truth, window.predicted, None, metrics=["mae", "rmse"])
    reference, _ = noisy(4000, np.random.default_rng(31))
    before = measure(Task.REGRESSION, reference.truth, reference.predicted, None, metrics=["mae", "rmse"])
    for name, each in found.foretold(np.ones(3000, dtype=np.bool_)).items():
        assert isinstance(each, Foretold)
        actual, was = realised[name].value, before[name].value
        assert actual is not None
        assert was is not None
        assert abs(each.reading.value - actual) < 0.4 * abs(was - actual), name


def test_what_it_is_worth_on_rows_not_fitted_on_is_measured(fitted: LossModels) -> None:
    assert fitted.excess.value is not None
    assert fitted.excess.low is not None
    assert fitted.excess.high is not None
    assert fitted.excess.low < 0.03
    assert fitted.excess.high > -0.03


def test_bad_windows_have_a_reason(fitted: LossModels) -> None:
    window, features = noisy(10, np.random.default_rng(33))
    assert window.predicted is not None
    other = fitted.expect(Answered.of(window), np.zeros((10, 3)))
    assert other == Shortfall(Standing.BROKEN, "the window has 3 columns of features where the reference had 1")
    holes = Answered(Task.REGRESSION, np.where(np.arange(10) < 3, np.nan, window.predicted), None)
    assert fitted.expect(holes, features) == Shortfall(Standing.BROKEN, "3 of 10 rows have no finite prediction")
    empty = fitted.expect(Answered.of(window).take(np.zeros(10, dtype=np.bool_)), features[:0])
    assert empty == Shortfall(Standing.UNDECIDED, "there are no answered rows")


def test_bad_references_have_a_reason() -> None:
    draw = np.random.default_rng(34)
    few = loss_models(*noisy(20, draw), NUMBER)
    assert few == Shortfall(Standing.UNDECIDED, "the reference has 20 labelled rows; 200 are needed to model losses")
    huge, features = noisy(300, draw)
    wild = Rows(Task.REGRESSION, huge.truth + 1e200, huge.predicted, None)
    found = loss_models(wild, features, NUMBER)
    assert found == Shortfall(Standing.BROKEN, "the reference's errors are too large to be reckoned with")
    assert isinstance(loss_models(honest(300, draw), features, NUMBER), Shortfall)


def test_a_weighed_reference_foretells_the_window_it_was_weighed_for() -> None:
    draw = np.random.default_rng(35)
    reference, before = noisy(3000, draw)
    window, after = noisy(2000, draw, centre=0.8)
    apart = domains(before, after, NUMBER)
    assert isinstance(apart, Domains)
    made = loss_models(reference, before, NUMBER, apart)
    assert isinstance(made, LossModels)
    found = made.expect(Answered.of(window), after)
    assert isinstance(found, LossExpectation)
    assert found.source is Source.REWEIGHTED
    realised = measure(Task.REGRESSION, window.truth, window.predicted, None, metrics=["mae"])["mae"]
    expected = found.foretold(np.ones(2000, dtype=np.bool_))["mae"]
    assert isinstance(expected, Foretold)
    assert expected.reading.value == pytest.approx(realised.value, rel=0.15)
    far = domains(before, after + 20, NUMBER)
    assert isinstance(far, Domains)
    beyond = loss_models(reference, before, NUMBER, far)
    assert isinstance(beyond, Shortfall)
    assert beyond.standing is Standing.UNDECIDED


def test_thousands_of_categories_are_read_as_the_frequent_ones_and_the_rest() -> None:
    draw = np.random.default_rng(36)
    reference, _ = noisy(400, draw)
    names = np.arange(400.0)[:, np.newaxis]
    made = loss_models(reference, names, np.array([True]))
    assert isinstance(made, LossModels)
    assert isinstance(made.expect(Answered.of(reference), names - 200), LossExpectation)


def test_answers_of_classes_have_no_losses_to_foretell(fitted: LossModels) -> None:
    found = fitted.expect(Answered.of(honest(50, np.random.default_rng(37))), np.zeros((50, 1)))
    assert found == Shortfall(Standing.BROKEN, "the reference is a regression's, and these answers are none")
