"""The table of three policies: judged on the same flights, those that were answered and have a label."""

from typing import cast

import numpy as np
import pandas as pd
import pytest

from headgate.demo.beside import Beside
from headgate.demo.flights import Flights
from headgate.demo.http import HttpPool
from headgate.demo.replay import Replay
from headgate.demo.table import LATEST, LOOP, STATIC, table_of

ROWS = 8
"""Half of them in March, half in April."""


def flights() -> Flights:
    at = np.arange(ROWS) + 1_362_096_000_000_000
    late = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, np.nan, 1.0])
    return Flights(pd.DataFrame({"x": at}), at, at + 1, late, np.repeat([3, 4], 4), np.arange(10, 10 + ROWS))


def replayed(some: Flights) -> Replay:
    pool = cast(HttpPool, None)
    replay = Replay(pool, pool, "flights", some)
    replay.scores[:] = [0.1, 0.9, 0.2, 0.8, 0.9, 0.1, 0.5, np.nan]
    replay.versions[:] = ["m:1"] * 3 + ["m:2"] * 4 + [""]
    return replay


def test_a_month_is_judged_on_flights_that_were_answered_and_have_a_label() -> None:
    some = flights()
    whole = np.full(20, np.nan)
    whole[some.row] = [0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.5, 0.9]
    found = table_of(some, replayed(some), Beside(whole, whole, 4))
    march, april = found.months[:2]
    assert (march.flights, april.flights, found.whole.flights) == (4, 2, 6)
    assert march.auc == {STATIC: 0.0, LATEST: 0.0, LOOP: 1.0}
    assert april.auc == {STATIC: 1.0, LATEST: 1.0, LOOP: 0.0}
    assert march.brier[LOOP] == pytest.approx(np.mean(np.square([0.1, 0.1, 0.2, 0.2])))
    assert (march.versions, april.versions) == ({"m:1": 3, "m:2": 1}, {"m:2": 2})
    assert found.learned == 4


def test_a_month_without_flights_is_left_out_and_one_of_a_single_kind_has_no_auc() -> None:
    some = flights()
    some.late[4:] = 1.0
    found = table_of(some, replayed(some), Beside(np.zeros(20), np.zeros(20), 0))
    assert [each.name for each in found.months] == ["2013-03", "2013-04"]
    assert found.months[1].flights == 3
    assert found.months[1].auc == dict.fromkeys((STATIC, LATEST, LOOP))
