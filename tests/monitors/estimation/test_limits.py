"""What an estimate takes for granted: named where it does not hold, and seldom where it does."""

import numpy as np
import pytest
from tests.monitors.estimation.followed import after, founded, limit
from tests.monitors.estimation.models import CLASSES, binary, honest, overconfident, shifting

from headgate.evaluation.rows import UNLABELLED, Rows
from headgate.monitors.answered import Answered
from headgate.monitors.domains import domains
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.performance import performance
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task

DRAW = np.random.default_rng(51)
REFERENCE = overconfident(5000, DRAW)
WINDOW = overconfident(2000, DRAW)


@pytest.fixture(scope="module")
def made() -> Footing:
    return founded(REFERENCE)


def test_a_changed_relation_is_seen_once_labels_contradict(made: Footing) -> None:
    draw = np.random.default_rng(53)
    chance = draw.beta(1.5, 2.5, 2000)
    turned = binary(1 - chance, chance, draw)
    assert limit(after(made, 0, turned), "relation") is None
    doubted = after(made, 300, turned)
    assert limit(doubted, "relation") is False
    assert "contradict the estimate" in doubted.doubts[0].sentence
    assert limit(after(made, 300, WINDOW), "relation") is True


def test_labels_that_are_no_random_sample_are_named(made: Footing) -> None:
    assert WINDOW.scores is not None
    said = Answered.of(WINDOW)
    easy = np.abs(WINDOW.scores[:, 1] - 0.5) > 0.45
    found = performance(made, cbpe(made, said), said, np.where(easy, WINDOW.truth, UNLABELLED))
    assert limit(found, "selection") is False
    assert limit(after(made, 500, WINDOW), "selection") is True


def test_small_windows_and_unseen_inputs_are_named(made: Footing) -> None:
    draw = np.random.default_rng(54)
    assert limit(after(made, 0, overconfident(100, draw)), "size") is False
    assert limit(after(made, 0, overconfident(20_000, draw)), "size") is True
    reference, before = shifting(1000, 0.0, draw)
    window, beyond = shifting(1000, 6.0, draw)
    far = domains(before, beyond, np.array([False, False]))
    assert not isinstance(far, Shortfall)
    ready = founded(reference)
    found = performance(ready, cbpe(ready, Answered.of(window)), Answered.of(window), domains=far)
    assert limit(found, "support") is False
    assert limit(after(made, 0, WINDOW), "support") is None


def test_label_noise_in_the_reference_shows_as_calibration_and_never_as_nan() -> None:
    draw = np.random.default_rng(55)
    clean = honest(3000, draw)
    noise = draw.random(3000) < 0.3
    wrong = np.where(noise, 1 - clean.truth, clean.truth)
    ready = founded(Rows(Task.BINARY, wrong, clean.predicted, clean.scores, CLASSES))
    assert ready.calibration is not None
    assert ready.calibration.changes
    found = performance(ready, cbpe(ready, Answered.of(clean)), Answered.of(clean))
    assert all(each.estimate.value is not None and np.isfinite(each.estimate.value) for each in found.figures.values())


def test_limits_that_hold_are_seldom_taken_for_broken() -> None:
    draw = np.random.default_rng(57)
    sure = np.full(1000, 0.99)
    doubted, runs = 0, 40
    for _ in range(runs):
        made = founded(binary(draw.beta(40, 1, 1000), sure, draw))
        window = binary(draw.beta(40, 1, 400), sure[:400], draw)
        found = after(made, 30, window)
        doubted += limit(found, "relation") is False
        accuracy = found.figures["accuracy"].estimate
        assert accuracy.low is not None
        assert accuracy.high is not None
        assert accuracy.high - accuracy.low > 0.005
    # Once in 370 windows: two or more of 40 come up once in 180 such tests.
    assert doubted <= 1
