"""Reference data: the digest sees values and nothing else, the sample is drawn alike, and misfits are named."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadInput
from headgate.registry.importers.importer import Traits
from headgate.registry.reference import SAMPLE_ROWS, contract_for, data_digest, fits, sample
from headgate.vocabulary import Task

COLUMNS = {
    "n": st.none() | st.floats(allow_nan=False),
    "i": st.none() | st.integers(-(2**63), 2**63 - 1),
    "b": st.none() | st.booleans(),
    "t": st.none() | st.text(max_size=4),
}
TYPES = {"n": pa.float64(), "i": pa.int64(), "b": pa.bool_(), "t": pa.string()}
ROWS = st.lists(st.fixed_dictionaries(COLUMNS), max_size=12)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: pa.array([each[name] for each in rows], TYPES[name]) for name in COLUMNS})


@settings(max_examples=60)
@given(ROWS, st.lists(st.integers(0, 12), max_size=3), st.integers(0, 3))
def test_a_digest_does_not_see_how_a_table_is_cut_or_where_it_comes_from(
    rows: list[dict[str, Any]], cuts: list[int], before: int
) -> None:
    table = table_of(rows)
    places = [0, *sorted(min(each, len(rows)) for each in cuts), len(rows)]
    pieces = [table.slice(start, end - start) for start, end in pairwise(places)]
    digest = data_digest(table)
    assert data_digest(pa.concat_tables([*pieces, table.slice(0, 0)])) == digest
    assert data_digest(table.replace_schema_metadata({"made": "elsewhere"})) == digest
    filler = table_of([dict.fromkeys(COLUMNS)] * before)
    assert data_digest(pa.concat_tables([filler, table]).combine_chunks().slice(before)) == digest


@settings(max_examples=60)
@given(ROWS.filter(bool), st.data())
def test_a_digest_sees_every_value_name_type_and_order(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    table = table_of(rows)
    digest = data_digest(table)
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(sorted(COLUMNS)))
    other = data.draw(COLUMNS[name].filter(lambda value: value != rows[place][name]))
    changed = [dict(each) for each in rows]
    changed[place][name] = other
    assert data_digest(table_of(changed)) != digest
    assert data_digest(table.rename_columns(["n", "i", "b", "u"])) != digest
    assert data_digest(table.select(["i", "n", "b", "t"])) != digest
    assert data_digest(table.slice(1)) != digest
    assert data_digest(table.set_column(3, "t", table["t"].cast(pa.large_string()))) != digest
    if rows != rows[::-1]:
        assert data_digest(table_of(rows[::-1])) != digest


def test_a_digest_of_more_rows_than_one_batch_takes_sees_the_last_one() -> None:
    numbers = np.arange((1 << 16) + 2)
    whole = pa.table({"a": numbers})
    numbers = numbers.copy()
    numbers[-1] += 1
    assert data_digest(whole) != data_digest(pa.table({"a": numbers}))
    cut = pa.concat_tables([whole.slice(0, 9), whole.slice(9)])
    assert data_digest(whole) == data_digest(cut)


@given(st.integers(0, 60), st.integers(1, 60))
def test_a_sample_is_in_order_of_rows_that_are_there_and_drawn_alike(count: int, most: int) -> None:
    table = pa.table({"a": np.arange(count)})
    drawn = sample(table, most)["a"].to_pylist()
    assert len(drawn) == min(count, most)
    assert drawn == sorted(set(drawn))
    assert set(drawn) <= set(range(count))
    assert sample(table, most)["a"].to_pylist() == drawn


def test_a_sample_is_drawn_from_all_of_the_table() -> None:
    drawn = sample(pa.table({"a": np.arange(10 * SAMPLE_ROWS)}))["a"].to_numpy()
    assert len(drawn) == SAMPLE_ROWS
    assert np.histogram(drawn, 10, (0, 10 * SAMPLE_ROWS))[0].min() > SAMPLE_ROWS / 12


TABLE = pa.table({"a": [1.0, 2.0] * 30, "b": ["u", "v"] * 30, "y": [0, 1] * 30})
BINARY = Traits(fields=("a",), task=Task.BINARY, classes=(0, 1), probability=True)


@pytest.mark.parametrize(
    ("traits", "label", "field", "rule"),
    [
        (Traits(fields=("a", "z")), "y", "z", "missing"),
        (Traits(fields=("a", "y")), "y", "y", "domain"),
        (BINARY, "late", "late", "missing"),
        (BINARY, "b", "b", "domain"),
        (Traits(fields=("a",), task=Task.REGRESSION), "b", "b", "type"),
    ],
)
def test_a_reference_the_model_cannot_have_seen_is_named(traits: Traits, label: str, field: str, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        contract_for(traits, TABLE, label)
    assert (refused.value.field, refused.value.rule) == (field, rule)


def test_what_a_model_says_of_itself_stands_in_place_of_guesses() -> None:
    turned = Traits(fields=("b", "a"), task=Task.BINARY, classes=(1, 0), probability=True)
    found = contract_for(turned, TABLE, "y")
    assert found.names == ("b", "a")
    assert (found.output.classes, found.output.label, found.output.probability) == ((1, 0), "y", True)
    guessed = contract_for(Traits(), TABLE, "y")
    assert guessed.names == ("a", "b")
    assert (guessed.output.task, guessed.output.classes) == (Task.BINARY, (0, 1))
    assert contract_for(Traits(fields=("a",), task=Task.REGRESSION), TABLE, None).output.task is Task.REGRESSION


def test_many_classes_are_not_all_recited() -> None:
    many = Traits(fields=("a",), task=Task.MULTICLASS, classes=tuple(f"c{each}" for each in range(20)))
    with pytest.raises(BadInput, match=r"\(c0, c1, c2, c3, c4, c5, c6, c7 and 12 more\)"):
        contract_for(many, TABLE, "b")


OWN = Contract((Field("a", Kind.NUMBER),), Output(Task.BINARY, label="y", classes=(0, 1), probability=True))


@pytest.mark.parametrize(
    ("contract", "field"),
    [
        (Contract((Field("z", Kind.NUMBER),), OWN.output), "z"),
        (
            Contract(OWN.fields, Output(Task.BINARY, label="y", classes=(1, 0), probability=True)),
            "contract.output.classes",
        ),
        (
            Contract(OWN.fields, Output(Task.MULTICLASS, label="y", classes=(0, 1), probability=True)),
            "contract.output.task",
        ),
    ],
)
def test_a_persons_own_contract_must_fit(contract: Contract, field: str) -> None:
    assert fits(OWN, BINARY, TABLE) is OWN
    assert fits(OWN, Traits(), TABLE) is OWN
    with pytest.raises(BadInput) as refused:
        fits(contract, BINARY, TABLE)
    assert refused.value.field == field
