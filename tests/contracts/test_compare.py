"""What each change means for callers."""

from dataclasses import replace
from typing import Any

import pytest

from headgate.contracts.compare import Compatibility, compare
from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Sensitivity
from headgate.vocabulary import Task

COMPATIBLE, WIDENING, BREAKING = Compatibility
X = Field("x", Kind.NUMBER, nullable=False, minimum=0, maximum=10, on_range=OnBreak.REJECT)
C = Field("c", Kind.CATEGORY, domain=("a", "b"), on_domain=OnBreak.REJECT)
LONG = replace(C, domain=("abc",))
T = Field("t", Kind.TENSOR, shape=(None, 3))

FIELDS: dict[str, tuple[Field, dict[str, Any], Compatibility, Compatibility]] = {
    "null allowed": (X, {"nullable": True}, WIDENING, BREAKING),
    "wider": (X, {"maximum": 11}, WIDENING, BREAKING),
    "open": (X, {"minimum": None}, WIDENING, BREAKING),
    "flagged": (X, {"on_range": OnBreak.FLAG}, WIDENING, BREAKING),
    "shifted": (X, {"minimum": 1, "maximum": 11}, BREAKING, BREAKING),
    "integer": (X, {"kind": Kind.INTEGER}, BREAKING, WIDENING),
    "boolean": (X, {"kind": Kind.BOOLEAN}, BREAKING, BREAKING),
    "unit stated": (X, {"unit": "m"}, COMPATIBLE, BREAKING),
    "unit changed": (replace(X, unit="ft"), {"unit": "m"}, BREAKING, BREAKING),
    "sensitivity": (X, {"sensitivity": Sensitivity.PERSONAL}, COMPATIBLE, COMPATIBLE),
    "words": (X, {"description": "new"}, COMPATIBLE, COMPATIBLE),
    "flagged range": (replace(X, on_range=OnBreak.FLAG), {"maximum": 3}, COMPATIBLE, COMPATIBLE),
    "more categories": (C, {"domain": ("a", "b", "c")}, WIDENING, BREAKING),
    "same categories, other order": (C, {"domain": ("b", "a")}, COMPATIBLE, COMPATIBLE),
    "other categories": (C, {"domain": ("a", "c")}, BREAKING, BREAKING),
    "any category": (C, {"domain": None}, WIDENING, BREAKING),
    "category to text": (C, {"kind": Kind.TEXT, "domain": None}, WIDENING, BREAKING),
    "category to short text": (LONG, {"kind": Kind.TEXT, "domain": None, "max_bytes": 2}, BREAKING, BREAKING),
    "fixed shape": (T, {"shape": (2, 3)}, BREAKING, WIDENING),
    "other rank": (T, {"shape": (None,)}, BREAKING, BREAKING),
    "smaller": (T, {"max_bytes": 24}, BREAKING, WIDENING),
}


@pytest.mark.parametrize(("field", "change", "there", "back"), FIELDS.values(), ids=FIELDS)
def test_a_changed_field(field: Field, change: dict[str, Any], there: Compatibility, back: Compatibility) -> None:
    old, new = Contract((field,)), Contract((replace(field, **change),))
    assert compare(old, new).compatibility is there
    assert compare(new, old).compatibility is back
    assert all(each.subject == field.name and each.reason for each in compare(old, new).differences)


CLASSES = Output(Task.MULTICLASS, classes=("a", "b", "c"))
OUTPUTS: dict[str, tuple[Output, dict[str, Any], Compatibility, Compatibility]] = {
    "task": (Output(Task.REGRESSION), {"task": Task.TENSOR}, BREAKING, BREAKING),
    "fewer classes": (CLASSES, {"classes": ("a", "b")}, BREAKING, BREAKING),
    "other order": (CLASSES, {"classes": ("c", "b", "a")}, BREAKING, BREAKING),
    "other type": (Output(Task.BINARY, classes=(0, 1)), {"classes": (False, True)}, BREAKING, BREAKING),
    "probability": (CLASSES, {"probability": True}, WIDENING, BREAKING),
    "bounds": (Output(Task.REGRESSION), {"minimum": 0.0}, WIDENING, BREAKING),
    "bound above": (Output(Task.REGRESSION), {"maximum": 9.0}, WIDENING, BREAKING),
    "bounds shifted": (Output(Task.REGRESSION, minimum=0.0, maximum=9.0), {"maximum": 10.0}, BREAKING, WIDENING),
    "label": (CLASSES, {"label": "kind"}, COMPATIBLE, COMPATIBLE),
}


@pytest.mark.parametrize(("output", "change", "there", "back"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_changed_output(output: Output, change: dict[str, Any], there: Compatibility, back: Compatibility) -> None:
    old, new = Contract((X,), output), Contract((X,), replace(output, **change))
    assert compare(old, new).compatibility is there
    assert compare(new, old).compatibility is back
    assert {each.subject for each in compare(old, new).differences} == {"output"}


def test_fields_that_come_and_go() -> None:
    old, new = Contract((X,)), Contract((X, C))
    assert [(each.subject, each.compatibility) for each in compare(old, new).differences] == [("c", BREAKING)]
    assert compare(new, old).differences[0].reason == "is gone, so rows that have it are refused"
    assert compare(old, Contract((X, replace(C, nullable=True)))).compatibility is WIDENING


def test_the_order_of_fields_is_nothing_to_callers() -> None:
    assert compare(Contract((X, C)), Contract((C, X))).differences == ()


FLAGGED = replace(X, on_range=OnBreak.FLAG)
NAMED = replace(C, on_domain=OnBreak.FLAG)


@pytest.mark.parametrize(
    ("old", "new", "is_said"),
    [
        (FLAGGED, replace(FLAGGED, maximum=3), True),
        (FLAGGED, replace(FLAGGED, minimum=None), True),
        (X, FLAGGED, True),
        (NAMED, replace(NAMED, domain=("a",)), True),
        (NAMED, replace(NAMED, domain=("b", "a")), False),
        (C, NAMED, True),
        (X, replace(X, maximum=11), False),
        (C, replace(C, domain=("a", "b", "c")), False),
        (FLAGGED, replace(FLAGGED, nullable=True), False),
    ],
)
def test_that_other_rows_are_flagged_is_said_and_breaks_nobody(old: Field, new: Field, is_said: bool) -> None:
    for before, after in ((old, new), (new, old)):
        found = compare(Contract((before,)), Contract((after,)))
        flagged = [each for each in found.differences if "flagged" in each.reason]
        assert [each.compatibility for each in flagged] == [COMPATIBLE] * is_said
