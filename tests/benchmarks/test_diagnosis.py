"""The short form of the benchmark of diagnoses: the planted drift is named, its split covered, and both judged."""

from dataclasses import replace

import msgspec
import pytest
from benchmarks.monitors import diagnosis
from benchmarks.monitors.planted import Drifted

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.kinds import Drift

SHORT = [Drifted(0.0, 0.0), Drifted(0.5, 5.0)]


@pytest.fixture(scope="module")
def made() -> list[diagnosis.Run]:
    return diagnosis.runs(SHORT, 2, seed=7)


def test_the_right_kind_is_named_and_the_truth_covered(made: list[diagnosis.Run]) -> None:
    assert [run.world.kind for run in made if not run.is_right("accuracy")] == []
    rows = {(each["metric"], each["part"]): each for each in diagnosis.covered(made)}
    assert min(each["covered"] for each in rows.values()) >= 3 / 4
    assert [each["says"] for each in diagnosis.gates(made) if "kind" in each["says"] and not each["ok"]] == []


def test_a_gate_falls_when_kinds_are_wrong_or_intervals_miss(made: list[diagnosis.Run]) -> None:
    wrong = [replace(run, found={name: _spoilt(each) for name, each in run.found.items()}) for run in made]
    fallen = [each["says"] for each in diagnosis.gates(wrong) if not each["ok"]]
    for name in diagnosis.METRICS:
        mine = [says for says in fallen if says.startswith(name)]
        assert sum("kind" in says or "worst cell" in says for says in mine) == 2
        assert {part for part in diagnosis.PARTS if any(f"true {part}" in says for says in mine)} >= {"drop", "data"}


def _spoilt(found: Attribution) -> Attribution:
    far = Estimate("far", 0.9, 0.8, 1.0, 9)
    return msgspec.structs.replace(found, drift=Drift.UNDECIDED, drop=far, data=far)
