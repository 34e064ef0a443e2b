"""Warnings that neighbours are alike: seldom without cause, always with one, and none of a season that is known."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Reference
from headgate.evidence.serial import ALPHA, Serial, serial_within


def leaning(rows: int, on_the_last: float, seed: int) -> Floats:
    """Normal scores of which each leans on the one before."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=rows)
    for each in range(1, rows):
        scores[each] = on_the_last * scores[each - 1] + math.sqrt(1 - on_the_last**2) * scores[each]
    return scores


@given(st.lists(st.floats(0.0, 1.0), max_size=60), st.integers(0, 60))
def test_cut_anywhere_and_kept_in_between_it_is_the_same(p_values: list[float], cut: int) -> None:
    whole, values = Serial().moved(np.array(p_values)), np.array(p_values)
    kept = msgspec.json.decode(msgspec.json.encode(Serial().moved(values[:cut])), type=Serial)
    parts = kept.moved(values[cut:])
    assert parts.mixture.log_weights == pytest.approx(whole.mixture.log_weights, abs=1e-9)
    assert (parts.latest, parts.mixture.updates) == (whole.latest, whole.mixture.updates)


@pytest.mark.parametrize("runs", [600, pytest.param(6000, marks=pytest.mark.slow)])
def test_without_cause_it_warns_no_more_often_than_it_says(runs: int) -> None:
    random = np.random.default_rng(1)
    wrong = sum(Serial().moved(random.random(500)).warns(0.05) for _ in range(runs)) / runs
    assert wrong <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert ALPHA < 0.05


@pytest.mark.parametrize(("on_the_last", "warns"), [(0.0, 0), (0.3, 10)])
def test_it_warns_of_scores_that_lean_on_the_last(on_the_last: float, warns: int) -> None:
    found = [leaning(2000, on_the_last, seed) for seed in range(10)]
    assert sum(serial_within(Reference.of(each[::4], each[:0]), each).warns() for each in found) == warns


def test_a_season_that_is_known_makes_no_neighbours_alike() -> None:
    at = np.arange(3000) // 10 % 3
    scores = np.random.default_rng(2).normal(size=3000) + 2.0 * at
    blind, aware = (Reference.of(scores[::4], scores[:0], at=at[:0], seasons=each) for each in (1, 3))
    assert serial_within(blind, scores).warns()
    assert not serial_within(aware, scores, at).warns()


def test_scores_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="scores"):
        serial_within(Reference.of(np.ones(1), np.ones(1)), np.array([np.nan]))


def test_what_was_found_is_known_after_it_begins_anew() -> None:
    found = Serial().moved(np.tile([0.1, 0.2, 0.1, 0.9, 0.8, 0.9], 200))
    anew = found.renewed()
    assert found.warns()
    assert anew.warns()
    assert anew.moved(np.array([0.1, 0.9])).warns()
    assert (anew.latest, anew.mixture) == (None, Serial().mixture)
    assert not Serial().moved(np.tile([0.1, 0.9], 200)).renewed().warns()
