"""Whether two looks found the same, for tests of whoever goes on from a look where another reads everything."""

import numpy as np
import pytest

from headgate.rollouts.answers import Answers
from headgate.rollouts.judge import Judged, Weighed


def assert_judged_alike(seen: Weighed, whole: Weighed) -> None:
    """Every guard says the same, but for rounding."""
    assert seen.skewed == whole.skewed
    assert len(seen.judged) == len(whole.judged)
    for one, other in zip(seen.judged, whole.judged, strict=True):
        assert _words(one) == _words(other)
        assert _numbers(one) == pytest.approx(_numbers(other), rel=1e-7, abs=1e-9)


def assert_observed_alike(seen: Weighed, whole: Weighed) -> None:
    """Both looked at the same inputs, and where labels are due at the same truths."""
    one, other = seen.sample, whole.sample
    assert one.setting == other.setting
    for mine, theirs in ((one.pairs.live, other.pairs.live), (one.pairs.candidate, other.pairs.candidate)):
        _assert_said_alike(mine, theirs)
    _assert_said_alike(one.arms.answers, other.arms.answers)
    assert np.array_equal(one.arms.candidate, other.arms.candidate)
    assert np.array_equal(one.arms.shares, other.arms.shares)
    for mine, theirs in (
        (one.due_pairs.live, other.due_pairs.live),
        (one.due_pairs.candidate, other.due_pairs.candidate),
        (one.due_arms.answers, other.due_arms.answers),
    ):
        _assert_said_alike(mine, theirs)
        assert np.array_equal(mine.labelled, theirs.labelled)
        assert np.array_equal(mine.truth[mine.labelled], theirs.truth[theirs.labelled])


def _assert_said_alike(mine: Answers, theirs: Answers) -> None:
    assert np.array_equal(mine.at, theirs.at)
    assert np.array_equal(mine.predicted, theirs.predicted)
    assert np.array_equal(mine.failed, theirs.failed)
    assert np.array_equal(mine.compute_us, theirs.compute_us, equal_nan=True)
    assert mine.more.keys() == theirs.more.keys()
    for name, column in mine.more.items():
        assert np.array_equal(column, theirs.more[name], equal_nan=column.dtype.kind == "f")


def _words(judged: Judged) -> tuple[object, ...]:
    return judged.metric, judged.source, judged.verdict, judged.rows, judged.group


def _numbers(judged: Judged) -> list[float]:
    figures = (judged.live, judged.candidate, judged.p_worse, judged.p_fine)
    return [-1.0 if each is None else each for each in figures]
