"""Assignment: a function of the key alone, proportional, monotone under growing weights, the same everywhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.traffic.assignment import assign, draw
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import Micros


def traffic(weights: dict[str, float], *, salt: str = "salt", valid_until: int | None = None) -> Traffic:
    members = [Member(name, f"sha256:{name}", weight, proved=True) for name, weight in weights.items()]
    live = Member("m:1", "sha256:live", max(0.0, 1.0 - sum(weights.values())), proved=True)
    return Traffic("default", "e", 1, "m:1", [live, *members], salt, canary_valid_until=valid_until)


VECTORS = [
    ("salt", b"ada", 13086283518500188470),
    ("salt", b"bob", 10012836117751267963),
    ("salt", b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 8026592588222753965),
    ("éééééééééééééééééééééééééééééééééééééééé", b"ada", 4837152191582354397),
    ("éééééééééééééééééééééééééééééééééééééééé", b"bob", 5405225341218289868),
    (
        "éééééééééééééééééééééééééééééééééééééééé",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        15315695917044547184,
    ),
]


@pytest.mark.parametrize(("salt", "key", "expected"), VECTORS)
def test_draws_are_the_published_vectors(salt: str, key: bytes, expected: int) -> None:
    assert draw(salt, "m:2", key) == expected


def test_a_threshold_is_its_weight_of_all_draws() -> None:
    assignment = assign(traffic({"m:2": 0.25, "m:3": 0.25}))
    assert [arm.threshold for arm in assignment.arms] == [1 << 62, int(0.25 / 0.75 * 2**64)]


keys = st.binary(min_size=1, max_size=40)
shares = st.floats(0.0, 0.5)


@given(key=keys, low=shares, high=shares, other=shares)
def test_raising_a_weight_only_adds_keys(key: bytes, low: float, high: float, other: float) -> None:
    low, high = sorted((low, high))
    before = assign(traffic({"m:2": low, "m:3": other})).version(key)[0]
    after = assign(traffic({"m:2": high, "m:3": other})).version(key)[0]
    if before == "m:2":
        assert after == "m:2"
    last = assign(traffic({"m:2": other, "m:3": high})).version(key)[0]
    if assign(traffic({"m:2": other, "m:3": low})).version(key)[0] == "m:3":
        assert last == "m:3"


@given(key=keys, share=shares)
def test_member_order_does_not_matter(key: bytes, share: float) -> None:
    one, other = traffic({"m:2": share, "m:3": 0.3}), traffic({"m:3": 0.3, "m:2": share})
    assert assign(one).version(key) == assign(other).version(key)


def test_shares_are_proportional() -> None:
    n, weights = 20_000, {"m:2": 0.1, "m:3": 0.3, "m:4": 0.05}
    assignment = assign(traffic(weights))
    drawn = [assignment.version(i.to_bytes(16)) for i in range(n)]
    for version, weight in {**weights, "m:1": 0.55}.items():
        found = sum(each == version for each, _ in drawn)
        assert abs(found - n * weight) < 4 * math.sqrt(n * weight * (1 - weight))
        assert all(chance == pytest.approx(weight) for each, chance in drawn if each == version)


def test_a_salt_of_its_own_reshuffles() -> None:
    one, other = assign(traffic({"m:2": 0.5})), assign(traffic({"m:2": 0.5}, salt="pepper"))
    same = sum(one.version(i.to_bytes(4))[0] == other.version(i.to_bytes(4))[0] for i in range(4000))
    assert abs(same - 2000) < 4 * math.sqrt(1000)


def test_the_whole_weight_takes_every_key_and_none_takes_none() -> None:
    everything, nothing = assign(traffic({"m:2": 1.0})), assign(traffic({"m:2": 0.0}))
    assert {everything.version(bytes([i])) for i in range(256)} == {("m:2", 1.0)}
    assert nothing.arms == ()
    assert nothing.version(b"k") == ("m:1", 1.0)


def test_the_unproved_take_nothing_unless_forced() -> None:
    for proved, forced, arms in ((False, False, 0), (True, False, 1), (False, True, 1)):
        members = [Member("m:1", "d", 0.5, proved=True), Member("m:2", "d", 0.5, proved=proved, forced=forced)]
        assert len(assign(Traffic("p", "e", 1, "m:1", members, "s")).arms) == arms


def test_the_absent_leave_their_share_to_the_live_version() -> None:
    assignment = assign(traffic({"m:2": 0.5, "m:3": 0.2}), absent=frozenset({"m:2"}))
    assert [arm.version for arm in assignment.arms] == ["m:3"]
    assert assignment.live_probability == pytest.approx(0.8)


def test_a_lease_that_ran_out_leaves_the_live_version_alone() -> None:
    assignment = assign(traffic({"m:2": 1.0}, valid_until=100))
    assert assignment.at(Micros(100)).version(b"k") == ("m:2", 1.0)
    assert assignment.at(Micros(101)).version(b"k") == ("m:1", 1.0)


def test_weights_beyond_one_are_cut_off() -> None:
    assignment = assign(traffic({"m:2": 0.8, "m:3": 0.8}))
    assert [arm.probability for arm in assignment.arms] == pytest.approx([0.8, 0.2])
    assert {assignment.version(i.to_bytes(4))[0] for i in range(500)} == {"m:2", "m:3"}
