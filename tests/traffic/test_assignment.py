"""Assignment: a function of the key alone, proportional, monotone under growing weights, the same everywhere."""

import math
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.traffic.assignment import assign, draw, salt_key
from headgate.traffic.traffic import Member, People, Traffic


def traffic(weights: dict[str, float], *, salt: str = "salt") -> Traffic:
    members = [Member(name, f"sha256:{name}", weight, proved=True) for name, weight in weights.items()]
    live = Member("m:1", "sha256:live", max(0.0, 1.0 - sum(weights.values())), proved=True)
    return Traffic("default", "e", 1, "m:1", [live, *members], salt)


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
names = st.sampled_from(["m:2", "m:3", "m:4", "n:1"])


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
    assert assignment.live_probability == pytest.approx(0.8)
    drawn = [assignment.version(i.to_bytes(4)) for i in range(4000)]
    assert dict(drawn) == {
        "m:1": pytest.approx(0.8),
        "m:3": pytest.approx(0.2),
    }
    assert abs(sum(version == "m:3" for version, _ in drawn) - 800) < 4 * math.sqrt(4000 * 0.2 * 0.8)


@given(key=keys, weights=st.dictionaries(st.sampled_from(["m:2", "m:3", "m:4", "n:1"]), shares), absent=st.sets(names))
def test_a_version_that_is_away_moves_no_key_of_another(
    key: bytes, weights: dict[str, float], absent: set[str]
) -> None:
    """Workers load at different speeds; a caller of a version both have meets it at both."""
    whole = assign(traffic(weights)).version(key)[0]
    partly = assign(traffic(weights), absent=frozenset(absent)).version(key)[0]
    assert partly == ("m:1" if whole in absent else whole)


@given(key=keys, first=shares, low=shares, high=shares, last=shares)
def test_keys_move_towards_the_version_that_grows_and_nowhere_else(
    key: bytes, first: float, low: float, high: float, last: float
) -> None:
    """The versions before it keep theirs; those behind it lose keys to it alone."""
    low, high = sorted((low, high))
    before = assign(traffic({"m:2": first, "m:3": low, "m:4": last})).version(key)[0]
    after = assign(traffic({"m:2": first, "m:3": high, "m:4": last})).version(key)[0]
    if first + high + last <= 1.0 and before != after:
        assert (before, after) in {("m:1", "m:3"), ("m:1", "m:4"), ("m:4", "m:3")}


@given(weights=st.dictionaries(st.sampled_from(["m:2", "m:3", "m:4"]), st.floats(0.0, 1.0)), absent=st.sets(names))
def test_all_shares_together_are_one(weights: dict[str, float], absent: set[str]) -> None:
    assignment = assign(traffic(weights), absent=frozenset(absent))
    arms = [arm.probability for arm in assignment.arms if arm.version != "m:1"]
    assert sum(arms) + assignment.live_probability == pytest.approx(1.0)
    assert all(0 <= arm.threshold <= 2**64 for arm in assignment.arms)
    assert not any(arm.version in absent for arm in assignment.arms)


@given(key=keys, salt=st.text(max_size=80), weight=shares)
def test_an_assignment_is_what_its_draws_say(key: bytes, salt: str, weight: float) -> None:
    """Somebody who must know afterwards where a key went needs the draw alone."""
    found, _ = assign(traffic({"m:2": weight}, salt=salt)).version(key)
    assert (found == "m:2") == (draw(salt, "m:2", key) < int(weight * 2**64))


@pytest.mark.parametrize("length", [63, 64, 65, 200])
def test_a_salt_of_any_length_is_a_salt(length: int) -> None:
    drawn = draw("s" * length, "m:2", b"ada")
    assert 0 <= drawn < 2**64
    assert drawn != draw("s" * (length + 1), "m:2", b"ada")
    hashed = blake2b(b"s" * length, digest_size=64).digest()
    assert salt_key("s" * length) == (b"s" * length if length <= 64 else hashed)


def test_the_live_versions_own_weight_decides_nothing() -> None:
    """What nobody takes is its own, whatever its member says."""
    members = [Member("m:1", "d", 0.0, proved=True), Member("m:2", "d", 0.25, proved=True)]
    assignment = assign(Traffic("p", "e", 1, "m:1", members, "s"))
    assert assignment.live_probability == 0.75


def test_alone_the_live_version_answers_everything() -> None:
    divided = traffic({"m:2": 0.5, "m:3": 0.25})
    assert assign(divided.alone()).version(b"k") == ("m:1", 1.0)
    assert {each.version for each in divided.alone().members} == {"m:1", "m:2", "m:3"}, "they stay loaded"


def test_alone_people_decide_everything() -> None:
    members = [Member("m:1", "sha256:1", 1.0, proved=True)]
    beside = Traffic("default", "e", 1, "m:1", members, "salt", people=People(0.4, 0.9, suggests=True))
    assert beside.alone().people == People(1.0, 0.0, suggests=True)


def test_weights_beyond_one_are_cut_off() -> None:
    assignment = assign(traffic({"m:2": 0.8, "m:3": 0.8}))
    assert [arm.probability for arm in assignment.arms] == pytest.approx([0.8, 0.2])
    assert {assignment.version(i.to_bytes(4))[0] for i in range(500)} == {"m:2", "m:3"}
