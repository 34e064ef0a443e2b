"""Everything people have an installation do, one after the other, and what its history says of each."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from tests.lives.test_access import asked

from headgate.alerts.finding import Finding
from headgate.app.facade import Headgate
from headgate.events import EventKind, first_broken
from headgate.rollouts.state import Action
from headgate.testing.installation import Installation
from headgate.vocabulary import Micros

HAPPENINGS = {
    EventKind.RETAINED, EventKind.COLLECTED, EventKind.DAMAGED, EventKind.DIED, EventKind.ALERTED,
    EventKind.UNDELIVERED, EventKind.RETRAINING, EventKind.FOLLOWED,
}  # fmt: skip
"""What happens by itself, or is told by the life of a run; everything else is somebody's doing."""
SHOWS_NO_CHANGE = {EventKind.REGISTERED, EventKind.EVALUATED, EventKind.READ}
"""These add or look, and change nothing that was."""


def take_on_and_silence(hg: Headgate) -> None:
    [alert] = hg.alerts.report([Finding(endpoint="late", monitor="own", what="a check failed", at=Micros(1))])
    hg.alerts.acknowledge(alert.id, "on it")
    hg.alerts.silence("late", "2h", "while we move")


def test_every_control_action_says_who_did_what_why_and_what_it_changed(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"f0": rng.normal(size=400), "f1": rng.normal(size=400)})
    rows["late"] = rng.random(400) < 1 / (1 + np.exp(-2 * rows["f0"]))
    with Installation(tmp_path / "h") as installation:
        first, second = installation.linear(), installation.linear(bias=1.0)
        installation.serve("late", {first: 1.0})
        installation.start()
        with installation.open() as hg:
            model = LogisticRegression().fit(rows[["f0", "f1"]], rows["late"])
            hg.register("own", model, reference=rows, label="late")
            hg.evaluate("own:1", rows, gates=["auc >= 0.6"])
            hg.alias("own:1", "champion", why="the better one")
            hg.apply("endpoint: own\nmodel: own@champion\n", why="a second endpoint")
            hg.apply("endpoint: own\nmodel: own:1\nslo: {latency_p99_ms: 50}\n", why="an objective")
            plan = f"endpoint: late\ncandidate: {second}\nsteps: [shadow: 100%, approve]\nguards: []\n"
            hg.deploy(plan, force=True, why="a look at it")
            hg.rollouts.order("late", Action.ABORT, "seen enough")
            ops = hg.keys.create("ops", ["operate", "read"], why="for the night")
            newer = hg.keys.rotate("ops", why="a year is over")
            hg.keys.create("till", ["predict"])
            hg.keys.revoke("till", why="lost")
            take_on_and_silence(hg)
            hg.note_advance(Micros(0), Micros(1_000_000), "key default/ops")
            predict = "/v1/endpoints/late/predict"
            installation.until(lambda: asked(installation.port, predict, "", {}) == 401, "callers show keys")
            opened = "/v2/repository/models/late/load"
            installation.until(lambda: asked(installation.port, opened, newer.text, {}) == 200, "all keys are known")
            assert ops.text != newer.text
            for what in ("unload", "load"):
                path = f"/v2/repository/models/late/{what}"
                assert asked(installation.port, path, newer.text, {}) == 200
            assert asked(installation.control_port, "/v1/endpoints/late/status", newer.text) == 200
            installation.until(
                lambda: {each.kind for each in hg.events(limit=1000)} >= set(EventKind) - HAPPENINGS, "all is noted"
            )
            events = hg.events(limit=1000)
            assert first_broken(hg.audit()) is None
    for each in events:
        if each.kind in HAPPENINGS:
            continue
        assert each.at >= 0
        assert each.actor, each
        assert each.subject, each
        assert each.kind in SHOWS_NO_CHANGE or each.before != each.after, each
    whys = {each.kind: each.why for each in events if each.why}
    expected = {
        EventKind.ALIASED: "the better one",
        EventKind.ROLLOUT: "a look at it",
        EventKind.KEY_CREATED: "for the night",
        EventKind.KEY_ROTATED: "a year is over",
        EventKind.KEY_REVOKED: "lost",
        EventKind.ACKNOWLEDGED: "on it",
        EventKind.SILENCED: "while we move",
    }
    assert {kind: whys.get(kind) for kind in expected} == expected
    by_key = {each.kind: each.actor for each in events if "ops" in each.actor}
    assert by_key.keys() >= {EventKind.LOADED, EventKind.UNLOADED, EventKind.READ}
    applied = [each for each in events if each.kind is EventKind.APPLIED and each.subject == "own"]
    assert {each.why for each in applied} == {"a second endpoint", "an objective"}
    assert sorted("latency_p99_ms" in each.after for each in applied) == [False, True]
