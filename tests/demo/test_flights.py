"""The flights as the demo reads them: real counts, nothing that leaks, labels known when the plane had landed."""

import numpy as np
import pytest

from headgate.demo.flights import FEATURES, Flights, load_flights
from headgate.demo.train import replayed_flights, split, training_flights

MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def flights() -> Flights:
    return load_flights()


def test_every_flight_of_the_year_is_there_in_order(flights: Flights) -> None:
    assert len(flights) == 336_776
    assert bool((np.diff(flights.at) >= 0).all())
    assert int(np.isnan(flights.late).sum()) == 9_430


def test_the_replay_is_march_to_december(flights: Flights) -> None:
    later = replayed_flights(flights)
    assert len(later) == 284_821
    assert set(later.month) == set(range(3, 13))
    assert int((~np.isnan(later.late)).sum()) == 277_337


def test_a_sample_is_the_same_every_time(flights: Flights) -> None:
    first, second = replayed_flights(flights, 0.02), replayed_flights(flights, 0.02)
    assert 5_000 < len(first) < 6_500
    assert np.array_equal(first.at, second.at)


def test_training_and_judging_share_no_day(flights: Flights) -> None:
    fit_on, aside = split(training_flights(flights))
    day = 24 * 60 * MINUTE_US
    assert not set(fit_on.at // day) & set(aside.at // day)
    assert len(fit_on) + len(aside) == 50_009
    assert fit_on.month.max() == 2


def test_only_what_is_known_before_departure_is_a_feature() -> None:
    told_later = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum", "late"}
    assert not told_later & set(FEATURES)


def test_missing_weather_stays_missing(flights: Flights) -> None:
    assert 0 < int(flights.features["temp"].isna().sum()) < 5_000
    assert int(flights.features["wind_gust"].isna().sum()) > 200_000


def test_a_label_is_known_only_after_a_plausible_time_in_the_air(flights: Flights) -> None:
    hours = (flights.landed_at - flights.at)[~np.isnan(flights.late)] / (60 * MINUTE_US)
    assert hours.min() > 0
    assert 2 < np.median(hours) < 4
    assert np.quantile(hours, 0.999) < 24
