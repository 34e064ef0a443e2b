"""The name of a drift and its remedy follow from what was found, and from nothing else."""

import math

import numpy as np
import pytest
from tests.monitors.attribution.windows_of import CURRENT, normal

from headgate.monitors.attribution.faults import faults
from headgate.monitors.attribution.kinds import Drift, Findings, Remedy, named
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.attribution.split import Effect, Split


def effect(value: float, error: float) -> Effect:
    """An effect with that standard error."""
    return Effect(value, np.tile([error, -error], 500) * math.sqrt(999))


def divided(concept: float, data: float = 0.0, unshared: float = 0.0) -> Split:
    parts = [effect(each, 0.01) for each in (concept + data + unshared, data, concept, unshared)]
    return Split(*parts)


@pytest.mark.parametrize(
    ("findings", "drift", "remedy"),
    [
        (Findings(False, (), divided(0.0), (), 0.0), Drift.NONE, Remedy.NOTHING),
        (Findings(True, (), divided(0.0), (), 0.0), Drift.DATA, Remedy.NOTHING),
        (Findings(True, (), divided(0.0, data=0.1), (), 0.0), Drift.DATA, Remedy.REWEIGHT),
        (Findings(True, (), divided(0.0, unshared=0.1), (), 0.3), Drift.DATA, Remedy.COLLECT),
        (Findings(True, (), divided(0.0, data=-0.1), (), 0.3), Drift.DATA, Remedy.NOTHING),
        (Findings(True, (), divided(0.0), (), 0.3), Drift.DATA, Remedy.NOTHING),
        (Findings(False, (), divided(0.1), (), 0.0), Drift.CONCEPT, Remedy.RELEARN),
        (Findings(False, (), divided(-0.1), (), 0.0), Drift.CONCEPT, Remedy.RELEARN),
        (Findings(True, (), divided(0.1), (), 0.0), Drift.BOTH, Remedy.RELEARN),
        (Findings(False, (), divided(0.0, data=0.1), (), 0.0), Drift.UNDECIDED, Remedy.WAIT),
        (Findings(True, (), divided(0.1), ("too few",), 0.0), Drift.UNDECIDED, Remedy.WAIT),
        (Findings(True, (), None, ("no value",), 0.9), Drift.UNDECIDED, Remedy.COLLECT),
    ],
)
def test_a_drift_follows_from_the_findings(findings: Findings, drift: Drift, remedy: Remedy) -> None:
    assert named(findings, 2.576, 0.0)[:2] == (drift, remedy)


def test_a_fault_is_the_first_thing_to_mend() -> None:
    [fault] = faults([Field("x", np.where(CURRENT, 1.0, normal(1)))], CURRENT)
    assert fault.hides_relation
    for split, against in ((divided(0.0), ()), (divided(0.1), ()), (None, ("it no longer means what it meant",))):
        drift, remedy, reasons = named(Findings(True, (fault,), split, against, 0.0), 2.576, 0.0)
        assert remedy is Remedy.FIX_FIELD
        assert drift in (Drift.DATA, Drift.BOTH)
        assert reasons[0].startswith("x has one and the same value")
