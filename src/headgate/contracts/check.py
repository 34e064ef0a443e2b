"""A whole table against a contract, column by column.

Called by ``headgate score``, which refuses the rows a gateway would. A row is good here exactly
when the compiled decoder would take it as JSON; what a table's column types add is said at ``check_table``.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.contracts.columns import Column, absent_column, read_column
from headgate.contracts.contract import Contract, Field, Rule
from headgate.contracts.explain import Break, sentence
from headgate.contracts.flags import flagged_domain, flagged_range
from headgate.contracts.tables import without_views

GOOD: Final = -1
_VERDICT: Final = ("_row", "_field", "_rule", "_message")


@dataclass(frozen=True, slots=True)
class Checked:
    """A table parted in two."""

    good: pa.Table
    """The rows that keep the contract: its fields first, in its order and types, then what was carried."""
    quarantine: pa.Table
    """The other rows as they came, with ``_row`` (position from 0), ``_field``, ``_rule`` and ``_message``."""
    flags: Mapping[str, int]
    """How many good rows break each rule that only flags, by ``rule:field``; rules nobody breaks are left out."""


def check_table(contract: Contract, table: pa.Table, *, carry: Collection[str] = ()) -> Checked:
    """The rows of `table` that keep `contract`, and the others with the first field and rule each breaks.

    Columns in `carry` and the label's ride along unlooked at; any other column the contract does not name breaks
    ``unknown`` for every row, as it would in a request. A column's type is a matter of storage, so an integer column
    serves a number, a float column of whole numbers an integer, and a moment without a zone is taken for UTC; text
    is never read as a number.

    >>> from headgate.contracts.contract import Kind, OnBreak
    >>> contract = Contract((Field("distance", Kind.NUMBER, maximum=5000, on_range=OnBreak.REJECT),))
    >>> checked = check_table(contract, pa.table({"distance": [200, 9000]}))
    >>> checked.good.num_rows, checked.quarantine["_rule"].to_pylist()
    (1, ['range'])
    """
    table = without_views(table)
    columns, verdicts = judge_table(contract, table, carry={contract.output.label, *carry})
    keep = verdicts.which == GOOD
    return Checked(
        good=_good(contract, table, columns, keep, carry),
        quarantine=_quarantine(table, verdicts),
        flags=_flags(contract, columns, keep),
    )


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Per row, which of the verdicts is its first break, or GOOD."""

    which: npt.NDArray[np.int32]
    said: list[tuple[str, str, str]]
    """Field, rule and message."""

    def add(self, rows: npt.NDArray[np.bool_], field: str, rule: Rule, message: str) -> None:
        """Gives the verdict to those of `rows` that have none yet."""
        fresh = rows & (self.which == GOOD)
        if fresh.any():
            self.which[fresh] = len(self.said)
            self.said.append((field, rule.value, message))


def judge_table(contract: Contract, table: pa.Table, *, carry: Collection[str] = ()) -> tuple[list[Column], Verdicts]:
    """`table` as the columns of `contract`, and the first break of every row; it must have no views.

    Gateways call this for rows that come as a table: no column but the contract's and those in `carry` is let pass.
    """
    columns = [_column(field, table) for field in contract.fields]
    return columns, _first_breaks(contract, table, columns, carry)


def _column(field: Field, table: pa.Table) -> Column:
    if field.name in table.column_names:
        return read_column(field, table[field.name].combine_chunks())
    return absent_column(field, table.num_rows)


def _first_breaks(contract: Contract, table: pa.Table, columns: list[Column], carry: Collection[str]) -> Verdicts:
    found = Verdicts(np.full(table.num_rows, GOOD, dtype=np.int32), [])
    for field, column in zip(contract.fields, columns, strict=True):
        for rule, rows in column.breaks:
            found.add(rows, field.name, rule, sentence(field, Break(rule, column.got)))
    known = {*contract.names, *carry}
    unknown = next((each for each in table.column_names if each not in known), None)
    if unknown is not None:
        everyone = np.ones(table.num_rows, dtype=bool)
        found.add(everyone, unknown, Rule.UNKNOWN, sentence(contract.fields[0], Break(Rule.UNKNOWN)))
    return found


def _good(
    contract: Contract, table: pa.Table, columns: list[Column], keep: npt.NDArray[np.bool_], carry: Collection[str]
) -> pa.Table:
    carried = [each for each in table.column_names if each in {contract.output.label, *carry} - set(contract.names)]
    names = [*contract.names, *carried]
    arrays = [column.values for column in columns] + [table[each] for each in carried]
    return pa.table(arrays, names=names).filter(pa.array(keep))


def _quarantine(table: pa.Table, verdicts: Verdicts) -> pa.Table:
    broken = verdicts.which != GOOD
    refused = table.drop_columns([each for each in _VERDICT if each in table.column_names]).filter(pa.array(broken))
    said = [verdicts.said[i] for i in verdicts.which[broken]]
    refused = refused.append_column(_VERDICT[0], pa.array(np.flatnonzero(broken), pa.int64()))
    for position, name in enumerate(_VERDICT[1:]):
        refused = refused.append_column(name, pa.array([each[position] for each in said], pa.string()))
    return refused


def _flags(contract: Contract, columns: list[Column], keep: npt.NDArray[np.bool_]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for field, column in zip(contract.fields, columns, strict=True):
        if flagged_range(field):
            counts[f"{Rule.RANGE}:{field.name}"] = int((column.outside & keep).sum())
        if flagged_domain(field):
            counts[f"{Rule.DOMAIN}:{field.name}"] = int((column.unseen & keep).sum())
    return {name: count for name, count in counts.items() if count}
