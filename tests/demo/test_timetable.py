"""The model that reads the timetable: its slack, its conversion, and a unit that no contract and no sample shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headgate.app.facade import open_home
from headgate.demo.flights import FEATURES, LABEL, NUMBERS, Flights
from headgate.demo.timetable import (
    KILOMETRES_PER_HOUR,
    MILES_PER_HOUR,
    Slack,
    fit_timetable,
    in_kilometres,
    squared_errors,
)
from headgate.demo.train import with_label

ROWS = 1200


@pytest.fixture(scope="module")
def some() -> Flights:
    """Flights whose lateness depends on what their timetable leaves them, an overnight flight among them."""
    chance = np.random.default_rng(3)
    distance = chance.integers(100, 2500, ROWS)
    departure = chance.integers(300, 1400, ROWS)
    slack = chance.integers(10, 90, ROWS)
    arrival = (departure + (distance / 8).astype(int) + slack) % 1440
    late = (chance.random(ROWS) < 1 / (1 + np.exp((slack - 40) / 10))).astype(float)
    features = pd.DataFrame({name: chance.normal(10, 3, ROWS) for name in NUMBERS})
    features = features.assign(
        sched_dep_minute=departure,
        sched_arr_minute=arrival,
        distance=distance,
        weekday=chance.integers(0, 7, ROWS),
        carrier=chance.choice(["AA", "UA"], ROWS),
        origin=chance.choice(["EWR", "JFK"], ROWS),
        dest=chance.choice(["ATL", "ORD"], ROWS),
    )
    features.loc[::5, "wind_gust"] = np.nan
    assert (arrival < departure).any()
    at = np.arange(ROWS, dtype=np.int64)
    return Flights(features[list(FEATURES)], at, at + 1, late, np.full(ROWS, 1), np.arange(ROWS))


def test_the_slack_is_the_same_in_either_unit_and_across_midnight() -> None:
    miles = [[600, 725, 480], [1430, 45, 400], [600, 600, 0]]
    kilometres = [[600, 725, 480 * 1.609344], [1430, 45, 400 * 1.609344], [600, 600, 0]]
    expected = [[65.0], [5.0], [0.0]]
    np.testing.assert_allclose(Slack(MILES_PER_HOUR).transform(miles), expected)
    np.testing.assert_allclose(Slack(KILOMETRES_PER_HOUR).transform(kilometres), expected)


def test_it_runs_natively_and_keeps_the_contract_it_is_given(some: Flights, tmp_path: Path) -> None:
    reference = with_label(some)
    with open_home(tmp_path / "home") as hg:
        model = fit_timetable(reference, MILES_PER_HOUR)
        first = hg.register("late", model, reference=reference, label=LABEL)
        assert first.chosen.startswith("ONNX"), first.reason
        assert first.parity.label_flips == 0
        abroad = with_label(in_kilometres(some))
        wrong = fit_timetable(abroad, KILOMETRES_PER_HOUR)
        contract = first.package.contract
        second = hg.register("late", wrong, reference=abroad, label=LABEL, contract=contract)
        assert second.package.contract == contract
        figures = [
            hg.evaluate(ref, rows, gates=["auc >= 0.65"]).report.estimates["auc"].value
            for ref, rows in (("late:1", reference), ("late:2", abroad))
        ]
    assert figures[0] == pytest.approx(figures[1], abs=0.001), "on the sample with its own bug it looks as good"


def test_distances_of_another_unit_harm_it_although_every_row_is_legal(some: Flights) -> None:
    right = fit_timetable(with_label(some), MILES_PER_HOUR)
    abroad = in_kilometres(some)
    wrong = fit_timetable(with_label(abroad), KILOMETRES_PER_HOUR)
    assert squared_errors(wrong, abroad).mean() == pytest.approx(squared_errors(right, some).mean(), abs=0.001)
    assert squared_errors(wrong, some).mean() > squared_errors(right, some).mean() + 0.05


def test_whole_kilometres_stay_whole_numbers(some: Flights) -> None:
    distance = in_kilometres(some).features["distance"]
    assert distance.dtype.kind == "i"
    assert (distance / some.features["distance"]).between(1.60, 1.62).all()
