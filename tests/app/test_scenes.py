"""What an endpoint is watched by, made of its file, its registry and the rows it was evaluated with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

import headgate
from headgate.app.facade import Headgate
from headgate.app.scenes import Scenes
from headgate.errors import BadConfiguration
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.watch.estimate import Estimate
from headgate.monitors.watch.scene import Scene
from headgate.vocabulary import Digest

ENDPOINT = "endpoint: late\nmodel: delay@champion\nmonitors: {groups: [kind]}\n"


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = pd.DataFrame({"a": random.normal(size=rows), "kind": random.integers(0, 2, rows)})
    found["y"] = (found.a + random.normal(scale=0.5, size=rows) > 0).astype(int)
    return found


def scene_of(hg: Headgate) -> Scene:
    observed = hg.monitoring.observed
    return Scenes(observed, replayed=False).of(observed.declared.spec("default", "late"))


def test_the_rows_of_an_evaluation_are_what_estimates_stand_on(tmp_path: Path) -> None:
    known = frame(300, 1)
    with headgate.open(tmp_path / "h") as hg:
        hg.register("delay", LogisticRegression().fit(known[["a", "kind"]], known.y), reference=known, label="y")
        hg.alias("delay:1", "champion")
        hg.evaluate("delay:1", frame(400, 2), gates=["auc >= 0.6"])
        with pytest.raises(BadConfiguration, match="'sex' is no field"):
            hg.apply(ENDPOINT.replace("kind", "sex"))
        hg.apply(ENDPOINT)
        scene = scene_of(hg)
        assert scene.source.features
        assert scene.source.groups == ("kind",)
        names = [each.name for each in scene.monitors]
        assert names[-3:] == ["quality", "estimate", "fairness"]
        estimate = next(each for each in scene.monitors if isinstance(each, Estimate))
        assert isinstance(estimate.known.footing, Footing)
        assert estimate.known.footing.rows == 400
        assert estimate.known.features.column_names == ["a", "kind"]
        before = estimate.mark
        hg.evaluate("delay:1", frame(500, 3), gates=["auc >= 0.6"])
        after = next(each for each in scene_of(hg).monitors if isinstance(each, Estimate))
        assert after.known.footing != estimate.known.footing
        assert after.mark != before, "what was expected by other rows means nothing to these"
        found = hg.monitoring.skew("late", pa.table({"input_id": ["x"], "a": [1.0]}), ["input_id"])
        assert (found.rows, found.unmatched) == (0, (1, 0))
        hg.monitoring.observed.registry.packages.keep_evaluated(Digest(hg.versions("delay")[0].digest), b"damaged")
        names = [each.name for each in scene_of(hg).monitors]
        assert "estimate" not in names
        assert "quality" in names, "what does not need those rows goes on"
