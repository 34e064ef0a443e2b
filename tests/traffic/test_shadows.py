"""Which inputs a shadow answers: a function of the id alone, monotone in its share, and of the share it says."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.traffic.assignment import WHOLE, assign, draw
from headgate.traffic.shadows import shadow_share
from headgate.traffic.traffic import Member, Shadow, Traffic

ids = st.binary(min_size=16, max_size=16)
shares = st.floats(0.0, 1.0)


def takes(share: float, input_id: bytes, *, salt: str = "salt", version: str = "m:2") -> bool:
    return shadow_share(salt, Shadow(version, share)).takes(input_id)


def drawn(count: int) -> list[bytes]:
    return [number.to_bytes(16) for number in range(count)]


@given(input_id=ids, share=shares, salt=st.text(max_size=80))
def test_it_is_what_its_draw_says(input_id: bytes, share: float, salt: str) -> None:
    """Whoever must know afterwards whether an input was meant to have two answers needs the draw alone."""
    expected = draw(salt, "shadow:m:2", input_id) < int(share * 2**64)
    assert takes(share, input_id, salt=salt) is takes(share, input_id, salt=salt) is expected


@given(input_id=ids, low=shares, high=shares)
def test_raising_a_share_only_adds_inputs(input_id: bytes, low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert takes(high, input_id) or not takes(low, input_id)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.95])
def test_it_takes_its_share(share: float) -> None:
    count = 20_000
    found = sum(takes(share, each) for each in drawn(count))
    assert abs(found - count * share) < 4 * math.sqrt(count * share * (1 - share))


def test_a_share_of_one_takes_all_and_of_nothing_none() -> None:
    assert {takes(1.0, each) for each in drawn(500)} == {True}
    assert {takes(0.0, each) for each in drawn(500)} == {False}
    assert shadow_share("salt", Shadow("m:2", 1.0)).is_whole
    almost = shadow_share("salt", Shadow("m:2", math.nextafter(1.0, 0.0)))
    assert (almost.is_whole, almost.threshold < WHOLE) == (False, True)


@pytest.mark.parametrize(("share", "kept"), [(-0.5, 0.0), (1.5, 1.0)])
def test_a_share_that_is_none_is_the_nearest_one(share: float, kept: float) -> None:
    assert shadow_share("salt", Shadow("m:2", share)).share == kept


def test_two_shadows_draw_apart() -> None:
    both = [(takes(0.5, each), takes(0.5, each, version="m:3")) for each in drawn(4000)]
    same = sum(one == other for one, other in both)
    assert abs(same - 2000) < 4 * math.sqrt(1000)


def test_what_it_takes_as_a_shadow_says_nothing_of_whom_it_takes_as_a_canary() -> None:
    members = [Member("m:1", "d", 0.5, proved=True), Member("m:2", "d", 0.5, proved=True)]
    assignment = assign(Traffic("p", "e", 1, "m:1", members, "salt"))
    same = sum((assignment.version(each)[0] == "m:2") == takes(0.5, each) for each in drawn(4000))
    assert abs(same - 2000) < 4 * math.sqrt(1000)


def test_traffic_of_before_there_were_shadows_is_still_read() -> None:
    traffic = Traffic("p", "e", 1, "m:1", [Member("m:1", "d", 1.0, proved=True)], "salt")
    for document in (msgspec.to_builtins(traffic) | {"shadows": []}, msgspec.to_builtins(traffic)):
        document.pop("contract", None)
        assert msgspec.json.decode(msgspec.json.encode(document), type=Traffic) == traffic
    without = msgspec.to_builtins(traffic)
    del without["shadows"]
    assert msgspec.convert(without, Traffic) == traffic


def test_the_live_version_is_no_shadow_of_its_own() -> None:
    shadows = [Shadow("m:1", 1.0), Shadow("m:2", 0.0)]
    traffic = Traffic("p", "e", 1, "m:1", [Member("m:1", "d", 1.0, proved=True)], "salt", shadows)
    assert [traffic.shadows_with(each) for each in ("m:1", "m:2", "m:3")] == [False, True, False]
    beside = msgspec.structs.replace(traffic, members=[Member("m:1", "d", 0.0), Member("m:2", "d", 1.0, proved=True)])
    assert beside.shadows_with("m:1"), "it answers beside whoever has its callers"
    assert not beside.alone().shadows_with("m:1")
    assert msgspec.json.decode(msgspec.json.encode(traffic), type=Traffic) == traffic
