"""`make bench-monitors`: its parts are there, and a part that leaves no report keeps no promise."""

import json
from pathlib import Path

import pytest
from benchmarks.__main__ import Part, suite
from benchmarks.monitors import estimates
from benchmarks.monitors.__main__ import PARTS

ROOT = Path(__file__).parent.parent.parent


def test_every_part_is_a_program_that_leaves_its_report() -> None:
    for part in PARTS:
        source = (ROOT / "benchmarks" / f"{part.module.replace('.', '/')}.py").read_text()
        assert f'"{part.name}"' in source or f'"{part.name}.json"' in source
    peers = {each.name for each in PARTS if "--peers" in each.words(Path(), False)}
    assert peers == {"columns", "estimates"}
    assert not any("--peers" in each.words(Path(), True) for each in PARTS)


def test_a_part_that_fails_is_named_and_the_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(tmp_path)])
    missing = Part("nothing", lambda *_: [], module="monitors.nothing")
    assert suite("monitors", [missing], None) == 1
    told = json.loads((tmp_path / "monitors.json").read_text())
    assert [(each["ok"], each["benchmark"]) for each in told["gates"]] == [(False, "nothing")]
    assert f"All of it took {told['seconds']:,} seconds." in (tmp_path / "monitors.md").read_text()


def test_estimates_are_judged_by_memory_and_beside_nannyml() -> None:
    ours = {"who": "headgate", "seconds": 1.0, "MB over imports": 500.0}
    theirs = {"who": "nannyml", "seconds": 4.0, "MB over imports": 900.0}
    assert [each["ok"] for each in estimates.gates([ours, theirs], 0.0, "")] == [True, True, True]
    theirs["seconds"] = 3.9
    assert [each["ok"] for each in estimates.gates([ours, theirs], 0.01, "")] == [True, False, False]
    assert [each["value"] for each in estimates.gates([ours], None, "pip install failed")] == [500.0, None]
    assert len(list(estimates.gates([ours], None, ""))) == 1


def test_a_short_estimate_has_every_metric_of_every_part(tmp_path: Path) -> None:
    for place, name in enumerate(estimates.FILES):
        estimates.write(tmp_path / name, 4000, seed=place, centre=0.2 * place)
    found = estimates.estimated(tmp_path)
    assert set(estimates.SAME) <= set(found["figures"])
    assert all(len(each) == estimates.CHUNKS and None not in each for each in found["figures"].values())
    truth = estimates.read(tmp_path / estimates.FILES[1])
    accuracy = float((truth.truth == truth.predicted).mean())
    assert abs(sum(found["figures"]["accuracy"]) / estimates.CHUNKS - accuracy) < 0.03
