"""Which rules of the contract a window's rows break, field by field, with the contract's own vectorised check."""

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.check import judge_table
from headgate.contracts.columns import Column
from headgate.contracts.contract import Contract, Field, Kind, Rule, Sensitivity
from headgate.contracts.explain import bounds
from headgate.contracts.flags import flagged_domain, flagged_range
from headgate.contracts.tables import without_views
from headgate.evaluation.estimate import Estimate, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE

SHOWN: Final = 5
"""Unseen categories that are named."""


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of one field, and how often it is broken."""

    field: str
    rule: Rule
    refuses: bool
    """Whether a gateway refuses such a row; else it flags it."""
    share: Estimate
    """Share of the rows, with Wilson's interval."""
    rows: int
    """Rows that break it."""
    examples: tuple[tuple[str, int], ...] = ()
    """Unseen categories of a public field and how often each came, most first; at most five."""


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How far the numbers of a field reach, beside what the contract allows; moments in microseconds."""

    field: str
    smallest: float
    largest: float
    minimum: float | None
    maximum: float | None


class Violations(msgspec.Struct, frozen=True, kw_only=True):
    """All broken rules of a window."""

    rows: int
    refused: Estimate
    """Share of the rows that a gateway refuses."""
    breaches: tuple[Breach, ...]
    """Most frequent first; a row that breaks several rules is in each of them."""
    extents: tuple[Extent, ...]
    """Of every number, whole number and moment that has a value."""


def violations(contract: Contract, table: pa.Table, *, confidence: float = CONFIDENCE) -> Violations:
    """Every rule that rows of `table` break; columns the contract does not name are not looked at.

    >>> fields = Field("distance", Kind.NUMBER, maximum=5000), Field("carrier", Kind.CATEGORY, domain=("UA",))
    >>> rows = pa.table({"distance": [200.0, 9000.0, None], "carrier": ["UA", "UA", "ZZ"]})
    >>> found = violations(Contract(fields), rows)
    >>> [(each.field, each.rule.value, each.refuses, each.rows) for each in found.breaches]
    [('distance', 'null', True, 1), ('distance', 'range', False, 1), ('carrier', 'domain', False, 1)]
    """
    table = without_views(table)
    columns, verdicts = judge_table(contract, table, carry=table.column_names)
    z, rows = quantile_of(confidence), table.num_rows
    found: list[Breach] = []
    for field, column in zip(contract.fields, columns, strict=True):
        found.extend(_breaches(field, column, rows, z))
    return Violations(
        rows=rows,
        refused=proportion("refused", int((verdicts.which >= 0).sum()), rows, z),
        breaches=tuple(sorted(found, key=lambda each: -each.rows)),
        extents=tuple(
            extent
            for field, column in zip(contract.fields, columns, strict=True)
            if (extent := _extent(field, column)) is not None
        ),
    )


def _breaches(field: Field, column: Column, rows: int, z: float) -> list[Breach]:
    kinds = [(rule, True, mask) for rule, mask in column.breaks]
    if flagged_range(field):
        kinds.append((Rule.RANGE, False, column.outside))
    if flagged_domain(field):
        kinds.append((Rule.DOMAIN, False, column.unseen))
    found = []
    for rule, refuses, mask in kinds:
        count = int(mask.sum())
        if count:
            found.append(
                Breach(
                    field=field.name,
                    rule=rule,
                    refuses=refuses,
                    share=proportion(f"{rule}:{field.name}", count, rows, z),
                    rows=count,
                    examples=_unseen(field, column) if rule is Rule.DOMAIN else (),
                )
            )
    return found


def _unseen(field: Field, column: Column) -> tuple[tuple[str, int], ...]:
    """Categories by name only where anybody may read them."""
    if field.sensitivity is not Sensitivity.PUBLIC:
        return ()
    counted = pc.value_counts(pc.filter(column.values, pa.array(column.unseen))).to_pylist()
    ranked = sorted(counted, key=lambda each: (-each["counts"], each["values"]))
    return tuple((each["values"], each["counts"]) for each in ranked[:SHOWN])


def _extent(field: Field, column: Column) -> Extent | None:
    if field.kind not in (Kind.NUMBER, Kind.INTEGER, Kind.TIMESTAMP):
        return None
    values = column.values.cast(pa.int64()) if field.kind is Kind.TIMESTAMP else column.values
    numbers = values.drop_null().to_numpy(zero_copy_only=False)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) == 0:
        return None
    low, high = bounds(field)
    return Extent(
        field=field.name, smallest=float(numbers.min()), largest=float(numbers.max()), minimum=low, maximum=high
    )
