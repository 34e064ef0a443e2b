"""What a diagnosis says in sentences: why an alarm is, what to do, and the figures that an alert shows for it."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from headgate.alerts.finding import Figure, Finding
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.table import digits, shown
from headgate.monitors.attribution.changepoint import ChangePoint
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.vocabulary import Micros

DRIFTS: Final = {
    Drift.NONE: "neither the inputs nor what they lead to has changed beyond chance",
    Drift.DATA: "other inputs come than in the reference; nothing says that the same inputs lead to other outputs",
    Drift.CONCEPT: "the same inputs lead to other outputs than they did",
    Drift.BOTH: "other inputs come than in the reference, and the same inputs lead to other outputs than they did",
    Drift.UNDECIDED: "which kind of drift it is cannot be told yet",
    Drift.BROKEN: "the window and its reference cannot be compared",
}
REMEDIES: Final = {
    Remedy.NOTHING: "nothing that costs anything has changed; look at single days and at the slices",
    Remedy.FIX_FIELD: "mend the field that arrives broken, upstream, and look again",
    Remedy.COLLECT: "label rows of the kind that the reference hardly had, and learn again with them",
    Remedy.REWEIGHT: "learn again on the rows there are, weighted towards those that come now",
    Remedy.RELEARN: "learn again on recent rows; older ones teach what is no longer true",
    Remedy.WAIT: "wait for what is lacking, mostly labels; it is looked at again as more of them are due",
}
FIGURES: Final = (
    "drift",
    "worse by",
    "by other inputs",
    "by another relation",
    "by rows without a counterpart",
    "began",
)
"""Names of what is added to the evidence of an alert."""
NAMED: Final = 3
"""Fields, and reasons, that a sentence names."""
_LONGEST: Final = 2000
_FIGURE: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def kind(found: Diagnosis) -> str:
    """Which kind of drift it is, in words; where that cannot be told, what can."""
    has_moved = found.main is not None and bool(found.main.shifts)
    if found.drift is Drift.UNDECIDED and has_moved:
        return "other inputs come than in the reference; whether the same inputs lead to other outputs cannot be told"
    return DRIFTS[found.drift]


def cause(found: Diagnosis) -> str:
    """Why it is so, as far as anybody can tell."""
    parts = [kind(found)]
    fields = [each.name for each in found.moved[:NAMED]]
    if fields and found.drift in (Drift.DATA, Drift.BOTH, Drift.UNDECIDED):
        more = len(found.moved) - len(fields)
        parts.append("fields that differ most: " + ", ".join(fields) + (f" and {more} more" if more > 0 else ""))
    parts.extend(reasons(found)[:NAMED])
    return "; ".join(parts)[:_LONGEST]


def advice(found: Diagnosis) -> str:
    """What is likely to help."""
    return REMEDIES[found.remedy]


def reasons(found: Diagnosis) -> tuple[str, ...]:
    """What could not be told and why, and what is wrong with a field."""
    return (*(() if found.main is None else found.main.reasons), *found.notes)


def dressed(finding: Finding, found: Diagnosis) -> Finding:
    """What a monitor found, with why it is so and what to do about it; what an earlier diagnosis said is left out.

    >>> from headgate.monitors.diagnosis.diagnosis import Diagnosis
    >>> span = {"start": Micros(0), "end": Micros(9), "matured": Micros(0), "known": Micros(9)}
    >>> found = Diagnosis(version="late:1", inputs=0, labelled=0, **span)
    >>> plain = Finding(endpoint="late", monitor="risk", what="it errs", cause="unknown", at=Micros(0))
    >>> better = dressed(plain, found)
    >>> better.cause, better.key == plain.key, dressed(better, found) == better
    ('which kind of drift it is cannot be told yet', True, True)
    """
    own = tuple(each for each in finding.evidence if each.name not in FIGURES)
    evidence = (*own, *figures(found))
    return msgspec.structs.replace(finding, cause=cause(found), advice=advice(found), evidence=evidence)


def figures(found: Diagnosis) -> tuple[Figure, ...]:
    """The numbers of it that an alert shows."""
    said = [Figure(FIGURES[0], found.drift.value, f"{found.labelled:,} labels of {found.inputs:,} inputs")]
    if found.main is not None:
        parts = (found.main.drop, found.main.data, found.main.concept, found.main.unshared)
        limits = (found.metric, "", "", "")
        for name, part, limit in zip(FIGURES[1:5], parts, limits, strict=True):
            if part.known:
                said.append(Figure(name, shown(part, "+"), limit))
    if found.course.began is not None:
        said.append(Figure(FIGURES[5], began(found.course)))
    return tuple(Figure(each.name, each.value[:_FIGURE], each.limit[:_FIGURE]) for each in said)


def began(course: ChangePoint) -> str:
    """When a figure began to change, and how; why that is not known where it is not.

    >>> began(ChangePoint(course=Course.SUDDEN, began=Micros(0), earliest=Micros(0), latest=Micros(10**12)))
    '1970-01-01, between 1970-01-01 and 1970-01-12; sudden'
    >>> began(ChangePoint(course=Course.NONE))
    'no change is seen in the figures of the days'
    """
    if course.began is None:
        if course.course is Course.NONE:
            return "no change is seen in the figures of the days"
        return "; ".join(course.reasons) or "nobody can tell"
    first, last = (day(course.began if each is None else each) for each in (course.earliest, course.latest))
    said = f"{day(course.began)}, between {first} and {last}; {course.course.value}"
    if course.before is None or course.after is None:
        return said
    return f"{said}, from {digits(course.before)} to {digits(course.after)}"


def parts_of(drop: Estimate, data: Estimate, concept: Estimate, unshared: Estimate) -> str:
    """What the drop of a metric is made of, in a line."""
    if not data.known:
        return f"worse by {shown(drop, '+')}, which cannot be divided"
    return (
        f"worse by {shown(drop, '+')} = other inputs {shown(data, '+')}"
        f" + another relation {shown(concept, '+')} + rows without a counterpart {shown(unshared, '+')}"
    )


def day(at: Micros) -> str:
    """The date of a moment in UTC.

    >>> day(Micros(86_400_000_000))
    '1970-01-02'
    """
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d}"
