"""A field that arrives broken is told from one that drifts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.monitors.attribution.windows_of import CURRENT, ROWS, Floats

from headgate.monitors.attribution.faults import FaultKind, faults
from headgate.monitors.attribution.pooled import Field, pooled


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (lambda x: np.where(np.arange(len(x)) % 2, np.nan, x), FaultKind.MISSING),
        (lambda x: np.where(np.arange(len(x)) % 2, 0.0, x), FaultKind.FILLED),
        (lambda x: np.full(len(x), 7.0), FaultKind.FILLED),
        (lambda x: 1000 * x, FaultKind.UNIT),
        (lambda x: 0.3048 * x, FaultKind.UNIT),
        (lambda x: 1.8 * x + 32, FaultKind.UNIT),
        (lambda x: x, None),
        (lambda x: 1.2 * x, None),
        (lambda x: x + 10, None),
        (lambda x: x.astype(str), FaultKind.TYPE),
    ],
)
def test_a_broken_number_is_told_from_one_that_drifts(
    now: Callable[[Floats], NDArray[Any]], kind: FaultKind | None
) -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(50, 10, ROWS), random.normal(50, 10, ROWS)
    found = faults(pooled({"x": before}, {"x": now(after)}), CURRENT)
    assert [each.kind for each in found] == ([] if kind is None else [kind])


def test_a_skewed_number_that_grows_is_in_the_unit_it_was() -> None:
    amounts = np.random.default_rng(8).exponential(100.0, 2 * ROWS)
    for factor in (1.6, 2.5, 3.6, 4.2):
        assert faults([Field("amount", np.where(CURRENT, factor * amounts, amounts))], CURRENT) == ()
    assert faults([Field("amount", np.where(CURRENT, 100 * amounts, amounts))], CURRENT)[0].kind is FaultKind.UNIT


def test_a_value_that_was_common_may_come_more_often() -> None:
    random = np.random.default_rng(9)
    rain = random.exponential(1.0, 2 * ROWS) * (random.random(2 * ROWS) > np.where(CURRENT, 0.6, 0.2))
    assert faults([Field("rain", rain)], CURRENT) == ()
    assert faults([Field("rain", np.where(CURRENT, 0.0, rain))], CURRENT)[0].kind is FaultKind.FILLED


def test_names_never_seen_are_a_fault_unless_they_never_repeat() -> None:
    random = np.random.default_rng(4)
    codes = random.integers(5, size=2 * ROWS)
    spoken = np.where(CURRENT, np.char.add("C", codes.astype(str)), np.char.add("c", codes.astype(str)))
    [found] = faults([Field("code", spoken)], CURRENT)
    assert found.kind is FaultKind.UNKNOWN
    assert found.says == "has values that the reference never had in 100% of the current rows"
    assert faults([Field("id", np.arange(2 * ROWS).astype(str))], CURRENT) == ()


def test_what_was_often_missing_may_be_missing_more_often() -> None:
    """A gust that did not blow is no broken field, unless no gust is ever told again."""
    random = np.random.default_rng(5)
    blew = random.random(2 * ROWS) > np.where(CURRENT, 0.85, 0.5)
    gusts = np.where(blew, random.normal(30, 5, 2 * ROWS), np.nan)
    assert faults([Field("gust", gusts)], CURRENT) == ()
    assert faults([Field("gust", np.where(CURRENT, np.nan, gusts))], CURRENT)[0].kind is FaultKind.MISSING
