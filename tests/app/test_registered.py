"""What a package knows of its own rows stands in where a version has answered too few others."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import headgate
from headgate.app.facade import Headgate
from headgate.app.registered import registered
from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.registry.packages import REFERENCE, SAID
from headgate.registry.ports import Version
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import Digest

SPEC = EndpointSpec("late", "delay")


def rows() -> pd.DataFrame:
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"size": random.normal(size=600), "distance": random.normal(size=600)})
    return frame.assign(late=(random.random(600) < 1 / (1 + np.exp(-2 * frame["size"]))).astype(int))


def version_of(hg: Headgate) -> Version:
    frame = rows()
    model = LogisticRegression().fit(frame[["size", "distance"]], frame["late"])
    return hg.register("delay", model, reference=frame, label="late").version


def test_it_knows_its_fields_its_labels_and_what_the_model_said(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        live = version_of(hg)
        found = registered(hg.monitoring.observed, SPEC, live)
        assert found.kinds == {"size": Kind.NUMBER, "distance": Kind.NUMBER}
        assert found.side is not None
        said = found.side.sample.rows
        assert (found.side.inputs, found.side.labelled, said.truth.sum()) == (600, 600, rows()["late"].sum())
        assert said.predicted is not None
        assert (said.predicted == said.truth).mean() > 0.7
        assert said.scores is not None
        assert said.scores.shape == (600, 2)


def test_rows_that_were_taken_away_are_not_compared_with(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        live = version_of(hg)
        hg.registry.packages.bury(Digest(live.digest), SAID, "a promise")
        without = registered(hg.monitoring.observed, SPEC, live)
        assert without.side is not None
        assert (without.side.fields.num_rows, without.side.labelled, len(without.side.sample.rows)) == (600, 0, 0)
        hg.registry.packages.bury(Digest(live.digest), REFERENCE, "a promise")
        nothing = registered(hg.monitoring.observed, SPEC, live)
        assert (nothing.side, list(nothing.kinds)) == (None, ["size", "distance"])


def test_what_a_file_hides_is_not_looked_at(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        live = version_of(hg)
        hidden = EndpointSpec("late", "delay", capture=type(SPEC.capture)(redact=["distance"]))
        assert list(registered(hg.monitoring.observed, hidden, live).kinds) == ["size"]


def test_of_an_endpoint_that_nobody_asked_it_says_what_is_missing(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        version_of(hg)
        hg.apply("endpoint: late\nmodel: delay\n", force=True)
        found = hg.monitoring.diagnosis("late")
        assert (found.inputs, found.drift.value) == (0, "undecided")
        assert "fitted on, where it is better than on others" in found.reference
        assert found.main is not None
        assert "the current window has 0 labelled rows" in found.main.reasons[0]
        with pytest.raises(BadInput):
            hg.monitoring.diagnosis("late", start=found.end)


def test_rows_it_was_evaluated_with_come_with_what_it_said_of_them(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        live = version_of(hg)
        hg.evaluate(live.ref, rows().iloc[:300])
        found = registered(hg.monitoring.observed, SPEC, live).evaluated
        assert found is not None
        assert (found.fields.column_names, found.labelled) == (["size", "distance"], 300)
        assert list(found.sample.fields) == ["size", "distance"]
        assert (found.sample.rows.truth == rows()["late"].to_numpy()[:300]).all()
        hg.apply("endpoint: late\nmodel: delay\n", force=True)
        assert hg.monitoring.diagnosis("late").reference == "the rows that delay:1 was evaluated with"
