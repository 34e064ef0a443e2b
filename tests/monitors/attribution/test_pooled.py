"""Columns of any type come under each other, and what became of a column is known."""

from datetime import date

import numpy as np

from headgate.evaluation.slices import MISSING
from headgate.monitors.attribution.pooled import pooled


def test_columns_of_any_type_come_under_each_other() -> None:
    [mixed] = pooled({"a": np.array([1, 2])}, {"a": np.array(["x"])})
    assert mixed.values.tolist() == ["1", "2", "x"]
    early, late = np.array(["2024-01-01", "NaT"], "datetime64[D]"), np.array(["2024-01-02"], "datetime64[s]")
    [days] = pooled({"a": early}, {"a": late})
    assert days.missing.tolist() == [False, True, False]
    assert days.numbers[2] - days.numbers[0] == 86_400 * 10**6
    [spelled] = pooled({"a": early.astype("datetime64[ns]")}, {"a": [date(2024, 1, 2)]})
    assert (spelled.values.tolist(), spelled.became) == (days.values.tolist(), None)
    [flags] = pooled({"a": [True, None]}, {"a": np.array([1.0])})
    assert (flags.values.tolist(), flags.became) == (["true", MISSING, "1.0"], ("truth values", "numbers"))
