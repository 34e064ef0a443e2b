"""Places of scores: those of the definition, even over all orders, and the same again with the same seed."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import EDGES, Bags, Ints, Reference, draws, packed

SCORES = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, -7.0, 99.0]), min_size=1, max_size=40)


def by_definition(reference: Reference, before: Floats, scores: Floats, uniform: Floats) -> list[float]:
    known = reference.bins(before).tolist()
    found: list[float] = []
    for each, draw in zip(reference.bins(scores).tolist(), uniform, strict=True):
        known.append(each)
        larger, equal = sum(other > each for other in known), sum(other == each for other in known)
        found.append((larger + draw * equal) / len(known))
    return found


@settings(max_examples=50)
@given(SCORES, SCORES, st.integers(0, 40))
def test_places_are_those_of_the_definition(first: list[float], second: list[float], cut: int) -> None:
    before, scores = np.array(first), np.array(second)
    reference = Reference.of(np.array([0.0, 1.0, 2.0]), before, seed=5)
    bags, uniform = Bags([reference], [reference.counts]), draws(5, 0, len(scores))
    found: list[float] = []
    for rows in np.split(np.arange(len(scores)), [min(cut, len(scores))]):
        bins, at = reference.bins(scores[rows])[:, None], np.zeros(len(rows), np.int64)
        found += bags.places(bins, at, uniform[rows][:, None])[:, 0].tolist()
        bags.add(bins, at)
    assert found == pytest.approx(by_definition(reference, before, scores, uniform))
    assert bags.kept() == [Reference.of(np.array([0.0, 1.0, 2.0]), np.concatenate((before, scores))).counts]


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.integers(0, 2)), min_size=1, max_size=40))
def test_with_seasons_each_is_compared_within_its_own(rows: list[tuple[float, int]]) -> None:
    scores, at = np.array([each for each, _ in rows]), np.array([each for _, each in rows])
    before, earlier = np.arange(12.0) % 4, np.arange(12) % 3
    reference = Reference.of(np.array([1.0, 2.0]), before, at=earlier, seasons=3)
    uniform = draws(0, 0, len(rows))
    bins = reference.bins(scores)[:, None]
    found = Bags([reference], [reference.counts]).places(bins, at, uniform[:, None])[:, 0]
    for season in range(3):
        mine = at == season
        expected = by_definition(reference, before[earlier == season], scores[mine], uniform[mine])
        assert found[mine].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("scores", [[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 2.0, 3.0, 3.0], [2.0] * 5])
def test_over_all_orders_places_are_even_and_say_nothing_of_each_other(scores: list[float]) -> None:
    edges = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    low, high = [], []
    for order in itertools.permutations(scores):
        reference = Reference.of(edges, np.array(order[:2]))
        bags, bins = Bags([reference], [reference.counts]), reference.bins(np.array(order[2:]))[:, None]
        at = np.zeros(3, np.int64)
        low.append(bags.places(bins, at, np.zeros((3, 1)))[:, 0])
        high.append(bags.places(bins, at, np.ones((3, 1)))[:, 0])
    for thresholds in itertools.product((0.2, 0.5, 1.0), repeat=3):
        # With U even, p is even between its lowest and its highest, so P(p <= x) is a ratio of lengths.
        shares = np.clip((np.array(thresholds) - low) / (np.array(high) - low), 0.0, 1.0)
        assert shares.prod(axis=1).mean() == pytest.approx(np.prod(thresholds))


def test_draws_are_a_function_of_the_seed_and_the_place() -> None:
    whole = draws(2**64 - 1, 0, 100_000)
    assert (draws(2**64 - 1, 400, 50) == whole[400:450]).all()
    assert (whole[:1000] != draws(3, 0, 1000)).all()
    assert 0 < whole.min() < whole.max() < 1
    assert abs(np.sort(whole) - np.arange(0.5, 100_000) / 100_000).max() < 0.006
    assert abs(np.corrcoef(whole[1:], whole[:-1])[0, 1]) < 0.01


def test_lanes_with_different_bins_are_kept_apart() -> None:
    few, many = Reference.of(np.array([1.0]), np.ones(5)), Reference.of(np.arange(50.0), np.arange(20.0))
    bags = Bags([few, many], [few.counts, many.counts])
    bags.add(np.array([[1, 9]], np.int16), np.zeros(1, np.int64))
    assert [np.frombuffer(each, "<u4").sum() for each in bags.kept()] == [6, 21]
    bags.restart(np.array([True, False]))
    assert [np.frombuffer(each, "<u4").sum() for each in bags.kept()] == [5, 21]


def test_bins_are_few_however_many_scores_there_are() -> None:
    reference = Reference.of(np.random.default_rng(0).normal(size=5000), np.empty(0))
    assert reference.width == 2 * EDGES + 1
    assert Reference.of(np.arange(5000.0), np.empty(0), at=np.empty(0, np.int64), seasons=168).width == 31


def test_infinite_scores_are_the_largest_there_are() -> None:
    reference = Reference.of(np.array([0.0, np.inf]), np.array([-np.inf, 0.0, np.inf]))
    assert reference.bins(np.array([-np.inf, 0.0, 1e300, np.inf])).tolist() == [0, 1, 2, 3]
    assert msgspec.json.decode(msgspec.json.encode(reference), type=Reference) == reference


def test_what_is_no_score_or_season_is_refused() -> None:
    fitting, season = np.array([1.0]), np.array([0])
    with pytest.raises(BadInput, match="fitting"):
        Reference.of(np.empty(0), fitting)
    with pytest.raises(BadInput, match="scores"):
        Reference.of(fitting, np.array([np.nan]))
    with pytest.raises(BadInput, match="seasons"):
        Reference.of(fitting, fitting, at=season + 2, seasons=2)
    reference = Reference.of(fitting, fitting, at=season, seasons=2)
    with pytest.raises(BadInput, match="counts"):
        reference.unpacked(packed(np.ones((1, 3), np.int64)))
    with pytest.raises(BadInput, match="seasons"):
        Bags([reference, Reference.of(fitting, fitting)], [reference.counts, b""])


def test_counts_are_kept_alike_on_every_machine() -> None:
    counts: Ints = np.array([[0, 70_000]])
    assert packed(counts) == b"\0\0\0\0\x70\x11\x01\0"
