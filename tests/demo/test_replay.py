"""The replay: one request per flight in order, each label once the plane had landed, each step in lockstep."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from headgate.demo.flights import Flights
from headgate.demo.http import HttpPool
from headgate.demo.replay import Replay, Tally
from headgate.errors import Unavailable
from headgate.vocabulary import HOUR

START = 1_362_096_000_000_000
"""2013-03-01T00:00:00Z."""


class World:
    """Stands for the gateway's pool and the controller's; writes down everything it is asked, in order."""

    def __init__(self, *, refuse: int = -1, fail: int = -1, stuck: bool = False) -> None:
        self.said: list[tuple[str, Any]] = []
        self._refuse, self._fail, self._stuck = refuse, fail, stuck
        self._asked = 0

    async def post_all(self, path: str, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        return [self._predict(path, json.loads(body)) for body in bodies]

    def _predict(self, path: str, body: Any) -> tuple[int, bytes]:
        number, self._asked = self._asked, self._asked + 1
        self.said.append((path.rpartition("/")[2], body))
        if number == self._fail:
            return 503, b'{"error": {"message": "down"}}'
        if number == self._refuse:
            return 422, b'{"predictions": [{"error": {"rule": "range"}}]}'
        return 200, json.dumps({"predictions": [{"id": f"id{number}", "prediction": 0}]}).encode()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.said.append((path.rpartition("/")[2], json.loads(body)))
        return (409 if self._stuck and path.endswith("advance") else 200), b"{}"

    def of(self, kind: str) -> list[Any]:
        return [what for name, what in self.said if name == kind]


def flights(departures_h: list[float], landings_h: list[float], late: list[float]) -> Flights:
    at = START + (np.array(departures_h) * HOUR).astype(np.int64)
    landed = START + (np.array(landings_h) * HOUR).astype(np.int64)
    features = pd.DataFrame({"carrier": ["UA"] * len(at), "temp": [np.nan, *[50.5] * (len(at) - 1)]})
    return Flights(features, at, landed, np.array(late), np.full(len(at), 3), np.arange(len(at)))


FIVE = ([0.1, 0.5, 1.2, 1.4, 6.0], [3.1, 0.9, 2.0, 1.9, 7.5], [1.0, 0.0, np.nan, 1.0, 0.0])


def run(world: World, some: Flights) -> Tally:
    pool = cast(HttpPool, world)
    return asyncio.run(Replay(pool, pool, "late", some).run(HOUR, lambda _done, _all, _month: None))


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def test_one_flight_is_one_request_in_order_of_time() -> None:
    world = World()
    tally = run(world, flights(*FIVE))
    asked = world.of("predict")
    assert [len(each["rows"]) for each in asked] == [1] * 5
    moments = [micros(each["at"][0]) for each in asked]
    assert moments == sorted(moments) == flights(*FIVE).at.tolist()
    assert (tally.requests, tally.answered, tally.refused, tally.failed) == (5, 5, 0, 0)
    assert asked[0]["rows"][0] == {"carrier": "UA", "temp": None}, "missing weather travels as null"


def test_a_label_is_posted_in_the_step_its_plane_landed_and_never_before() -> None:
    world = World()
    tally = run(world, flights(*FIVE))
    landed = dict(zip(("id0", "id1", "id2", "id3", "id4"), flights(*FIVE).landed_at.tolist(), strict=True))
    posted: list[tuple[str, int]] = []
    step: list[Any] = []
    for kind, what in world.said:
        step += what["labels"] if kind == "labels" else []
        if kind == "advance":
            end = micros(what["to"])
            for label in step:
                assert micros(label["observed_at"]) == landed[label["id"]]
                assert end - HOUR <= landed[label["id"]] < end, "known in this step, not before and not later"
            posted += [(label["id"], label["label"]) for label in step]
            step = []
    assert step == []
    assert posted == [("id1", 0), ("id3", 1), ("id0", 1), ("id4", 0)]
    assert tally.labels_posted == 4


def test_a_cancelled_flight_has_no_label() -> None:
    world = World()
    run(world, flights(*FIVE))
    assert "id2" not in {label["id"] for each in world.of("labels") for label in each["labels"]}


def test_the_clock_moves_at_the_end_of_each_step_that_had_anything_in_it() -> None:
    world = World()
    run(world, flights(*FIVE))
    hours = [(micros(each["to"]) - START) / HOUR for each in world.of("advance")]
    assert hours == [1, 2, 4, 7, 8]
    order = [kind for kind, _ in world.said]
    assert order[:4] == ["predict", "predict", "labels", "advance"], "nothing of a step comes after its end"


def test_a_refused_or_failed_flight_is_counted_and_gets_no_label() -> None:
    world = World(refuse=0, fail=1)
    tally = run(world, flights(*FIVE))
    assert (tally.requests, tally.answered, tally.refused, tally.failed) == (5, 3, 1, 1)
    assert tally.first_failure.startswith("503")
    assert {label["id"] for each in world.of("labels") for label in each["labels"]} == {"id3", "id4"}


def test_a_clock_that_cannot_be_moved_ends_the_replay() -> None:
    with pytest.raises(Unavailable, match="clock"):
        run(World(stuck=True), flights(*FIVE))


def test_a_replay_goes_on_where_it_was_stopped_as_if_it_had_not_been() -> None:
    whole, parts = World(), World()
    run(whole, flights(*FIVE))
    pool = cast(HttpPool, parts)
    replay = Replay(pool, pool, "late", flights(*FIVE))
    ends: list[float] = []

    def after_two_hours(moment: int) -> bool:
        ends.append((moment - START) / HOUR)
        return moment >= START + 2 * HOUR

    asyncio.run(replay.run(HOUR, lambda _done, _all, _month: None, after_two_hours))
    assert ends == [1, 2], "it is asked after every step, and no step follows once it has enough"
    assert [micros(each["to"]) for each in parts.of("advance")][-1] == START + 2 * HOUR
    before = len(parts.said)
    asyncio.run(replay.settle())
    assert [micros(each["to"]) for _, each in parts.said[before:]] == [START + 2 * HOUR], "the clock stands still"
    del parts.said[before:]
    asyncio.run(replay.run(HOUR, lambda _done, _all, _month: None))
    assert parts.said == whole.said


def test_answers_are_counted_by_the_version_that_gave_them() -> None:
    class Two(World):
        def _predict(self, path: str, body: Any) -> tuple[int, bytes]:
            status, said = super()._predict(path, body)
            row = json.loads(said)["predictions"][0] | {"version": "m:2" if self._asked % 2 else "m:1"}
            return status, json.dumps({"predictions": [row]}).encode()

    assert run(Two(), flights(*FIVE)).versions == {"m:1": 2, "m:2": 3}
