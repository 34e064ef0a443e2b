"""What a day's inputs look like before anybody asks whether they drifted: holes, copies, broken rules, silent hours.

Counts, so that an hour and an hour make a day; `quality` judges them once the day is over.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.tables import FEATURES
from headgate.monitors.columns import Bools, Ints, text
from headgate.monitors.watch.monitor import Portion
from headgate.monitors.watch.shares import Inputs, Seen

MOST: Final = 200
"""Rules and fields that are told apart; the others of a day are counted as one."""
OTHERS: Final = "others"
LONGEST: Final = 150
"""Characters of the name of a rule and its field."""
_ODD: Final = 0x9E3779B97F4A7C15
"""Whose multiples spread values over 64 bits."""


class Column(msgspec.Struct, frozen=True):
    """One field so far."""

    missing: Seen = Seen()
    """Inputs without a value, null or NaN."""
    sole: str = ""
    """Digits of the only value there was so far; empty where there was none."""
    varied: bool = False
    """Whether there were two."""


class Today(msgspec.Struct, frozen=True):
    """The inputs of one day so far."""

    inputs: int = 0
    kept: int = 0
    """Those of which features were kept."""
    kept_squares: int = 0
    """Sum of the squares of the hours' numbers of them; likewise below."""
    checked: int = 0
    """Inputs that no rule refused, of which some may be flagged."""
    checked_squares: int = 0
    copies: int = 0
    """Of those kept, the ones whose features were all the same as of one before in the same hour."""
    columns: dict[str, Column] = {}
    flagged: dict[str, Seen] = {}
    """Inputs that broke a rule and were answered all the same, by ``rule:field``."""
    refused: dict[str, int] = {}
    """Inputs that were refused, likewise."""
    hours: int = 0
    """A bit for every hour in which anything came."""

    @property
    def whole(self) -> Inputs:
        """The inputs of which features were kept."""
        return Inputs(self.kept, self.kept_squares, self.hours.bit_count())

    @property
    def answered(self) -> Inputs:
        """The inputs that no rule refused."""
        return Inputs(self.checked, self.checked_squares, self.hours.bit_count())

    def after(self, portion: Portion, names: Sequence[str]) -> "Today":
        """With more hours, looking at the fields of these names."""
        if not len(portion):
            return self
        every = portion.hours
        table, hours = features_of(portion, every)
        kept = _by_hour(hours)
        broken = np.asarray(pc.is_valid(portion.table["refusal_rule"])).astype(np.bool_)
        checked = _by_hour(every[~broken])
        looked = names if len(hours) else ()
        return Today(
            inputs=self.inputs + len(portion),
            kept=self.kept + len(hours),
            kept_squares=self.kept_squares + int(kept @ kept),
            checked=self.checked + int(checked.sum()),
            checked_squares=self.checked_squares + int(checked @ checked),
            copies=self.copies + (copies(table, hours) if len(hours) else 0),
            columns=self.columns
            | {each: _column(self.columns.get(each, Column()), table, hours, each) for each in looked},
            flagged=self._flagged(portion, every, checked),
            refused=self._refused(portion, every, broken),
            hours=self.hours | sum(1 << hour for hour in np.unique(every).tolist()),
        )

    def _flagged(self, portion: Portion, hours: Ints, checked: Ints) -> dict[str, Seen]:
        held, flags = dict(self.flagged), portion.table["flags"]
        # Which names are told apart depends on those before: hour by hour, however many hours come together.
        for hour, rows in _hours_of(hours, portion.rows.flagged):
            for name, count in _named(held, _flags(flags.filter(pa.array(rows)))):
                held[name] = held.get(name, Seen()).after(count, int(checked[hour]))
        return held

    def _refused(self, portion: Portion, hours: Ints, broken: Bools) -> dict[str, int]:
        held = dict(self.refused)
        for _, rows in _hours_of(hours, broken):
            for name, count in _named(held, _refusals(portion.table.filter(pa.array(rows)))):
                held[name] = held.get(name, 0) + count
        return held


def features_of(portion: Portion, hours: Ints) -> tuple[pa.Table, Ints]:
    """The features that were kept, a column a field, and the hour of each of their rows, of the `hours` of all."""
    if FEATURES not in portion.table.column_names:
        return pa.table({}), hours[:0]
    struct = portion.table[FEATURES]
    if struct.null_count:
        valid = pc.is_valid(struct)
        struct, hours = struct.filter(valid), hours[np.asarray(valid).astype(np.bool_)]
    return pa.table({each.name: pc.struct_field(struct, each.name) for each in struct.type}), hours


def copies(table: pa.Table, hours: Ints) -> int:
    """How many rows are like one before of their hour in every column that can be compared.

    >>> copies(pa.table({"a": [1.0, 2.0, 1.0], "b": ["x", "x", "x"]}), np.array([7, 7, 7]))
    1
    """
    plain = [each for each in table.columns if not pa.types.is_nested(each.type)]
    if not plain:  # lists and other nested values cannot be compared
        return 0
    prints = np.zeros(len(table), np.uint64)
    for place, codes in enumerate((hours.astype(np.uint64), *map(_codes, plain))):
        factor = np.uint64((_ODD * (2 * place + 1)) % 2**64)
        mixed = (codes + np.uint64(1)) * factor
        prints += (mixed ^ (mixed >> np.uint64(29))) * factor
    return len(table) - len(np.unique(prints))


def _codes(column: pa.ChunkedArray) -> Any:
    """A whole number for every value, the same one for the same value."""
    if pa.types.is_floating(column.type):
        filled = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
        return filled.view(np.uint64)
    codes = column.combine_chunks().dictionary_encode(null_encoding="encode").indices
    return codes.to_numpy(zero_copy_only=False).astype(np.uint64)


def _by_hour(hours: Ints) -> Ints:
    """How many rows are of each hour."""
    found: Ints = np.bincount(hours, minlength=24)
    return found


def _hours_of(hours: Ints, chosen: Bools) -> Iterator[tuple[int, Bools]]:
    """The hours that have any of the chosen rows, and which of these are theirs."""
    for hour in np.unique(hours[chosen]).tolist():
        yield hour, chosen & (hours == hour)


def _column(before: Column, table: pa.Table, hours: Ints, name: str) -> Column:
    rows = _by_hour(hours)
    if name not in table.column_names:
        return msgspec.structs.replace(before, missing=before.missing.over(rows, rows))
    column = table[name]
    holes = np.asarray(pc.is_null(column, nan_is_null=True)).astype(np.bool_)
    found = msgspec.structs.replace(before, missing=before.missing.over(_by_hour(hours[holes]), rows))
    if before.varied or holes.all() or pa.types.is_nested(column.type):
        return found
    ends = pc.min_max(column)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low != high:
        return msgspec.structs.replace(found, varied=True)
    digits = hashlib.sha256(str(low).encode()).hexdigest()[:16]
    return msgspec.structs.replace(found, sole=digits, varied=before.sole not in ("", digits))


def _flags(column: pa.ChunkedArray) -> Mapping[str, int]:
    if pa.types.is_null(column.type):
        return {}
    flat = pc.list_flatten(column)
    return _counts(flat) if len(flat) else {}


def _refusals(table: pa.Table) -> Mapping[str, int]:
    """By rule and field; of inputs that nobody answered although nobody did anything wrong `errors` tells."""
    rules = table["refusal_rule"]
    if rules.null_count == len(rules) or "refusal_field" not in table.column_names:
        return {}
    broken = pc.is_valid(rules)
    names = pc.fill_null(text(table["refusal_field"].filter(broken)), "")
    return _counts(pc.binary_join_element_wise(text(rules.filter(broken)), names, ":"))


def _counts(column: pa.ChunkedArray) -> Mapping[str, int]:
    return {each["values"]: each["counts"] for each in pc.value_counts(text(column)).to_pylist()}


def _named(held: Mapping[str, object], counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The counts under the names by which they are held: cut where these are long, as one where there are too many."""
    found = Counter[str]()
    for name, count in sorted(counts.items()):
        short = name[:LONGEST]
        found[short if short in held or len(held) + len(found) < MOST else OTHERS] += count
    yield from sorted(found.items())


def hours_of(mask: int) -> Ints:
    """Whether anything came, hour by hour, as 0 or 1.

    >>> hours_of(0b101)[:4].tolist()
    [1, 0, 1, 0]
    """
    return np.array([mask >> each & 1 for each in range(24)], np.int64)
