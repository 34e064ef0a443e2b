"""How far groups lie apart, as `fairness` compares it over weeks and as people read it."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from scipy.special import stdtrit

from headgate.alerts.finding import Figure
from headgate.evaluation.metrics import CONFIDENCE
from headgate.evaluation.table import digits, shown
from headgate.monitors.fairness.gaps import Gap, Method, calibration_difference, gaps
from headgate.monitors.fairness.groups import Treated
from headgate.monitors.watch.treatment import Counted, Treatment, treated_of

JUDGED: Final = (
    "demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference",
    "calibration_difference",
)  # fmt: skip
LEAST_WEEKS: Final = 3
"""Weeks from which it is known how much they differ."""
LARGEST: Final = 10
"""Groups of a field whose rates are told."""


class Apart(msgspec.Struct, frozen=True):
    """How far the groups of one field lay apart in one week, by one measure."""

    field: str
    measure: str
    value: float


Course = tuple[tuple[Apart, ...], ...]
"""The gaps of weeks, oldest first."""


class Grown(msgspec.Struct, frozen=True):
    """A gap that has grown."""

    what: str
    now: str
    before: str


def gaps_of(groups: Mapping[str, Counted], confidence: float = CONFIDENCE) -> dict[str, Gap]:
    """Every gap that is judged, with an interval of that confidence."""
    found = treated_of(groups, confidence)
    every = gaps(found, method=Method.BETWEEN_GROUPS, confidence=confidence)
    every["calibration_difference"] = calibration_difference(found)
    return {name: every[name] for name in JUDGED}


def apart_of(week: Treatment) -> tuple[Apart, ...]:
    """Every gap of a week that has a value."""
    return tuple(
        Apart(field, name, each.estimate.value)
        for field, groups in week.items()
        for name, each in gaps_of(groups).items()
        if each.estimate.value is not None
    )


def grown_of(
    week: Treatment, reference: Treatment, course: Course, chance: float, *, borne: float, since: str
) -> Iterator[Grown]:
    """The gaps of a week that are surely wider than those of the reference by more than is borne, but for `chance`.

    And wider than weeks before, the `course`, would have been by chance, however they differ. `since` says in words
    what the reference is.
    """
    each_chance = chance / (len(JUDGED) * max(1, len(week)))
    confidence = 1.0 - each_chance
    for field, groups in week.items():
        here, there = (gaps_of(each, confidence) for each in (groups, reference.get(field, {})))
        plain = gaps_of(groups)
        for name in JUDGED:
            before_it = [each.value for one in course for each in one if (each.field, each.measure) == (field, name)]
            if _grew(here[name], there[name], borne) and _beyond(here[name], before_it, each_chance):
                what = f"{plain_name(name)} of {field}: {here[name].lowest} and {here[name].highest}"
                before = digits(there[name].estimate.value or 0.0)
                yield Grown(what, shown(plain[name].estimate), f"{before} {since}")


def _grew(now: Gap, before: Gap, borne: float) -> bool:
    here, there = now.estimate, before.estimate
    if here.value is None or here.low is None or there.value is None or there.high is None:
        return False
    return here.value - there.value - math.hypot(here.value - here.low, there.high - there.value) > borne


def _beyond(now: Gap, before: Sequence[float], chance: float) -> bool:
    """Whether a gap lies above what another week of those `before` would have, but for this chance (Student's law)."""
    if now.estimate.value is None or len(before) < LEAST_WEEKS:
        return False
    spread = statistics.stdev(before) * math.sqrt(1 + 1 / len(before))
    return now.estimate.value > statistics.fmean(before) - float(stdtrit(len(before) - 1, chance)) * spread


def lines_of(week: Treatment, reference: Treatment, course: Course, since: str) -> Iterator[Figure]:
    """The gaps of a week beside the reference's, week by week, and the rates of its groups."""
    for field, groups in week.items():
        before = gaps_of(reference.get(field, {}))
        for name, each in gaps_of(groups).items():
            said = shown(each.estimate) if each.estimate.known else each.estimate.reason
            then = before[name].estimate
            yield Figure(
                f"{plain_name(name)} of {field}"[:200], said[:200], f"{shown(then)} {since}" if then.known else ""
            )
            if len(course) > 1:
                yield Figure("  week by week", " ".join(_value(each, field, name) for each in course))
        yield from _groups(treated_of(groups, CONFIDENCE), field)


def _groups(found: Treated, field: str) -> Iterator[Figure]:
    for each in sorted(found.groups, key=lambda each: -each.rows)[:LARGEST]:
        rates = (("selected", each.selection_rate), ("TPR", each.true_positive_rate), ("FPR", each.false_positive_rate))
        told = "; ".join(f"{word} {shown(rate)}" for word, rate in rates if rate.known)
        yield Figure(f"  {field}: {each.name}"[:200], told[:200], f"{each.rows:,} rows, {each.labelled:,} labels")
    if found.too_small:
        yield Figure(f"  {field}: too small to tell", f"{len(found.too_small):,} groups", "50 rows are needed")


def _value(week: tuple[Apart, ...], field: str, measure: str) -> str:
    return next((digits(each.value) for each in week if (each.field, each.measure) == (field, measure)), "-")


def plain_name(measure: str) -> str:
    """A measure in words.

    >>> plain_name("equal_opportunity_difference")
    'equal opportunity'
    """
    return measure.removesuffix("_difference").replace("_", " ")
