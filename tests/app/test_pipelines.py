"""A pipeline whose recipe learns in a workshop, whose version is proved, and whose rollout begins; and its commands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.pipelines.worlds import flight, write_csv

from headgate.app.facade import Headgate, open_home
from headgate.cli.exits import exit_code
from headgate.cli.pipeline import command
from headgate.errors import BadInput, GateFailed, NotFound
from headgate.pipelines.pipelinefile import StepName
from headgate.pipelines.state import Ending, StepState

LEARN = """\
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(data):
    if data.parameters.get("fails"):
        raise ValueError("no luck")
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(data.X, data.y)
"""
TEXT = """\
pipeline: late
label: late
task: binary
at: at
key: [id]
model: late
sources:
  flights: {csv: flights/*.csv, key: [id]}
transforms:
- sql: SELECT id, "at", late, distance, distance / 500 AS hours FROM flights
- sql: SELECT *, hours * 2 AS both_ways FROM rows
  serving: true
recipe: {python: learn.py:train}
gates: [accuracy >= 0.6]
"""


def flights(folder: Path, name: str, first: int, last: int) -> None:
    """Far flights are late, nearly always."""
    rows = [flight(each, distance=each * 37 % 1000) for each in range(first, last)]
    late = [(each["distance"] > 500) != (each["id"] % 17 == 0) for each in rows]
    write_csv(folder / name, [{**each, "late": str(is_late).lower()} for each, is_late in zip(rows, late, strict=True)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "learn.py").write_text(LEARN)
    (tmp_path / "pipeline.yaml").write_text(TEXT)
    flights(tmp_path / "flights", "january.csv", 0, 1500)
    return tmp_path


@pytest.fixture
def hg(folder: Path) -> Headgate:
    return open_home(folder / "home")


@pytest.mark.full
def test_it_learns_proves_and_rolls_out(folder: Path, hg: Headgate) -> None:
    path = folder / "pipeline.yaml"
    first = hg.pipelines.run(path)
    assert (first.ending, first.made(StepName.LEARN, "version")) == (Ending.FINISHED, "late:1")
    assert hg.versions("late")[0].code == f"pipeline late run {first.id}"
    assert "accuracy" in (hg.pipelines.proof(path, first.id) or "")
    again = hg.pipelines.run(path, since=StepName.LEARN)
    assert [each.ref for each in hg.versions("late")] == ["late:1"], again

    hg.apply("endpoint: late\nmodel: late\n")
    path.write_text(TEXT + "endpoint: late\nrollout: {strategy: canary, guards: [{metric: errors}]}\n")
    flights(folder / "flights", "february.csv", 1500, 3000)
    second = hg.pipelines.run(path)
    assert (second.ending, second.made(StepName.LEARN, "version")) == (Ending.FINISHED, "late:2")
    [rollout] = hg.rollouts.history("late")
    assert (rollout.plan.candidate, rollout.plan.why.partition(":")[0]) == ("late:2", f"pipeline late, run {second.id}")
    assert hg.traffic.read()[("default", "late")].live == "late:1"
    assert hg.pipelines.run(path, run=second.id, since=StepName.ROLL_OUT).ending is Ending.FINISHED
    assert len(hg.rollouts.history("late")) == 1


@pytest.mark.full
def test_a_recipe_that_fails_leaves_no_version_and_is_taken_up(folder: Path, hg: Headgate) -> None:
    path = folder / "pipeline.yaml"
    once = LEARN.replace('data.parameters.get("fails")', "not (data.checkpoint / 'seen').exists()")
    (folder / "learn.py").write_text(once.replace("raise", "(data.checkpoint / 'seen').touch()\n        raise"))
    with pytest.raises(BadInput, match="no luck"):
        hg.pipelines.run(path)
    [failed] = hg.pipelines.runs(path)
    assert (failed.step(StepName.LEARN).state, hg.versions()) == (StepState.FAILED, [])
    assert hg.pipelines.run(path).ending is Ending.FINISHED


@pytest.mark.full
def test_the_commands(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text(TEXT.replace("accuracy >= 0.6", "accuracy >= 0.999"))
    where = [str(folder / "pipeline.yaml"), "--home", str(folder / "home")]

    def said(*words: str) -> str:
        done = CliRunner().invoke(command, [*words[:1], *where, *words[1:]], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "the first run reads everything" in said("plan")
    assert "it has not run yet" in said("status")
    with pytest.raises(GateFailed, match="what is live stays so") as failed:
        said("run")
    assert exit_code(failed.value) == 6
    status = json.loads(said("status", "--json"))
    assert (status["runs"][0]["ending"], status["quality"][0]["rows"]) == ("gate_failed", 1500)
    assert "✗" not in said("status")
    report = said("status", "--report")
    assert report.startswith(f"# Pipeline late, run {status['runs'][0]['id']}: gate failed")
    assert "accuracy >= 0.999" in report
    assert "nothing_new" in said("run", "--json")
    with pytest.raises(NotFound):
        said("status", "--run", "nowhere")
    said("export", "--to", "kubeflow", "--out", str(folder / "kubeflow.yaml"))
    assert (folder / "kubeflow.yaml").read_text().startswith("# PIPELINE DEFINITION")
