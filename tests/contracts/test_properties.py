"""What must hold for every contract and every row: the roads through this room agree with each other."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.drawn import OUTPUTS, contracts, fields

from headgate.contracts.check import check_table
from headgate.contracts.compare import Compatibility, compare
from headgate.contracts.contract import Contract, Field, Kind, Rule
from headgate.contracts.decode import Decoder, compile_contract
from headgate.contracts.infer import infer
from headgate.contracts.tables import as_table
from headgate.contracts.text import digest, from_document, to_document
from headgate.contracts.yaml_text import dump_yaml, load_yaml
from headgate.errors import Violation

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON_VALUES = st.one_of(
    st.sampled_from(["a", "b", "no", "abcd", "äöü", "aGk=", "aGk", "x" * 40, ""]),
    st.sampled_from(["1970-01-01T00:00:01Z", "1970-01-01T00:00:09+01:00", "1970-01-01T00:00:00", "1970-01-01"]),
    st.integers(-3, 5),
    st.sampled_from([2**63, -(2**63), 10**30, 10**400]),
    st.sampled_from([0.0, -1.5, 2.5, 2.6, 1.0, 1e300, math.nan, math.inf, -math.inf]),
    st.none(),
    st.booleans(),
    st.lists(st.one_of(st.sampled_from([1, 2.5, math.nan, None, True]), st.integers(0, 3)), max_size=3),
    st.lists(st.lists(st.sampled_from([1, 2.5]), min_size=1, max_size=3), max_size=3),
    st.just({}),
)
LIKELY = {
    Kind.NUMBER: st.sampled_from([0, 1, 2.5, -1.5, 4]),
    Kind.INTEGER: st.integers(-2, 4),
    Kind.BOOLEAN: st.booleans(),
    Kind.CATEGORY: st.sampled_from(["a", "b", "c"]),
    Kind.TEXT: st.sampled_from(["a", "äöü", "abc"]),
    Kind.TIMESTAMP: st.sampled_from(["1970-01-01T00:00:01Z", "1970-01-01T00:00:09+01:00", "1969-12-31T00:00:00Z"]),
    Kind.TENSOR: st.sampled_from([[1, 2], [[1, 2], [3, 4]], [[1], [2]], [], [[1, 2]], [[1], [1, 2]]]),
    Kind.IMAGE: st.sampled_from(["aGk=", "aGVsbG8=", ""]),
}


@st.composite
def contracts_and_rows(draw: st.DrawFn) -> tuple[Contract, dict[str, Any]]:
    contract = draw(contracts())
    row = {each.name: draw(st.one_of(LIKELY[each.kind], LIKELY[each.kind], JSON_VALUES)) for each in contract.fields}
    if draw(st.integers(0, 5)) == 0:
        row.pop(draw(st.sampled_from(contract.names)))
    if draw(st.integers(0, 5)) == 0:
        row["surely unknown"] = 1
    return contract, row


def decoded(kind: type[msgspec.Struct], raw: bytes) -> msgspec.Struct | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        return None


@many
@given(contracts_and_rows())
def test_the_fast_and_the_slow_road_take_the_same_rows(drawn: tuple[Contract, dict[str, Any]]) -> None:
    contract, row = drawn
    decoder, raw = compile_contract(contract), json.dumps(row).encode()
    quick, slow = decoded(decoder.row_type, raw), decoder.explain(raw, "rows[0]")
    if quick is None:
        assert isinstance(slow, Violation)
        assert slow.field.startswith("rows[0].")
        assert slow.rule in set(Rule)
    else:
        assert slow == quick


@many
@given(contracts_and_rows())
def test_a_row_is_clean_exactly_when_it_is_legal_and_has_no_flags(drawn: tuple[Contract, dict[str, Any]]) -> None:
    contract, row = drawn
    decoder, raw = compile_contract(contract), json.dumps(row).encode()
    clean, legal = decoded(decoder.clean_type, raw), decoded(decoder.row_type, raw)
    flags = None if legal is None else decoder.flags([decoder.values(legal)])
    assert (clean is not None) == (legal is not None and flags is None)
    if clean is not None and legal is not None:
        assert decoder.values(clean) == decoder.values(legal)


@many
@given(st.data())
def test_flags_are_the_same_row_by_row_all_at_once_and_with_a_matrix(data: st.DataObject) -> None:
    names = ("a", "b", "c")
    contract = Contract(
        tuple(
            Field(
                name, data.draw(st.sampled_from([Kind.NUMBER, Kind.INTEGER])), nullable=True, minimum=low, maximum=high
            )
            for name in names
            for low, high in [data.draw(st.sampled_from([(None, None), (0, None), (None, 2), (-1, 1)]))]
        )
    )
    decoder = compile_contract(contract)
    rows = data.draw(st.lists(st.tuples(*[st.none() | st.integers(-2, 3)] * 3), min_size=1, max_size=12))
    expected = [
        tuple(
            f"range:{each.name}"
            for each, value in zip(contract.fields, row, strict=True)
            if value is not None
            and (
                (each.minimum is not None and value < each.minimum)
                or (each.maximum is not None and value > each.maximum)
            )
        )
        for row in rows
    ]
    found = expected if any(expected) else None
    matrix = np.array(rows, dtype=np.float64)
    assert decoder.flags(rows) == decoder.flags(rows, matrix) == decoder.flags(rows, matrix.astype(np.float32)) == found


COLUMNS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (pa.float64(), st.sampled_from([0.0, 2.5, -3.0, 1e300, math.nan, math.inf])),
    (pa.float32(), st.sampled_from([0.0, 2.5, -3.0, math.nan])),
    (pa.int64(), st.integers(-3, 5)),
    (pa.uint64(), st.sampled_from([0, 3, 2**63])),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.sampled_from(["a", "b", "c", "äöü", "x" * 40, "1970-01-01T00:00:01Z"])),
    (pa.large_string(), st.sampled_from(["a", "abc"])),
    (pa.timestamp("ns", "UTC"), st.sampled_from([datetime(1970, 1, 1, 0, 0, each, tzinfo=UTC) for each in (0, 2, 9)])),
    (pa.timestamp("s"), st.sampled_from([datetime(1970, 1, 1, 0, 0, each) for each in (0, 2, 9)])),
    (pa.binary(), st.sampled_from([b"", b"abc", b"abcd"])),
    (pa.list_(pa.int64()), st.lists(st.none() | st.integers(0, 2), max_size=3)),
    (pa.list_(pa.float64(), 2), st.lists(st.sampled_from([1.0, math.nan]), min_size=2, max_size=2)),
    (pa.list_(pa.list_(pa.float64())), st.lists(st.none() | st.lists(st.just(1.5), max_size=2), max_size=3)),
    (pa.null(), st.none()),
]
FITTING = {
    Kind.NUMBER: (0, 1, 2, 3),
    Kind.INTEGER: (0, 2, 3),
    Kind.BOOLEAN: (4,),
    Kind.CATEGORY: (5, 6),
    Kind.TEXT: (5, 6),
    Kind.TIMESTAMP: (5, 7, 8),
    Kind.TENSOR: (10, 11, 12),
    Kind.IMAGE: (9,),
}


@st.composite
def contracts_and_tables(draw: st.DrawFn) -> tuple[Contract, pa.Table]:
    contract = draw(contracts())
    size = draw(st.integers(1, 5))
    arrays: dict[str, pa.Array] = {}
    for each in contract.fields:
        if draw(st.integers(0, 9)) == 0:
            continue
        fitting = draw(st.integers(0, 4)) > 0
        kind, values = COLUMNS[draw(st.sampled_from(FITTING[each.kind] if fitting else range(len(COLUMNS))))]
        rows = draw(st.lists(st.none() | values | values, min_size=size, max_size=size))
        arrays[each.name] = pa.array(rows, kind)
    if not arrays or draw(st.integers(0, 9)) == 0:
        arrays["surely unknown"] = pa.array(range(size))
    return contract, pa.table(arrays)


def as_sent(contract: Contract, row: dict[str, Any]) -> dict[str, Any]:
    """The row as a careful caller would send it; see check_table for what a column's type stands for."""
    sent = dict(row)
    for each in contract.fields:
        value = row.get(each.name)
        if each.kind is Kind.INTEGER and isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
            sent[each.name] = int(value)
        if isinstance(value, datetime):
            sent[each.name] = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return sent


@many
@given(contracts_and_tables())
def test_a_table_is_judged_as_its_rows_would_be_one_by_one(drawn: tuple[Contract, pa.Table]) -> None:
    contract, table = drawn
    decoder: Decoder = compile_contract(contract)
    checked = check_table(contract, table)
    verdicts = [decoder.check_object(as_sent(contract, row), "") for row in table.to_pylist()]
    expected = [(i, each.field, each.rule) for i, each in enumerate(verdicts) if isinstance(each, Violation)]
    found = [tuple(row[name] for name in ("_row", "_field", "_rule")) for row in checked.quarantine.to_pylist()]
    assert found == expected
    good = [decoder.values(each) for each in verdicts if not isinstance(each, Violation)]
    assert checked.good.num_rows == len(good)
    counts: dict[str, int] = {}
    for name in (name for flags in decoder.flags(good) or [] for name in flags):
        counts[name] = counts.get(name, 0) + 1
    assert checked.flags == counts
    kept = [tuple(row[name] for name in contract.names) for row in checked.good.to_pylist()]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    plain = [
        tuple((v - epoch) // timedelta(microseconds=1) if isinstance(v, datetime) else v for v in row) for row in kept
    ]
    assert plain == good


@many
@given(contracts())
def test_a_contract_is_compatible_with_itself(contract: Contract) -> None:
    comparison = compare(contract, contract)
    assert comparison.compatibility is Compatibility.COMPATIBLE
    assert comparison.differences == ()


SEVERITY = list(Compatibility)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Contract, Contract, Contract]:
    """Three contracts that differ in little, so that not every comparison breaks at once."""
    first = draw(contracts(2))
    links = [first]
    for _ in range(2):
        changed = tuple(draw(st.one_of(st.just(each), st.just(each), fields(each.name))) for each in links[-1].fields)
        extra = draw(st.sampled_from([(), (Field("extra", Kind.TEXT, nullable=True),)]))
        known = tuple(each for each in changed if each.name != "extra")
        links.append(Contract(known + extra, draw(st.one_of(st.just(links[-1].output), OUTPUTS))))
    return links[0], links[1], links[2]


@many
@given(chains())
def test_two_changes_together_are_no_graver_than_the_graver_one(chain: tuple[Contract, Contract, Contract]) -> None:
    first, second, third = chain
    steps = [compare(first, second).compatibility, compare(second, third).compatibility]
    assert SEVERITY.index(compare(first, third).compatibility) <= max(SEVERITY.index(each) for each in steps)


@many
@given(contracts_and_rows(), st.data())
def test_rows_legal_before_stay_legal_when_nothing_breaks(
    drawn: tuple[Contract, dict[str, Any]], data: st.DataObject
) -> None:
    old, row = drawn
    changed = tuple(data.draw(st.one_of(st.just(each), fields(each.name))) for each in old.fields)
    new = Contract(changed, old.output)
    raw = json.dumps(row).encode()
    legal = decoded(compile_contract(old).row_type, raw) is not None
    if legal and compare(old, new).compatibility is not Compatibility.BREAKING:
        assert decoded(compile_contract(new).row_type, raw) is not None


@many
@given(contracts())
def test_a_contract_survives_its_document_and_its_yaml(contract: Contract) -> None:
    document = to_document(contract)
    assert from_document(document, "test") == contract
    assert from_document(json.loads(json.dumps(document)), "test") == contract
    assert load_yaml(dump_yaml(contract), "test") == contract
    assert digest(from_document(document, "test")) == digest(contract)


@many
@given(contracts(), contracts())
def test_digests_are_equal_exactly_when_contracts_are(one: Contract, other: Contract) -> None:
    assert (digest(one) == digest(other)) == (one == other)


@many
@given(st.data())
def test_a_reference_keeps_the_contract_inferred_from_it_without_a_flag(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 8))
    shapes = st.sampled_from([[[1.0, 2.0]], [[1.0], [2.0]], [[0.5, 0.5], [1.0, 1.0]]])
    kinds: list[tuple[Any, st.SearchStrategy[Any]]] = [
        (pa.float64(), st.floats(allow_infinity=False)),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.bool_(), st.booleans()),
        (pa.string(), st.text(max_size=80)),
        (pa.timestamp("us"), st.datetimes()),
        (pa.list_(pa.list_(pa.float64())), shapes),
        (pa.binary(), st.binary(max_size=5)),
    ]
    arrays = {}
    for i, (kind, values) in enumerate(data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))):
        column = data.draw(st.lists(st.none() | values, min_size=size, max_size=size))
        arrays[f"c{i}"] = pa.array(column, kind)
    table = pa.table(arrays)
    contract = infer(table)
    checked = check_table(contract, as_table(table))
    assert checked.quarantine.num_rows == 0
    assert checked.flags == {}
    assert load_yaml(dump_yaml(contract), "test") == contract
