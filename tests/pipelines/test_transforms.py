"""Transforms do the same at serving as in training, and whatever cannot is found before anything learns from it."""

from pathlib import Path

import pytest
from tests.pipelines.test_run import dataset
from tests.pipelines.worlds import FLIGHTS, World, flight

from headgate.errors import BadConfiguration, BadInput, ContractViolation, NotFound, TrustRequired
from headgate.pipelines.pipelinefile import StepName
from headgate.pipelines.serving import open_transform

FAR = "- sql: SELECT *, distance - avg(distance) OVER () AS far FROM rows\n"
JOINED = "- sql: SELECT flights.*, wind FROM flights JOIN weather USING (carrier)\n"
SQL = "- sql: SELECT *, distance / 500 AS hours FROM rows\n  serving: true\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.flights("january.csv", [flight(each) for each in range(400)])
    return world


def transformed(world: World, transforms: str) -> None:
    assert SQL in FLIGHTS
    world.text = FLIGHTS.replace(SQL, transforms)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("distance - avg(distance) OVER ()", "feature in (9[0-9]|100)% of them"),
        ("random()", "feature in 100% of them"),
        ("row_number() OVER (ORDER BY id)", "feature in (9[0-9]|100)% of them"),
    ],
)
def test_a_feature_that_looks_beyond_its_row_is_refused(world: World, expression: str, says: str) -> None:
    transformed(world, SQL.replace("distance / 500 AS hours", f"{expression} AS feature"))
    with pytest.raises(BadInput, match=f"give other features when a row comes alone, of 64 tried: {says}"):
        world.runner().run()


def test_the_same_feature_may_be_made_before_serving_begins(world: World) -> None:
    transformed(world, FAR + SQL)
    assert "far" in dataset(world, world.runner().run())[0].features


def test_a_feature_made_of_the_label_is_refused(world: World) -> None:
    transformed(world, "- sql: SELECT *, NOT late AS early FROM rows\n  serving: true\n")
    with pytest.raises(BadInput, match=r"transforms\[0\]: .*late"):
        world.runner().run()


def test_a_feature_that_is_the_label_is_refused_wherever_it_was_made(world: World) -> None:
    transformed(world, "- sql: SELECT *, late AS truth FROM rows\n")
    with pytest.raises(BadInput, match=r"features.truth: is the label itself in all 400 rows; leave it out"):
        world.runner().run()
    assert list(world.datasets.glob("*/dataset.json")) == []


def test_rows_that_serving_would_lose_are_refused(world: World) -> None:
    transformed(world, "- sql: SELECT * FROM rows WHERE distance > 200\n  serving: true\n")
    with pytest.raises(BadInput, match="make 299 rows of 400; a row that comes alone must stay one"):
        world.runner().run()


def test_a_select_sees_the_sources_and_nothing_else(world: World) -> None:
    for query in (
        f"FROM read_csv('{world.root}/flights/january.csv')", "FROM '/etc/passwd'", "FROM nowhere", "FROM self",
    ):  # fmt: skip
        transformed(world, f"- {{sql: {query}}}\n")
        with pytest.raises(BadInput, match=r"transforms\[0\]"):
            world.runner().run()


def test_sources_are_joined_by_name(world: World) -> None:
    (world.root / "weather.csv").write_text("carrier,wind\nUA,5\nDL,9\n")
    text = FLIGHTS.replace("sources:\n", "sources:\n  weather: {csv: weather.csv, key: [carrier]}\n")
    world.text = text.replace(SQL, JOINED + SQL)
    rows = dataset(world, world.runner().run())[1]
    assert {each["carrier"]: each["wind"] for each in rows.to_pylist()} == {"UA": 5, "DL": 9}


PYTHON = """\
import pyarrow as pa
import pyarrow.compute as pc


def make(rows):
    return rows.append_column("hours", pc.divide(rows["distance"], 500))


def broken(rows):
    raise ValueError("no wind")


def nothing(rows):
    return None


number = 7
"""


def test_a_python_function_makes_features_and_serves(world: World) -> None:
    (world.root / "features.py").write_text(PYTHON)
    transformed(world, "- python: features.py:make\n  serving: true\n")
    run = world.runner().run()
    assert dataset(world, run)[0].features == ("distance", "carrier", "hours")
    left = world.kept.run_folder(run.id) / "transform.json"
    with pytest.raises(TrustRequired, match="has Python in it"):
        open_transform(left)
    (world.root / "features.py").unlink()  # what a run left behind needs nothing else
    with open_transform(left, trust=True) as transform:
        assert transform.rows([{"distance": 250, "carrier": "UA"}])[0]["hours"] == 0.5


@pytest.mark.parametrize(
    ("function", "error", "says"),
    [
        ("features.py:broken", BadInput, r"transforms\[0\]: raises ValueError: no wind"),
        ("features.py:nothing", BadInput, r"transforms\[0\]: returns no table: .*NoneType is no table"),
        ("features.py:number", BadConfiguration, "'number' is no function"),
        ("features.py:missing", BadConfiguration, "has no function 'missing'"),
        ("syntax.py:make", BadConfiguration, "syntax.py: cannot be run: SyntaxError"),
        ("gone.py:make", NotFound, r"gone.py' does not exist. pipeline.yaml: transforms\[0\].python names it"),
    ],
)
def test_a_function_that_fails_is_named(world: World, function: str, error: type[Exception], says: str) -> None:
    (world.root / "features.py").write_text(PYTHON)
    (world.root / "syntax.py").write_text("def make(:\n")
    transformed(world, f"- python: {function}\n  serving: true\n")
    with pytest.raises(error, match=says):
        world.runner().run()
    assert world.kept.runs()[-1].next is not None
    assert world.kept.runs()[-1].step(StepName.CHECK).made["rows"] == 400


def test_serving_refuses_a_value_that_training_could_not_have_seen(world: World) -> None:
    run = world.runner().run()
    with (
        open_transform(world.kept.run_folder(run.id) / "transform.json") as transform,
        pytest.raises(ContractViolation, match="distance: this value cannot be read as double"),
    ):
        transform.rows([{"distance": "far", "carrier": "UA"}])


def test_moments_are_in_utc_wherever_a_pipeline_runs(world: World) -> None:
    world.flights("january.csv", [flight(each, at=f"2026-01-01T{each % 24:02}:00:00+02:00") for each in range(400)])
    transformed(world, '- sql: SELECT *, hour("at") AS hour FROM rows\n  serving: true\n')
    run = world.runner().run()
    rows = dataset(world, run)[1].to_pylist()
    assert all(each["at"].hour == each["hour"] for each in rows)
    with open_transform(world.kept.run_folder(run.id) / "transform.json") as transform:
        asked = [{"at": "2026-01-01T01:00:00+02:00"}, {"at": "2026-01-01T01:00:00Z"}, {"at": "2026-01-01 01:00:00"}]
        assert [each["hour"] for each in transform.rows(asked)] == [23, 1, 1]
