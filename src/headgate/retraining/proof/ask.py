"""Every version asked the same questions: recent rows, golden sets, disturbed rows; how long it takes, how large it is.

The app hands in opened models and a stopwatch; nothing is read or timed here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.contracts.compare import compare
from headgate.contracts.contract import Contract
from headgate.errors import BadInput, Conflict, HeadgateError, RuntimeFailed
from headgate.evaluation.gates import parse_gate
from headgate.evaluation.report import Answers
from headgate.registry import native
from headgate.registry.ports import Predictor
from headgate.registry.reference import refuse_strange_labels
from headgate.retraining.proof.compared import Compared, Side
from headgate.retraining.proof.robust import MOST, disturbances
from headgate.retraining.proof.terms import Terms

AT: Final = "at"
INPUT_ID: Final = "input_id"
Timed = Callable[[Sequence[Predictor], pa.Table], Sequence[float]]
"""Microseconds a row takes each of the models, in turns, on a few of these rows."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One version that is asked."""

    version: str
    contract: Contract
    model: Predictor
    bytes: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """What the versions are asked."""

    recent: pa.Table
    """Labelled rows that have matured: features, the label, and where they have them ``at`` and ``input_id``."""
    golden: Mapping[str, pa.Table] = field(default_factory=dict)
    learned: Collection[str] = frozenset()
    """Inputs the challenger learned from."""


def ask(
    challenger: Entrant,
    champion: Entrant | None,
    anchor: Entrant | None,
    questions: Questions,
    terms: Terms,
    *,
    timed: Timed | None = None,
) -> Compared:
    """The answers of all to the same rows; see `prove.prove`.

    Raises BadInput naming a column that is not there or without labels, and where a version errs on the recent rows;
    Conflict where one answers another question. Of disturbed rows and golden sets, not to answer is a finding.
    """
    output = challenger.contract.output
    for each in (champion, anchor):
        if each is not None and (each.contract.output.task, each.contract.output.classes) != (
            output.task,
            output.classes,
        ):
            raise Conflict(f"{each.version} answers another question; compare with a version for the same one")
    terms.check(output.task)
    recent, label = questions.recent, output.label
    labels = _labels(recent, challenger.contract)
    entrants = {each.version: each for each in (anchor, champion, challenger) if each is not None}
    said = {version: _must_say(each, recent) for version, each in entrants.items()}
    places = _disturbed_places(len(recent)) if terms.perturb else None
    disturbed = {} if places is None else disturbances(challenger.contract, recent.take(pa.array(places)))
    models = [each.model for each in entrants.values()]
    times = {} if timed is None else dict(zip(entrants, timed(models, recent), strict=True))
    tried = {challenger.version, challenger.version if champion is None else champion.version}
    sides = {
        version: Side(
            version=version,
            recent=said[version],
            golden=_examined(each, questions.golden) if version in tried else {},
            disturbed={name: _tried(each, rows) for name, rows in disturbed.items()} if version in tried else {},
            row_us=times.get(version),
            bytes=each.bytes,
        )
        for version, each in entrants.items()
    }
    return Compared(
        task=output.task,
        classes=output.classes,
        labels=labels,
        challenger=sides[challenger.version],
        champion=None if champion is None else sides[champion.version],
        anchor=None if anchor is None else sides[anchor.version],
        at=_moments(recent),
        ids=_values(recent, INPUT_ID) if INPUT_ID in recent.column_names else (),
        learned=questions.learned,
        slices={name: _column(recent, name) for name in _sliced(terms)},
        groups={name: _column(recent, name) for name in terms.fairness},
        golden={name: _values(rows, label) for name, rows in questions.golden.items()},
        disturbed=places,
        contracts=None if champion is None else compare(champion.contract, challenger.contract),
    )


def _labels(recent: pa.Table, contract: Contract) -> list[Any]:
    """The truth of every row, None where it is not known."""
    output = contract.output
    if output.label not in recent.column_names:
        raise BadInput(output.label, "missing", "the rows have no such column, where the truth is expected; name it so")
    refuse_strange_labels(recent[output.label], output.label, output.task, output.classes)
    labels = _values(recent, output.label)
    if all(each is None for each in labels):
        raise BadInput(output.label, "empty", "no row has a label, so there is nothing to measure against")
    return labels


def _said(entrant: Entrant, table: pa.Table) -> Answers:
    said = entrant.model.predict(table)
    scores, classes = said.scores, entrant.contract.output.classes
    # Of a binary model the positive class's column, as an evaluation takes it.
    return Answers(said.prediction, scores[:, 1] if scores is not None and len(classes) == 2 else scores)


def _must_say(entrant: Entrant, recent: pa.Table) -> Answers:
    try:
        return _said(entrant, recent)
    except RuntimeFailed as error:  # no passing trouble: it would err on the same rows again
        raise BadInput("rows", "runtime", f"{entrant.version} cannot answer them: {error}") from error


def _tried(entrant: Entrant, table: pa.Table) -> Answers | str:
    """What it said of disturbed rows, or in which way it failed: a finding about the version, not an error of ours."""
    try:
        return _said(entrant, table)
    except HeadgateError as error:
        return str(error)


def _examined(entrant: Entrant, golden: Mapping[str, pa.Table]) -> dict[str, Answers]:
    tried = {name: _tried(entrant, table) for name, table in golden.items()}
    return {name: each for name, each in tried.items() if isinstance(each, Answers)}


def _disturbed_places(rows: int) -> NDArray[np.intp]:
    """At most `MOST` rows, evenly over all of them."""
    return np.unique(np.linspace(0, rows - 1, min(rows, MOST)).astype(np.intp))


def _sliced(terms: Terms) -> tuple[str, ...]:
    """Fields that are looked at value by value: those named, and those that sentences speak of."""
    asked = (parse_gate(each).slices for each in terms.gates)
    return tuple(dict.fromkeys([*terms.slices, *(each for each in asked if each)]))


def _moments(table: pa.Table) -> NDArray[np.int64] | None:
    if AT not in table.column_names:
        return None
    column = native.column(table, AT)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    if not pa.types.is_integer(column.type) or column.null_count:
        raise BadInput(AT, "type", "must hold a moment in every row, or whole microseconds since 1970")
    found: NDArray[np.int64] = column.cast(pa.int64()).to_numpy()
    return found


def _values(table: pa.Table, name: str) -> list[Any]:
    found: list[Any] = native.column(table, name).to_pylist()
    return found


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    return np.array(_values(table, name), dtype=object)
