"""Pictures that look like an earlier one, against every pair compared one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.monitors.quality.likeness import look_alikes

FINGERPRINTS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 255), max_size=30)


@given(FINGERPRINTS, st.integers(0, 64))
def test_every_picture_with_an_earlier_look_alike_is_found(fingerprints: list[int], near: int) -> None:
    later = [
        (place, next((before for before in range(place) if (fingerprints[before] ^ each).bit_count() <= near), None))
        for place, each in enumerate(fingerprints)
    ]
    expected = [(place, before) for place, before in later if before is not None]
    found = look_alikes(fingerprints, near=near)
    assert found.examples == tuple(expected[:5])
    assert found.share.value == (len(expected) / len(fingerprints) if fingerprints else None)


def test_a_batch_that_was_sent_twice_is_seen_across_blocks() -> None:
    draw = np.random.default_rng(121)
    fingerprints = [int(each) for each in draw.integers(0, 2**64, 600, dtype=np.uint64)]
    found = look_alikes([*fingerprints, *(each ^ 0b101 for each in fingerprints[:200])])
    assert found.share.value == 0.25
    assert found.examples[0] == (600, 0)
    assert look_alikes(fingerprints).share.value == 0.0


def test_a_window_without_pictures_has_no_share() -> None:
    found = look_alikes([])
    assert (found.share.value, found.share.reason, found.examples) == (None, "there are no rows", ())
    with pytest.raises(BadInput, match="between 0 and 1"):
        look_alikes([], confidence=1.0)
