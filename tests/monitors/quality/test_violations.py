"""Broken rules by field: every rule a row breaks is counted, not the first alone."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Rule, Sensitivity
from headgate.monitors.quality.violations import Breach, violations

CONTRACT = Contract(
    (
        Field("distance", Kind.NUMBER, minimum=0, maximum=5000, on_range=OnBreak.REJECT),
        Field("stops", Kind.INTEGER, nullable=True, maximum=3),
        Field("carrier", Kind.CATEGORY, domain=("AA", "UA")),
        Field("home", Kind.CATEGORY, domain=("x",), sensitivity=Sensitivity.PERSONAL),
    )
)


def rows(**changes: Sequence[object]) -> pa.Table:
    columns: dict[str, Sequence[object]] = {
        "distance": [100.0] * 4,
        "stops": [0, 1, None, 2],
        "carrier": ["AA"] * 4,
        "home": ["x"] * 4,
    }
    return pa.table({**columns, **changes})


def found(table: pa.Table) -> dict[tuple[str, Rule], Breach]:
    return {(each.field, each.rule): each for each in violations(CONTRACT, table).breaches}


def test_rows_that_keep_the_contract_break_nothing() -> None:
    whole = violations(CONTRACT, rows())
    assert whole.breaches == ()
    assert whole.refused.value == 0.0
    assert whole.refused.high is not None
    assert whole.refused.high > 0.3
    assert [(each.field, each.smallest, each.largest, each.maximum) for each in whole.extents] == [
        ("distance", 100.0, 100.0, 5000),
        ("stops", 0.0, 2.0, 3),
    ]


def test_each_rule_counts_and_says_whether_it_refuses() -> None:
    far = [-1.0, None, float("inf"), 9000.0]
    broken = found(rows(distance=far, stops=[0, 9, 9, 1], carrier=["AA", "ZZ", "ZZ", "YY"]))
    counted = {key: (each.rows, each.refuses) for key, each in broken.items()}
    assert counted == {
        ("distance", Rule.NULL): (1, True),
        ("distance", Rule.FINITE): (1, True),
        ("distance", Rule.RANGE): (2, True),
        ("stops", Rule.RANGE): (2, False),
        ("carrier", Rule.DOMAIN): (3, False),
    }
    assert broken["carrier", Rule.DOMAIN].examples == (("ZZ", 2), ("YY", 1))
    assert broken["carrier", Rule.DOMAIN].share.value == 0.75


def test_values_of_personal_fields_are_not_named() -> None:
    assert found(rows(home=["secret"] * 4))["home", Rule.DOMAIN].examples == ()


def test_a_wrong_type_and_a_missing_column_are_breaches_of_every_row() -> None:
    broken = found(rows(distance=["far"] * 4).drop_columns(["carrier"]))
    assert broken["distance", Rule.TYPE].rows == 4
    assert broken["carrier", Rule.MISSING].rows == 4


def test_columns_the_contract_does_not_name_are_let_be() -> None:
    assert found(rows(at=[1, 2, 3, 4])) == {}


def test_a_window_without_rows_has_no_share() -> None:
    empty = violations(CONTRACT, rows().slice(0, 0))
    assert empty.refused.value is None
    assert empty.refused.reason == "there are no rows"
    assert (empty.breaches, empty.extents) == ((), ())


@pytest.mark.parametrize("kind", [pa.string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_categories_count_however_they_are_stored(kind: pa.DataType) -> None:
    table = rows().set_column(2, "carrier", pa.array(["AA", "ZZ", "ZZ", None]).cast(kind))
    broken = found(table)
    assert broken["carrier", Rule.DOMAIN].examples == (("ZZ", 2),)
    assert broken["carrier", Rule.NULL].rows == 1
