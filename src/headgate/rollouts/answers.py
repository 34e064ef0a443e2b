"""What versions answered during a rollout, as columns: the same inputs side by side, or inputs divided between arms.

Made from the journal's joined table; `judge.py` reads nothing else. Every input counts once, in the order of event
time, and where callers stick to a version, as long as they are divided, only the first of each: what one caller meets
belongs together.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import Bools, first_of_each
from headgate.journal.records import Source
from headgate.monitors.columns import FAILURES, Ints, floats, integers, said, scores_of, text, texts
from headgate.vocabulary import PEOPLE, Micros, Role

COLUMNS: Final = (
    "input_id", "at", "entity", "assigned", "role", "probability", "prediction", "scores", "compute_us", "fallback",
    "refusal_rule", "label", "source", "latency_us",
)  # fmt: skip
"""Of the joined table."""
FEATURE: Final = "features."
"""What the names of columns begin with that hold a field of the contract."""
LOSS: Final = "loss."
"""What the names of columns begin with that hold what a query gave, by the place of its guard."""
PLACE: Final = "place"
"""A column with a number for each input, for whoever keeps more about it."""
Whose = Callable[[str, str | None, Micros], str]
"""The version to which an input was assigned, by its id, its entity and its moment."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was said of some inputs, one entry each, with what turned out to be true."""

    at: Ints
    """Event time in microseconds."""
    predicted: NDArray[Any]
    """Class codes, or numbers for a regression."""
    scores: Floats | None
    """Shape (inputs, classes)."""
    compute_us: Floats
    failed: Bools
    """Whether the version did not answer, whoever did in its place."""
    truth: NDArray[Any]
    """Like `predicted`."""
    labelled: Bools
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Whatever else guards look at, by the name of its column."""

    def __len__(self) -> int:
        return len(self.at)

    def within(self, start: int, end: int) -> "Answers":
        """Those of inputs in [start, end)."""
        return self.take((self.at >= start) & (self.at < end))

    def take(self, chosen: NDArray[Any]) -> "Answers":
        """Those of a mask or of places."""
        scores = None if self.scores is None else self.scores[chosen]
        return Answers(
            self.at[chosen],
            self.predicted[chosen],
            scores,
            self.compute_us[chosen],
            self.failed[chosen],
            self.truth[chosen],
            self.labelled[chosen],
            {name: column[chosen] for name, column in self.more.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Inputs that both versions were asked: entry by entry the same input."""

    live: Answers
    candidate: Answers

    def __len__(self) -> int:
        return len(self.live)

    def within(self, start: int, end: int) -> "Pairs":
        """Those of inputs in [start, end)."""
        return self.take((self.live.at >= start) & (self.live.at < end))

    def take(self, chosen: Bools) -> "Pairs":
        """Those of a mask."""
        return Pairs(self.live.take(chosen), self.candidate.take(chosen))


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Inputs that were divided between the versions by chance."""

    answers: Answers
    candidate: Bools
    """Whose each input was."""
    shares: Floats
    """With which probability it was the candidate's."""

    def __len__(self) -> int:
        return len(self.answers)

    def within(self, start: int, end: int) -> "Arms":
        """Those of inputs in [start, end)."""
        return self.take((self.answers.at >= start) & (self.answers.at < end))

    def take(self, chosen: Bools) -> "Arms":
        """Those of a mask."""
        return Arms(self.answers.take(chosen), self.candidate[chosen], self.shares[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """Inputs that either version was to answer, whether each of them counts or not: rows of a joined table."""

    rows: pa.Table
    candidate: Bools
    """Whose each input was."""
    shares: Floats
    """With which probability it was the candidate's."""

    def __len__(self) -> int:
        return len(self.rows)

    def until(self, moment: int) -> "Routed":
        """Those before `moment`."""
        count = int(np.searchsorted(_at(self.rows), moment))
        return Routed(self.rows.slice(0, count), self.candidate[:count], self.shares[:count])

    def firsts(self, seen: Container[str | None] = frozenset()) -> "Routed":
        """Those that count where callers stick to a version: while they are divided, the first input of each caller.

        None of the `seen` among them. Inputs of nobody count, and so do those of a moment in which all went to one
        version: they say nothing of a difference, and take nothing away from the caller's first that does.
        """
        counts = np.ones(len(self), np.bool_)
        who = self._who()
        counts[self._divided()] = first_of_each(who.to_pylist(), seen) | who.is_null().to_numpy()
        return self._take(counts)

    def entities(self) -> set[str | None]:
        """Who asked while callers were divided."""
        return set(self._who().to_pylist())

    def arms(self, output: Output) -> Arms:
        """The same with what was said of each."""
        return Arms(answers_of(self.rows, output), self.candidate, self.shares)

    def _who(self) -> pa.ChunkedArray:
        """Of each input that was divided who asked it."""
        return text(self.rows["entity"]).filter(pa.array(self._divided()))

    def _divided(self) -> Bools:
        divided: Bools = (self.shares > 0) & (self.shares < 1)
        return divided

    def _take(self, chosen: Bools) -> "Routed":
        return Routed(self.rows.filter(pa.array(chosen)), self.candidate[chosen], self.shares[chosen])


def pairs_of(table: pa.Table, output: Output, live: str, candidate: str) -> Pairs:
    """The inputs of a joined table, with the roles of a rollout, that both versions were asked.

    One of them answered the caller and the other unseen: a shadow beside the live version, or the live version beside a
    candidate that has its callers. Where nobody answered the caller, whoever should have has no row, and failed.
    """
    asked = spoke(table, live, Role.LIVE, Role.SHADOW), spoke(table, candidate, Role.SHADOW, Role.CANARY)
    sides = [table.filter(pa.array(each)) for each in asked]
    inputs = _first_of_each(table.filter(pa.array(asked[0] | asked[1])))
    places = [pc.index_in(inputs["input_id"], value_set=each["input_id"].combine_chunks()) for each in sides]
    both = pc.or_(pc.and_(*map(pc.is_valid, places)), _unanswered(inputs))
    inputs, places = inputs.filter(both), [each.filter(both) for each in places]
    rows = [_of_inputs(side.take(place), inputs) for side, place in zip(sides, places, strict=True)]
    return Pairs(*(answers_of(each, output) for each in rows))


def _first_of_each(rows: pa.Table) -> pa.Table:
    """The first row of each input, in their order."""
    codes = rows["input_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return rows.take(pa.array(np.unique(codes, return_index=True)[1]))


def _of_inputs(rows: pa.Table, inputs: pa.Table) -> pa.Table:
    """The rows, null where there is none, with what is known of the inputs, which every row of an input says alike."""
    for name in rows.column_names:
        if name in {"at", "label"} or (name not in COLUMNS and is_of_input(name)):
            rows = rows.set_column(rows.column_names.index(name), name, inputs[name])
    return rows


def decisions_of(table: pa.Table, output: Output, candidate: str, roles: Sequence[Role]) -> Pairs:
    """The inputs that people decided and the candidate answered in one of `roles`; `live` are the people.

    `table` is a joined one with ``human`` and those roles. Of several people the quickest counts.
    """
    table = with_truths(table).sort_by([("at", "ascending"), ("input_id", "ascending"), ("latency_us", "ascending")])
    mine = spoken_by(table, PEOPLE, Role.HUMAN)
    theirs = spoken_by(table, candidate, *roles)
    places = pc.index_in(theirs["input_id"], value_set=mine["input_id"].combine_chunks())
    theirs, places = theirs.filter(pc.is_valid(places)), places.filter(pc.is_valid(places))
    return Pairs(answers_of(mine.take(places), output), answers_of(theirs, output))


def decided_by(table: pa.Table, output: Output, candidate: str) -> Answers:
    """What the candidate answered for callers, with what the world said of it as truth."""
    table = with_truths(table)
    return answers_of(spoken_by(table, candidate, Role.LIVE), output)


def undivided(table: pa.Table, output: Output) -> Arms:
    """No input at all: what people decide is divided between no versions."""
    return Arms(answers_of(table.slice(0, 0), output), np.empty(0, np.bool_), np.empty(0))


def with_truths(table: pa.Table) -> pa.Table:
    """The table with what the world said as truth alone: what people decided is not what turned out to be true."""
    theirs = pc.fill_null(pc.equal(text(table["source"]), Source.HUMAN.value), False)
    label = table["label"]
    known = pc.if_else(theirs, pa.scalar(None, label.type), label)
    return table.set_column(table.column_names.index("label"), "label", known)


def arms_of(table: pa.Table, output: Output, live: str, candidate: str, whose: Whose, *, sticks: bool = False) -> Arms:
    """The inputs of a joined table that were divided between the versions; where it `sticks`, those that count."""
    routed = routed_of(table, live, candidate, whose)
    return (routed.firsts() if sticks else routed).arms(output)


def routed_of(table: pa.Table, live: str, candidate: str, whose: Whose, *, earlier: float | None = None) -> Routed:
    """The inputs of a joined table that either version was to answer; `whose` tells it of those nobody answered.

    A table that goes on where another ended is told with which probability the last input of that was the candidate's:
    `earlier`, None where it is not known of any.
    """
    table = _without_shadows(table.filter(_either(table, live, candidate)))
    assigned = text(table["assigned"])
    ours: Bools = pc.fill_null(pc.equal(assigned, candidate), False).to_numpy().astype(np.bool_)
    for place in np.flatnonzero(assigned.is_null().to_numpy()).tolist():
        ours[place] = _whose(table, place, whose) == candidate
    share = floats(table["probability"])
    # Of one split, 0.05 and 1 - 0.95 are not quite the same number, and blocks end where the share changes.
    shares: Floats = np.where(ours, share, 1.0 - share).round(12)
    unknown = np.isnan(shares)
    if unknown.any():
        shares[unknown] = _nearest(shares, unknown, earlier)
        # Gateways obey a step a little later: where all still went to one version, that one did not answer.
        ours = np.where(unknown & ((shares == 0) | (shares == 1)), shares == 1, ours)
    return Routed(table, ours, shares)


def is_of_input(name: str) -> bool:
    """Whether a column that was added to those of the journal says something of the input, and not of an answer.

    >>> is_of_input("features.distance"), is_of_input("loss.0")
    (True, False)
    """
    return name == PLACE or name.startswith(FEATURE)


def spoken_by(table: pa.Table, version: str | None, *roles: str) -> pa.Table:
    """The rows of a joined table that a version said in one of the roles; without a version whoever had them."""
    return table.filter(pa.array(spoke(table, version, *roles)))


def spoke(table: pa.Table, version: str | None, *roles: str) -> Bools:
    """Of each row of a joined table whether it is one of those.

    >>> table = pa.table({"role": ["live", "shadow", None], "assigned": ["m:1", "m:2", None]})
    >>> spoke(table, "m:2", Role.SHADOW, Role.CANARY).tolist(), spoke(table, None, Role.LIVE).tolist()
    ([False, True, False], [True, False, False])
    """
    right = pc.is_in(text(table["role"]), value_set=texts(roles))
    if version is not None:
        right = pc.and_(right, pc.equal(text(table["assigned"]), version))
    found: Bools = pc.fill_null(right, False).to_numpy().astype(np.bool_)
    return found


def answers_of(table: pa.Table, output: Output, scored: Output | None = None) -> Answers:
    """The answers of a joined table, row by row; scores are of the classes of `scored`, else of those of `output`."""
    truth = said(table["label"], output)
    labelled: Bools = np.isfinite(truth) if truth.dtype.kind == "f" else truth >= 0
    fallback = pc.fill_null(text(table["fallback"]), "")
    silent = pc.is_null(table["role"])
    return Answers(
        _at(table),
        said(table["prediction"], output),
        scores_of(table["scores"], scored or output),
        floats(table["compute_us"]),
        pc.or_(pc.not_equal(fallback, ""), silent).to_numpy().astype(np.bool_),
        truth,
        labelled,
        {name: _plain(table[name]) for name in table.column_names if name not in COLUMNS},
    )


def _plain(column: pa.ChunkedArray) -> NDArray[Any]:
    """Numbers as they are, NaN for null; anything else as text."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return floats(column)
    found: NDArray[Any] = np.array(pc.fill_null(column.cast(pa.string()), "").to_pylist(), dtype=np.object_)
    return found


def _either(table: pa.Table, live: str, candidate: str) -> pa.ChunkedArray:
    roles = pc.is_in(text(table["role"]), value_set=pa.array([Role.LIVE.value, Role.CANARY.value]))
    versions = pc.is_in(text(table["assigned"]), value_set=pa.array([live, candidate]))
    return pc.or_(pc.and_(roles, versions), _unanswered(table))


def _unanswered(table: pa.Table) -> pa.ChunkedArray:
    """Whether nobody answered the caller; a shadow may have, and then the row is the shadow's."""
    return pc.is_in(text(table["refusal_rule"]), value_set=pa.array(FAILURES))


def _without_shadows(table: pa.Table) -> pa.Table:
    """The rows with nothing said where only a shadow spoke."""
    heard = pc.fill_null(pc.not_equal(text(table["role"]), Role.SHADOW.value), True)
    for name in ("role", "assigned", "probability", "compute_us"):
        column = table[name]
        silenced = pc.if_else(heard, column, pa.scalar(None, column.type))
        table = table.set_column(table.column_names.index(name), name, silenced)
    return table


def _at(table: pa.Table) -> Ints:
    """Event times in microseconds."""
    return integers(table["at"].cast(pa.timestamp("us", tz=table["at"].type.tz)).cast(pa.int64()))


def _whose(table: pa.Table, place: int, whose: Whose) -> str:
    row: dict[str, Any] = table.slice(place, 1).select(["input_id", "entity"]).to_pylist()[0]
    return whose(row["input_id"], row["entity"], Micros(int(_at(table.slice(place, 1))[0])))


def _nearest(shares: Floats, unknown: Bools, earlier: float | None) -> Floats:
    """What the rows before (else after) those `unknown` have: shares change with the steps of a rollout alone.

    `earlier` is what the last one before all of them had.
    """
    known = np.flatnonzero(~unknown)
    if not len(known):
        return np.full(int(unknown.sum()), earlier or 0.0)
    before = np.searchsorted(known, np.flatnonzero(unknown)) - 1
    found: Floats = shares[known[np.maximum(before, 0)]]
    if earlier is not None:
        found[before < 0] = earlier
    return found
