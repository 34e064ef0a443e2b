"""Two sets of rows told apart: not where nothing moved, well where something did, and how far they overlap."""

import numpy as np
import pyarrow as pa
import pytest

from headgate.monitors.domains import Domains, domains
from headgate.monitors.matrices import encoder_of, matrix
from headgate.monitors.standing import Shortfall, broken, undecided


def table(rows: int, draw: np.random.Generator, centre: float = 0.0, rare: float = 0.1) -> pa.Table:
    names = draw.choice(["a", "b", "c"], rows, p=[0.6 - rare, 0.4, rare])
    return pa.table({"x": draw.normal(centre, 1, rows), "y": draw.normal(size=rows), "name": names})


def compared(reference: pa.Table, window: pa.Table) -> Domains:
    encoder = encoder_of(reference)
    found = domains(matrix(encoder, reference), matrix(encoder, window), encoder.categorical)
    assert isinstance(found, Domains)
    return found


def test_nothing_moved_and_nothing_tells_them_apart() -> None:
    draw = np.random.default_rng(101)
    found = compared(table(1500, draw), table(800, draw))
    assert not found.drifted
    assert found.auc.value == pytest.approx(0.5, abs=0.05)
    assert found.beyond.value is not None
    assert found.beyond.value <= 0.005
    assert found.effective > 500
    assert found.covered > 0.8


def test_weights_are_the_ratio_of_densities() -> None:
    draw = np.random.default_rng(102)
    reference = table(4000, draw)
    found = compared(reference, table(4000, draw, centre=0.7))
    assert found.drifted
    x = reference["x"].to_numpy()
    true = np.exp(0.7 * x - 0.7**2 / 2)
    assert found.weights.mean() == pytest.approx(1.0)
    # The weighed reference has the window's mean, and weights follow the true ratio.
    assert float((found.weights * x).mean()) == pytest.approx(0.7, abs=0.12)
    assert np.corrcoef(np.log(found.weights), np.log(true))[0, 1] > 0.85


def test_learning_from_some_of_the_rows_leaves_the_ratio_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(107)
    reference, window = table(600, draw), table(4000, draw)
    monkeypatch.setattr("headgate.monitors.domains.MOST", 400)
    # All but a fold are 480 rows and 3,200: the ratio of those learnt from is another.
    assert 0.85 < compared(reference, window).covered <= 1.0


def test_categories_alone_can_tell() -> None:
    draw = np.random.default_rng(103)
    assert compared(table(2000, draw), table(2000, draw, rare=0.5)).drifted


def test_rows_of_a_new_kind_are_beyond() -> None:
    draw = np.random.default_rng(104)
    found = compared(table(1000, draw), table(1000, draw, centre=9.0))
    assert found.covered < 0.1
    assert found.auc.value is not None
    assert found.auc.value > 0.99


def test_too_few_rows_and_no_fields_are_undecided() -> None:
    few = domains(np.zeros((500, 1)), np.zeros((20, 1)), np.array([False]))
    assert few == undecided("the window has 20 rows; 100 are needed to compare the two")
    wider = domains(np.zeros((500, 1)), np.zeros((500, 2)), np.array([False]))
    assert wider == broken("the window has 2 columns of features where the reference has 1")
    assert isinstance(domains(np.zeros((500, 0)), np.zeros((500, 0)), np.zeros(0, dtype=np.bool_)), Shortfall)


def test_constant_missing_and_huge_columns_do_no_harm() -> None:
    draw = np.random.default_rng(105)
    rows = np.column_stack([np.ones(300), np.full(300, np.nan), draw.normal(size=300) * 5e307])
    found = domains(rows[:150], rows[150:], np.array([False, False, False]))
    assert isinstance(found, Domains)
    assert np.isfinite(found.weights).all()


def test_thousands_of_categories_are_read_as_the_frequent_ones_and_the_rest() -> None:
    draw = np.random.default_rng(106)
    names = draw.integers(0, 5000, 2000).astype(str)
    found = compared(pa.table({"n": names[:1000]}), pa.table({"n": names[1000:]}))
    assert found.auc.value is not None
