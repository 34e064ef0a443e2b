"""Small labelled rows of every task, with a category, gaps, and moments."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headgate.retraining.search.learnable import Learning
from headgate.vocabulary import DAY, Task

Make = Callable[..., Learning]
START = 1_600_000_000_000_000


@pytest.fixture(scope="session")
def learning() -> Make:
    """Rows of a task over twenty days: `a` and `e` tell, `b` has gaps, `c` is noise, `same` and `free` are no use."""

    def learning(task: Task = Task.BINARY, rows: int = 500, **changed: Any) -> Learning:
        random = np.random.default_rng(7)
        frame = pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"])
        frame["k"] = random.integers(0, 50, rows)
        frame["e"] = random.choice(["u", "v", "w"], rows)
        drive = 1.5 * frame.a + frame.b + 2.0 * (frame.e == "u") + random.normal(size=rows)
        frame.loc[::7, "b"] = np.nan
        frame.loc[::9, "e"] = None
        frame["same"] = 1.0
        frame["free"] = [f"row {each} of many" for each in range(rows)]
        labels = {
            Task.BINARY: (drive > 0.7).astype(int),
            Task.MULTICLASS: np.array(["low", "mid", "top"], dtype=object)[np.digitize(drive, [-0.5, 1.5])],
            Task.REGRESSION: 100.0 + 20.0 * drive,
        }[task]
        at = START + np.sort(random.integers(0, 20 * DAY, rows))
        given: dict[str, Any] = {"X": frame, "y": np.asarray(labels), "task": task, "at": at}
        return Learning(**(given | changed))

    return learning
