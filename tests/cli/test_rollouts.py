"""The verbs of a rollout one after the other on one home: what people read, what programs read, how they end."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.cli.in_process import Run

import headgate
from headgate.app.rollouts import ORDERS, Rollouts
from headgate.cli import deploy
from headgate.errors import IntegrityError

SOURCE = "class Sign:\n    def predict(self, table): return [int(each > {over}) for each in table['x'].to_pylist()]\n"
PLAN = """\
endpoint: late
candidate: sign:2
why: it knows the edge better
steps:
- shadow: 100%
- analysis
- set_weight: 50%
- approve: look at it
guards:
- metric: errors
- metric: accuracy
  margin: 2pt
"""
ASKED = """\
- metric: sql
  margin: 0.1
  cap: 1
  query: SELECT nothing FROM joined
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    values = [each / 10 for each in range(-30, 30)]
    pd.DataFrame({"x": values, "y": [int(each > 0) for each in values]}).to_parquet("rows.parquet")
    run = Run(capsys, monkeypatch)
    for over in (0, 0.1):
        Path("mine.py").write_text(SOURCE.format(over=over))
        run("register", "sign", "mine.py:Sign", "--reference", "rows.parquet", "--label", "y", "--trust")
    assert run("evaluate", "sign:1", "rows.parquet", "--gate", "accuracy >= 0.5").code == 0
    run("init", "rows.parquet", "--endpoint", "late", "--model", "sign:1", "--label", "y")
    text = Path("endpoint.yaml").read_text()
    Path("endpoint.yaml").write_text(text.replace("label_maturity: 0s", "label_maturity: 1d"))
    assert run("apply").code == 0
    Path("rollout.yaml").write_text(PLAN)
    return run


def test_a_person_plans_begins_steers_and_goes_back(run: Run) -> None:
    unproved = run("plan")
    assert (unproved.code, "headgate evaluate sign:2" in unproved.err) == (6, True)
    assert run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5").code == 0
    planned = run("plan")
    assert (planned.code, planned.err) == (0, "")
    for words in ("shadow 100 % of the live version's inputs", "stay until every guard holds", "wait for a person"):
        assert words in planned.out
    assert "for lack of traffic" in planned.out
    for words in ("alpha: roll_back 0.01 (0.0033 for each guard and source), promote 0.05\n", "margin 2pt"):
        assert words in planned.out
    begun = run("deploy", "--why", "a test")
    assert begun.out.startswith("rollout 1 of late began: progressing, step 1 of 4: sign:2 has 0 % of the callers")
    assert run("deploy").code == 5
    assert "is in rollout 1" in run("plan").err
    shown = run("rollout", "status", "late")
    assert shown.code == 0
    for words in ("sign:1 -> sign:2", "why: a test", "now -> shadow: 100%", "set_weight: 50%", "verdict undecided"):
        assert words in shown.out
    assert run("rollout", "pause", "late").out.startswith("paused")
    assert (run("rollout", "pause", "late").code, run("rollout", "resume", "late").code) == (5, 0)
    for _ in range(2):
        assert run("rollout", "approve", "late", "--why", "go on").code == 0
    assert "sign:2 has 50 % of the callers" in run("rollout", "approve", "late").out
    assert "sign:2  50 % of callers, canary" in run("status", "late").out
    promoted = run("rollout", "promote", "late", "--why", "enough of it")
    assert promoted.out.startswith("promoted: sign:2 has 100 % of the callers")
    assert "go on" in run("rollout", "status", "late").out
    assert "shadow beside live" in run("report", "late").out
    assert run("report", "late", "--html", "report.html").out == "wrote report.html\n"
    page = Path("report.html").read_text()
    assert page.startswith("<!doctype html>")
    for words in ("How late stands", "nobody has looked yet", "Rollout: shadow beside live"):
        assert words in page
    nowhere = run("report", "late", "--html", "no/such/report.html")
    assert (nowhere.code, nowhere.err) == (
        9,
        "headgate: --html: no/such/report.html cannot be written: No such file or directory\n",
    )
    assert run("rollback", "late", "--why", "it rings").out == "late is back on sign:1\n"
    again = run("rollback", "late")
    assert (again.code, "no version to go back to" in again.err) == (5, True)
    assert "write the one you want" in again.err
    history = run("audit", "list").out
    assert "rollout" in history
    assert "records are whole" in run("audit", "verify").out


def test_a_look_tells_what_the_year_leaves_of_the_plans_alpha(run: Run) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    assert (run("deploy").code, run("rollout", "abort", "late").code) == (0, 0)
    less = "promote 0.0303964; the plan asks for 0.05, the year's budget leaves no more"
    assert less in run("plan").out
    told = run("plan", "--json").told
    assert (told["alpha"]["promote"], told["asked"]["promote"]) == (pytest.approx(0.0304, abs=1e-4), 0.05)
    assert told["guards"][1]["margin"] == told["guards"][1]["asked"] == {"value": 2.0, "unit": "pt"}
    assert run("deploy", "--json").told["plan"]["alpha"] == told["alpha"], "and that is what the rollout has"


def test_a_forced_rollout_can_be_looked_at_before(run: Run) -> None:
    assert run("plan").code == 6
    looked = run("plan", "--force")
    assert (looked.code, looked.err) == (0, "")
    assert "stay until every guard holds" in looked.out
    assert run("plan").code == 6, "nothing is remembered of a look"
    assert run("rollout", "status", "late").code == 4


def test_an_order_about_one_step_ends_no_other(run: Run) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    run("deploy")
    assert run("rollout", "approve", "late", "--step", "1").code == 0
    again = run("rollout", "approve", "late", "--step", "1")
    assert (again.code, "is in another step by now, analysis; look again" in again.err) == (5, True)
    assert run("rollout", "status", "late", "--step", "1").code == 2
    for place in (2, 3, 4):
        assert run("rollout", "approve", "late", "--step", str(place)).code == 0
    late = run("rollout", "promote", "late", "--step", "4")
    assert (late.code, "is behind its last step" in late.err) == (5, True)


def test_one_that_cannot_be_measured_is_shown_and_may_be_promoted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    Path("rollout.yaml").write_text(PLAN + ASKED)
    assert run("deploy").code == 0
    shown = run("rollout", "status", "late")
    assert (shown.code, "verdict broken: sql cannot be measured: " in shown.out) == (0, True)
    assert "rolls back where" in shown.out, "the others are measured"

    def broken(*_: object) -> None:
        raise IntegrityError("the journal is not what it was")

    monkeypatch.setattr(Rollouts, "observe", broken)
    shown = run("rollout", "status", "late")
    assert (shown.code, "verdict broken: the journal is not what it was" in shown.out) == (0, True)
    assert "rolls back where" not in shown.out
    assert run("rollout", "promote", "late").code == 0
    with headgate.open("h") as hg:
        assert hg.rollouts.history("late")[-1].moves[-1].spent["accuracy"] == 0.02


def test_the_way_back_is_open_after_a_later_rollout_failed(run: Run) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    assert (run("deploy").code, run("rollout", "promote", "late").code) == (0, 0)
    Path("mine.py").write_text(SOURCE.format(over=0.2))
    run("register", "sign", "mine.py:Sign", "--reference", "rows.parquet", "--label", "y", "--trust")
    Path("rollout.yaml").write_text(PLAN.replace("sign:2", "sign:3"))
    assert run("deploy", "--force").code == 0
    assert "aborted" in run("rollback", "late").out, "the first goes back to what was live before the third"
    assert run("rollback", "late").out == "late is back on sign:1\n", "and the second to what was live before that"
    assert run("rollback", "late").code == 5


def ordering(order: str) -> Callable[[float], None]:
    """A pause between two looks, during the third of which a person gives an order."""
    pauses = itertools.count(1)

    def pause(_seconds: float) -> None:
        time.sleep(0.03)
        if next(pauses) == 3:
            with headgate.open("h") as hg:
                hg.rollouts.order("late", ORDERS[order])

    return pause


def test_whoever_watches_is_told_how_it_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    monkeypatch.setattr(deploy, "_SILENT", 0.02)
    for order, code, says in (
        ("pause", 6, "rollout 1 of late is paused"),
        ("abort", 6, "rollout 2 of late is aborted"),
        ("promote", 0, "nobody moves it on; `headgate up --home"),
    ):
        monkeypatch.setattr(deploy, "sleep", ordering(order))
        watched = run("deploy", "--watch")
        assert (watched.code, says in watched.err) == (code, True)
        assert f"{order}: " in watched.out
        assert watched.err.count("nobody moves it on") == 1
        if order == "pause":
            assert run("rollback", "late").code == 0


def test_a_program_reads_json(run: Run) -> None:
    run("evaluate", "sign:2", "rows.parquet", "--gate", "accuracy >= 0.5")
    steps = run("plan", "--json").told["steps"]
    assert [each["weight"] for each in steps] == [0.0, 0.0, 0.5, 0.5]
    begun = run("deploy", "--json").told
    assert (begun["number"], begun["live"], begun["plan"]["candidate"]) == (1, "sign:1", "sign:2")
    status = run("rollout", "status", "late", "--json").told
    assert (status["state"]["phase"], status["judgement"]["verdict"]) == ("progressing", "undecided")
    assert run("report", "late", "--json").told["comparison"]["inputs"] == 0
    aborted = run("rollout", "abort", "late", "--json").told
    assert aborted["moves"][-1]["action"] == "abort"
    assert run("rollback", "late", "--json").code == 5


def test_what_is_wrong_is_named_with_its_line(run: Run) -> None:
    Path("rollout.yaml").write_text(PLAN.replace("margin: 2pt", "margin: 2"))
    wrong = run("plan")
    assert wrong.code == 9
    assert "rollout.yaml line 12: guards[1].margin: of accuracy has another unit" in wrong.err
    Path("rollout.yaml").write_text(PLAN.replace("sign:2", "sign:7"))
    assert "rollout.yaml line 2: candidate: version 'sign:7' does not exist" in run("deploy").err
    Path("rollout.yaml").write_text(PLAN.replace("sign:2", "sign:1"))
    assert "sign:1 is live already" in run("deploy").err
    Path("rollout.yaml").write_text(PLAN.replace("endpoint: late", "endpoint: early"))
    assert "rollout.yaml line 1: endpoint: endpoint 'early' does not exist" in run("deploy").err
    assert run("plan", "nowhere.yaml").code == 4
    assert run("rollout", "status", "late").code == 4
    assert run("rollout", "jump", "late").code == 2


def test_an_endpoint_without_a_rollout_has_a_report_too(run: Run) -> None:
    told = run("report", "late", "--json").told
    assert (told["comparison"], told["alerts"], told["monitored"]["version"]) == (None, [], "sign:1")
    assert "nobody has looked yet" in run("report", "late").out
    assert run("report", "nobody").code == 4
