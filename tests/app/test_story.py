"""`headgate explain` and `card` find what the home knows, whatever they are asked by."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.alerts.samples import finding
from tests.cli.in_process import Run as CommandLine
from tests.retraining.story.samples import dataset, proof
from tests.retraining.story.samples import run as a_run

from headgate.app.facade import Headgate
from headgate.app.telling import Told, telling_of
from headgate.errors import BadInput, NotFound
from headgate.events import Event, EventKind
from headgate.retraining.run import Outcome, Run, Stage
from headgate.rollouts.state import Action
from headgate.testing.installation import Installation
from headgate.tracking.entries import Ending, Marked, Ran
from headgate.tracking.trackingfile import Tracking
from headgate.vocabulary import Micros

PLAN = "endpoint: late\ncandidate: linear:2\nsteps: [approve]\nguards: []\n"


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "h")
    for bias in (0.0, 1.0, 2.0):
        installation.linear(bias=bias)
    installation.serve("late", {"linear:1": 1.0})
    return installation


@pytest.fixture
def hg(here: Installation) -> Iterator[Headgate]:
    with here.open() as opened:
        yield opened


def kept(hg: Headgate, run: Run) -> Run:
    """`run` as the store numbers it."""
    event = Event(run.fired, EventKind.RETRAINING, "default", "late", "controller")
    return hg.stories.store.add_run(msgspec.structs.replace(run, revision=1, number=0), event)


def promoted(hg: Headgate, *, why: str = "") -> None:
    hg.deploy(PLAN, force=True, why=why)
    hg.rollouts.order("late", Action.PROMOTE, why="it looks good")


def test_an_endpoint_that_never_changed_says_how_it_began(hg: Headgate) -> None:
    story = hg.stories.explain("late")
    assert (story.id, story.title) == ("linear:1", "How late came to linear:1")
    assert "late was made, with linear:1 in charge" in str(story.chapters[4])


def test_a_rollout_is_found_by_endpoint_id_and_version(hg: Headgate) -> None:
    promoted(hg, why="the new one is larger")
    found = [hg.stories.explain(each) for each in ("late", "late.r1", "default.late.r1", "linear:2")]
    assert {each.id for each in found} == {"late.r1"}
    text = str(found[0].chapters)
    assert "The reason given: the new one is larger." in text
    assert "it was promoted by" in text
    assert "it looks good" in text
    assert "linear:2 is in charge of late." in text


def test_what_is_not_there_is_not_found(hg: Headgate) -> None:
    for subject in ("nobody", "late.1", "late.r1", "nobody.3", "linear:9", "linear@best"):
        with pytest.raises(NotFound):
            hg.stories.explain(subject)
    with pytest.raises(BadInput, match="--project"):
        hg.stories.explain("other.late.1")
    assert hg.stories.explain("linear:3").title == "How linear:3 came to be"


def test_going_back_by_hand_is_a_change_and_the_one_before_says_so(hg: Headgate) -> None:
    promoted(hg)
    hg.rollouts.roll_back("late", why="callers complain")
    story = hg.stories.explain("late")
    assert (story.title, len(story.others)) == ("How late went from linear:2 to linear:1", 1)
    assert "callers complain" in str(story.chapters[0])
    before = hg.stories.explain("late.r1")
    assert "linear:1 took over" in str(before.chapters[5])
    assert "linear:1 is in charge of late now." in str(before.chapters[5])
    assert hg.stories.explain(story.id).chapters[:5] == story.chapters[:5]


def test_a_run_is_told_with_its_files_and_its_alert(hg: Headgate) -> None:
    [alert] = hg.alerts.report([finding()])
    run = a_run()
    firing = msgspec.structs.replace(run.firings[0], key=alert.id)
    run = kept(hg, msgspec.structs.replace(run, firings=(firing,), rollout=None, challenger="linear:2"))
    folder = hg.home.runs / run.id
    folder.mkdir(parents=True)
    story = hg.stories.explain(run.id)
    assert story.id == "late.1"
    gaps = len(story.gaps)
    (folder / "proof.json").write_bytes(msgspec.json.encode(proof()))
    data = hg.home.datasets / dataset().digest.removeprefix("sha256:")
    data.mkdir(parents=True)
    (data / "dataset.json").write_bytes(msgspec.json.encode(dataset()))
    whole = hg.stories.explain("late.1")
    assert len(whole.gaps) == gaps - 2
    assert alert.finding.what in str(whole.chapters[0])
    (folder / "proof.json").write_text("{half")
    assert len(hg.stories.explain("late.1").gaps) == gaps - 1


@pytest.mark.parametrize(("outcome", "ending"), [(Outcome.PROMOTED, Ending.FINISHED), (Outcome.FAILED, Ending.FAILED)])
def test_the_tracking_server_is_told_of_a_run_that_ended(hg: Headgate, outcome: Outcome, ending: Ending) -> None:
    run = kept(hg, a_run(outcome))
    folder = hg.home.runs / run.id
    folder.mkdir(parents=True)
    (folder / "proof.json").write_bytes(msgspec.json.encode(proof()))
    (folder / "proof.md").write_text("# Proved\n")
    told = Told(Tracking("https://mlflow"), hg)
    going = Event(Micros(1), EventKind.RETRAINING, "default", "late", "c", "", {"run": 1}, "", Stage.PROVING)
    over = Event(Micros(1), EventKind.RETRAINING, "default", "late", "c", "", {"run": 1}, "", outcome)
    assert list(told.entries(going)) == []
    [entry] = told.entries(over)
    assert isinstance(entry, Ran)
    assert (entry.id, entry.ending, entry.experiment) == ("default.late.1", ending, "headgate")
    assert entry.metrics["gate.not worse than champion"] == -0.02
    assert entry.metrics["learned.auc"] == 0.71
    assert (entry.tags["headgate.outcome"], entry.parameters["recipe.budget"]) == (outcome.value, "60")
    assert entry.files["proof.md"] == "# Proved\n"
    assert entry.files["story.md"].startswith("# How late went from late:1 to late:2")


def test_the_tracking_server_is_told_who_is_in_charge(hg: Headgate) -> None:
    promoted(hg)
    hg.rollouts.roll_back("late")
    told = Told(Tracking("https://mlflow", alias="live"), hg)
    entries = [entry for event in reversed(hg.events("late")) for entry in told.entries(event)]
    assert [(each.model.version, each.alias) for each in entries if isinstance(each, Marked)] == [
        ("linear:2", "live"),
        ("linear:1", "live"),
    ]
    assert len({each.id for each in entries}) == 2


def test_a_file_that_is_wrong_is_said_once_and_nothing_is_lost(hg: Headgate, caplog: pytest.LogCaptureFixture) -> None:
    file, telling = hg.home.tracking_file, telling_of(hg)
    assert telling.turn() == []
    file.write_text("url: http://127.0.0.1:1\n")
    telling.turn()
    file.write_text("url: nowhere\n")
    promoted(hg)
    for _ in range(3):
        assert telling.turn() == []
    assert [each.levelname for each in caplog.records if each.name == "headgate.tracking"] == ["ERROR"]
    file.write_text("url: http://127.0.0.1:1/\n")
    [left] = telling.turn()
    assert (left.entry.id.startswith("default.late.linear:2."), left.refused) == (True, False)
    assert [each.entry.id for each in hg.tracking.status().waiting] == [left.entry.id]
    assert not hg.tracking.status().reached


def test_the_command_line(
    here: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with here.open() as hg:
        promoted(hg)
    headgate, home = CommandLine(capsys, monkeypatch), ("--home", str(here.home.root))
    assert headgate("explain", "late", *home).out.startswith("How late went from linear:1 to linear:2")
    assert headgate("explain", "late", "--markdown", *home).out.startswith("# How late went")
    assert headgate("explain", "late", "--json", *home).told["id"] == "late.r1"
    page = tmp_path / "story.html"
    assert headgate("explain", "late", "--html", str(page), *home).out == f"wrote {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    assert headgate("explain", "nobody", *home).code == 4
    assert headgate("mlflow", *home).code == 9
