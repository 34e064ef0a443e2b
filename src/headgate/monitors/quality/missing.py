"""How many values are missing beside how many are expected to be, and fields that stopped changing."""

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Field
from headgate.contracts.tables import without_views
from headgate.evaluation.estimate import Estimate, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.quality.excess import excess


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """One field's holes."""

    field: str
    share: Estimate
    """Share of rows without a value, null or NaN."""
    expected: float
    """The contract's rate, 0 to 1."""
    excess: Estimate
    """Share less expected; its interval allows for the reference's size where that is given."""

    @property
    def changed(self) -> bool | None:
        """Whether more, or fewer, are missing than chance would explain; None without rows."""
        if self.excess.low is None or self.excess.high is None:
            return None
        return self.excess.low > 0 or self.excess.high < 0


class Stuck(msgspec.Struct, frozen=True):
    """A field with one value in all of a window's rows that had several in the reference."""

    field: str
    rows: int


def missingness(
    contract: Contract, table: pa.Table, *, reference_rows: int | None = None, confidence: float = CONFIDENCE
) -> tuple[Missing, ...]:
    """Every field of the contract, most holes over what is expected first.

    The expected rate was measured on a reference; with `reference_rows` its own error counts (Newcombe's interval of a
    difference), without, it is taken as exact. Intervals of the excess hold over all fields at once (Bonferroni): at
    95 % no more than five ordinary windows in a hundred have any field called changed.

    >>> from headgate.contracts.contract import Kind
    >>> contract = Contract((Field("delay", Kind.NUMBER, nullable=True, expected_missing=0.5),))
    >>> [found] = missingness(contract, pa.table({"delay": pa.array([1.0] * 90 + [None] * 10)}))
    >>> found.share.value, found.changed
    (0.1, True)
    """
    z = quantile_of(confidence)
    strict = quantile_of(1 - (1 - confidence) / max(1, len(contract.fields)))
    found = [_missing(each, table, reference_rows, z, strict) for each in contract.fields]
    return tuple(sorted(found, key=lambda each: -(each.excess.value or 0.0)))


def _missing(field: Field, table: pa.Table, reference_rows: int | None, z: float, strict: float) -> Missing:
    rows, holes = table.num_rows, _holes(field, table)
    return Missing(
        field=field.name,
        share=proportion(f"missing:{field.name}", holes, rows, z),
        expected=field.expected_missing,
        excess=excess(
            f"excess:{field.name}", holes, rows, field.expected_missing, reference_rows=reference_rows, z=strict
        ),
    )


def _holes(field: Field, table: pa.Table) -> int:
    if field.name not in table.column_names:
        return int(table.num_rows)
    column = table[field.name]
    nulls = int(column.null_count)
    if pa.types.is_floating(column.type):
        nulls += int(pc.sum(pc.is_nan(pc.cast(column, pa.float64()))).as_py() or 0)
    return nulls


def stuck(reference: pa.Table, window: pa.Table) -> tuple[Stuck, ...]:
    """Fields both tables have that varied in the reference and have one single value in the window.

    A window of one row says nothing. Fields of lists and pictures are not looked at.

    >>> stuck(pa.table({"a": [1, 2], "b": [1, 1]}), pa.table({"a": [7, 7], "b": [1, 1]}))
    (Stuck(field='a', rows=2),)
    """
    if window.num_rows < 2:
        return ()
    reference, window = without_views(reference), without_views(window)
    both = [each for each in reference.column_names if each in window.column_names]
    plain = [each for each in both if _countable(reference[each].type) and _countable(window[each].type)]
    still = [each for each in plain if _distinct(window[each]) == 1]
    return tuple(Stuck(each, window.num_rows) for each in still if _distinct(reference[each]) > 1)


def _countable(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _distinct(column: pa.ChunkedArray) -> int:
    """Different values, missing ones counting as one."""
    return len(pc.unique(column))
