"""The quick form of the decisions benchmark: twenty cells keep every promise made of them."""

from collections import Counter

import numpy as np
import pytest
from benchmarks.decisions import __main__ as decisions
from benchmarks.decisions.rules import ALPHA, RULES, figures
from benchmarks.decisions.worlds import World, draw


def test_twenty_cells_keep_what_is_promised() -> None:
    worlds = decisions.quick_worlds()
    assert len(set(worlds)) == 20
    gates = list(decisions.gates(decisions.tables(quick=True)))
    assert [each["says"] for each in gates if not each["ok"]] == []
    assert len(gates) == 7


def test_the_grid_has_every_cell_once() -> None:
    counts = Counter(decisions.worlds())
    assert set(counts.values()) == {1}
    assert set(decisions.quick_worlds()) <= set(counts)


@pytest.mark.parametrize(("rule", "wrong"), [("headgate", False), ("peeking z-test", True)])
def test_looking_all_the_time_is_what_breaks_a_z_test(rule: str, *, wrong: bool) -> None:
    world = World(0.05, 1.0, 0.1)
    seen = draw(world, 500, np.random.default_rng(0))
    found = figures(world, seen, RULES[rule](world, seen))["rolled_back"]
    assert (found > decisions.most_wrong(ALPHA, 500)) is wrong
