"""What is learned from, and everything that is refused with its count and its rule."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from headgate.errors import BadInput
from headgate.retraining.search.learnable import Learning, examine
from headgate.retraining.search.roles import Roles
from headgate.vocabulary import Task


def test_rows_come_oldest_first_without_those_that_have_no_label_or_weight(learning: Any) -> None:
    rows = learning()
    y = np.asarray(rows.y, float)
    y[3] = np.nan
    weight = np.ones(len(y))
    weight[5], weight[6] = 0.0, 2.0
    turned = slice(None, None, -1)
    found = examine(Learning(rows.X[turned], y[turned], rows.task, weight[turned], rows.at[turned]))
    kept = np.setdiff1d(np.arange(len(y)), [3, 5])
    assert found.frame.a.tolist() == rows.X.a.to_numpy()[kept].tolist()
    assert found.at is not None
    assert found.at.tolist() == rows.at[kept].tolist()
    assert found.weight is not None
    assert found.weight[4] == 2.0
    assert (found.classes, found.labels.tolist()) == ((0, 1), rows.y[kept].tolist())


def test_moments_of_any_unit_are_microseconds(learning: Any) -> None:
    rows = learning()
    plain = examine(rows)
    as_dates = examine(
        Learning(rows.X, rows.y, rows.task, at=rows.at.astype("datetime64[us]").astype("datetime64[ns]"))
    )
    assert plain.at is not None
    assert as_dates.at is not None
    assert plain.at.tolist() == as_dates.at.tolist()
    assert examine(Learning(rows.X, rows.y, rows.task, at=np.full(len(rows.y), 5))).at is None, "one moment is no order"


def test_columns_get_their_roles(learning: Any) -> None:
    found = examine(learning())
    roles = Roles.of(found.frame, found.contract)
    assert (roles.numbers, roles.categories, roles.gaps) == (("a", "b", "c", "k"), ("e",), True)
    assert {name: why.split()[-1] for name, why in roles.left_out.items()} == {"same": "row", "free": "own"}
    frame = pd.DataFrame({"one": np.ones(300), "when": pd.date_range("2020-01-01", periods=300)})
    useless = examine(Learning(frame, np.arange(300) % 2, Task.BINARY))
    with pytest.raises(BadInput, match="no column can be learned from"):
        Roles.of(useless.frame, useless.contract)


@pytest.mark.parametrize(
    ("changed", "rule", "says"),
    [
        ({"y": np.zeros(500, int)}, "one_class", "all 500 rows are of one class"),
        ({"y": np.arange(500) < 19}, "few", "a class has 19 of 500 rows; 20 are the least"),
        ({"y": np.where(np.arange(500) < 199, 1.0, np.nan)}, "few", "199 labelled rows are too few"),
        ({"weight": np.where(np.arange(500) < 150, 1.0, 0.0)}, "few", "150 labelled rows"),
        ({"weight": -np.ones(500)}, "range", "zero or more"),
        ({"weight": np.ones(499)}, "shape", "499 values for 500 rows"),
        ({"at": np.ones(499)}, "shape", "499 moments for 500 rows"),
        ({"at": np.where(np.arange(500) < 9, np.nan, 1.0)}, "missing", "a row has no moment"),
        ({"y": np.zeros(400, int)}, "shape", "500 rows for 400 labels"),
        ({"y": np.linspace(0, 1, 500)}, "type", "all texts, all whole numbers or all booleans"),
        ({"task": Task.REGRESSION, "y": np.full(500, 2.0)}, "constant", "every row has the same label"),
        ({"task": Task.REGRESSION, "y": np.where(np.arange(500) < 9, np.inf, 1.0)}, "finite", "infinite"),
        ({"task": Task.REGRESSION, "y": np.array(["x"] * 500, dtype=object)}, "type", "needs numbers"),
    ],
)
def test_bad_rows_are_refused(learning: Any, changed: dict[str, Any], rule: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        examine(learning(**changed))
    assert refused.value.rule == rule


def test_what_is_no_class_and_no_number_is_not_learned(learning: Any) -> None:
    rows = learning()
    with pytest.raises(BadInput, match="give a recipe of your own"):
        examine(Learning(rows.X, rows.y, Task.TENSOR))


def test_a_table_names_its_columns() -> None:
    table = pa.table({"x": [1.0, 2.0], "y": ["no", None], "when": [1, 2], "id": ["a", "b"], "w": [1.0, 0.5]})
    found = Learning.of(table, label="y", at="when", weight="w", without=("id",), task=Task.BINARY)
    assert list(found.X.columns) == ["x"]
    assert found.y.tolist() == ["no", None]
    assert found.weight is not None
    assert found.weight.tolist() == [1.0, 0.5]
    with pytest.raises(BadInput, match="they have x, y, when"):
        Learning.of(table, label="z")
    with pytest.raises(BadInput, match="no row has a label"):
        Learning.of(pa.table({"x": [1.0], "y": pa.array([None], pa.int64())}), label="y")
