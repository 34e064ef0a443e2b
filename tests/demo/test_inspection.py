"""The inspection from beginning to end, as a program and as a person sees it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.cli.terminal import on_a_terminal

DEMO = (sys.executable, "-m", "headgate.cli.main", "demo", "inspection", "--quick")


def told(tmp_path: Path, *more: str) -> Any:
    done = subprocess.run(
        [*DEMO, "--json", "--home", str(tmp_path / "h"), *more],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_model_takes_over_and_the_bad_version_never_does(tmp_path: Path) -> None:
    """Given a person who decides, when a better model comes and then a worse one, then each gets what it deserves."""
    found = told(tmp_path)
    assert (found["failed"], found["first_failure"]) == (0, "")
    assert sum(each["pieces"] for each in found["decided"].values()) == found["pieces"]
    assert all(each > 0.9 for each in found["accuracy_before"].values()), "both passed their gates"
    first, second = found["acts"]

    assert (first["candidate"], first["verdict"]) == ("surface:1", "promoted")
    assert first["beside"] == "human"
    assert first["alpha"] == {"roll_back": 0.01, "promote": 0.05}
    assert [each["action"] for each in first["moves"]].count("step") == 10
    assert list(dict.fromkeys(each["weight"] for each in first["moves"])) == [0.0, 0.05, 0.25, 0.5, 1.0]
    assert 0 < first["touched"] < found["decided"]["surface:1"]["pieces"]
    assert first["compared"] >= 0.95 * found["decided"]["people"]["pieces"], "hardly any answer of the shadow was shed"
    assert first["agreement"]["low"] < first["agreement"]["value"] < first["agreement"]["high"]
    assert 0.5 < first["kappa"] < 1
    assert 0.5 < first["kappa_of_people"] < 1
    assert second["kappa"] is None, "no people in it"
    assert first["errors"]["candidate"] < first["errors"]["live"] < 0.1
    people = found["decided"]["people"]
    assert first["errors"]["live"] == pytest.approx(people["wrong"] / people["pieces"], abs=0.03)

    assert (second["candidate"], second["beside"], second["verdict"]) == ("surface:2", "surface:1", "rolled_back")
    assert "accuracy" in second["why"] or "worse" in second["why"]
    assert second["touched"] == 0
    assert {each["weight"] for each in second["moves"]} == {0.0}
    assert "surface:2" not in found["decided"], "no phone was ever decided by it"
    assert second["errors"]["candidate"] > second["errors"]["live"]
    for act in found["acts"]:
        page = Path(act["page"]).read_text()
        assert page.startswith("<!doctype html>")
        assert act["candidate"] in page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_person_sees_every_move_a_table_and_the_report(tmp_path: Path) -> None:
    screen = on_a_terminal([*DEMO, "--home", str(tmp_path / "h")])
    assert re.search(r"day 2, \d\d:00 .*surface:1 decides 5 %, people the rest", screen)
    assert re.search(r"people +[\d,]+ +\d+ +\d+\.\d\d %", screen)
    assert re.search(r"surface:1 beside people +promoted", screen)
    assert re.search(r"surface:2 beside surface:1 +rolled back", screen)
    assert "Who was right" in screen
    assert "drawn by the demo" in screen
    assert "Where to look next" in screen


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_somebodys_own_pictures_do_as_well(tmp_path: Path) -> None:
    """Given a folder with a sub-folder for each class, when the demo inspects it, then it runs to its end."""
    chance = np.random.default_rng(1)
    for name, mark in (("whole", 0), ("cracked", 90)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(60 if name == "whole" else 40):
            shades = chance.normal(120, 4, (80, 100))
            shades[chance.integers(20, 60), 10:90] += mark
            Image.fromarray(shades.clip(0, 255).astype(np.uint8)).save(tmp_path / "mine" / name / f"{number}.png")
    found = told(tmp_path, "--images", str(tmp_path / "mine"))
    assert "mine" in found["pictures"]
    assert found["failed"] == 0
    assert found["acts"][0]["verdict"] == "promoted"
