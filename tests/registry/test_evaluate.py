"""What cannot be measured is refused by name before anything is kept; what is kept is what was said."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from headgate.errors import BadInput, Conflict, HeadgateError
from headgate.evaluation.report import from_json
from headgate.registry.evaluate import evaluate_version
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.runtimes.predictor import predict_with


@pytest.fixture
def version(enter: Any, frame: pd.DataFrame) -> Version:
    """Reads a number, a category it refuses to guess, and answers 0 or 1."""
    columns = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["e"]), remainder="passthrough")
    data = frame[["a", "e", "y"]]
    found: Version = enter(make_pipeline(columns, LogisticRegression()).fit(data[["a", "e"]], data.y), data).version
    return found


def test_rows_that_cannot_be_measured_are_refused_by_name_and_nothing_is_kept(
    registry: Registry, version: Version, frame: pd.DataFrame
) -> None:
    table = pa.Table.from_pandas(frame[["a", "e", "y"]])
    holes = pa.array([None, *frame.a[1:]])
    cases: list[tuple[pa.Table, dict[str, Any], str, str]] = [
        (table.drop_columns("a"), {}, "a", "missing"),
        (table.set_column(0, "a", holes), {}, "a", "missing"),
        (table.set_column(1, "e", pa.array([["u"]] * len(frame))), {}, "e", "type"),
        (table.set_column(1, "e", pa.array([b"\xff"] * len(frame))), {}, "e", "type"),
        (table, {"slices": ["nowhere"]}, "nowhere", "missing"),
        (table.slice(0, 0), {}, "y", "empty"),
        (table.set_column(2, "y", pa.array([[1]] * len(frame))), {}, "y", "domain"),
    ]
    for rows, more, field, rule in cases:
        with pytest.raises(BadInput) as refused:
            evaluate_version(registry, predict_with, version, rows, gates=["auc >= 0"], **more)
        assert (refused.value.field, refused.value.rule) == (field, rule)
    with pytest.raises(HeadgateError, match="gate"):
        evaluate_version(registry, predict_with, version, table, gates=["make it good"])
    assert registry.evaluations(version) == []
    assert not registry.proved(version)


def test_a_champion_for_another_question_is_no_rival(
    registry: Registry, version: Version, enter: Any, frame: pd.DataFrame
) -> None:
    turned = frame[["a", "e"]].assign(y=frame.y.map({0: "early", 1: "late"}))
    words: Version = enter(LogisticRegression().fit(turned[["a"]], turned.y), turned).version
    registry.set_alias(words.ref, "champion", actor="ada")
    table = pa.Table.from_pandas(frame[["a", "e", "y"]])
    with pytest.raises(Conflict, match="same question"):
        evaluate_version(registry, predict_with, version, table, gates=["auc >= 0"])
    assert registry.evaluations(version) == []


def test_rows_without_a_label_count_for_nothing(registry: Registry, version: Version, frame: pd.DataFrame) -> None:
    half = frame[["a", "e"]].assign(y=frame.y.where(frame.index % 2 == 0))
    done = evaluate_version(registry, predict_with, version, pa.Table.from_pandas(half), slices=["e"])
    alone = evaluate_version(registry, predict_with, version, pa.Table.from_pandas(half.dropna()), slices=["e"])
    assert done.report.rows == len(frame) // 2
    assert done.report.estimates == alone.report.estimates
    assert done.report.slices == alone.report.slices
    assert from_json(registry.evaluations(version)[0].report) == done.report
    assert not done.evaluation.passed, "nothing was asked of it"


def test_the_order_of_rows_does_not_matter(registry: Registry, version: Version, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame[["a", "e", "y"]])
    turned = table.take(pa.array(np.random.default_rng(3).permutation(len(frame))))
    one, two = (evaluate_version(registry, predict_with, version, each).report for each in (table, turned))
    for name, found in one.estimates.items():
        assert found.value == pytest.approx(two.estimates[name].value, abs=1e-9)
