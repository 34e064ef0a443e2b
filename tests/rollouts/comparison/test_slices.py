"""Slices: the bad one is found, small ones are left out, and chance alone hardly ever stands out."""

from typing import Any

import numpy as np
import pytest
from tests.rollouts.comparison.spoken import BINARY, NUMBERS, Said, features, live, shadow, table

from headgate.contracts.contract import Contract, Field, Kind
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.pairs import pairs_of
from headgate.rollouts.comparison.values import Comparison

ROWS = 900


def world(disagrees: Any, seed: int = 3, label: Any = None) -> tuple[list[Said], dict[str, dict[str, Any]]]:
    """Answers and features; `disagrees` gives the chance of it by carrier, `label` the truth of what was said."""
    random = np.random.default_rng(seed)
    rows, kept = [], {}
    for place in range(ROWS):
        name, carrier = f"{place:04}", ["AA", "UA", "DL"][place % 3]
        apart = random.random() < disagrees(carrier)
        truth = None if label is None else label(carrier)
        rows += [live(name, "no", label=truth), shadow(name, "yes" if apart else "no", label=truth)]
        kept[name] = {
            "carrier": carrier,
            "distance": float(random.random()),
            "late": bool(random.random() < 0.5),
            "note": f"text {place}",
            "age": place % 4,
        }
    return rows, kept


def of(rows: list[Said], kept: dict[str, dict[str, Any]], contract: Contract = BINARY, **more: Any) -> Comparison:
    return compare(pairs_of(table(rows), contract), contract, features(kept), **more)


def test_the_slice_that_disagrees_comes_first_and_stands_out() -> None:
    rows, kept = world(lambda carrier: 0.4 if carrier == "UA" else 0.05)
    told = of(rows, kept).slices
    assert (told.worst[0].field, told.worst[0].value, told.worst[0].inputs) == ("carrier", "UA", ROWS // 3)
    assert [each.value for each in told.worst if each.stands_out] == ["UA"]
    assert told.worst[0].agreement.value == pytest.approx(0.6, abs=0.06)
    assert told.worst[0].loss is None


def test_slices_are_of_public_categories_truth_values_and_quarters() -> None:
    rows, kept = world(lambda carrier: 0.1)
    told = of(rows, kept).slices
    assert {each.field for each in told.worst} == {"carrier", "distance", "late"}, "no text, and nothing personal"
    assert sum(each.field == "distance" for each in told.worst) == 4
    for field in ("carrier", "distance", "late"):
        assert sum(each.inputs for each in told.worst if each.field == field) == ROWS
    assert told.intervals == 1 + 3 + 4 + 2


def test_figures_of_a_slice_are_those_of_its_inputs_alone() -> None:
    rows, kept = world(lambda carrier: 0.2, label=lambda carrier: "yes")
    told = {(each.field, each.value): each for each in of(rows, kept).slices.worst}
    said = {each.input_id: each.prediction for each in rows if each.role == "shadow"}
    mine = [said[name] for name, values in kept.items() if values["late"]]
    found = told["late", "true"]
    assert found.inputs == found.labelled == len(mine)
    assert found.agreement.value == pytest.approx(mine.count("no") / len(mine))
    assert found.loss is not None
    assert found.loss.value == pytest.approx(-mine.count("yes") / len(mine))
    assert not found.loses


def test_a_slice_in_which_the_candidate_loses_is_marked() -> None:
    rows, kept = world(lambda carrier: 0.3, label=lambda carrier: "no" if carrier == "UA" else "yes")
    told = {(each.field, each.value): each.loses for each in of(rows, kept).slices.worst}
    assert [slice_ for slice_, loses in told.items() if loses] == [("carrier", "UA")]


def test_small_slices_are_left_out() -> None:
    rows, kept = world(lambda carrier: 0.1)
    kept = {name: {**values, "carrier": "ZZ"} if int(name) < 7 else values for name, values in kept.items()}
    told = of(rows, kept).slices
    assert told.left_out == 1
    assert "ZZ" not in {each.value for each in told.worst}
    assert any(each.value == "ZZ" for each in of(rows, kept, smallest=7).slices.worst)


def test_few_labels_judge_no_slice() -> None:
    rows, kept = world(lambda carrier: 0.1)
    rows = [Said(**{**_as_dict(each), "label": "no"}) if int(each.input_id) < 60 else each for each in rows]
    told = {(each.field, each.value): each for each in of(rows, kept).slices.worst}
    assert told["carrier", "AA"].labelled == 20
    assert told["carrier", "AA"].loss is None
    assert told["late", "true"].loss is not None or told["late", "false"].loss is not None


def _as_dict(each: Said) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Said.__dataclass_fields__}


def test_a_field_with_one_value_cuts_nothing() -> None:
    rows, kept = world(lambda carrier: 0.1)
    told = of(rows, {name: {"carrier": "AA", "late": None} for name in kept}).slices
    assert told.worst == ()


def test_nulls_are_a_slice_of_their_own() -> None:
    rows, kept = world(lambda carrier: 0.1)
    kept = {name: {**values, "carrier": None} if int(name) % 3 else values for name, values in kept.items()}
    values = {each.value for each in of(rows, kept).slices.worst if each.field == "carrier"}
    assert values == {"(missing)", "AA"}


def test_inputs_without_features_are_in_no_slice() -> None:
    rows, kept = world(lambda carrier: 0.1)
    told = of(rows, {name: values for name, values in kept.items() if int(name) < 600}).slices
    assert sum(each.inputs for each in told.worst if each.field == "carrier") == 600
    assert compare(pairs_of(table(rows), BINARY), BINARY).slices.worst == ()


def test_numbers_are_sliced_by_how_far_they_lie_apart() -> None:
    import pyarrow as pa

    random, rows, kept = np.random.default_rng(4), [], {}
    for place in range(400):
        name, far = f"{place:03}", place % 2 == 1
        ours, truth = float(random.normal(100, 20)), 100.0
        theirs = ours + (40.0 if far else 0.1)
        rows += [live(name, ours, label=truth), shadow(name, theirs, label=truth)]
        kept[name] = {"carrier": "far" if far else "near"}
    found = compare(pairs_of(table(rows, pa.float64()), NUMBERS), NUMBERS, features(kept))
    worst = found.slices.worst[0]
    assert (worst.value, worst.agreement.value, worst.stands_out) == ("far", 0.0, True)
    assert worst.shift == pytest.approx(40.0)
    assert worst.loses


def test_chance_alone_hardly_ever_stands_out() -> None:
    random, contract = (
        np.random.default_rng(11),
        Contract(tuple(Field(f"f{place}", Kind.NUMBER) for place in range(8)), BINARY.output),
    )
    cried, runs = 0, 30
    for _ in range(runs):
        apart = random.random(300) < 0.2
        values = random.random((300, 8))
        rows = [
            each
            for place, differs in enumerate(apart.tolist())
            for each in (live(f"{place}"), shadow(f"{place}", "yes" if differs else "no"))
        ]
        kept = {
            f"{place}": {f"f{at}": float(value) for at, value in enumerate(row)} for place, row in enumerate(values)
        }
        told = of(rows, kept, contract, alpha=0.2).slices
        assert len(told.worst) == 32
        cried += any(each.stands_out for each in told.worst)
    assert cried / runs <= 0.2
