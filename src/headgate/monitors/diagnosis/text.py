"""A diagnosis for a terminal, in plain words: what has changed, what it costs, since when, and what to do."""

from collections.abc import Iterator, Sequence
from typing import Final

from headgate.evaluation.table import digits, shown, table
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.comparison.compared import ComparedColumn
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Said
from headgate.monitors.diagnosis.words import REMEDIES, began, day, kind, parts_of, reasons

SHOWN: Final = 5
"""Columns, fields and slices that are listed; JSON has all."""


def as_text(found: Diagnosis) -> str:
    """Everything of it, a line each.

    >>> from headgate.vocabulary import Micros
    >>> span = {"start": Micros(0), "end": Micros(0), "matured": Micros(0), "known": Micros(0)}
    >>> print(as_text(Diagnosis(version="late:1", inputs=0, labelled=0, notes=("nobody asked it",), **span)))
    diagnosis of late:1 from 1970-01-01 to 1970-01-01, as known on 1970-01-01
      rows        0 inputs, 0 of them with a label that is due
      drift       undecided: which kind of drift it is cannot be told yet
      what to do  wait for what is lacking, mostly labels; it is looked at again as more of them are due
      began       nobody can tell
      but         nobody asked it
    """
    head = f"diagnosis of {found.version} from {day(found.start)} to {day(found.end)}, as known on {day(found.known)}"
    return "\n".join([head, *(f"  {name:<12}{says}".rstrip() for name, says in _lines(found))])


def _lines(found: Diagnosis) -> Iterator[tuple[str, str]]:
    yield "rows", f"{found.inputs:,} inputs, {found.labelled:,} of them with a label that is due"
    if found.reference:
        yield "beside", f"{found.reference} (metrics); {found.compared_with or 'nothing'} (fields)"
    yield "drift", f"{found.drift.value}: {kind(found)}"
    yield "what to do", REMEDIES[found.remedy]
    yield from (("", _costs(each)) for each in found.attributions)
    yield "began", began(found.course)
    yield from (("fields", each) for each in _columns(found.columns))
    if found.main is not None:
        yield from (("moved", each) for each in _shifts(found.main))
        yield from (("slices", each) for each in _slices(found.main))
    yield from (("but", each) for each in (*reasons(found), *found.course.reasons[: 3 * bool(found.course.began)]))


def _costs(each: Attribution) -> str:
    then, now = shown(each.reference), shown(each.current)
    return f"{each.metric} {then} then, {now} now; {parts_of(each.drop, each.data, each.concept, each.unshared)}"


def _columns(columns: Sequence[ComparedColumn]) -> Iterator[str]:
    """How many fields differ, and the figures of those that differ most."""
    if not columns:
        return
    counts = {each.standing.value: 0 for each in columns}
    for each in columns:
        counts[each.standing.value] += 1
    yield ", ".join(f"{count} {standing}" for standing, count in counts.items())
    for each in columns[:SHOWN]:
        sizes = [f"{name} {digits(each.effects[name].value or 0.0)}" for name in _SIZES if _has(each, name)]
        p = "" if each.adjusted_p is None else f", p {each.adjusted_p:.2g} among all"
        yield f"{each.name}: {each.standing.value}; {', '.join(sizes) or each.reason}{p}"


_SIZES: Final = ("psi", "jensen_shannon", "wasserstein_normed", "cramers_v")


def _has(column: ComparedColumn, name: str) -> bool:
    return name in column.effects and column.effects[name].value is not None


def _shifts(main: Attribution) -> Iterator[str]:
    for each in main.shifts[:SHOWN]:
        cost = f"costs {digits(each.cost, '+')}" if each.cost is not None else each.reason
        yield f"{each.field} by {digits(each.distance)} deviations; {cost}"


def _slices(main: Attribution) -> Iterator[str]:
    for each in main.slices[:SHOWN]:
        of_it = f", of it another relation {shown(each.concept, '+')}" if each.concept.known else ""
        yield f"{each.field} {each.value}: {each.drop.name} worse by {shown(each.drop, '+')}{of_it}; {each.rows:,} rows"


def told(said: Sequence[Said]) -> str:
    """What was said, diagnosis by diagnosis, as more labels were due."""
    head = ["as known on", "window", "labels", "drift", "metric", "worse by", "other inputs", "another relation"]
    rows = [
        [
            day(each.known),
            f"{day(each.start)} to {day(each.end)}",
            f"{each.labelled:,} of {each.inputs:,}",
            each.drift.value,
            each.metric or "-",
            *(shown(part, "+") for part in (each.drop, each.data, each.concept)),
        ]
        for each in said
    ]
    return table(head, rows, left=5)
