"""A training set is refused where there is too little to learn from, and its newest rows are held out."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.pipelines.test_run import LEARNING, dataset
from tests.pipelines.worlds import FLIGHTS, World, flight

from headgate.errors import BadInput
from headgate.pipelines.keeping import HELD, divided
from headgate.pipelines.pipelinefile import StepName, read_pipeline


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([flight(each) for each in range(150)], "there are 150 labelled rows; at least 200 are needed"),
        ([flight(each, late="true") for each in range(250)], "all 250 labelled rows are of one class, True; two are"),
        ([flight(each, late=str(each < 5).lower()) for each in range(250)], "class True has 5 of 250 labelled rows"),
    ],
)
def test_too_little_to_learn_from_is_refused(tmp_path: Path, rows: list[dict[str, object]], says: str) -> None:
    world = World(tmp_path)
    world.flights("january.csv", rows)
    with pytest.raises(BadInput, match=says):
        world.runner().run()
    assert list(world.datasets.glob("*/dataset.json")) == []


def test_rows_without_a_label_wait_for_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.flights("january.csv", [flight(each, late="" if each >= 380 else "true") for each in range(300, 400)])
    world.flights("december.csv", [flight(each) for each in range(300)])
    run = world.runner().run()
    assert run.step(StepName.TRANSFORM).made["unlabelled"] == 20
    world.flights("february.csv", [flight(each) for each in range(380, 400)])
    assert dataset(world, world.runner().run())[0].rows == 400


def test_the_newest_rows_are_held_out(tmp_path: Path) -> None:
    world = World(tmp_path, LEARNING)
    world.flights("january.csv", [flight(each) for each in range(400)])
    run = world.runner().run()
    found, rows = dataset(world, run)
    held = pq.read_table(world.kept.run_folder(run.id) / HELD)
    assert (found.rows, held.num_rows) == (321, 79)
    assert max(rows["at"].to_pylist()).replace(tzinfo=None) < min(held["at"].to_pylist())


def test_rows_of_one_moment_stay_on_one_side_and_without_moments_they_are_spread() -> None:
    said = read_pipeline(LEARNING, Path("pipeline.yaml")).said
    at = pa.array([1] * 6 + [2] * 4).cast(pa.timestamp("us"))
    learned, held = divided(said, pa.table({"at": at, "n": range(10)}))
    assert (learned["n"].to_pylist(), held.num_rows) == (list(range(10)), 0)
    said = read_pipeline(LEARNING.replace("at: at\n", ""), Path("pipeline.yaml")).said
    assert divided(said, pa.table({"n": range(10)}))[1]["n"].to_pylist() == [4, 9]


def test_days_are_moments_and_lists_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path, FLIGHTS.replace("distance / 500 AS hours", "CAST('2026-01-01' AS DATE) AS day"))
    world.flights("january.csv", [flight(each) for each in range(400)])
    assert str(dataset(world, world.runner().run())[1].schema.field("day").type) == "timestamp[us, tz=UTC]"
    world.text = FLIGHTS.replace("distance / 500 AS hours", "[distance] AS many")
    with pytest.raises(BadInput, match="make a feature 'many' of type list"):
        world.runner().run()
