"""How a model does in a window, whatever is known of it: expected, corrected by the labels there are, or realised.

As labels mature a figure turns by itself from the one into the other, and always says which it is.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Reading, Undefined, estimate, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, for_task, readings
from headgate.monitors.answered import Answered
from headgate.monitors.domains import Domains
from headgate.monitors.estimation import limits
from headgate.monitors.estimation.corrected import LEAST, Corrected, contradiction, corrected
from headgate.monitors.estimation.expectations import Expectation, Source
from headgate.monitors.estimation.expected import Foretold
from headgate.monitors.estimation.figure import Figure, Limit, Performance
from headgate.monitors.estimation.footing import Footing, range_of
from headgate.monitors.standing import Shortfall, Standing
from headgate.vocabulary import Task

SETTLED: Final = 0.95
"""Share of labelled rows from which figures are measured on labels alone."""

Bools = NDArray[np.bool_]
Read = dict[str, Reading | Undefined]
Foreseen = dict[str, Foretold | Undefined]


@dataclass(frozen=True, slots=True, eq=False)
class _Foreseen:
    """What was expected of a window, and what its labels say to that."""

    source: Source
    learnt_on: float
    """Reference rows it was learnt on."""
    expected: Foreseen | Shortfall
    """Of all rows."""
    corrections: dict[str, Corrected]
    contradictions: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What is known of a window, before one source is chosen per metric."""

    footing: Footing
    rows: int
    labelled: int
    z: float
    """Normal quantile of the intervals."""
    foreseen: _Foreseen
    realised: Read
    """Of the labelled rows; empty without any."""


def performance(
    footing: Footing,
    expectation: Expectation | Shortfall,
    said: Answered,
    truth: NDArray[Any] | None = None,
    *,
    domains: Domains | None = None,
    excess: Estimate | None = None,
    confidence: float = CONFIDENCE,
) -> Performance:
    """Every metric of the footing on the window's answers `said`, by the best that is known of each.

    `truth` has a class code or a number per row, negative or NaN where it is not known; None where no label is there.
    With 95 % of the labels a figure is realised; with 30 it is the estimate corrected by them, if they are a random
    sample; with fewer it is the estimate, or, where nothing can be expected, what they say alone. The interval of an
    estimate is that of chance, in the window and in the reference, and not of what a broken limit does. `domains` and
    `headgate.monitors.estimation.losses.LossModels.excess` let two more limits be checked.

    Raises headgate.errors.BadInput for a confidence outside 0 to 1, and for another number of labels than of answers.
    """
    if truth is not None and len(truth) != len(said):
        raise BadInput(
            "truth", "shape", f"there are {len(truth):,} labels for {len(said):,} answers; give one per answer"
        )
    known = _known(said, truth)
    realised = _realised(footing, said, truth, known, confidence)
    found = _Found(
        footing=footing,
        rows=len(said),
        labelled=int(known.sum()),
        z=quantile_of(confidence),
        foreseen=_foreseen(footing, expectation, realised, known),
        realised=realised,
    )
    return Performance(
        rows=found.rows,
        labelled=found.labelled,
        confidence=confidence,
        figures={name: _figure(found, name) for name in footing.metrics},
        limits=() if isinstance(expectation, Shortfall) else _limits(found, domains, excess),
    )


def _known(said: Answered, truth: NDArray[Any] | None) -> Bools:
    if truth is None:
        return np.zeros(len(said), dtype=np.bool_)
    known: Bools = np.isfinite(truth) if said.task is Task.REGRESSION else truth >= 0
    return known


def _realised(footing: Footing, said: Answered, truth: NDArray[Any] | None, known: Bools, confidence: float) -> Read:
    if truth is None or not known.any() or said.task is not footing.task:
        return {}
    return readings(said.take(known).with_truth(truth[known]), for_task(footing.task, footing.metrics), confidence)


def _foreseen(footing: Footing, expectation: Expectation | Shortfall, realised: Read, known: Bools) -> _Foreseen:
    if isinstance(expectation, Shortfall):
        return _Foreseen(Source.ESTIMATED, footing.rows, expectation, {}, {})
    return _Foreseen(
        source=expectation.source,
        learnt_on=expectation.learnt_on,
        expected=expectation.foretold(np.ones(len(known), dtype=np.bool_)),
        corrections=_corrections(expectation, realised, known),
        contradictions=_contradictions(footing, expectation, realised, known),
    )


def _corrections(expectation: Expectation, realised: Read, known: Bools) -> dict[str, Corrected]:
    if not realised or known.all():
        return {}
    labelled, rest = expectation.foretold(known), expectation.foretold(~known)
    found: dict[str, Corrected] = {}
    for name, ours in realised.items():
        match ours, labelled[name], rest[name]:
            # What has no interval of its own, for want of rows of a class, is no ground for one that is corrected.
            case Reading(low=float()) as mine, Foretold(reading=theirs), Foretold(reading=others):
                made = corrected(mine, theirs, others)
                if isinstance(made, Corrected):
                    found[name] = made
    return found


def _contradictions(footing: Footing, expectation: Expectation, realised: Read, known: Bools) -> dict[str, float]:
    labelled = int(known.sum())
    if labelled < LEAST:
        return {}
    expected = expectation.foretold(known)
    found: dict[str, float] = {}
    for name, ours in realised.items():
        theirs = expected[name]
        if isinstance(ours, Reading) and isinstance(theirs, Foretold):
            here = _sampling(footing, name, theirs, labelled) or 0.0
            there = footing.sampling_error(name, expectation.learnt_on) or 0.0
            found[name] = contradiction(ours, theirs.reading, here=here, there=there)
    return found


def _figure(found: _Found, name: str) -> Figure:
    realised, foreseen = found.realised.get(name), found.foreseen
    expected = foreseen.expected if isinstance(foreseen.expected, Shortfall) else foreseen.expected[name]
    if isinstance(realised, Reading) and found.labelled >= SETTLED * found.rows:
        return _told(found, estimate(name, realised, found.labelled), Source.REALISED)
    if name in foreseen.corrections:
        each = foreseen.corrections[name]
        return _told(found, _around(found, name, each.value, each.error), Source.CORRECTED)
    if isinstance(expected, Foretold):
        error = _error(found, name, expected)
        return _told(found, _around(found, name, expected.reading.value, error), foreseen.source)
    if isinstance(realised, Reading):
        return _told(found, estimate(name, realised, found.labelled), Source.REALISED)
    standing = expected.standing if isinstance(expected, Shortfall) else Standing.UNDECIDED
    nothing = Estimate(name, None, None, None, found.labelled, expected.reason)
    return _told(found, nothing, foreseen.source, standing)


def _error(found: _Found, name: str, foretold: Foretold) -> float | None:
    """What chance does to the realised figure of these rows, and did to the reference the expectation comes from."""
    here = _sampling(found.footing, name, foretold, found.rows)
    there = found.footing.sampling_error(name, found.foreseen.learnt_on)
    return None if here is None or there is None else math.hypot(here, there)


def _sampling(footing: Footing, name: str, foretold: Foretold, rows: int) -> float | None:
    """Standard error of the realised metric on so many rows; from the reference where these do not tell."""
    return footing.sampling_error(name, rows) if foretold.spread is None else foretold.spread / math.sqrt(rows)


def _told(found: _Found, said: Estimate, source: Source, standing: Standing = Standing.MEASURED) -> Figure:
    return Figure(
        estimate=said,
        source=source,
        standing=standing,
        sampling_error=found.footing.sampling_error(said.name, said.rows),
        band=found.footing.bands.get(said.name),
    )


def _around(found: _Found, name: str, value: float, error: float | None) -> Estimate:
    """A value of all rows with its normal interval, both cut to what the metric can be."""
    floor, ceiling = range_of(name, found.footing.task)
    value = min(ceiling, max(floor, value))
    if error is None:
        return Estimate(name, value, None, None, found.rows, "the reference does not say how far chance moves it")
    reach = found.z * error
    return Estimate(name, value, max(floor, value - reach), min(ceiling, value + reach), found.rows)


def _limits(found: _Found, domains: Domains | None, excess: Estimate | None) -> tuple[Limit, ...]:
    checked = (
        limits.relation(found.foreseen.contradictions, found.labelled),
        limits.support(domains),
        limits.calibration(found.footing, excess),
        limits.size(found.footing, found.rows),
        limits.selection(found.foreseen.corrections, found.labelled),
    )
    return tuple(each for each in checked if each is not None)
