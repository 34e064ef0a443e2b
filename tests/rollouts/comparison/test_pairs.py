"""Each input once, with what each side said of it, whatever the table looks like."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.rollouts.comparison.spoken import BINARY, NUMBERS, SEVERAL, TENSORS, Said, live, shadow, table

from headgate.contracts.contract import Contract, Output
from headgate.rollouts.comparison.pairs import UNSAID, Answers, Pairs, pairs_of
from headgate.vocabulary import Task


def said(pairs: Pairs, side: Answers) -> list[Any]:
    return [
        pairs.output.classes[code] if answered else None
        for code, answered in zip(side.said.tolist(), side.answered.tolist(), strict=True)
    ]


def reasons(side: Answers) -> list[str]:
    return [side.reasons[each] for each in side.reason.tolist() if each >= 0]


def of(rows: Sequence[Said], contract: Contract = BINARY, value: pa.DataType | None = None, **more: Any) -> Pairs:
    return pairs_of(table(rows, value), contract, **more)


def test_inputs_come_once_by_time_and_then_by_id() -> None:
    rows = [shadow("b", "yes", at=2), live("c", at=1), live("b", at=2), shadow("a", at=2), live("a", "yes", at=2)]
    pairs = of(rows)
    assert pairs.ids.tolist() == ["c", "a", "b"]
    assert said(pairs, pairs.live) == ["no", "yes", "no"]
    assert said(pairs, pairs.candidate) == [None, "no", "yes"]
    assert pairs.both.tolist() == [False, True, True]


def test_inputs_of_neither_are_left_out() -> None:
    rows = [live("a"), Said("b", None, None), Said("c", "canary"), Said("d", "pinned", assigned="m:9")]
    assert of(rows).ids.tolist() == ["a"]


def test_a_version_counts_by_assignment() -> None:
    rows = [live("a"), shadow("a", "yes"), shadow("a", "no", assigned="m:3"), shadow("b", assigned="m:3")]
    pairs = of(rows, candidate_version="m:3")
    assert pairs.ids.tolist() == ["a", "b"]
    assert pairs.candidate.versions == ("m:3",)
    assert said(pairs, pairs.candidate) == ["no", "no"]
    assert of(rows, live_version="m:7").live.asked.tolist() == [False, False]


def test_any_two_roles_can_be_compared() -> None:
    rows = [Said("a", "human", "maybe"), live("a", "yes"), shadow("a", "no")]
    pairs = of(rows, live_roles=["human"], candidate_roles=["live"])
    assert pairs.output.classes == ("no", "yes", "maybe"), "people may say what no contract knows"
    assert said(pairs, pairs.live) == ["maybe"]
    assert said(pairs, pairs.candidate) == ["yes"]


def test_an_answer_another_version_gave_is_none() -> None:
    rows = [live("a"), Said("a", "canary", "yes", assigned="m:2", fallback="timeout")]
    pairs = of(rows, candidate_roles=["canary"])
    assert pairs.candidate.asked.tolist() == [True]
    assert pairs.candidate.answered.tolist() == [False]
    assert reasons(pairs.candidate) == ["timeout"]


def test_failures_keep_their_reason() -> None:
    rows = [shadow("a", None, fallback="error"), shadow("b", None), shadow("c", None, fallback=None), live("a")]
    pairs = of(rows)
    assert reasons(pairs.candidate) == ["error", UNSAID, UNSAID]
    assert reasons(pairs.live) == []


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_answers_the_quickest_counts_and_an_answer_before_none(turned: bool) -> None:
    rows = [
        shadow("a", None, fallback="error", latency_us=1),
        shadow("a", "yes", latency_us=20),
        shadow("a", "no", latency_us=30),
        live("b", "yes", latency_us=5, compute_us=2),
        live("b", "no", latency_us=5, compute_us=1),
    ]
    pairs = of(rows[::-1] if turned else rows)
    assert said(pairs, pairs.candidate) == ["yes", None]
    assert said(pairs, pairs.live) == [None, "no"]


def test_labels_belong_to_inputs() -> None:
    pairs = of([live("a", label="yes"), shadow("a", label="yes"), live("b"), shadow("c", label="perhaps")])
    assert pairs.labelled.tolist() == [True, False, True]
    assert [pairs.output.classes[code] for code in pairs.truth[pairs.labelled]] == ["yes", "perhaps"]


def test_scores_are_those_of_the_contract() -> None:
    rows = [live("a", scores=[0.9, 0.1]), shadow("a", "yes", scores=[0.2, 0.8]), live("b"), shadow("b", "other")]
    pairs = of(rows)
    assert pairs.live.scores is not None
    assert pairs.candidate.scores is not None
    np.testing.assert_array_equal(pairs.live.scores, [[0.9, 0.1], [np.nan, np.nan]])
    np.testing.assert_array_equal(pairs.candidate.scores, [[0.2, 0.8], [np.nan, np.nan]])
    assert of([live("a"), shadow("a")]).live.scores is None


def test_rows_of_one_request_share_the_time_of_their_call() -> None:
    rows = [
        live("a", request_id="r1", compute_us=300),
        live("b", request_id="r1", compute_us=300),
        live("c", request_id="r1", compute_us=100),
        live("d", request_id="r2", compute_us=300),
        live("e", compute_us=300),
        live("f", compute_us=300),
        live("g", request_id="r1", compute_us=None),
    ]
    shares = of(rows).live.share_ms.tolist()
    assert shares[:6] == pytest.approx([0.15, 0.15, 0.1, 0.3, 0.3, 0.3])
    assert np.isnan(shares[6])


def test_numbers_that_are_none_are_no_answers() -> None:
    rows = [live("a", 1.5), shadow("a", float("nan")), live("b", None), shadow("b", float("inf")), live("c", -2.0)]
    pairs = of(rows, NUMBERS, pa.float64())
    assert pairs.live.answered.tolist() == [True, False, True]
    assert pairs.candidate.answered.tolist() == [False, False, False]
    assert pairs.candidate.asked.tolist() == [True, True, False]
    assert pairs.live.said[[0, 2]].tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("contract", "value"),
    [(BINARY, pa.string()), (NUMBERS, pa.float64()), (SEVERAL, pa.string()), (TENSORS, pa.string())],
)
def test_an_empty_table_gives_no_pairs(contract: Contract, value: pa.DataType) -> None:
    pairs = of([], contract, value)
    assert len(pairs) == 0
    assert not len(pairs.both)


def test_columns_may_be_nothing_but_nulls() -> None:
    rows = table([live("a"), shadow("a")])
    for name in ("label", "scores", "compute_us", "latency_us", "fallback"):
        rows = rows.set_column(rows.column_names.index(name), name, pa.nulls(2))
    pairs = pairs_of(rows, BINARY)
    assert pairs.both.tolist() == [True]
    assert pairs.labelled.tolist() == [False]
    nobody = rows.set_column(rows.column_names.index("prediction"), "prediction", pa.nulls(2))
    assert pairs_of(nobody, BINARY).both.tolist() == [False]


def test_texts_may_be_kept_as_dictionaries() -> None:
    rows = table([live("a", "yes", label="yes"), shadow("a", "maybe", label="yes")])
    for name in ("role", "assigned", "prediction", "label"):
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].dictionary_encode())
    pairs = pairs_of(rows, BINARY)
    assert said(pairs, pairs.live) == ["yes"]
    assert said(pairs, pairs.candidate) == ["maybe"]
    assert pairs.labelled.tolist() == [True]


@pytest.mark.parametrize(("classes", "value"), [((False, True), pa.bool_()), ((0, 1), pa.int64())])
def test_classes_are_of_any_type(classes: tuple[int, int], value: pa.DataType) -> None:
    contract = Contract((), Output(Task.BINARY, classes=classes))
    pairs = of([live("a", classes[1], label=classes[0]), shadow("a", classes[0])], contract, value)
    assert pairs.output.classes == classes
    assert (pairs.live.said.tolist(), pairs.candidate.said.tolist(), pairs.truth.tolist()) == ([1], [0], [0])


def test_classes_written_as_another_type_are_the_same_classes() -> None:
    contract = Contract((), Output(Task.BINARY, classes=(False, True)))
    pairs = of([live("a", "true"), shadow("a", "unsure")], contract)
    assert pairs.output.classes == ("false", "true", "unsure")


def test_some_of_the_inputs_are_pairs_too() -> None:
    pairs = of([live("a"), shadow("a"), live("b")])
    some = pairs.take(pairs.both)
    assert some.ids.tolist() == ["a"]
    assert (len(some.live.said), len(some.candidate.latency_ms)) == (1, 1)
