"""Clocks that jump, and what comes twice for other reasons: no input is ever counted twice."""

from pathlib import Path

import pytest
from tests.rollouts.test_observe import Journal

from headgate.rollouts.judge import Sample, weigh
from headgate.vocabulary import SECOND, Role

SAID = (Role.LIVE, "yes"), (Role.SHADOW, "no")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def evidence(journal: Journal, sample: Sample) -> list[float]:
    return [each.p_worse for each in weigh(journal.rollout.plan, sample).judged]


def test_a_clock_that_jumps_back_between_two_looks_counts_nothing_twice(journal: Journal) -> None:
    for place, at in enumerate((1100, 1200, 1300), 1):
        journal.ask(place, *SAID, at=at, label="yes")
    before, back, again = (journal.seen(now) for now in (1400.0, 1250.0, 1400.0))
    assert [len(each.due_pairs) for each in (before, back, again)] == [3, 2, 3]
    assert evidence(journal, again) == evidence(journal, before)


def test_a_gateway_whose_clock_jumps_back_is_read_in_the_order_of_its_moments(journal: Journal) -> None:
    for place, at in enumerate((1300, 1100, 1300, 1200), 1):
        journal.ask(place, *SAID, at=at, label="yes")
    sample = journal.seen()
    assert [each // SECOND for each in sample.pairs.live.at.tolist()] == [1100, 1200, 1300, 1300]
    assert len(sample.due_pairs) == 4


def test_what_is_dated_before_the_rollout_does_not_count_however_late_it_comes(journal: Journal) -> None:
    journal.ask(1, *SAID, at=1100, label="yes")
    journal.ask(2, *SAID, at=900, label="yes")
    assert len(journal.seen().pairs) == 1
