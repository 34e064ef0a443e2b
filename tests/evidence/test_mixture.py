"""A mixture is a value: where it is cut, what it is kept in and who adds to it change nothing."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest
from headgate.evidence.mixture import Floats, Mixture, check_alpha, log_sum

GAINS = arrays(np.float64, st.tuples(st.integers(0, 40), st.just(3)), elements=st.floats(-2.0, 0.7))
TEST = BettingTest(-1.0, 1.0, 0.1)


@given(GAINS, st.lists(st.integers(0, 40), max_size=5))
def test_it_is_the_same_to_the_last_bit_wherever_the_updates_are_cut(gains: Floats, cuts: list[int]) -> None:
    whole, pieces = Mixture.of(3).moved(gains), Mixture.of(3)
    for each in np.split(gains, sorted(min(cut, len(gains)) for cut in cuts)):
        pieces = pieces.moved(each)
    assert pieces == whole


def test_more_updates_than_fit_one_chunk_are_the_same_too() -> None:
    gains = np.random.default_rng(0).normal(-0.01, 0.1, size=(70_000, 2))
    pieces = Mixture.of(2)
    for each in np.array_split(gains, 7):
        pieces = pieces.moved(each)
    assert pieces == Mixture.of(2).moved(gains)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0, 0.3]), max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_updates_that_are_alike_count_as_often_as_they_came(values: list[float], cuts: list[int]) -> None:
    said = np.array(values, np.float64)
    one_by_one, fed = Mixture.of(16), Mixture.of(16)
    for each in said:
        one_by_one = one_by_one.moved(TEST.gains(np.array([each])))
    for piece in np.split(said, sorted(min(cut, len(said)) for cut in cuts)):
        fed = fed.fed(TEST.gains, piece)
    assert fed.log_weights == pytest.approx(one_by_one.log_weights, abs=1e-12)
    assert fed.log_peak == pytest.approx(one_by_one.log_peak, abs=1e-12)
    assert fed.updates == len(said)


@pytest.mark.parametrize("kinds", [2, 12, 13, 5000])
def test_however_many_kinds_of_updates_there_are(kinds: int) -> None:
    values = np.random.default_rng(1).integers(0, kinds, 20_000) / kinds
    whole = Mixture.of(16).moved(TEST.gains(values))
    fed = Mixture.of(16).fed(TEST.gains, values)
    assert fed.log_weights == pytest.approx(whole.log_weights)
    assert fed.log_peak == pytest.approx(whole.log_peak)
    assert fed.updates == whole.updates


@given(GAINS)
def test_it_comes_back_from_where_it_was_kept(gains: Floats) -> None:
    mixture = Mixture.of(3).moved(gains)
    assert msgspec.json.decode(msgspec.json.encode(mixture), type=Mixture) == mixture


@given(GAINS)
def test_its_peak_is_the_largest_evidence_there_was(gains: Floats) -> None:
    mixture, seen = Mixture.of(3), [0.0]
    for each in gains:
        mixture = mixture.moved(each[None, :])
        seen.append(mixture.log_e)
    assert mixture.log_peak == pytest.approx(max(seen), abs=1e-9)
    assert mixture.p_value == pytest.approx(math.exp(-max(seen)))
    assert mixture.rejects(0.5) == (mixture.log_peak >= math.log(2))


@given(GAINS, GAINS)
def test_evidence_of_two_workers_is_that_of_one_who_saw_all(one: Floats, two: Floats) -> None:
    merged = Mixture.of(3).moved(one).merged(Mixture.of(3).moved(two))
    alone = Mixture.of(3).moved(np.vstack((one, two)))
    assert merged.log_weights == pytest.approx(alone.log_weights)
    assert merged.updates == alone.updates
    assert merged.log_peak == pytest.approx(max(0.0, alone.log_e))


def test_evidence_of_different_tests_is_not_merged() -> None:
    with pytest.raises(BadInput, match="different tests"):
        Mixture.of(2).merged(Mixture.of(3))


def test_without_a_bet_there_is_no_evidence() -> None:
    with pytest.raises(BadInput, match="at least one bet"):
        Mixture.of(0)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_an_error_rate_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(BadInput, match="alpha"):
        check_alpha(alpha)


def test_sums_of_tiny_parts_do_not_vanish() -> None:
    assert log_sum(np.array([[-2000.0, -2000.0]]))[0] == pytest.approx(-2000.0 + math.log(2))
