"""What two said of the same inputs, as flat arrays: one entry per input, each input once, by event time.

`compare` reads them; whoever holds the journal's joined table, asked for with the roles of both, makes them. A side is
roles, and a version where others have them too. Which rows are a version's and what was said in them, `answers.py` of
the rollouts says, for guards and for this; here inputs that only one was asked about have their place too.
"""

from collections.abc import Sequence
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
from headgate.monitors.columns import FAILURES, Bools, Ints, floats, integers, named, text, texts
from headgate.rollouts.answers import COLUMNS, answers_of, spoken_by
from headgate.rollouts.answers import Answers as Spoken
from headgate.vocabulary import Role, Task

NEEDED: Final = (
    "input_id", "at", "request_id", "assigned", "role", "prediction", "scores", "compute_us", "latency_us", "fallback",
    "label", "refusal_rule",
)  # fmt: skip
"""Columns of the joined table that are read."""
_SPOKEN: Final = tuple(name for name in NEEDED if name in COLUMNS)
"""Those that say what was answered; the others say how."""
CLASSES: Final = (Task.BINARY, Task.MULTICLASS)
_HEARD: Final = frozenset({Role.LIVE, Role.CANARY})
"""Roles whose answers callers hear."""
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
    live_roles: Sequence[str] = (Role.LIVE,),
    candidate_roles: Sequence[str] = (Role.SHADOW,),
    candidate_version: str | None = None,
    live_version: str | None = None,
) -> Pairs:
    """The inputs that either side was asked about, with what each said.

    `joined` is what ``journal.reader.Reader.joined`` gives for both roles, with at least the columns of `NEEDED`. A
    version counts by assignment; without one a side is all that has its roles, the first of which names it. Of several
    answers of a side to one input the quickest is taken. Where nobody answered the caller, a side that may answer
    callers was asked and failed, though there is no record of it.

    >>> names = [*NEEDED]
    >>> rows = [["a", 0, "r", "m:1", "live", 1.0, None, 300, 900, "", None, None],
    ...         ["a", 0, "r", "m:2", "shadow", 1.5, None, 200, 990, "", None, None]]
    >>> table = pa.table(dict(zip(names, map(list, zip(*rows)))))
    >>> table = table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC")))
    >>> pairs = pairs_of(table, Contract((), Output(Task.REGRESSION)))
    >>> pairs.ids.tolist(), pairs.live.said.tolist(), pairs.candidate.said.tolist()
    (['a'], [1.0], [1.5])
    """
    table = joined.select(NEEDED)
    sides = (live_roles, live_version), (candidate_roles, candidate_version)
    tables = [spoken_by(table, version, *roles) for roles, version in sides]
    output = _with_foreign(contract.output, pa.concat_tables(tables))
    scored = contract.output if contract.output.classes else Output(Task.TENSOR)
    spoken = [answers_of(each.select(_SPOKEN), output, scored) for each in tables]
    codes, ids = named(pa.concat_tables(tables)["input_id"])
    moments = np.zeros(len(ids), np.int64)
    moments[codes] = np.concatenate([each.at for each in spoken])
    order = np.argsort(moments, kind="stable")
    places = np.split(np.argsort(order)[codes], [len(tables[0])])
    live, candidate = (_rows(*each, output.task, len(ids)).once() for each in zip(tables, spoken, places, strict=True))
    truth, labelled = _truths(live, candidate)
    refused = _refused(tables, codes, order)
    ours, theirs = (_answers(rows, roles, refused) for rows, (roles, _) in zip((live, candidate), sides, strict=True))
    return Pairs(output, np.array(ids, np.object_)[order], moments[order], ours, theirs, truth, labelled)


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
    """The rows of one side."""

    table: pa.Table
    spoken: Spoken
    """What was said in each."""
    place: Ints
    """Of its input."""
    inputs: int
    """How many inputs there are, of both sides."""
    own: Bools
    """Where there is an answer, and nobody else gave it."""
    latency_ms: Floats

    def once(self) -> "_Rows":
        """One row per input: an answer before none, the quickest of several."""
        keys = self.spoken.predicted, self.spoken.compute_us, self.latency_ms, ~self.own, self.place
        order = np.lexsort(keys)
        _, firsts = np.unique(self.place[order], return_index=True)
        chosen = order[firsts]
        table, spoken = self.table.take(pa.array(chosen)), self.spoken.take(chosen)
        return replace(self, table=table, spoken=spoken, **_taken(self, chosen))

    def placed(self, values: NDArray[Any], blank: float) -> NDArray[Any]:
        """A value per row as one per input, `blank` for those without."""
        found = np.full((self.inputs, *values.shape[1:]), blank, values.dtype)
        found[self.place] = values
        return found


def _rows(table: pa.Table, spoken: Spoken, place: Ints, task: Task, inputs: int) -> _Rows:
    own: Bools = pc.is_valid(table["prediction"]).to_numpy().astype(bool) & ~spoken.failed
    if task is Task.REGRESSION:
        own = own & np.isfinite(spoken.predicted)
    return _Rows(table, spoken, place, inputs, own, floats(table["latency_us"]) / 1000)


def _refused(tables: Sequence[pa.Table], codes: Ints, order: Ints) -> Ints:
    """Why nobody answered the caller of each input: position in `FAILURES`, -1 where somebody did."""
    found, rules = np.full(len(order), -1), text(pa.concat_tables(tables)["refusal_rule"])
    found[codes] = integers(pc.fill_null(pc.index_in(rules, value_set=texts(FAILURES)), -1))
    return found[order]


def _answers(rows: _Rows, roles: Sequence[str], refused: Ints) -> Answers:
    """A side's answers, of rows that come once each; it also failed where callers it may answer were `refused`."""
    reason, reasons = named(rows.table["fallback"])
    reason = np.where(rows.own, -1, np.where(reason < 0, len(reasons), reason))
    spoken, compute_ms = rows.spoken, rows.spoken.compute_us / 1000
    asked = rows.placed(np.ones(len(spoken), np.bool_), False)
    failed = ~asked & (refused >= 0) & (not _HEARD.isdisjoint(roles))
    return Answers(
        role=str(roles[0]),
        versions=named(rows.table["assigned"])[1],
        asked=asked | failed,
        answered=rows.placed(rows.own, False),
        said=rows.placed(spoken.predicted, 0),
        scores=None if spoken.scores is None else rows.placed(spoken.scores, np.nan),
        compute_ms=rows.placed(compute_ms, np.nan),
        share_ms=rows.placed(compute_ms / _together(rows.table["request_id"], compute_ms), np.nan),
        latency_ms=rows.placed(rows.latency_ms, np.nan),
        reason=np.where(failed, len(reasons) + 1 + refused, rows.placed(reason, -1)),
        reasons=(*reasons, UNSAID, *FAILURES),
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


def _truths(live: _Rows, candidate: _Rows) -> tuple[NDArray[Any], Bools]:
    """The truth of each input, and where it is known; every row of an input has the same."""
    ours, theirs = (each.placed(each.spoken.truth, 0) for each in (live, candidate))
    known, also = (each.placed(each.spoken.labelled, False) for each in (live, candidate))
    return np.where(known, ours, np.where(also, theirs, 0)), known | also
