"""What every finding must keep: no NaN anywhere, and a reason beside whatever is missing."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.kinds import Drift

PARTS = ("data", "concept", "unshared")


def figures(found: Attribution) -> list[Estimate]:
    slices = [each for part in found.slices for each in (part.drop, part.concept)]
    return [found.reference, found.current, found.drop, *(getattr(found, part) for part in PARTS), *slices]


def floats(value: Any) -> Iterator[float]:
    """Every float in nested lists and objects."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from floats(each)


def assert_says_something(found: Attribution) -> None:
    """No NaN anywhere, and a reason beside whatever is missing."""
    for figure in figures(found):
        told = [each for each in (figure.value, figure.low, figure.high) if each is not None]
        assert all(math.isfinite(each) for each in told), figure
        assert len(told) == 3 or figure.reason, figure
    if found.drift in (Drift.UNDECIDED, Drift.BROKEN):
        assert found.reasons
    assert all(math.isfinite(each) for each in floats(msgspec.to_builtins(found)))
