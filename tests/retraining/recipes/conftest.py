"""A small training set, and a workshop whose recipes are written by each test."""

import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from headgate.retraining.datasets.dataset import Cut, Dataset, WindowChoice
from headgate.retraining.datasets.opened import folder_of
from headgate.retraining.datasets.written import keep_table
from headgate.retraining.recipes.recipe import Limits, Recipe, RecipeKind, RecipeState, Standing
from headgate.retraining.recipes.workshop import Workshop
from headgate.vocabulary import Digest, Micros, Task

ROWS = 300
UNBOUND = Limits()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder as a training set lies in one."""
    rng = np.random.default_rng(5)
    distance = rng.uniform(100, 2000, ROWS).round(1)
    late = rng.random(ROWS) < distance / 2500
    moments = [None, *(1_700_000_000_000_000 + each * 60_000_000 for each in range(1, ROWS))]
    table = pa.table(
        {
            "distance": distance,
            "carrier": rng.choice(["AA", "UA"], ROWS),
            "label": np.where(late, "late", "on time"),
            "weight": np.ones(ROWS),
            "at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "input_id": pa.array([None, *(str(each) for each in range(1, ROWS))], pa.string()),
            "source": ["original", *["journal"] * (ROWS - 1)],
        }
    )
    value = Dataset(
        digest=Digest(""),
        project="default",
        endpoint="late",
        task=Task.BINARY,
        label="late",
        features=("distance", "carrier"),
        cut=Cut(Micros(0), None, None, 0.0, WindowChoice.EVERYTHING, "as asked"),
        rows=ROWS,
        original_rows=1,
        classes={"late": int(late.sum()), "on time": int((~late).sum())},
        leaked=0,
        bytes=0,
    )
    return folder_of(tmp_path / "datasets", keep_table(table, value, tmp_path / "datasets").digest)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def workshop(tmp_path: Path, sources: Path) -> Workshop:
    return Workshop(tmp_path / "runs", sources)


Runs = Callable[..., Standing]


@pytest.fixture
def runs(workshop: Workshop, sources: Path, dataset: Path) -> Runs:
    """Writes a Python recipe, runs it to its end, and says how it stands."""

    def run(body: str, run_id: str = "r1", limits: Limits = UNBOUND) -> Standing:
        (sources / "learn.py").write_text(textwrap.dedent(body))
        workshop.start(run_id, Recipe(RecipeKind.PYTHON, "learn.py", limits=limits), dataset)
        return ended(workshop, run_id)

    return run


def until(said: Callable[[], bool], within: float = 60.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + within
    while not said():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def ended(workshop: Workshop, run_id: str = "r1", within: float = 120.0) -> Standing:
    """How a run stands at its end."""
    until(lambda: workshop.look(run_id).ended, within)
    return workshop.look(run_id)


def running(workshop: Workshop, step: str, run_id: str = "r1") -> Standing:
    """How a run stands once it says that it is at `step`."""
    until(lambda: workshop.look(run_id).step == step or workshop.look(run_id).ended)
    standing = workshop.look(run_id)
    assert standing.state is RecipeState.RUNNING, standing
    return standing
