"""What two said of the same inputs, as flat arrays: one entry per input, each input once, by event time.

`compare` reads them; whoever holds the journal's joined table, asked for with the roles of both, makes them. A side is
a role, and a version where several have that role: the live version and its shadow, or people and a model.
"""

from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Contract, Output
from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import absent
from headgate.monitors.columns import Bools, Ints, floats, integers, named, said, scores_of, text
from headgate.vocabulary import Role, Task

NEEDED: Final = (
    "input_id", "at", "request_id", "assigned", "role", "prediction", "scores", "compute_us", "latency_us", "fallback",
    "label",
)  # fmt: skip
"""Columns of the joined table that are read."""
CLASSES: Final = (Task.BINARY, Task.MULTICLASS)
UNSAID: Final = "no reason given"
"""The reason of a failure whose record has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One side, an entry per input."""

    role: str
    versions: tuple[str, ...]
    """Sorted."""
    asked: Bools
    """Whether there is a record of it."""
    answered: Bools
    """Whether it gave an answer of its own; one that another version gave in its place is none."""
    said: NDArray[Any]
    """Class codes or numbers; they mean something where it answered."""
    scores: Floats | None
    """(inputs, the contract's classes), NaN where there are none; None where there never are."""
    compute_ms: Floats
    """Of the call an input was in; NaN where it was not measured."""
    share_ms: Floats
    """The input's part of it."""
    latency_ms: Floats
    reason: Ints
    """Why there is no answer: position in `reasons`, -1 where there is one or was nothing asked."""
    reasons: tuple[str, ...]

    def take(self, chosen: NDArray[Any]) -> "Answers":
        """Some of the inputs."""
        return replace(self, **_taken(self, chosen))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Both sides and the truth, an entry per input that either was asked about."""

    output: Output
    """Its classes are the contract's, then whatever else was said or turned out to be true."""
    ids: NDArray[Any]
    """Input ids, as texts."""
    at: Ints
    """Event time in microseconds."""
    live: Answers
    candidate: Answers
    truth: NDArray[Any]
    """Class codes or numbers."""
    labelled: Bools
    """Whether the truth is known."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def both(self) -> Bools:
        """Whether both answered."""
        return self.live.answered & self.candidate.answered

    def take(self, chosen: NDArray[Any]) -> "Pairs":
        """Some of the inputs."""
        arrays = _taken(self, chosen)
        return replace(self, live=self.live.take(chosen), candidate=self.candidate.take(chosen), **arrays)


def _taken(rows: Any, chosen: NDArray[Any]) -> dict[str, Any]:
    """The arrays of a dataclass, some entries of each."""
    arrays = {each.name: getattr(rows, each.name) for each in fields(rows)}
    return {name: part[chosen] for name, part in arrays.items() if isinstance(part, np.ndarray)}


def pairs_of(
    joined: pa.Table,
    contract: Contract,
    *,
    live_role: str = Role.LIVE,
    candidate_role: str = Role.SHADOW,
    candidate_version: str | None = None,
    live_version: str | None = None,
) -> Pairs:
    """The inputs that either side was asked about, with what each said.

    `joined` is what ``journal.reader.Reader.joined`` gives for both roles, with at least the columns of `NEEDED`. A
    version counts by assignment; without one a side is all that has the role. Of several answers of a side to one
    input the quickest is taken.

    >>> names = [*NEEDED]
    >>> rows = [["a", 0, "r", "m:1", "live", 1.0, None, 300, 900, "", None],
    ...         ["a", 0, "r", "m:2", "shadow", 1.5, None, 200, 990, "", None]]
    >>> table = pa.table(dict(zip(names, map(list, zip(*rows)))))
    >>> table = table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC")))
    >>> pairs = pairs_of(table, Contract((), Output(Task.REGRESSION)))
    >>> pairs.ids.tolist(), pairs.live.said.tolist(), pairs.candidate.said.tolist()
    (['a'], [1.0], [1.5])
    """
    table = joined.select(NEEDED)
    sides = ((str(live_role), live_version), (str(candidate_role), candidate_version))
    speakers = [_speaks(table, role, version) for role, version in sides]
    chosen = speakers[0] | speakers[1]
    table = table.filter(pa.array(chosen))
    output = _with_foreign(contract.output, table)
    codes, ids = named(table["input_id"])
    moments = np.zeros(len(ids), np.int64)
    moments[codes] = integers(table["at"].cast(pa.timestamp("us", tz=table["at"].type.tz)).cast(pa.int64()))
    order = np.argsort(moments, kind="stable")
    rows = _rows(table, output, np.argsort(order)[codes])
    scored = contract.output if contract.output.classes else Output(Task.TENSOR)
    answers = [
        _answers(table, scored, rows.take(speaks[chosen]), role)
        for (role, _), speaks in zip(sides, speakers, strict=True)
    ]
    truth, labelled = _truths(table, output, rows)
    return Pairs(output, np.array(ids, np.object_)[order], moments[order], answers[0], answers[1], truth, labelled)


def _speaks(table: pa.Table, role: str, version: str | None) -> Bools:
    found = equal(table["role"], role)
    return found if version is None else found & equal(table["assigned"], version)


def equal(column: pa.ChunkedArray, value: str) -> Bools:
    """Which texts of a column are `value`; null is none."""
    found: Bools = pc.fill_null(pc.equal(text(column), value), False).to_numpy().astype(bool)
    return found


def _with_foreign(output: Output, table: pa.Table) -> Output:
    """The output with every class that occurs, spelled as they are kept: people may say what no contract knows."""
    if output.task not in CLASSES:
        return output
    classes: list[Any] = list(output.classes)
    for column in (table["prediction"], table["label"]):
        if pa.types.is_null(column.type):
            continue
        # Classes that are of no one type, or of another than the column's, are looked for as they are.
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            classes = pa.array(classes).cast(column.type).to_pylist()
        found = {each for each in pc.unique(column).to_pylist() if not absent(each)}
        classes.extend(sorted(found - set(classes), key=str))
    return replace(output, classes=tuple(classes))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Some rows of the table: their numbers, and what is known of each."""

    number: Ints
    code: Ints
    """Place of its input."""
    inputs: int
    """How many inputs there are."""
    said: NDArray[Any]
    own: Bools
    """Where there is an answer, and nobody else gave it."""
    latency_ms: Floats
    compute_ms: Floats

    def take(self, chosen: NDArray[Any]) -> "_Rows":
        return replace(self, **_taken(self, chosen))

    def once(self) -> "_Rows":
        """One row per input: an answer before none, the quickest of several."""
        order = np.lexsort((self.said, self.compute_ms, self.latency_ms, ~self.own, self.code))
        _, firsts = np.unique(self.code[order], return_index=True)
        return self.take(order[firsts])

    def placed(self, values: NDArray[Any], blank: float) -> NDArray[Any]:
        """A value per row as one per input, `blank` for those without."""
        found = np.full((self.inputs, *values.shape[1:]), blank, values.dtype)
        found[self.code] = values
        return found


def _rows(table: pa.Table, output: Output, code: Ints) -> _Rows:
    predicted = said(table["prediction"], output)
    own: Bools = pc.is_valid(table["prediction"]).to_numpy().astype(bool) & (named(table["fallback"])[0] < 0)
    if output.task is Task.REGRESSION:
        own = own & np.isfinite(predicted)
    times = (floats(table[name]) / 1000 for name in ("latency_us", "compute_us"))
    inputs = int(code.max()) + 1 if len(code) else 0
    return _Rows(np.arange(len(code)), code, inputs, predicted, own, *times)


def _answers(table: pa.Table, scored: Output, rows: _Rows, role: str) -> Answers:
    rows = rows.once()
    spoken = table.take(pa.array(rows.number))
    reason, reasons = named(spoken["fallback"])
    reason = np.where(rows.own, -1, np.where(reason < 0, len(reasons), reason))
    scores = scores_of(spoken["scores"], scored)
    return Answers(
        role=role,
        versions=named(spoken["assigned"])[1],
        asked=rows.placed(np.ones(len(rows.number), np.bool_), False),
        answered=rows.placed(rows.own, False),
        said=rows.placed(rows.said, 0),
        scores=None if scores is None else rows.placed(scores, np.nan),
        compute_ms=rows.placed(rows.compute_ms, np.nan),
        share_ms=rows.placed(rows.compute_ms / _together(spoken["request_id"], rows.compute_ms), np.nan),
        latency_ms=rows.placed(rows.latency_ms, np.nan),
        reason=rows.placed(reason, -1),
        reasons=(*reasons, UNSAID),
    )


def _together(request_id: pa.ChunkedArray, compute: Floats) -> Floats:
    """How many inputs each one's call had, as far as the records say.

    Rows of one request that took the same time to the microsecond were in one call. Calls that joined requests are not
    told apart from calls of their own.
    """
    requests, names = named(request_id)
    requests = np.where(requests < 0, len(names) + np.arange(len(requests)), requests)
    times, codes = np.unique(compute, return_inverse=True)
    _, calls, sizes = np.unique(requests * max(1, len(times)) + codes, return_inverse=True, return_counts=True)
    found: Floats = sizes[calls].astype(np.float64)
    return found


def _truths(table: pa.Table, output: Output, rows: _Rows) -> tuple[NDArray[Any], Bools]:
    """The truth of each input, and where it is known; every row of an input has the same."""
    spoken = said(table["label"], output)
    known = rows.take(np.isfinite(spoken) if output.task is Task.REGRESSION else spoken >= 0)
    return known.placed(spoken[known.number], 0), known.placed(np.ones(len(known.number), np.bool_), False)
