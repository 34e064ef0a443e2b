"""Weights from a window's means: right where the ratio is log-linear, equal where nothing moved, bounded beyond."""

import numpy as np
import pyarrow as pa
import pytest

from headgate.monitors.estimation.reweighting import unweighable
from headgate.monitors.estimation.tilting import Means, basis_of, tilted
from headgate.monitors.matrices import matrix
from headgate.monitors.standing import Shortfall


def table(random: np.random.Generator, rows: int, centre: float = 0.0, share: float = 0.5) -> pa.Table:
    kind = np.where(random.random(rows) < share, "a", "b")
    return pa.table({"x": random.normal(centre, 1.0, rows), "kind": kind})


def test_weights_are_the_ratio_of_densities_of_a_moved_normal() -> None:
    random = np.random.default_rng(0)
    reference = table(random, 8000)
    basis = basis_of(reference)
    window = matrix(basis.encoder, table(random, 8000, 0.5, 0.8))
    found = tilted(basis, Means().added(basis.of(window)))
    assert found is not None
    x, kind = reference["x"].to_numpy(), np.array(reference["kind"].to_pylist())
    true = np.exp(0.5 * x - 0.125) * np.where(kind == "a", 0.8 / 0.5, 0.2 / 0.5)
    assert np.corrcoef(found.weights, true)[0, 1] > 0.97
    assert float(np.average(x, weights=found.weights)) == pytest.approx(0.5, abs=0.05)
    assert unweighable(found, 8000) is None


def test_means_add_up_however_they_come() -> None:
    random = np.random.default_rng(1)
    basis = basis_of(table(random, 500))
    rows = basis.of(matrix(basis.encoder, table(random, 300)))
    parts = Means().added(rows[:100]).added(rows[100:100]).added(rows[100:])
    whole = Means().added(rows)
    assert parts.rows == whole.rows
    assert np.allclose(parts.sums, whole.sums)


def test_a_window_like_the_reference_is_seldom_weighed() -> None:
    random = np.random.default_rng(2)
    basis = basis_of(table(random, 3000))
    windows = [Means().added(basis.of(matrix(basis.encoder, table(random, 500)))) for _ in range(200)]
    assert sum(tilted(basis, each) is not None for each in windows) <= 5


def test_a_window_far_from_the_reference_is_worth_few_rows() -> None:
    random = np.random.default_rng(3)
    basis = basis_of(table(random, 3000))
    found = tilted(basis, Means().added(basis.of(matrix(basis.encoder, table(random, 3000, 3.5)))))
    assert found is not None
    assert isinstance(unweighable(found, 3000), Shortfall)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"x": [1.0] * 300},
        {"x": pa.nulls(300, pa.float64())},
        {"x": pa.array([float("inf")] * 300)},
        {"x": [2**62 + each for each in range(300)]},
        {"x": [1e308 if each % 2 else -1e308 for each in range(300)]},
        {"x": [f"k{each}" for each in range(300)]},
        {"x": [[each] for each in range(300)]},
    ],
)
def test_columns_that_say_nothing_never_end_in_an_exception(columns: dict[str, object]) -> None:
    basis = basis_of(pa.table(columns))
    rows = matrix(basis.encoder, pa.table(columns))[:50]
    found = tilted(basis, Means().added(basis.of(rows)))
    assert found is None or bool(np.isfinite(found.weights).all())
