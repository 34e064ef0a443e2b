"""What is usual of each field, from the rows a version was evaluated with or, without them, from its contract alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Kind, Sensitivity
from headgate.contracts.flags import flagged_domain, flagged_range
from headgate.monitors.quality.missing import missingness
from headgate.monitors.quality.violations import violations
from headgate.monitors.watch.known import Known

PLAIN: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY, Kind.TIMESTAMP)
"""Kinds of which it is asked whether they still vary."""


class Usual(msgspec.Struct, frozen=True):
    """One field of the reference."""

    name: str
    missing: float
    """Share without a value."""
    rules: dict[str, float] = {}
    """Share of rows by the rule they break and are answered all the same, ``range`` or ``domain``."""
    common: float | None = None
    """Share of the most frequent value; None where nothing is known of the values, or there was one alone."""


def usual_of(contract: Contract, known: Known | None, kept: Sequence[str]) -> tuple[Usual, ...]:
    """Every public field of those that are `kept` in the journal."""
    fields = [each for each in contract.fields if each.sensitivity is Sensitivity.PUBLIC and each.name in kept]
    table = None if known is None else known.features
    missing = {each.name: each.expected_missing for each in fields}
    broken: Mapping[str, dict[str, float]] = {}
    if table is not None and table.num_rows:
        here = Contract(tuple(each for each in fields if each.name in table.column_names), contract.output)
        missing |= {each.field: each.share.value or 0.0 for each in missingness(here, table)}
        broken = _broken(here, table)
    return tuple(
        Usual(
            name=each.name,
            missing=missing[each.name],
            rules={
                rule: broken.get(each.name, {}).get(rule, 0.0)
                for rule, may in (("range", flagged_range(each)), ("domain", flagged_domain(each)))
                if may
            },
            common=_common(table, each.name) if each.kind in PLAIN else None,
        )
        for each in fields
    )


def _broken(contract: Contract, table: pa.Table) -> Mapping[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for each in violations(contract, table).breaches:
        if not each.refuses:
            found.setdefault(each.field, {})[each.rule.value] = each.rows / table.num_rows
    return found


def _common(table: pa.Table | None, name: str) -> float | None:
    if table is None or name not in table.column_names:
        return None
    counts = pc.value_counts(table[name].drop_null()).field("counts")
    if len(counts) < 2:
        return None
    return float(pc.max(counts).as_py()) / float(pc.sum(counts).as_py())
