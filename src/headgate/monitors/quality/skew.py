"""Training-serving skew: the same rows through the training features and through the serving features, side by side."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.tables import without_views
from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.arrow_types import is_number, undone
from headgate.monitors.columns import floats, text

RELATIVE: Final = 1e-6
"""Numbers that differ by no more than this share of the larger are the same: 32-bit floats do."""
ABSOLUTE: Final = 1e-9
_SIDES: Final = ("training", "serving")
_PLACE: Final = "_headgate_place_"


class FieldSkew(msgspec.Struct, frozen=True, kw_only=True):
    """One field in both, row by row."""

    field: str
    differing: Estimate
    """Share of the rows whose values differ, with Wilson's interval."""
    missing: int
    """Of those, rows with a value on one side only."""
    mean_shift: float | None = None
    """Serving less training on average, of numbers both have; None for other fields."""
    largest_shift: float | None = None
    """The largest distance of two numbers."""
    swaps: tuple[tuple[str, str, int], ...] = ()
    """(training, serving, rows) of the most frequent differences of fields that may be named; at most three."""


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs between the two."""

    rows: int
    """Keys that both have, each once."""
    fields: tuple[FieldSkew, ...]
    """Those both have, most differing first."""
    only_training: tuple[str, ...]
    """Fields that serving lacks."""
    only_serving: tuple[str, ...]
    unmatched: tuple[int, int]
    """Keys that only training has, and that only serving has."""
    repeated: tuple[int, int]
    """Keys that occur more than once in training, and in serving; left out, since nothing says which rows match."""


def skew(
    training: pa.Table,
    serving: pa.Table,
    key: Sequence[str],
    *,
    named: Collection[str] = (),
    confidence: float = CONFIDENCE,
) -> Skew:
    """The rows that agree in the columns `key`, compared in every other column.

    `named` are the fields whose values may be shown: those a contract calls public.

    Raises headgate.errors.BadInput when either table lacks a column of the key or has lists or bytes in it, when none
    is named, and for a confidence outside 0 to 1.

    >>> training = pa.table({"id": [1, 2, 3], "fare": [10.0, 20.0, 30.0]})
    >>> serving = pa.table({"id": [3, 2, 1], "fare": [30.0, 2000.0, 10.0]})
    >>> [fare] = skew(training, serving, ["id"]).fields
    >>> round(fare.differing.value, 3), fare.largest_shift
    (0.333, 1980.0)
    """
    training, serving = without_views(training), without_views(serving)
    for side, table in zip(_SIDES, (training, serving), strict=True):
        _check_key(side, table, key)
    (mine, repeated_mine), (theirs, repeated_theirs) = _once(training, key), _once(serving, key)
    both = mine.join(theirs, keys=list(key), join_type="inner", left_suffix="_training", right_suffix="_serving")
    ours = training.take(both[f"{_PLACE}_training"])
    other = serving.take(both[f"{_PLACE}_serving"])
    shared = [each for each in training.column_names if each in serving.column_names and each not in key]
    z = quantile_of(confidence)
    fields = [
        _field(name, ours[name].combine_chunks(), other[name].combine_chunks(), z, named=name in named)
        for name in shared
    ]
    return Skew(
        rows=both.num_rows,
        fields=tuple(sorted(fields, key=lambda each: -(each.differing.value or 0.0))),
        only_training=tuple(each for each in training.column_names if each not in serving.column_names),
        only_serving=tuple(each for each in serving.column_names if each not in training.column_names),
        unmatched=(mine.num_rows - both.num_rows, theirs.num_rows - both.num_rows),
        repeated=(repeated_mine, repeated_theirs),
    )


def _check_key(side: str, table: pa.Table, key: Sequence[str]) -> None:
    if not key:
        raise BadInput("key", "unknown", "name a column")
    for name in key:
        if name not in table.column_names:
            raise BadInput("key", "unknown", f"the {side} table has no column '{name}'")
        kind = table[name].type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise BadInput("key", "type", f"the {side} table has lists or bytes in '{name}', which name no row")


def _once(table: pa.Table, key: Sequence[str]) -> tuple[pa.Table, int]:
    """Keys that occur once with the place of their row, and how many occur more often; keys compare as texts."""
    names = list(key)
    keyed = pa.table([text(undone(table[each])) for each in names], names=names)
    keyed = keyed.append_column(_PLACE, pa.array(np.arange(table.num_rows)))
    counted = keyed.group_by(names).aggregate([(_PLACE, "count"), (_PLACE, "min")])
    single = pc.equal(counted[f"{_PLACE}_count"], 1)
    once = counted.filter(single).select([*names, f"{_PLACE}_min"]).rename_columns([*names, _PLACE])
    return once, counted.num_rows - once.num_rows


def _field(name: str, ours: Any, theirs: Any, z: float, *, named: bool) -> FieldSkew:
    if is_number(ours.type) and is_number(theirs.type):
        return _numbers(name, ours, theirs, z)
    has, had = (np.asarray(pc.is_valid(each).to_numpy(zero_copy_only=False)) for each in (ours, theirs))
    left, right = _spelled(ours), _spelled(theirs)
    one, apart = has ^ had, has & had & (left != right)
    pairs = Counter(zip(left[apart].tolist(), right[apart].tolist(), strict=True)) if named else {}
    ranked = sorted(pairs.items(), key=lambda each: (-each[1], each[0]))[:3]
    return FieldSkew(
        field=name,
        differing=proportion(f"differing:{name}", int((apart | one).sum()), len(has), z),
        missing=int(one.sum()),
        swaps=tuple((*pair, count) for pair, count in ranked),
    )


def _numbers(name: str, ours: Any, theirs: Any, z: float) -> FieldSkew:
    """NaN means the same as null, as it does in every table."""
    left, right = floats(pa.chunked_array([ours])), floats(pa.chunked_array([theirs]))
    one = np.isnan(left) ^ np.isnan(right)
    both = ~(np.isnan(left) | np.isnan(right))
    left, right = left[both], right[both]
    with np.errstate(invalid="ignore", over="ignore"):
        shift = np.where(left == right, 0.0, right - left)
    finite = shift[np.isfinite(shift)]
    near = np.maximum(ABSOLUTE, RELATIVE * np.maximum(np.abs(left), np.abs(right)))
    apart = ~np.isfinite(shift) | (np.abs(shift) > near)
    return FieldSkew(
        field=name,
        differing=proportion(f"differing:{name}", int(apart.sum()) + int(one.sum()), len(one), z),
        missing=int(one.sum()),
        mean_shift=float(finite.mean()) if len(finite) else None,
        largest_shift=float(np.abs(finite).max()) if len(finite) else None,
    )


def _spelled(array: Any) -> NDArray[Any]:
    """Values as texts, the empty text for none."""
    return np.array(["" if each is None else str(each) for each in array.to_pylist()], dtype=object)
