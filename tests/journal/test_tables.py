"""Records become rows of the right types, and nothing a record holds stops a seal."""

import uuid
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.journal.records import Answer, Input, Label, Refusal, Schema, SchemaField
from headgate.journal.tables import (
    FEATURES,
    Table,
    answers_table,
    arrow_schema,
    conform,
    first_day,
    fits,
    id_texts,
    inputs_table,
    labels_table,
    personal_table,
    shaped,
    unite,
)

FIELDS = (
    SchemaField("distance", "number", "public"),
    SchemaField("name", "text", "personal"),
    SchemaField("stops", "integer", "public"),
    SchemaField("picture", "image", "public"),
    SchemaField("when", "timestamp", "public"),
)
SCHEMA = Schema("default", "flights", "sha256:1", FIELDS, "binary", "text")


def an_input(number: int = 0, features: tuple[object, ...] | None = (1.5, "Ann", 2, None, 1_000_000)) -> Input:
    return Input(number.to_bytes(16, "big"), number, features, f"r{number}", 0)


@given(st.lists(st.none() | st.binary(min_size=16, max_size=16)))
def test_ids_are_canonical_uuid_text(ids: list[bytes | None]) -> None:
    assert id_texts(ids).to_pylist() == [None if each is None else str(uuid.UUID(bytes=each)) for each in ids]


def test_inputs_hold_public_features_only_and_personal_ones_stand_aside() -> None:
    rows = [an_input(1), an_input(2, None)]
    table = inputs_table(SCHEMA, rows)
    assert table.schema == arrow_schema(Table.INPUTS, SCHEMA)
    assert [each.name for each in table.schema.field(FEATURES).type] == ["distance", "stops", "picture", "when"]
    assert table.column(FEATURES)[0].as_py()["distance"] == 1.5
    assert table.column(FEATURES)[1].as_py() is None
    side = personal_table(SCHEMA, rows)
    assert side.column(FEATURES).to_pylist() == [{"name": "Ann"}]
    assert side.column("input_id").to_pylist() == [str(uuid.UUID(int=1))]


def test_a_contract_without_public_fields_has_no_features_column() -> None:
    bare = Schema("default", "e", "sha256:1", (SchemaField("name", "text", "special"),), "binary", "text")
    assert FEATURES not in inputs_table(bare, [an_input(1, ("x",))]).column_names


def test_a_cell_its_column_cannot_hold_is_null_and_flagged_and_the_others_stay() -> None:
    rows = [an_input(1), an_input(2, ("far", "Bob", 2**70, None, 5)), an_input(3, (2.5,))]
    table = inputs_table(SCHEMA, rows)
    assert [each and each["distance"] for each in table.column(FEATURES).to_pylist()] == [1.5, None, None]
    assert table.column(FEATURES)[1].as_py()["when"].microsecond == 5
    assert table.column("flags").to_pylist() == [[], ["unfit:stops"], ["unfit:features"]]


def test_references_to_blobs_are_kept_as_json_text() -> None:
    table = inputs_table(SCHEMA, [an_input(1, (1.0, "Ann", 1, ["blob", "sha256:0", 9, "image/png"], None))])
    assert table.column(FEATURES)[0].as_py()["picture"] == '["blob","sha256:0",9,"image/png"]'


def test_refusals_are_three_columns() -> None:
    refused = an_input(1, None)
    refused.refusal = Refusal("rows[0].distance", "range", "is too far")
    row = inputs_table(SCHEMA, [refused]).to_pylist()[0]
    assert (row["refusal_field"], row["refusal_rule"], row["refusal_message"]) == (
        "rows[0].distance",
        "range",
        "is too far",
    )


@pytest.mark.parametrize(
    ("kind", "task", "value", "expected"),
    [
        ("text", "multiclass", "late", pa.string()),
        ("integer", "multiclass", 3, pa.int64()),
        ("number", "regression", 2, pa.float64()),
        ("boolean", "binary", True, pa.bool_()),
        ("number", "tensor", [1.0, 2.0], pa.string()),
    ],
)
def test_predictions_and_labels_are_typed(kind: str, task: str, value: object, expected: pa.DataType) -> None:
    schema = Schema("default", "e", "sha256:1", (), task, kind)
    answer = Answer(bytes(16), "m:1", "m:2", "live", 1.0, value, [0.5], 1, 2, "died")  # type: ignore[arg-type]
    table = answers_table(schema, [answer], {bytes(16): 86_400_000_000})
    assert table.schema.field("prediction").type == expected
    assert str(table.column("date")[0].as_py()) == "1970-01-02"
    if task != "tensor":
        label = Label(bytes(16), 1, 2, value, entity="ann", entity_at=7)  # type: ignore[arg-type]
        labels = labels_table(schema, [label])
        assert labels.column("value").to_pylist() == [value]
        assert labels.column("input_id").to_pylist() == [None]


def test_a_row_number_beyond_all_requests_stops_nothing() -> None:
    label = Label(bytes(16), 1, 2, "x", request_id="r", row=2**64 - 1)
    assert labels_table(SCHEMA, [label]).column("row").to_pylist() == [None]


def test_an_answer_apart_from_its_input_has_no_day() -> None:
    answer = Answer(bytes(16), "m:1", "m:1", "shadow", 1.0, "x", None, 1, 2)
    assert answers_table(SCHEMA, [answer], {}).column("date").to_pylist() == [None]


def test_types_unite_to_one_that_holds_both() -> None:
    old, new = pa.struct([("a", pa.int64()), ("b", pa.string())]), pa.struct([("a", pa.float64()), ("c", pa.bool_())])
    both = unite(old, new)
    assert both == pa.struct([("a", pa.float64()), ("b", pa.string()), ("c", pa.bool_())])
    assert not fits(old, new)
    assert fits(old, pa.struct([("c", pa.bool_())]))
    rows = pa.table({"f": pa.array([{"a": 1, "b": "x"}, None], old)})
    united = conform(rows, pa.schema([("f", both), ("g", pa.int64())]))
    assert united.to_pylist() == [{"f": {"a": 1.0, "b": "x", "c": None}, "g": None}, {"f": None, "g": None}]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2**53 + 1, None], pa.float64(), [1.0, 2.0**53, None]),
        ([1, None], pa.string(), ["1", None]),
        ([True, None], pa.string(), ["true", None]),
        ([1.5, float("nan")], pa.string(), ["1.5", "nan"]),
    ],
)
def test_a_column_is_read_in_the_type_that_holds_both_ages(values: list[Any], kind: pa.DataType, expected: Any) -> None:
    array = pa.array(values)
    assert unite(array.type, kind) == kind
    assert shaped(array, kind).to_pylist() == expected
    assert shaped(pa.chunked_array([array, array]), kind).to_pylist() == expected * 2


def test_members_a_struct_lacks_are_null_and_a_missing_struct_stays_missing() -> None:
    old = pa.array([{"a": 1, "gone": "x"}, None], pa.struct([("a", pa.int64()), ("gone", pa.string())]))
    new = pa.struct([("b", pa.string()), ("a", pa.float64())])
    assert shaped(old, new).to_pylist() == [{"b": None, "a": 1.0}, None]
    assert shaped(old, old.type) is old


@pytest.mark.parametrize(
    ("old", "new", "takes"),
    [
        (pa.int64(), pa.int64(), True),
        (pa.int64(), pa.float64(), False),
        (pa.struct([("a", pa.int64())]), pa.struct([("a", pa.int64())]), True),
        (pa.struct([("a", pa.int64())]), pa.struct([("b", pa.string())]), True),
        (pa.struct([("a", pa.int64()), ("b", pa.string())]), pa.struct([("a", pa.int64())]), True),
        (pa.struct([("a", pa.int64())]), pa.struct([("a", pa.string())]), False),
        (pa.struct([("a", pa.int64())]), pa.struct([("A", pa.int64())]), False),
        (pa.struct([("a", pa.int64())]), pa.int64(), False),
    ],
)
def test_a_table_takes_what_rewrites_nothing(old: pa.DataType, new: pa.DataType, takes: bool) -> None:
    assert fits(old, new) is takes


TYPES = st.sampled_from([pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.timestamp("us", tz="UTC")])
STRUCTS = st.dictionaries(st.sampled_from("abc"), TYPES, max_size=3).map(lambda each: pa.struct(list(each.items())))


def members(kind: pa.DataType) -> dict[str, pa.DataType]:
    return {each.name: each.type for each in kind}


@given(TYPES, TYPES, TYPES)
def test_the_type_that_holds_all_does_not_depend_on_who_came_first(
    one: pa.DataType, two: pa.DataType, three: pa.DataType
) -> None:
    assert unite(one, one) == one
    assert unite(one, two) == unite(two, one)
    assert unite(unite(one, two), three) == unite(one, unite(two, three))


@given(STRUCTS, STRUCTS)
def test_structs_unite_member_by_member(one: pa.DataType, two: pa.DataType) -> None:
    both = members(unite(one, two))
    assert both == members(unite(two, one))
    assert both.keys() == members(one).keys() | members(two).keys()
    for name, kind in both.items():
        known = [each[name] for each in (members(one), members(two)) if name in each]
        assert kind == (known[0] if len(known) == 1 else unite(*known))


@given(STRUCTS, STRUCTS)
def test_what_fits_is_read_in_the_type_the_table_grows_to(old: pa.DataType, new: pa.DataType) -> None:
    """Whatever a generation takes changes the type of none of its columns."""
    if fits(old, new):
        grown = members(unite(old, new))
        assert all(grown[name] == kind for name, kind in members(old).items())


def test_the_first_day_is_told_by_dates_and_where_there_is_none_by_ids() -> None:
    day = 86_400_000_000
    drawn = ((3 * day + 5_000) // 1000 << 80 | 7 << 76).to_bytes(16, "big")
    dated, undated = (
        Answer(bytes(16), "m:1", "m:1", "live", 1.0, True, None, 1, 1),
        Answer(drawn, "m:1", "person", "human", 1.0, True, None, 1, 1),
    )
    moments = {bytes(16): 5 * day + 1}
    assert first_day(Table.ANSWERS, answers_table(SCHEMA, [dated], moments)) == 5
    assert first_day(Table.ANSWERS, answers_table(SCHEMA, [dated, undated], moments)) == 3
    assert first_day(Table.ANSWERS, answers_table(SCHEMA, [undated], moments)) == 3
    assert first_day(Table.ANSWERS, answers_table(SCHEMA, [], moments)) is None
    labels = [Label(bytes(16), 9 * day, at, True, input_id=bytes(16)) for at in (8 * day, 7 * day + 1)]
    assert first_day(Table.LABELS, labels_table(SCHEMA, labels)) == 7
    assert first_day(Table.LABELS, labels_table(SCHEMA, [])) is None
