"""A contract as JSON Schema refuses nothing that is answered; what it lets through breaks only what it cannot say."""

from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from tests.contracts.test_properties import contracts_and_rows, many

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Rule
from headgate.contracts.decode import compile_contract, label_violation
from headgate.contracts.json_schema import field_schema, label_schema, prediction_schema, row_schema, scores_schema
from headgate.errors import Violation
from headgate.vocabulary import Task

FLAGGED = "another is answered and flagged."
UNSAID = {Rule.SIZE, Rule.FINITE, Rule.SHAPE}
"""Limits in bytes, NaN and infinity, and tensors of an open shape that must be one and the same."""
FORMATTED = {Kind.TIMESTAMP, Kind.IMAGE}
"""What only a format says; formats are no rules in JSON Schema."""
POINTED = Kind.INTEGER, float
"""To JSON Schema 1.0 is a whole number as 1 is, however it is written (draft 2020-12, validation, 6.1.1)."""


@many
@example((Contract((Field("a", Kind.INTEGER),), Output(Task.TENSOR)), {"a": 0.0}))
@given(contracts_and_rows())
def test_the_schema_refuses_what_the_decoder_refuses_as_far_as_it_can(drawn: tuple[Contract, dict[str, Any]]) -> None:
    contract, row = drawn
    valid = not list(jsonschema.Draft202012Validator(row_schema(contract)).iter_errors(row))
    found = compile_contract(contract).check_object(row, "row")
    if not isinstance(found, Violation):
        assert valid
    elif valid:
        kinds = {f"row.{each.name}": each.kind for each in contract.fields}
        broken = kinds[found.field], type(row[found.field.removeprefix("row.")])
        assert found.rule in UNSAID or broken[0] in FORMATTED or broken == POINTED


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        (Field("a", Kind.NUMBER), {"type": "number"}),
        (
            Field("a", Kind.NUMBER, True, "miles", 0, 10, on_range=OnBreak.REJECT),
            {
                "type": ["number", "null"], "minimum": 0, "maximum": 10,
                "description": "In miles. At least 0 and at most 10.",
            },
        ),
        (
            Field("a", Kind.INTEGER, minimum=0.5, description="How many."),
            {
                "type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1,
                "description": "How many. At least 1; another is answered and flagged.",
            },
        ),
        (
            Field("a", Kind.CATEGORY, True, domain=("x", "y"), on_domain=OnBreak.REJECT),
            {"type": ["string", "null"], "enum": ["x", "y", None]},
        ),
        (
            Field("a", Kind.CATEGORY, domain=tuple(f"c{i}" for i in range(22))),
            {
                "type": "string",
                "description": f"Known: {', '.join(f'c{i}' for i in range(20))} and 2 more; {FLAGGED}",
            },
        ),
        (Field("a", Kind.TEXT, max_bytes=9), {"type": "string", "maxLength": 9, "description": "At most 9 bytes."}),
        (
            Field("a", Kind.TIMESTAMP, maximum=5e6, on_range=OnBreak.REJECT),
            {"type": "string", "format": "date-time", "description": "At most 1970-01-01T00:00:05+00:00."},
        ),
        (
            Field("a", Kind.TENSOR, shape=(2, None)),
            {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "array", "items": {"type": "number"}}},
        ),
        (
            Field("a", Kind.IMAGE, max_bytes=4),
            {"type": "string", "contentEncoding": "base64", "maxLength": 8, "description": "At most 4 bytes."},
        ),
    ],
)  # fmt: skip
def test_each_kind_of_field(field: Field, schema: dict[str, Any]) -> None:
    assert field_schema(field) == schema


@pytest.mark.parametrize(
    ("output", "legal", "illegal"),
    [
        (Output(Task.BINARY, classes=(False, True)), [True], [1, "true", None]),
        (Output(Task.MULTICLASS, classes=("a", "b", "c")), ["c"], ["d", 0]),
        (Output(Task.REGRESSION), [1, -2.5], ["1", True]),
    ],
)
def test_labels_are_what_the_door_takes(output: Output, legal: list[Any], illegal: list[Any]) -> None:
    schema = jsonschema.Draft202012Validator(label_schema(output))
    assert [schema.is_valid(each) for each in illegal] == [False] * len(illegal)
    for value in legal + illegal:
        assert schema.is_valid(value) == (label_violation(output, value, "label") is None)


def test_what_is_answered() -> None:
    binary = Output(Task.BINARY, classes=("no", "yes"), probability=True)
    assert prediction_schema(binary) == {"enum": ["no", "yes"]}
    assert scores_schema(binary) == {
        "type": "array",
        "items": {"type": "number", "minimum": 0, "maximum": 1},
        "minItems": 2,
        "maxItems": 2,
        "description": "One number per class, in this order: no, yes.",
    }
    assert prediction_schema(Output(Task.REGRESSION, minimum=0.0)) == {"type": "number", "minimum": 0.0}
    assert prediction_schema(Output(Task.TENSOR))["type"] == "object"
