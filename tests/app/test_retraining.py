"""The loop over real parts: it ends well, or with its reason, and the champion serves all the while."""

from pathlib import Path

import pytest
from tests.app.loop_home import ENDPOINT, LEARN, lived, step, story

from headgate.errors import BadConfiguration, Conflict
from headgate.events import Event
from headgate.retraining.run import STAGES, Outcome, Run, Source
from headgate.store.sqlruns import SqlRuns
from headgate.vocabulary import Micros


def begun(root: Path, **more: object) -> Run:
    """A run that a person asked for, once it has ended."""
    found = story(root, **more)  # type: ignore[arg-type]  # words of the story
    with found.open() as hg:
        hg.retrain("late", why="a test")
    return lived(found)


@pytest.mark.full
def test_a_run_promotes_what_it_has_learned_and_says_how(tmp_path: Path) -> None:
    found = story(tmp_path / "h")
    with found.open() as hg:
        first = hg.retrain("late", why="a test")
        assert (first.number, first.champion, first.firings[0].source) == (1, "linear:1", Source.PERSON)
        again = hg.retrain("late", why="the same")
        assert again.number == 1, "who asks meanwhile begins no other"
    run = lived(found)
    assert run.outcome is Outcome.PROMOTED, run.why
    assert [each.why for each in run.firings] == ["a test", "the same"]
    assert [each.stage for each in run.history] == list(STAGES[1:])
    assert run.cut is not None
    assert (run.cut.rows, run.cut.original_rows) == (600, 0)
    assert run.proof is not None
    assert (run.proof.rows, run.proof.superior, run.proof.may_promote) == (300, True, True)
    with found.open() as hg:
        assert hg.traffic.read()["default", "late"].live == run.challenger == "linear:2"
        assert hg.aliases("linear") == {"champion": 2, "anchor": 2}
        assert hg.versions("linear")[-1].parent == "linear:1"
        kinds = [each.after for each in reversed(hg.events("late")) if each.kind == "retraining"]
        assert kinds[-1] == "promoted"
        folder = hg.home.runs / run.id
        assert (folder / "proof.md").read_text().startswith("## ")
        with pytest.raises(Conflict, match="has ended"):
            hg.retraining.cancel("late")


@pytest.mark.full
@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("def train(data):\n    raise ValueError('no bread')\n", "no bread"),
        pytest.param("def train(data):\n    return None\n", "returned nothing", marks=pytest.mark.slow),
        pytest.param(LEARN.replace("data.X", "data.X[['f0']].assign(g=1.0)"), "g", marks=pytest.mark.slow),
    ],
    ids=["raises", "no model", "other fields"],
)
def test_a_recipe_that_fails_ends_the_run_with_its_reason(recipe: str, says: str, tmp_path: Path) -> None:
    run = begun(tmp_path / "h", recipe=recipe)
    assert run.outcome is Outcome.FAILED
    assert says in run.why
    assert run.challenger == ""


@pytest.mark.slow
def test_a_model_that_is_no_better_leaves_the_champion(tmp_path: Path) -> None:
    recipe = LEARN.replace("data.y", "data.X.iloc[:, 0] > 0")
    run = begun(tmp_path / "h", recipe=recipe)
    assert run.outcome is Outcome.KEPT_CHAMPION
    assert run.proof is not None
    assert run.proof.outcome in ("failed", "undecided")


@pytest.mark.parametrize(
    ("more", "says"),
    [({"rows": 30}, "at least 400 are needed"), ({"one_class": True}, "class")],
    ids=["few rows", "one class"],
)
def test_what_cannot_be_learned_from_is_said(more: dict[str, object], says: str, tmp_path: Path) -> None:
    run = begun(tmp_path / "h", **more)
    assert run.outcome is Outcome.FAILED
    assert says in run.why


def test_a_run_is_cancelled_at_any_stage(tmp_path: Path) -> None:
    found = story(tmp_path / "h")
    with found.open() as hg:
        hg.retrain("late")
        run = hg.retraining.cancel("late", "not now")
        assert (run.outcome, run.why) == (Outcome.CANCELLED, "not now")
        assert step(hg) == run, "the next begins clean, and only when it is asked for"


def test_a_cancellation_counts_though_the_run_moved_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = story(tmp_path / "h")
    with found.open() as hg:
        hg.retrain("late")
        keep = SqlRuns.keep_run

        def moved_before(store: SqlRuns, run: Run, before: int, event: Event | None = None) -> None:
            monkeypatch.undo()
            other = store.runs("default", "late")[-1]
            keep(store, other.with_(asked=Micros(1)), other.revision)
            keep(store, run, before, event)

        monkeypatch.setattr(SqlRuns, "keep_run", moved_before)
        run = hg.retraining.cancel("late", "not now")
        assert (run.outcome, run.why, run.asked) == (Outcome.CANCELLED, "not now", 1)


def test_a_file_without_retraining_is_told_what_to_add(tmp_path: Path) -> None:
    found = story(tmp_path / "h", endpoint="endpoint: late\nmodel: linear:1\n", rows=1)
    with found.open() as hg, pytest.raises(BadConfiguration, match="add retraining"):
        hg.retrain("late")


def test_a_recipe_that_is_nowhere_is_refused_when_its_endpoint_is_applied(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"'learned\.py' is not there"):
        story(tmp_path / "h", endpoint=ENDPOINT.replace("learn.py", "learned.py"), rows=1)
    with pytest.raises(BadConfiguration, match=r"retraining\.rollout\.strategy"):
        story(tmp_path / "g", endpoint=ENDPOINT.replace("all_at_once", "at_random"), rows=1)
    nothing = ENDPOINT.replace("{strategy: all_at_once}", "{guards: []}")
    with pytest.raises(BadConfiguration, match=r"steps\[1\]: there is nothing to analyse"):
        story(tmp_path / "f", endpoint=nothing, rows=1)
