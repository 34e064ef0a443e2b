"""A comparison against counting by hand, and what must not change it."""

from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rollouts.comparison.spoken import (
    BINARY,
    INPUTS,
    LIVE,
    NUMBERS,
    SEVERAL,
    SHADOW,
    TENSORS,
    Said,
    features,
    live,
    of,
    rows_of,
    shadow,
    table,
)

from headgate.contracts.contract import Contract
from headgate.errors import BadInput
from headgate.evaluation.slices import OTHERS
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.pairs import pairs_of
from headgate.rollouts.comparison.values import Comparison, Failure, Nearer, Right


def numbers(*pairs: tuple[float, float, float | None]) -> list[Said]:
    rows = []
    for place, (ours, theirs, label) in enumerate(pairs):
        rows += [live(f"i{place:03}", ours, label=label), shadow(f"i{place:03}", theirs, label=label)]
    return rows


@given(INPUTS)
def test_counts_are_those_of_counting_by_hand(inputs: list[tuple[Any, Any, str | None]]) -> None:
    found = of(rows_of(inputs))
    asked = [each for each in inputs if each[:2] != (None, None)]
    spoke = [(isinstance(ours, str), isinstance(theirs, str)) for ours, theirs, _ in asked]
    both = [each for each in asked if isinstance(each[0], str) and isinstance(each[1], str)]
    assert found.inputs == len(asked)
    ways = Counter(spoke)
    assert (found.both, found.only_live) == (ways[True, True], ways[True, False])
    assert (found.only_candidate, found.neither) == (ways[False, True], ways[False, False])
    assert found.candidate.asked == sum(each[1] is not None for each in inputs)
    failed = Counter(each[1][1] or "no reason given" for each in inputs if isinstance(each[1], tuple))
    assert {each.reason: each.inputs for each in found.candidate.failures} == failed
    assert found.candidate.failed == failed.total()
    assert found.labelled == sum(label is not None for _, _, label in both)
    told = Counter((ours, theirs) for ours, theirs, _ in both)
    if found.confusion is not None:
        cells = {
            (row, column): count
            for row, counts in zip(found.confusion.classes, found.confusion.inputs, strict=True)
            for column, count in zip(found.confusion.classes, counts, strict=True)
            if count
        }
        assert cells == told
        apart = {(each.live, each.candidate): each.inputs for each in found.confusion.disagreements}
        assert apart == {pair: count for pair, count in told.items() if pair[0] != pair[1]}
    if both:
        assert found.agreement.value == pytest.approx(sum(ours == theirs for ours, theirs, _ in both) / len(both))
        assert found.agreement.low is not None
        assert found.agreement.high is not None
        assert 0 <= found.agreement.low <= (found.agreement.value or 0.0) <= found.agreement.high <= 1
    _check_judged(found, [each for each in both if each[2] is not None])


def _check_judged(found: Comparison, labelled: list[tuple[Any, Any, str | None]]) -> None:
    if not labelled:
        assert found.judged is None
        return
    judged = found.judged
    assert isinstance(judged, Right)
    ways = Counter((ours == label, theirs == label) for ours, theirs, label in labelled)
    assert (judged.both, judged.only_live) == (ways[True, True], ways[True, False])
    assert (judged.only_candidate, judged.neither) == (ways[False, True], ways[False, False])
    assert judged.labelled == len(labelled)
    assert judged.difference.value == pytest.approx(judged.candidate_error - judged.live_error)


@given(INPUTS)
def test_swapping_the_two_mirrors_everything(inputs: list[tuple[Any, Any, str | None]]) -> None:
    rows = table(rows_of(inputs))
    there = compare(pairs_of(rows, BINARY), BINARY)
    back = compare(pairs_of(rows, BINARY, live_roles=["shadow"], candidate_roles=["live"]), BINARY)
    assert (there.live, there.candidate) == (back.candidate, back.live)
    assert (there.only_live, there.only_candidate) == (back.only_candidate, back.only_live)
    assert (there.both, there.neither, there.agreement) == (back.both, back.neither, back.agreement)
    if there.confusion is not None:
        assert back.confusion is not None
        assert there.confusion.inputs == tuple(zip(*back.confusion.inputs, strict=True))
        ours = {(each.live, each.candidate, each.inputs) for each in there.confusion.disagreements}
        assert ours == {(each.candidate, each.live, each.inputs) for each in back.confusion.disagreements}
    if isinstance(there.judged, Right):
        assert isinstance(back.judged, Right)
        assert (there.judged.only_live, there.judged.neither) == (back.judged.only_candidate, back.judged.neither)
        assert there.judged.live_error == back.judged.candidate_error
        assert there.judged.difference.low == pytest.approx(-(back.judged.difference.high or 0.0), abs=1e-6)
    assert (there.live_cost, there.candidate_cost) == (back.candidate_cost, back.live_cost)
    assert [each.input_id for each in there.examples] == [each.input_id for each in back.examples]


SMALL = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(SMALL, SMALL, st.none() | SMALL), min_size=1, max_size=20))
def test_swapping_mirrors_numbers(inputs: list[tuple[float, float, float | None]]) -> None:
    there = of(numbers(*inputs), NUMBERS, pa.float64())
    back = of(numbers(*((theirs, ours, label) for ours, theirs, label in inputs)), NUMBERS, pa.float64())
    assert there.tolerance == back.tolerance
    assert there.agreement == back.agreement
    assert there.differences is not None
    assert back.differences is not None
    assert there.differences.bins == back.differences.bins[::-1]
    assert sum(there.differences.bins) == there.both
    assert there.differences.mean == pytest.approx(-back.differences.mean, abs=1e-6)
    if isinstance(there.judged, Nearer):
        assert isinstance(back.judged, Nearer)
        assert (there.judged.live, there.judged.alike) == (back.judged.candidate, back.judged.alike)
        assert there.judged.labelled == there.labelled


@given(INPUTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(inputs: list[tuple[Any, Any, str | None]], random: Any) -> None:
    rows = rows_of(inputs)
    turned = random.sample(rows, len(rows))
    assert of(turned) == of(rows)


@given(INPUTS)
@settings(max_examples=30)
def test_it_comes_back_from_json(inputs: list[tuple[Any, Any, str | None]]) -> None:
    found = of(rows_of(inputs))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


@pytest.mark.parametrize(
    ("contract", "value"),
    [(BINARY, pa.string()), (NUMBERS, pa.float64()), (SEVERAL, pa.string()), (TENSORS, pa.string())],
)
def test_nothing_at_all_is_told_as_such(contract: Contract, value: pa.DataType) -> None:
    found = of([], contract, value)
    assert (found.inputs, found.both, found.first, found.judged, found.examples) == (0, 0, None, None, ())
    assert found.agreement.value is None
    assert found.agreement.reason == "no input was answered by both"
    assert found.notes == ("live was asked nothing", "shadow was asked nothing")


def test_a_shadow_that_only_fails_is_told_as_such() -> None:
    rows = [
        live("a"),
        shadow("a", None, fallback="timeout"),
        live("b"),
        shadow("b", None, fallback="timeout"),
        live("c"),
    ]
    found = of(rows)
    assert (found.both, found.only_live, found.candidate.failed) == (0, 3, 2)
    assert found.candidate.failures == (Failure("timeout", 2),)
    assert found.notes[0] == f"{SHADOW} answered none of the 2 inputs it was asked about"
    assert found.notes[1].startswith(f"{SHADOW} was asked about 2 of 3 inputs")


def test_one_class_alone() -> None:
    found = of([each for name in "abc" for each in (live(name, label="no"), shadow(name, label="no"))])
    assert found.confusion is not None
    assert (found.confusion.classes, found.confusion.inputs, found.confusion.disagreements) == (("no",), ((3,),), ())
    assert found.agreement.value == 1.0
    assert found.examples == ()


def test_scores_are_subtracted() -> None:
    rows = []
    for place, (ours, theirs) in enumerate([(0.2, 0.35), (0.4, 0.9), (0.5, 0.5), (0.8, 0.7)]):
        for role, score in (("live", ours), ("shadow", theirs)):
            said = "yes" if score > 0.5 else "no"
            rows.append(Said(f"i{place}", role, said, scores=[1 - score, score], label="yes"))
    found = of([*rows, live("z"), shadow("z", "yes")])
    assert found.differences is not None
    assert (found.differences.of, found.differences.inputs) == ("score of yes", 4)
    assert found.differences.mean == pytest.approx(0.1375)
    assert dict(found.differences.quantiles)[50.0] == pytest.approx(0.075)
    assert found.differences.width == pytest.approx(0.05)
    bins = found.differences.bins
    assert (len(bins), bins[8], bins[10], bins[13], bins[20]) == (21, 1, 1, 1, 1)
    assert [each.input_id for each in found.examples] == ["i1", "z", "i0", "i3"], "first where the answers differ"
    assert (found.examples[0].live_score, found.examples[0].candidate_score) == (0.4, 0.9)
    assert found.examples[1].live_score is None


def test_of_several_classes_the_highest_scores_are_subtracted() -> None:
    rows = [
        live("a", "a", scores=[0.6, 0.3, 0.1]),
        shadow("a", "a", scores=[0.8, 0.1, 0.1]),
        live("b", "a", scores=[0.5, 0.3, 0.2]),
        shadow("b", "c", scores=[0.1, 0.1, 0.8]),
    ]
    found = of(rows, SEVERAL)
    assert found.differences is not None
    assert found.differences.of == "highest score"
    assert found.differences.mean == pytest.approx(0.25)
    assert [each.input_id for each in found.examples] == ["b", "a"]


def test_many_classes_share_a_row_and_what_is_rare_is_counted() -> None:
    random = np.random.default_rng(5)
    said = [(f"c{random.integers(40)}", f"c{random.integers(40)}") for _ in range(3000)]
    rows = [
        each
        for place, (ours, theirs) in enumerate(said)
        for each in (live(f"{place}", ours), shadow(f"{place}", theirs))
    ]
    found = of(rows, SEVERAL)
    assert found.confusion is not None
    assert found.confusion.classes[-1] == OTHERS
    assert len(found.confusion.classes) == 12
    assert sum(map(sum, found.confusion.inputs)) == 3000
    listed = sum(each.inputs for each in found.confusion.disagreements)
    assert listed + found.confusion.rarer == sum(ours != theirs for ours, theirs in said)
    counts = [each.inputs for each in found.confusion.disagreements]
    assert counts == sorted(counts, reverse=True)


def test_numbers_are_compared_by_distance() -> None:
    rows = numbers((10.0, 10.5, 10.0), (20.0, 26.0, 25.0), (30.0, 29.0, 30.5), (40.0, 40.0, None), (50.0, 50.0, 51.0))
    found = of(rows, NUMBERS, pa.float64(), tolerance=1.0)
    assert found.tolerance == 1.0
    assert found.agreement.value == pytest.approx(0.8)
    judged = found.judged
    assert isinstance(judged, Nearer)
    assert (judged.live, judged.candidate, judged.alike) == (2, 1, 1)
    assert judged.live_error == pytest.approx((0 + 5 + 0.5 + 1) / 4)
    assert judged.candidate_error == pytest.approx((0.5 + 1 + 1.5 + 1) / 4)
    assert judged.difference.value == pytest.approx(-2.5 / 4)
    assert judged.balance.value == pytest.approx(0.25)
    assert [each.input_id for each in found.examples] == ["i001", "i002", "i000"]
    assert found.examples[0].label == 25.0


def test_what_counts_as_the_same_number_follows_the_spread() -> None:
    found = of(numbers(*((float(each), float(each) + 3, None) for each in range(101))), NUMBERS, pa.float64())
    assert found.tolerance == pytest.approx(0.05 * 92, rel=0.05)
    assert found.agreement.value == 1.0


def test_numbers_that_never_differ_have_one_bin() -> None:
    found = of(numbers((1.0, 1.0, 2.0), (1.0, 1.0, 2.0)), NUMBERS, pa.float64())
    assert found.differences is not None
    assert (found.differences.width, found.differences.bins[10]) == (0.0, 2)
    judged = found.judged
    assert isinstance(judged, Nearer)
    assert (judged.alike, judged.difference.value, judged.difference.low) == (2, 0.0, None)
    assert judged.difference.reason


def test_a_few_wild_differences_do_not_flatten_the_others() -> None:
    pairs = [(0.0, each / 100, None) for each in range(1000)] + [(0.0, 1e6, None)] * 3
    found = of(numbers(*pairs), NUMBERS, pa.float64())
    assert found.differences is not None
    assert found.differences.width == 1.0
    assert found.differences.bins[20] >= 3


def test_arrays_are_counted_and_timed_and_not_compared() -> None:
    found = of([live("a", "[1]"), shadow("a", "[2]"), live("b", "[1]")], TENSORS)
    assert (found.both, found.only_live, found.confusion, found.differences) == (1, 1, None, None)
    assert found.agreement.reason == "only the caller knows when two arrays mean the same"
    assert found.candidate_cost.compute_ms is not None


def test_cost_is_of_the_inputs_both_answered() -> None:
    rows = [
        live("a", compute_us=100, latency_us=1000, request_id="r"),
        live("b", compute_us=100, latency_us=3000, request_id="r"),
        live("c", compute_us=9000, latency_us=9000),
        shadow("a", compute_us=200, latency_us=2000),
        shadow("b", compute_us=400, latency_us=2000),
    ]
    found = of(rows)
    assert found.live_cost.compute_ms is not None
    assert found.live_cost.latency_ms is not None
    assert (found.live_cost.compute_ms.p99, found.live_cost.latency_ms.p50) == pytest.approx((0.1, 2.0))
    assert found.live_cost.compute_s_per_1000 == pytest.approx(0.05)
    assert found.candidate_cost.compute_s_per_1000 == pytest.approx(0.3)
    assert found.compute_ratio == pytest.approx(6.0)


def test_people_take_no_compute() -> None:
    rows = [Said("a", "human", "yes", compute_us=None, latency_us=None), live("a", "yes")]
    pairs = pairs_of(table(rows), BINARY, live_roles=["human"], candidate_roles=["live"])
    found = compare(pairs, BINARY)
    assert (found.live.name, found.candidate.name) == ("people", LIVE)
    assert (found.live_cost.compute_ms, found.live_cost.compute_s_per_1000, found.compute_ratio) == (None, None, None)


def test_names_differ() -> None:
    same = [live("a", assigned="m:1"), shadow("a", assigned="m:1")]
    found = of(same)
    assert (found.live.name, found.candidate.name) == ("m:1 (live)", "m:1 (shadow)")
    itself = compare(pairs_of(table(same), BINARY, candidate_roles=["live"]), BINARY)
    assert itself.live.name != itself.candidate.name
    mixed = of([live("a"), live("b", assigned="m:0"), shadow("a"), shadow("b")])
    assert (mixed.live.name, mixed.live.versions) == ("live", ("m:0", "m:1"))
    assert "live was more than one version: m:0, m:1; name one to compare it alone" in mixed.notes


def test_thin_labels_are_noted() -> None:
    rows = [each for name in "abcd" for each in (live(name), shadow(name))]
    labelled = [live("e", label="no"), shadow("e", label="no")]
    assert any(each.startswith("labels are known of 1 of 5 inputs") for each in of([*rows, *labelled]).notes)
    assert not any(each.startswith("labels") for each in of(labelled).notes)


def test_examples_have_public_features_alone() -> None:
    kept = {"a": {"carrier": "AA", "note": "x" * 300, "age": 41, "distance": float("inf"), "late": None}}
    found = of([live("a"), shadow("a", "yes")], features=features(kept))
    [example] = found.examples
    assert list(example.features) == ["carrier", "distance", "late", "note"]
    assert (example.features["carrier"], example.features["distance"]) == ("AA", None)
    assert len(str(example.features["note"])) == 200
    assert (example.live, example.candidate, example.label) == ("no", "yes", None)


def test_features_of_other_inputs_do_not_matter() -> None:
    rows = [live("a"), shadow("a", "yes"), live("b"), shadow("b", "yes")]
    found = of(rows, features=features({"z": {"carrier": "UA"}, "b": {"carrier": "DL"}}))
    assert [each.features for each in found.examples] == [{}, {"carrier": "DL"}]
    assert of(rows, features=features({"b": {"age": 3}})).examples[1].features == {}


def test_only_so_many_examples() -> None:
    rows = [
        each for place in range(30) for each in (live(f"{place:02}", at=place), shadow(f"{place:02}", "yes", at=place))
    ]
    assert [each.input_id for each in of(rows, most=3).examples] == ["00", "01", "02"]


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"tolerance": -1.0}, {"tolerance": float("nan")}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        of([live("a"), shadow("a")], **wrong)


def test_the_true_agreement_is_hardly_ever_left_out_however_often_somebody_looks() -> None:
    random, misses, runs, true = np.random.default_rng(21), 0, 60, 0.93
    for _ in range(runs):
        same = random.random(600) < true
        rows = [
            each
            for place, agrees in enumerate(same.tolist())
            for each in (live(f"{place:03}", at=place), shadow(f"{place:03}", "no" if agrees else "yes", at=place))
        ]
        whole = table(rows)
        pairs = (pairs_of(whole.slice(0, 2 * end), BINARY) for end in (100, 200, 300, 450, 600))
        looks = [compare(each, BINARY, alpha=0.1).agreement for each in pairs]
        misses += any(not (each.low or 0) <= true <= (each.high or 0) for each in looks)
    assert misses / runs <= 0.1
