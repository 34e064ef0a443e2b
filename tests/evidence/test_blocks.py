"""Blocks of consecutive inputs under one share."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest
from headgate.evidence.blocks import Rest, block_differences, block_size

NAN = float("nan")


def differences(arms: list[int], shares: list[float], values: list[float], size: int) -> list[float]:
    found: list[float] = block_differences(np.array(arms, np.bool_), np.array(shares), np.array(values), size).tolist()
    return found


def test_a_block_ends_where_the_share_changes() -> None:
    arms, shares = [0, 1, 0, 0, 1, 1, 0], [0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5]
    # (0, 1) of the first run, whose third input is left over; (3, 4) and (5, 6) of the second.
    assert differences(arms, shares, [0.0, 1.0, 9.0, 2.0, 5.0, 7.0, 3.0], 2) == [1.0, 3.0, 4.0]


def test_a_block_of_one_arm_is_skipped() -> None:
    assert differences([0, 0, 1, 1, 0, 1], [0.5] * 6, [0.0, 1.0, 2.0, 3.0, 4.0, 6.0], 2) == [2.0]


def test_labels_that_expired_are_left_out_and_may_leave_a_block_of_one_arm() -> None:
    arms = [1, 1, 0, 0, 1, 1, 0, 0]
    assert differences(arms, [0.5] * 8, [1.0, NAN, 0.0, NAN, NAN, NAN, 0.0, 1.0], 4) == [1.0]


def test_fewer_inputs_than_a_block_give_nothing() -> None:
    assert differences([0, 1], [0.5, 0.5], [0.0, 1.0], 3) == []
    assert differences([], [], [], 3) == []


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.5]), st.floats(0, 1)), max_size=40), st.integers(2, 6))
def test_what_comes_later_changes_no_block_before_it(rows: list[tuple[bool, float, float]], size: int) -> None:
    arms, shares, values = ([row[each] for row in rows] for each in range(3))
    whole = block_differences(np.array(arms, np.bool_), np.array(shares, float), np.array(values, float), size)
    half = len(rows) // 2
    some = block_differences(
        np.array(arms[:half], np.bool_), np.array(shares[:half], float), np.array(values[:half], float), size
    )
    assert whole[: len(some)].tolist() == some.tolist()
    assert bool((np.abs(whole) <= 1).all())


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.floats(0, 1) | st.just(NAN)), max_size=60
    ),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_blocks_do_not_depend_on_where_a_history_is_cut(rows: list[tuple[bool, float, float]], cuts: list[int]) -> None:
    arms, shares = np.array([row[0] for row in rows], np.bool_), np.array([row[1] for row in rows], float)
    values = np.array([row[2] for row in rows], float)
    rest, found = Rest(), []
    for place in np.split(np.arange(len(rows)), sorted(min(cut, len(rows)) for cut in cuts)):
        inputs = rest.followed_by(arms[place], shares[place], values[place])
        found += block_differences(*inputs, factor=1.5).tolist()
        rest = msgspec.msgpack.decode(msgspec.msgpack.encode(Rest.of(*inputs)), type=Rest)
    assert found == block_differences(arms, shares, values, factor=1.5).tolist()
    assert len(rest.values) < block_size(rest.share or 0.5)


def test_a_factor_is_that_of_the_live_versions_mean() -> None:
    arms, shares = np.array([True, False]), np.full(2, 0.5)
    assert block_differences(arms, shares, np.array([3.0, 2.0]), factor=1.25).tolist() == [0.5]


def test_a_drift_that_both_arms_share_is_no_evidence_and_a_worse_version_is() -> None:
    random = np.random.default_rng(8)
    shares = np.full(40_000, 0.1)
    ours = random.random(len(shares)) < shares
    values = np.clip(0.5 + 0.3 * np.sin(np.arange(len(shares)) / 4000) + random.normal(0, 0.1, len(shares)), 0, 1)
    test = BettingTest(low=-1.0, high=1.0, mean=0.0, alternative="less")
    for effect, found in ((0.0, False), (-0.03, True)):
        apart = block_differences(ours, shares, np.clip(values + effect * ours, 0, 1), 10)
        assert test.update(test.start(), apart).rejects(0.01) is found


def test_blocks_need_room_for_both_arms_and_as_many_of_each() -> None:
    with pytest.raises(BadInput, match="at least 2"):
        differences([0], [0.5], [0.0], 1)
    with pytest.raises(BadInput, match="one per input"):
        differences([0], [0.5], [0.0, 1.0], 2)
