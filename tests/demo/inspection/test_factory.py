"""The factory: one request a phone, decisions a little later, the truth some hours later, and each hour in lockstep."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from headgate.demo.http import HttpPool
from headgate.demo.inspection.eye import opened
from headgate.demo.inspection.factory import AUDITS, LABORATORY, PEOPLE, SECOND_LOOKS, Factory
from headgate.demo.inspection.material import drawn_material
from headgate.demo.inspection.people import COLLEAGUE, INSPECTOR
from headgate.demo.inspection.story import START
from headgate.errors import Unavailable
from headgate.vocabulary import HOUR, Micros

PER_HOUR = 60


class World:
    """Stands for the gateway's pool and the controller's; the model decides where `decides` says so."""

    def __init__(
        self, decides: Callable[[int], bool] = lambda number: False, *, fail: int = -1, stuck: str = "-"
    ) -> None:
        self.said: list[tuple[str, Any]] = []
        self._decides, self._fail, self._stuck = decides, fail, stuck
        self._asked = 0

    async def post_all(self, path: str, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        return [self._predict(path, json.loads(body)) for body in bodies]

    def _predict(self, path: str, body: Any) -> tuple[int, bytes]:
        number, self._asked = self._asked, self._asked + 1
        self.said.append((path.rpartition("/")[2], body))
        if number == self._fail:
            return 503, b'{"error": {"message": "down"}}'
        row: dict[str, Any] = {"id": f"id{number}", "version": "human", "decides": "human"}
        if self._decides(number):
            row = {"id": f"id{number}", "version": "surface:1", "prediction": "ok", "scores": [1.0, 0.0, 0.0, 0.0]}
        return 200, json.dumps({"predictions": [row]}).encode()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.said.append((path.rpartition("/")[2], json.loads(body)))
        return (409 if path.endswith(self._stuck) else 200), b"{}"

    def of(self, kind: str) -> list[Any]:
        return [what for name, what in self.said if name == kind]

    def entries(self, kind: str) -> list[Any]:
        return [entry for each in self.of(kind) for entry in each[kind]]


def worked(world: World, hours: int, seed: int = 3) -> Factory:
    pool = cast(HttpPool, world)
    factory = Factory(pool, pool, "surfaces", drawn_material(seed), per_hour=PER_HOUR, start=START, seed=seed)

    async def work() -> None:
        await factory.settle()
        for hour in range(1, hours + 1):
            await factory.work_until(Micros(START + hour * HOUR))

    asyncio.run(work())
    return factory


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def test_every_phone_is_one_request_with_its_picture_and_shift() -> None:
    world = World()
    factory = worked(world, 13)
    asked = world.of("predict")
    assert len(asked) == factory.tally.asked == 13 * PER_HOUR
    moments = [micros(each["at"][0]) for each in asked]
    assert moments == [START + number * HOUR // PER_HOUR for number in range(13 * PER_HOUR)]
    assert [each["rows"][0]["shift"] for each in asked] == ["day"] * 12 * PER_HOUR + ["night"] * PER_HOUR
    assert opened(base64.b64decode(asked[0]["rows"][0]["picture"])).shape == (64, 64)


def test_the_clock_begins_where_the_line_does_and_is_moved_after_everything_of_the_hour() -> None:
    world = World()
    worked(world, 2)
    order = [name for name, _ in world.said]
    assert order == [
        "advance",
        *["predict"] * PER_HOUR,
        "decisions",
        "advance",
        *["predict"] * PER_HOUR,
        "decisions",
        "advance",
    ]
    assert [micros(each["to"]) for each in world.of("advance")] == [START, START + HOUR, START + 2 * HOUR]


def test_people_decide_what_is_theirs_and_say_so_when_they_know() -> None:
    world = World()
    factory = worked(world, 10)
    by_name = {f"id{number}": micros(each["at"][0]) for number, each in enumerate(world.of("predict"))}
    entries = world.entries("decisions")
    assert all(each["actor"] in {INSPECTOR.name, COLLEAGUE.name} for each in entries)
    for entry in entries:
        assert by_name[entry["id"]] < micros(entry["observed_at"]) <= by_name[entry["id"]] + 600_000_000
    first = Counter(each["id"] for each in entries if each["actor"] == INSPECTOR.name)
    assert set(first.values()) == {1}
    assert len(first) >= 10 * PER_HOUR - 10, "the last few are still being looked at"
    twice = [each["id"] for each in entries if each["actor"] == COLLEAGUE.name]
    assert len(twice) == pytest.approx(SECOND_LOOKS * 10 * PER_HOUR, rel=0.4)
    assert abs(len(twice) - factory.tally.second_looks) <= 2
    count = factory.tally.decided[PEOPLE]
    assert (count.pieces, factory.tally.audits) == (10 * PER_HOUR, 0)
    assert 0 < count.wrong < 0.2 * count.pieces


def test_what_the_model_decides_is_its_own_and_a_share_of_it_is_audited() -> None:
    world = World(lambda number: number % 2 == 0)
    factory = worked(world, 20)
    model, people = factory.tally.decided["surface:1"], factory.tally.decided[PEOPLE]
    assert (model.pieces, people.pieces) == (600, 600)
    truths = {each["id"]: each["label"] for each in world.entries("labels")}
    known = [f"id{number}" for number in range(0, 1200, 2) if f"id{number}" in truths]
    wrong = sum(truths[each] != "ok" for each in known)
    assert model.wrong >= wrong > 100, "it says ok of everything"
    assert factory.tally.audits == pytest.approx(AUDITS * 600, rel=0.6)
    audited = [each["id"] for each in world.entries("decisions") if int(each["id"][2:]) % 2 == 0]
    assert abs(len(audited) - factory.tally.audits) <= 2


def test_the_laboratory_tells_every_truth_once_it_knows() -> None:
    world = World()
    factory = worked(world, 8)
    entries = world.entries("labels")
    assert len(entries) == factory.tally.labels
    asked = [micros(each["at"][0]) for each in world.of("predict")]
    assert [each["id"] for each in entries] == [
        f"id{n}" for n, at in enumerate(asked) if at + LABORATORY <= START + 8 * HOUR
    ]
    assert all(micros(each["observed_at"]) == asked[int(each["id"][2:])] + LABORATORY for each in entries)


def test_a_phone_that_was_not_answered_is_counted_and_nobody_decides_it() -> None:
    world = World(fail=3)
    factory = worked(world, 8)
    assert factory.tally.failed == 1
    assert "503" in factory.tally.first_failure
    assert "id3" not in {each["id"] for kind in ("decisions", "labels") for each in world.entries(kind)}


@pytest.mark.parametrize("stuck", ["decisions", "labels", "advance"])
def test_what_is_refused_stops_the_line(stuck: str) -> None:
    with pytest.raises(Unavailable, match=rf"{stuck} was refused \(409\)"):
        worked(World(stuck=stuck), 8)


def test_the_same_seed_is_the_same_day() -> None:
    first, again = World(), World()
    worked(first, 3)
    worked(again, 3)
    assert first.said == again.said
