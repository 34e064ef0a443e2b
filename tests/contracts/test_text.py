"""Contracts as documents: refused by place, written without noise, addressed by content."""

from typing import Any

import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import digest, from_document, to_document
from headgate.contracts.yaml_text import dump_yaml, load_yaml, read_yaml, write_yaml
from headgate.errors import BadConfiguration
from headgate.vocabulary import Task

CONTRACT = Contract(
    (
        Field("distance", Kind.NUMBER, unit="miles", minimum=0.0, maximum=5500.5),
        Field("country", Kind.CATEGORY, nullable=True, domain=("NO", "SE", "1e5", "12:30"), expected_missing=0.25),
        Field("at", Kind.TIMESTAMP, minimum=0.0),
        Field("track", Kind.TENSOR, shape=(None, 2)),
    ),
    Output(Task.BINARY, "late", (False, True), probability=True),
)
YAML = """\
# What the model expects of each row. Ranges and domains flag what they do not know; to refuse such rows,
# add on_range: reject or on_domain: reject. Other keys: nullable, unit, max_bytes, sensitivity.
fields:
- name: distance
  kind: number
  unit: miles
  minimum: 0
  maximum: 5500.5
- name: country
  kind: category
  nullable: true
  domain: ['NO', SE, '1e5', '12:30']
  expected_missing: 0.25
- name: at
  kind: timestamp
  minimum: '1970-01-01T00:00:00Z'
- name: track
  kind: tensor
  shape: [null, 2]
# What it promises back, and what its label looks like.
output:
  task: binary
  label: late
  classes: [false, true]
  probability: true
"""


def test_a_contract_is_written_without_its_defaults_and_reads_back() -> None:
    assert dump_yaml(CONTRACT) == YAML
    assert load_yaml(YAML, "endpoint.yaml") == CONTRACT


def test_what_people_write_without_quotes_is_what_they_mean() -> None:
    text = """\
domain: [NO, yes, 12:30, 2013-01-01, 0x1f, 1_000]
bound: [1e-5, .5, -3, +2, 1.]
n: [null, ~]
t: [true, 1e400]
"""
    assert read_yaml(text, "x") == {
        "domain": ["NO", "yes", "12:30", "2013-01-01", "0x1f", "1_000"],
        "bound": [1e-5, 0.5, -3, 2, 1.0],
        "n": [None, None],
        "t": [True, float("inf")],
    }


def test_the_address_is_of_the_meaning_not_of_the_spelling() -> None:
    one = Contract((Field("x", Kind.NUMBER, minimum=0.0),))
    same = Contract((Field("x", Kind.NUMBER, minimum=0),))
    other = Contract((Field("x", Kind.NUMBER, minimum=1),))
    assert digest(one) == digest(same) != digest(other)
    assert digest(one).startswith("sha256:")
    assert len(digest(one)) == 71


def test_the_order_of_fields_is_part_of_the_address() -> None:
    x, y = Field("x", Kind.NUMBER), Field("y", Kind.NUMBER)
    assert digest(Contract((x, y))) != digest(Contract((y, x)))


FIELD = {"name": "x", "kind": "number"}
BAD: dict[str, tuple[Any, str, str]] = {
    "no mapping": ([], "f", "expected `object`, got `array`"),
    "no fields": ({"fields": []}, "f: fields", "names no field; a contract needs at least one"),
    "no fields key": ({}, "f", "object missing required field `fields`"),
    "unknown key": ({"fields": [FIELD | {"minimun": 1}]}, "f: fields[0]", "object contains unknown field `minimun`"),
    "unknown kind": ({"fields": [{"name": "x", "kind": "float"}]}, "f: fields[0].kind", "invalid enum value 'float'"),
    "capitals": (
        {"fields": [FIELD, FIELD | {"name": "y"}, FIELD | {"name": "X"}]},
        "f: fields[2].name",
        "'X' differs from another name in capitals alone, which tables do not tell apart; rename one",
    ),
    "twice": ({"fields": [FIELD, FIELD]}, "f: fields[1].name", "'x' is named twice"),
    "nameless": ({"fields": [{"name": "", "kind": "number"}]}, "f: fields[0] (): name", "must not be empty"),
    "text bound": (
        {"fields": [FIELD | {"minimum": "0"}]},
        "f: fields[0] (x): minimum",
        "expected a number, got a string",
    ),
    "bounds crossed": (
        {"fields": [FIELD | {"minimum": 2, "maximum": 1}]},
        "f: fields[0] (x): minimum",
        "must not be above maximum",
    ),
    "endless bound": (
        {"fields": [FIELD | {"maximum": float("inf")}]},
        "f: fields[0] (x): minimum",
        "bounds must be finite; leave one out where there is none",
    ),
    "bounds of text": (
        {"fields": [{"name": "x", "kind": "text", "minimum": 1}]},
        "f: fields[0] (x): minimum",
        "bounds mean nothing for kind 'text'; remove them",
    ),
    "number as moment": (
        {"fields": [{"name": "x", "kind": "timestamp", "minimum": 5}]},
        "f: fields[0] (x): minimum",
        "expected an RFC 3339 moment such as 2024-01-31T00:00:00Z",
    ),
    "moment without offset": (
        {"fields": [{"name": "x", "kind": "timestamp", "maximum": "2024-01-31T00:00:00"}]},
        "f: fields[0] (x): maximum",
        "needs an offset, such as Z for UTC",
    ),
    "domain of numbers": (
        {"fields": [FIELD | {"domain": ["a"]}]},
        "f: fields[0] (x): domain",
        "means nothing for kind 'number'; remove it or say kind: category",
    ),
    "empty domain": (
        {"fields": [{"name": "x", "kind": "category", "domain": []}]},
        "f: fields[0] (x): domain",
        "must name at least one category, and none twice",
    ),
    "tensor without shape": (
        {"fields": [{"name": "x", "kind": "tensor"}]},
        "f: fields[0] (x): shape",
        "is needed for kind 'tensor' and means nothing for any other",
    ),
    "negative shape": (
        {"fields": [{"name": "x", "kind": "tensor", "shape": [-1]}]},
        "f: fields[0] (x): shape",
        "must have at least one dimension; each is a length or null for any",
    ),
    "no room": (
        {"fields": [{"name": "x", "kind": "text", "max_bytes": 0}]},
        "f: fields[0] (x): max_bytes",
        "must be at least 1, and only text, tensor and image have it",
    ),
    "no share": (
        {"fields": [FIELD | {"expected_missing": 2, "nullable": True}]},
        "f: fields[0] (x): expected_missing",
        "is a share and lies between 0 and 1",
    ),
    "missing but never null": (
        {"fields": [FIELD | {"expected_missing": 0.5}]},
        "f: fields[0] (x): expected_missing",
        "a field that is sometimes missing must be nullable",
    ),
    "three for binary": (
        {"fields": [FIELD], "output": {"task": "binary", "classes": [1, 2, 3]}},
        "f: output",
        "classes: a binary task has exactly two, the positive one last",
    ),
    "one of many": (
        {"fields": [FIELD], "output": {"task": "multiclass", "classes": [1]}},
        "f: output",
        "classes: a multiclass task has at least two",
    ),
    "class twice": (
        {"fields": [FIELD], "output": {"task": "multiclass", "classes": ["a", "a"]}},
        "f: output",
        "classes: none may be named twice",
    ),
    "mixed classes": (
        {"fields": [FIELD], "output": {"task": "binary", "classes": [1, True]}},
        "f: output",
        "classes: must all be of one type",
    ),
    "classes of a regression": (
        {"fields": [FIELD], "output": {"task": "regression", "classes": [1]}},
        "f: output",
        "classes and probability mean nothing for task 'regression'; remove them",
    ),
    "bounds of classes": (
        {"fields": [FIELD], "output": {"task": "tensor", "minimum": 1}},
        "f: output",
        "minimum: answers have bounds only for task 'regression'",
    ),
    "answers crossed": (
        {"fields": [FIELD], "output": {"task": "regression", "minimum": 1, "maximum": 0}},
        "f: output",
        "minimum: must not be above maximum",
    ),
}


@pytest.mark.parametrize(("document", "where", "message"), BAD.values(), ids=BAD)
def test_a_document_that_is_no_contract_is_refused_by_place(document: Any, where: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        from_document(document, "f")
    assert refused.value.where == where
    assert str(refused.value) == f"{where}: {message}"


BAD_YAML: dict[str, tuple[str, str]] = {
    "duplicate key": ("fields: []\noutput: {}\nfields: []\n", "f line 3: 'fields' stands here twice"),
    "duplicate inside": ("a:\n- {b: 1, b: 2}\n", "f line 2: 'b' stands here twice"),
    "key is no text": ("1: 2\n", "f line 1: keys are text"),
    "key is a list": ("? [a]\n: 1\n", "f line 1: keys are text"),
    "alias": ("a: &a [1]\nb: *a\n", "f line 2: aliases are not read; write it out"),
    "code": ("a: !!python/object:os.system {}\n", "f line 1: could not determine a constructor"),
    "unbalanced": ("a: [1\n", "f line 2: "),
    "control character": ("a: \x00\n", "f: is not YAML: ReaderError"),
    "two documents": ("a: 1\n---\nb: 2\n", "f line 2: but found another document"),
    "too deep": ("[" * 5000, "f: is not YAML: RecursionError"),
}


@pytest.mark.parametrize(("text", "message"), BAD_YAML.values(), ids=BAD_YAML)
def test_bad_yaml_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        read_yaml(text, "f")
    assert str(refused.value).startswith(message)


def test_an_empty_file_is_no_contract() -> None:
    with pytest.raises(BadConfiguration):
        load_yaml("", "f")


def test_documents_are_plain() -> None:
    fields = to_document(CONTRACT)["fields"]
    assert fields[1]["domain"] == ["NO", "SE", "1e5", "12:30"]
    assert fields[3] == {"name": "track", "kind": "tensor", "shape": [None, 2]}


@pytest.mark.parametrize("text", ["\x85", "a\x85b", "\u2028", "a\u2029 b", "a\nb", "\r", " ", "no", "1e5"])
def test_any_category_survives_the_way_through_yaml(text: str) -> None:
    assert read_yaml(write_yaml({"domain": [text]}), "test") == {"domain": [text]}
