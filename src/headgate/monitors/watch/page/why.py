"""Why the last alarms are, or were: what was said, what the drop is made of, and what was said before labels came."""

from collections.abc import Iterator
from typing import Final

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.table import digits, shown
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.diagnosis.words import REMEDIES, began, day, kind, reasons
from headgate.monitors.watch.report import Monitored
from headgate.pages.parts import Drawn, Figure, Figures, Note, Section, Table

SIZES: Final = {
    "PSI": "psi",
    "Jensen-Shannon": "jensen_shannon",
    "Wasserstein": "wasserstein_normed",
    "Cramér's V": "cramers_v",
}
"""Distances of a field from its reference that are told, by their heads."""
_DASH: Final = "-"


def why_sections(found: Monitored) -> Iterator[Section[Drawn]]:
    """What was said after the last alarm; nothing where there was none."""
    if found.diagnosis is not None and found.diagnosis.last is not None:
        yield Section("Why", tuple(_why(found.diagnosis, found.diagnosis.last)))


def _why(kept: Diagnosed, last: Diagnosis) -> Iterator[Drawn]:
    yield (
        f"What {last.version} was asked from {day(last.start)} to {day(last.end)}, as known on {day(last.known)}: "
        f"{last.inputs:,} inputs, {last.labelled:,} of them with a label that is due."
    )
    yield Figures(tuple(_short(last)))
    yield f"What to do: {REMEDIES[last.remedy]}."
    yield f"Began: {began(last.course)}."
    yield from (Note(f"{each}.") for each in reasons(last))
    yield from _parts(last)
    yield from _fields(last)
    yield from _slices(last)
    yield from _said(kept)


def _short(last: Diagnosis) -> Iterator[Figure]:
    yield Figure("kind of drift", last.drift.value, kind(last))
    if last.main is None:
        return
    yield Figure(f"{last.metric} worse by", _signed(last.main.drop), f"beside {last.reference}")
    yield Figure("of it other inputs", _signed(last.main.data), _interval(last.main.data))
    yield Figure("of it another relation", _signed(last.main.concept), _interval(last.main.concept))


def _parts(last: Diagnosis) -> Iterator[Drawn]:
    rows = tuple(
        (
            each.metric,
            shown(each.reference),
            shown(each.current),
            *(shown(part, "+") for part in (each.drop, each.data, each.concept, each.unshared)),
        )
        for each in last.attributions
    )
    if rows:
        head = ("metric", "then", "now", "worse by", "other inputs", "another relation", "without a counterpart")
        yield Table(f"What each drop is made of, beside {last.reference}", head, rows)


def _fields(last: Diagnosis) -> Iterator[Drawn]:
    moved = {each.name for each in last.moved}
    rows = tuple(
        (
            each.name,
            "yes" if each.name in moved else "no",
            *(_size(each.effects[name].value if name in each.effects else None) for name in SIZES.values()),
            _DASH if each.adjusted_p is None else f"{each.adjusted_p:.2g}",
        )
        for each in last.columns
    )
    if rows:
        yield Table(f"Fields beside {last.compared_with}", ("field", "differs", *SIZES, "p among all"), rows, left=2)


def _slices(last: Diagnosis) -> Iterator[Drawn]:
    if last.main is not None and last.main.slices:
        rows = tuple(
            (f"{each.field} {each.value}", shown(each.drop, "+"), shown(each.concept, "+"), f"{each.rows:,}")
            for each in last.main.slices
        )
        yield Table(f"Where {last.metric} is worse", ("slice", "worse by", "of it another relation", "rows"), rows)


def _said(kept: Diagnosed) -> Iterator[Drawn]:
    if len(kept.said) > 1:
        rows = tuple(
            (
                day(each.known),
                each.drift.value,
                f"{each.labelled:,} of {each.inputs:,}",
                *(shown(part, "+") for part in (each.drop, each.data, each.concept)),
            )
            for each in kept.said
        )
        head = ("as known on", "drift", "labels", "worse by", "other inputs", "another relation")
        yield Table("What was said as labels came", head, rows, left=2)


def _signed(found: Estimate) -> str:
    return _DASH if found.value is None else digits(found.value, "+")


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return found.reason
    return f"{digits(found.low, '+')} to {digits(found.high, '+')}"


def _size(value: float | None) -> str:
    return _DASH if value is None else digits(value)
