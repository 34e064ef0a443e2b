"""The journal's joined table as flat arrays: one entry per row that counts, sorted by window.

`windows` calls `columns`. What turns one Arrow column into an array (`named`, `floats`, `said`, `scores_of`) serves
whoever else reads that table, so that a prediction means the same everywhere. Everything here is vectorised; no row is
touched in Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import UNLABELLED, encode
from headgate.monitors.arrow_types import undone
from headgate.vocabulary import OUTLIER, OUTLIER_FLAG, Role, Task

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NEEDED: Final = (
    "at", "assigned", "answered", "role", "prediction", "scores", "compute_us", "latency_us", "fallback",
    "refusal_rule", "flags", "label",
)  # fmt: skip
SERVED: Final = (Role.LIVE, Role.CANARY, Role.PINNED)
"""Roles whose answer a caller saw."""
FAILURES: Final = ("runtime", "deadline")
"""Rules of refusals that say that a version did not answer, and no caller did anything wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One entry per row; texts as positions in a list of names, -1 for none."""

    at: Ints
    """Event time in microseconds."""
    answered: Ints
    """Position in `versions`."""
    refused: Ints
    """Position in `rules`."""
    fell_back: Bools
    flagged: Bools
    outlying: Bools
    """Whether the row was found unlike the reference, and flagged or refused for it."""
    judged: Bools
    """Whether task metrics speak of the row: it was answered, and not to a caller who chose the version."""
    latency_ms: Floats
    compute_ms: Floats
    truth: NDArray[Any]
    """Class codes or numbers; `labelled` says where there is one."""
    labelled: Bools
    predicted: NDArray[Any]
    scores: Floats | None
    versions: tuple[str, ...]
    rules: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def failed(self) -> Bools:
        """Inputs that nobody answered although no caller did anything wrong."""
        known = [place for place, rule in enumerate(self.rules) if rule in FAILURES]
        found: Bools = (self.answered < 0) & ((self.refused < 0) | np.isin(self.refused, known))
        return found

    def take(self, chosen: NDArray[Any] | slice) -> "Columns":
        """Some of the rows, or all in another order."""
        arrays: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        arrays = {name: part[chosen] for name, part in arrays.items() if isinstance(part, np.ndarray)}
        return replace(self, **arrays)


def columns(table: pa.Table, output: Output, version: str | None) -> Columns:
    """The rows that count for an endpoint, or for one version of it.

    For an endpoint: one row per input, the answer its caller saw, a refusal, or nothing (an error); shadows and
    people are left out. For a version: the rows assigned to it, shadow ones among them.
    """
    table = table.select(NEEDED)
    role = pc.fill_null(text(table["role"]), "")
    if version is None:
        chosen = pc.is_in(role, value_set=texts(["", *SERVED]))
    else:
        spoken = pc.is_in(role, value_set=texts([*SERVED, Role.SHADOW, Role.SUGGESTION]))
        chosen = pc.and_(spoken, pc.fill_null(pc.equal(text(table["assigned"]), version), False))
    table = table.filter(chosen)
    answered, versions = named(table["answered"])
    refused, rules = named(table["refusal_rule"])
    spoke = answered >= 0
    if version is not None:
        own = answered == (versions.index(version) if version in versions else len(versions))
    else:
        own = spoke
    truth, labelled = _truths(table["label"], output)
    return Columns(
        at=moments(table["at"]),
        answered=answered,
        refused=np.where(spoke, -1, refused),
        fell_back=named(table["fallback"])[0] >= 0,
        flagged=_flagged(table["flags"]),
        outlying=_outlying(table["flags"]) | _flags(pc.equal(text(table["refusal_rule"]), OUTLIER)),
        judged=own & ~_flags(pc.equal(role.filter(chosen), Role.PINNED)),
        latency_ms=floats(table["latency_us"]) / 1000,
        compute_ms=floats(table["compute_us"]) / 1000,
        truth=truth,
        labelled=labelled,
        predicted=said(table["prediction"], output),
        scores=scores_of(table["scores"], output),
        versions=versions,
        rules=rules,
    )


def texts(values: Sequence[str]) -> pa.Array:
    """Names, members of an enum among them, as a column of plain strings.

    >>> texts([Role.LIVE]).to_pylist()
    ['live']
    """
    return pa.array([str(each) for each in values], type=pa.string())


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as plain strings, whether it is kept as a dictionary, a view or nothing but nulls.

    >>> text(pa.chunked_array([pa.nulls(1)])).type
    DataType(string)
    """
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _flags(column: pa.ChunkedArray) -> Bools:
    filled: Bools = pc.fill_null(column, False).to_numpy().astype(bool)
    return filled


def _flagged(column: pa.ChunkedArray) -> Bools:
    """Whether a row carries a flag; flags are a list, empty or null where there is none."""
    if pa.types.is_null(column.type):
        return np.zeros(len(column), dtype=bool)
    return _flags(pc.greater(pc.list_value_length(column), 0))


def _outlying(column: pa.ChunkedArray) -> Bools:
    """Whether a row carries the flag of one unlike the reference."""
    found = np.zeros(len(column), dtype=bool)
    if not pa.types.is_null(column.type):
        lists = column.combine_chunks()
        marks = _flags(pc.equal(text(pa.chunked_array([pc.list_flatten(lists)])), OUTLIER_FLAG))
        found[pc.list_parent_indices(lists).to_numpy()[marks]] = True
    return found


def integers(column: pa.ChunkedArray) -> Ints:
    """Whole numbers, none of them null.

    >>> integers(pa.chunked_array([[1, 2]])).tolist()
    [1, 2]
    """
    values: Ints = column.to_numpy().astype(np.int64)
    return values


def moments(column: pa.ChunkedArray) -> Ints:
    """Moments as whole microseconds, none of them null.

    >>> moments(pa.chunked_array([pa.array([7], pa.timestamp("us", tz="UTC"))])).tolist()
    [7]
    """
    return integers(column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()))


def floats(column: pa.ChunkedArray) -> Floats:
    """Numbers, NaN for null.

    >>> floats(pa.chunked_array([[1, None]])).tolist()
    [1.0, nan]
    """
    values: Floats = pc.cast(column, pa.float64(), safe=False).to_numpy().astype(np.float64, copy=False)
    return values


def named(column: pa.ChunkedArray) -> tuple[Ints, tuple[str, ...]]:
    """Texts as positions in the list of those that occur, sorted; -1 for null and for the empty text.

    >>> codes, names = named(pa.chunked_array([["b", "", "a", None]]))
    >>> codes.tolist(), names
    ([1, -1, 0, -1], ('a', 'b'))
    """
    column = text(column)
    names = sorted(each for each in pc.unique(column).to_pylist() if each)
    codes = pc.index_in(column, value_set=texts(names))
    return integers(pc.fill_null(codes, -1)), tuple(names)


def _truths(column: pa.ChunkedArray, output: Output) -> tuple[NDArray[Any], Bools]:
    """Truths and where there is one; a label that is none of the classes counts as missing."""
    truth = said(column, output)
    return truth, (np.isfinite(truth) if output.task is Task.REGRESSION else truth >= 0)


def said(column: pa.ChunkedArray, output: Output) -> NDArray[Any]:
    """Labels or predictions as class codes (negative for none of them) or numbers (NaN for null).

    >>> said(pa.chunked_array([["yes", None]]), Output(Task.BINARY, classes=("no", "yes"))).tolist()
    [1, -2]
    """
    if output.task is Task.TENSOR or pa.types.is_null(column.type):
        nothing = np.nan if output.task is Task.REGRESSION else UNLABELLED
        return np.full(len(column), nothing, dtype=np.float64 if output.task is Task.REGRESSION else np.int64)
    if output.task is Task.REGRESSION:
        return floats(column)
    column = undone(column)
    try:
        known = pa.array(output.classes).cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return encode(column.to_pylist(), output.classes)  # classes of mixed types, or other than the column's
    return integers(pc.fill_null(pc.index_in(column, value_set=known), UNLABELLED))


def scores_of(column: pa.ChunkedArray, output: Output) -> Floats | None:
    """Scores as (rows, classes), NaN where a row has none; None when no row has any.

    >>> scores_of(pa.chunked_array([[[0.25, 0.75], None]]), Output(Task.BINARY, classes=("no", "yes"))).tolist()
    [[0.25, 0.75], [nan, nan]]
    """
    count = len(output.classes)
    if output.task not in (Task.BINARY, Task.MULTICLASS) or pa.types.is_null(column.type):
        return None
    whole = _flags(pc.equal(pc.list_value_length(column), count))
    if not whole.any():
        return None
    given = column if whole.all() else column.filter(pa.array(whole))
    values = floats(pc.list_flatten(given)).reshape(-1, count)
    if whole.all():
        return values
    scores = np.full((len(column), count), np.nan)
    scores[whole] = values
    return scores
