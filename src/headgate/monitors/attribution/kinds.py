"""Which drift it is, and what to do about it: a decision from what was measured, and nothing else.

`attribute` gathers the findings, this file names them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.faults import Fault
from headgate.monitors.attribution.gaps import Gap, in_words
from headgate.monitors.attribution.split import Split

MANY: Final = 0.05
"""Share of current rows without a counterpart from which new rows are to be labelled rather than old ones weighted."""


class Drift(StrEnum):
    """What changed between two windows."""

    NONE = "none"
    """Neither is seen."""
    DATA = "data"
    """The inputs have another distribution; what it costs is another question, and may be nothing."""
    CONCEPT = "concept"
    """The same inputs have other outputs, and the metric moved for it."""
    BOTH = "both"
    """The inputs have another distribution, and the same inputs have other outputs."""
    UNDECIDED = "undecided"
    """Something could not be told; the reasons say what."""
    BROKEN = "broken"
    """The comparison itself failed; the reasons say why."""


class Remedy(StrEnum):
    """What is likely to help."""

    NOTHING = "nothing"
    """Nothing changed, or nothing that costs anything."""
    FIX_FIELD = "fix_field"
    """Mend the field that arrives broken, upstream, and compare again."""
    COLLECT = "collect"
    """Label rows of the kind that the reference hardly had, and learn again with them."""
    REWEIGHT = "reweight"
    """Learn again on the rows there are, weighted towards those that come now."""
    RELEARN = "relearn"
    """Learn again on recent rows; older ones teach what is no longer true."""
    WAIT = "wait"
    """Compare again when there is what the reasons say is lacking, mostly labelled rows."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything the name of a drift follows from."""

    has_moved: bool
    """Whether the distribution of the inputs changed beyond chance."""
    faults: tuple[Fault, ...]
    split: Split | None
    """None where the metric could not be divided."""
    against: tuple[str, ...]
    """Why the relation cannot be judged; empty where it can."""
    unshared: float
    """Share of the current rows without a counterpart, 0 to 1."""
    gaps: tuple[Gap, ...] = ()
    """Where those rows are."""


def named(found: Findings, z: float, tolerance: float) -> tuple[Drift, Remedy, tuple[str, ...]]:
    """The drift, what helps, and the reasons in words; `z` is the normal quantile that a change must exceed.

    A changed relation is one whose cost, or gain, is larger than `tolerance` beyond chance. A field that arrives
    broken is a drift of the data, whatever the relation is; it is mended first.
    """
    reasons = [f"{each.field} {each.says}" for each in found.faults]
    if found.against or found.split is None:
        reasons.extend(found.against)
        if found.faults:
            return Drift.DATA, Remedy.FIX_FIELD, (*reasons, "mend the field first: nothing else can be told until then")
        if found.has_moved:
            reasons.append("the inputs have changed; whether the relation has cannot be told")
        return Drift.UNDECIDED, Remedy.COLLECT if found.unshared >= MANY else Remedy.WAIT, tuple(reasons)
    drift, remedy, why = _divided(found, found.split, z, tolerance)
    lacking = in_words(found.unshared, found.gaps)
    return drift, remedy, tuple(each for each in (*reasons, lacking, why) if each)


def _divided(found: Findings, split: Split, z: float, tolerance: float) -> tuple[Drift, Remedy, str]:
    """The same where the metric was divided, with the reason if that settles nothing."""
    concept = split.concept.estimate("concept", z)
    if concept.low is None and concept.value != 0:
        return Drift.UNDECIDED, Remedy.WAIT, f"what the relation costs has no interval: {concept.reason}"
    if beyond(concept, tolerance):
        drift = Drift.BOTH if found.has_moved else Drift.CONCEPT
        return drift, Remedy.FIX_FIELD if found.faults else Remedy.RELEARN, ""
    if found.has_moved:
        return Drift.DATA, _for_data(found, split, z, tolerance), ""
    if beyond(split.drop.estimate("drop", z), tolerance):
        why = "the metric has changed, and neither the inputs nor the relation explain it"
        return Drift.UNDECIDED, Remedy.WAIT, why
    return Drift.NONE, Remedy.NOTHING, ""


def beyond(figure: Estimate, tolerance: float) -> bool:
    """Whether a figure's whole interval lies on one side, farther from zero than `tolerance`.

    >>> beyond(Estimate("concept", 0.05, 0.02, 0.08, 500), 0.01), beyond(Estimate("concept", 0.05, 0.0, 0.1, 500), 0.0)
    (True, False)
    """
    return figure.low is not None and figure.high is not None and (figure.low > tolerance or figure.high < -tolerance)


def _for_data(found: Findings, split: Split, z: float, tolerance: float) -> Remedy:
    """What helps where the inputs alone changed: nothing where they cost nothing, or made the metric better."""
    if found.faults:
        return Remedy.FIX_FIELD
    costs = [part.estimate("part", z).low for part in (split.data, split.unshared)]
    if not any(low is not None and low > tolerance for low in costs):
        return Remedy.NOTHING
    return Remedy.COLLECT if found.unshared >= MANY else Remedy.REWEIGHT
