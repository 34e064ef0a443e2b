"""Streams of the loop's benchmark: a change costs what it says, and mending is counted from mature labels."""

import numpy as np
import pytest
from benchmarks.loop import streams, worlds

from headgate.vocabulary import DAY


def test_a_change_costs_what_was_planted_and_can_be_learned_as_well() -> None:
    for seed in range(20):
        world = worlds.world(seed, changes=True)
        assert worlds.POINTS <= worlds.cost(world) <= worlds.MOST
        inputs = world.inputs(20_000, np.random.default_rng(8))
        old, new = (
            world.accuracy(inputs @ weights > 0, inputs, changed=changed)
            for weights, changed in ((world.before, False), (world.after, True))
        )
        assert old == pytest.approx(new, abs=0.01)


def test_a_steady_world_stays_as_it_is() -> None:
    world = worlds.world(3, changes=False)
    assert worlds.cost(world) == 0


def test_a_day_is_the_same_whenever_it_is_asked_and_its_moments_are_its_own() -> None:
    [stream] = streams.streams(1, changes=True, first=5)
    inputs, at, labels = stream.day(3)
    again = stream.day(3)
    assert np.array_equal(inputs, again[0])
    assert (at, labels) == (again[1], again[2])
    begins = streams.BEGINS + 3 * DAY
    assert begins <= at[0] <= at[-1] < begins + DAY
    assert at == sorted(at)


@pytest.mark.parametrize(
    ("mended", "windows"),
    [(25, -0.5), (30, 0.0), (45, 1.5), (None, float("inf"))],
    ids=["before labels are due", "as they are due", "a window and a half later", "never"],
)
def test_windows_are_counted_from_when_the_first_label_is_due(mended: int | None, windows: float) -> None:
    back = streams.CHANGED_DAYS if mended is None else mended
    course = [0.9 if day < streams.CHANGES else 0.89 if day >= back else 0.7 for day in range(streams.CHANGED_DAYS)]
    lost, found = streams.mending(course, streams.CHANGES)
    assert (round(lost, 6), found) == (0.2, windows)


def test_what_is_lost_again_is_not_back() -> None:
    course = [0.9] * 20 + [0.7] * 10 + [0.9] * 10 + [0.7] * 5 + [0.9] * 5
    assert streams.mending(course, 20)[1] == 1.5
