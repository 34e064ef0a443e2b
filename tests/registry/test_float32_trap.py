"""A float64 feature that a float32 cast moves across a split: the design's trap, sprung on purpose."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from headgate.registry.importers import graph, hist, sklearn
from headgate.registry.importers.importer import matrix
from headgate.registry.importers.trees import Trees, floor32, model
from headgate.registry.package import Engine


@pytest.fixture(scope="module")
def moments() -> pd.DataFrame:
    """Seconds of 2023 with a label that turns at one of them: float32 tells only every 128th apart."""
    at = 1.7e9 + np.arange(400, dtype=np.float64)
    return pd.DataFrame({"at": at, "y": (at > 1.7e9 + 203).astype(int)})


def test_the_reference_rows_alone_show_it(enter: Any, moments: pd.DataFrame) -> None:
    booster = HistGradientBoostingClassifier(max_iter=5).fit(moments[["at"]], moments.y)
    done = enter(booster, moments)
    assert done.chosen == "ONNX, float64 inputs"
    assert done.package.manifest.signature.inputs[0].dtype == "float64"
    refused = done.reason.partition("not taken:")[2]
    assert "float32" in refused
    assert "labels flip" in refused


def test_the_double_graph_flips_nothing_where_the_float_graph_does(moments: pd.DataFrame, enter: Any) -> None:
    booster = HistGradientBoostingClassifier(max_iter=5).fit(moments[["at"]], moments.y)
    contract = enter(booster, moments).package.contract
    said = {}
    for width in ("float32", "float64"):
        proto = graph.tidy(sklearn.convert(booster, matrix(contract, ("at",), width), width))
        feeds = {"X": moments[["at"]].to_numpy().astype(width)}
        said[width] = graph.session(proto.SerializeToString()).run(["label"], feeds)[0]
    own = booster.predict(moments[["at"]])
    assert (said["float64"] == own).all()
    assert (said["float32"] != own).any()


def test_a_trap_no_reference_row_shows_is_found_beside_the_split(enter: Any) -> None:
    data = pd.DataFrame({"x": np.repeat([0.25, 0.75], 60), "y": np.repeat([0, 1], 60)})
    booster = HistGradientBoostingClassifier(max_iter=3).fit(data[["x"]], data.y)
    threshold = hist.trees_of(booster)[0].threshold[0]
    done = enter(booster, data)
    assert float(np.float32(threshold)) != threshold or done.package.manifest.engine is Engine.ONNX
    assert done.parity.rows > len(data)


@given(st.floats(-1e30, 1e30))
def test_a_threshold_rounded_down_keeps_every_float32_on_its_side(threshold: float) -> None:
    lower = floor32(np.array([threshold]))[0]
    upper = np.nextafter(lower, np.float32(np.inf))
    assert float(lower) <= threshold < float(upper)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(-1e6, 1e6))
def test_a_tree_of_float64_splits_as_python_does(values: list[float], threshold: float) -> None:
    trees = Trees(1, [0.5])
    trees.leaf(0, 2, 0, 2.0)  # children first: the order of nodes must not matter
    trees.leaf(0, 1, 0, 1.0)
    trees.branch(0, 0, feature=0, threshold=threshold, yes=1, no=2, missing_yes=True)
    content = model(trees, 1, "float64", "identity", classifier=False).SerializeToString()
    rows = np.array([*values, threshold, np.nextafter(threshold, np.inf), np.nan])
    said = graph.session(content).run(None, {"X": rows.reshape(-1, 1)})[0].ravel()
    assert said.tolist() == [2.5 if each > threshold else 1.5 for each in rows]


def test_probabilities_of_lightgbm_at_its_own_thresholds(enter: Any, frame: pd.DataFrame) -> None:
    from lightgbm import LGBMClassifier

    booster = LGBMClassifier(n_estimators=5, verbose=-1).fit(frame[["a", "b"]], frame.y)
    done = enter(booster, frame)
    assert done.chosen == "ONNX, float64 inputs"
