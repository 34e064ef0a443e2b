"""The two acts: their plans, what they foretell and tell; and, long, that they end as they should."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tests.cli.terminal import on_a_terminal

from headgate.cli.demo import command
from headgate.contracts.contract import Output
from headgate.demo.account import Act, act_lines, act_row
from headgate.demo.acts import CANARY, Harm, harm_of, plan_text
from headgate.rollouts.foretell import Pace, foretell
from headgate.rollouts.guards import Measure, read_margin
from headgate.rollouts.judge import Judged, Judgement, Source, sources
from headgate.rollouts.plan import Plan, SetWeight
from headgate.rollouts.planfile import Facts, read_plan
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move
from headgate.vocabulary import DAY, HOUR, Micros, Task, Verdict

DEMO = (sys.executable, "-m", "headgate.cli.main", "demo", "rollouts")
PACE = Pace(inputs_per_second=930 / 86400, due=900, label_share=0.97, maturity_s=12 * 3600)


def planned(*, shadow: bool) -> Plan:
    file = read_plan(plan_text("flight-delay:3", "a reason", shadow=shadow), "plan")
    facts = Facts(Output(Task.BINARY, classes=(0, 1), probability=True), maturity_s=12 * 3600)
    return file.plan(facts, file.said.candidate)


def test_both_plans_are_one_but_for_the_shadow() -> None:
    behind, straight = planned(shadow=True), planned(shadow=False)
    assert behind.shadows
    assert not straight.shadows
    assert behind.steps[2:] == straight.steps
    assert behind.guards == straight.guards
    assert straight.steps[0] == SetWeight(CANARY), "foretold for the share that callers meet it with"


def test_a_shadow_costs_no_caller_anything_until_it_has_proved_itself() -> None:
    first = foretell(planned(shadow=True), PACE).steps[1]
    assert first.inputs
    assert first.weight == 0.0


def test_the_harm_says_after_how_many_flights_it_is_found() -> None:
    chance = np.random.default_rng(5)
    live = chance.random(20_000) * 0.4
    harm = harm_of(live, live + 0.02)
    assert harm.difference == pytest.approx(0.02)
    assert harm.candidate == pytest.approx(harm.live)
    plan = planned(shadow=False)
    worse = Harm(harm.live, harm.candidate, 2 * harm.difference)
    assert worse.found_after(plan, 0.0) == pytest.approx(harm.found_after(plan, 0.0) / 4)
    assert worse.found_after(plan, 400.0) == worse.found_after(plan, 0.0) + 400.0 * CANARY
    assert sum(len(sources(each, plan)) for each in plan.guards) == 2


@pytest.fixture
def act() -> Act:
    plan = planned(shadow=False)
    judged = Judged(
        metric=Measure.CALIBRATION,
        margin=read_margin(0.01),
        source=Source.SPLIT,
        verdict=Verdict.ROLL_BACK,
        dry_run=False,
        rows=900,
        live=0.16,
        candidate=0.2,
        p_worse=0.0001,
        p_fine=1.0,
    )
    moves = (Move(Action.STEP, Micros(HOUR), "it has taken effect"), Move(Action.ROLL_BACK, Micros(3 * DAY), "worse"))
    return Act(
        name="bug",
        title="A bug",
        rollout=Rollout(plan=plan, live="flight-delay:2", started=Micros(0), number=3, moves=moves),
        judgement=Judgement(verdict=Verdict.ROLL_BACK, guards=(judged,), why="calibration is worse (split)"),
        foretold=foretell(plan, PACE),
        flights=2790,
        labels=2500,
        touched=697,
        fault_found=812.4,
    )


def test_programs_read_the_verdict_its_alpha_and_whom_it_touched(act: Act) -> None:
    row = json.loads(json.dumps(act_row(act)))
    assert (row["phase"], row["verdict"], row["why"]) == ("rolled_back", "roll_back", "calibration is worse (split)")
    assert row["alpha"] == {"roll_back": 0.01, "promote": 0.05}
    assert (row["flights"], row["labels"], row["touched"]) == (2790, 2500, 697)
    assert row["foretold"]["touched_until_found"] == 812
    assert row["foretold"]["touched"] > 1000
    assert [each["action"] for each in row["moves"]] == ["step", "roll_back"]
    assert row["guards"][0]["candidate"] == 0.2


def test_people_read_the_same(act: Act) -> None:
    page = "\n".join(act_lines(act))
    assert "rolled_back: flight-delay:3 has 0 % of the callers" in page
    assert "verdict roll_back: calibration is worse (split)" in page
    assert "2,790 flights in 3 d and 2,500 labels decided it." in page
    assert "flight-delay:3 answered 697 of them. Foretold:" in page
    assert "812 until one with this fault is found." in page


def test_options_before_the_part_are_refused_and_not_forgotten() -> None:
    done = CliRunner().invoke(command, ["--quick", "rollouts"])
    assert done.exit_code == 2
    assert "its options belong behind 'rollouts'" in done.output


@pytest.mark.full
@pytest.mark.timeout(300)
def test_the_acts_end_as_they_should(tmp_path: Path) -> None:
    """Given a good version and a wrong one, when their rollouts begin, then one is promoted and one rolled back."""
    begun = time.monotonic()
    words = [*DEMO, "--quick", "--json", "--home", str(tmp_path / "h")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    good, behind, met = told["acts"]
    assert (good["phase"], good["verdict"]) == ("promoted", "promote")
    assert good["candidate"] == "flight-delay:2"
    assert [each["action"] for each in good["moves"]] == ["step"] * 8 + ["promote"]
    for act in (behind, met):
        assert (act["phase"], act["verdict"]) == ("rolled_back", "roll_back")
        assert (act["live"], act["candidate"]) == ("flight-delay:2", "flight-delay:3")
        assert act["why"].startswith("calibration is worse")
        assert act["alpha"]["roll_back"] == 0.01
    assert behind["touched"] == 0
    assert 0 < met["touched"] < 0.3 * met["flights"]
    # One home's draw of callers, in days with more delays than those that were foretold from.
    assert met["foretold"]["touched_until_found"] / 6 < met["touched"] < 2 * met["foretold"]["touched_until_found"]
    assert all(each["auc"] >= 0.65 for each in told["versions"])
    assert told["failed"] == 0
    assert told["answered"] == told["requests"]
    # A minute is the promise on an idle machine; tests share theirs.
    assert time.monotonic() - begun < 200


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_person_sees_every_move_and_the_figures(tmp_path: Path) -> None:
    screen = on_a_terminal([*DEMO, "--home", str(tmp_path / "h")])
    moved: list[Any] = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (\w+)[,:]", screen)
    assert "promoted" in moved
    assert moved.count("rolled_back") == 2
    assert "flight-delay:3 answered 0 of them." in screen
    assert "verdict promote" in screen
    assert screen.count("verdict roll_back") == 2
    assert "Where to look next" in screen
