"""Rows that are judged are newer than those learned from, whenever there is a newer."""

from typing import Any

import numpy as np

from headgate.retraining.search.folds import folds_of
from headgate.retraining.search.learnable import Learning, examine
from headgate.vocabulary import DAY, HOUR, Task


def test_whole_days_behind_those_learned_from(learning: Any) -> None:
    data = examine(learning())
    found = folds_of(data, 0)
    assert (len(found.folds), found.ordered) == (3, True)
    assert data.at is not None
    for fold in found.folds:
        assert data.at[fold.learn].max() // DAY < data.at[fold.judge].min() // DAY
    judged = np.concatenate([fold.judge for fold in found.folds])
    assert len(judged) == len(set(judged.tolist()))
    assert judged[-1] == len(data) - 1, "the newest rows are judged"
    assert "day by day (3 times)" in found.how


def test_rows_of_a_few_days_are_cut_between_moments(learning: Any) -> None:
    rows = learning()
    data = examine(learning(at=np.repeat(np.arange(50), 10) * HOUR))
    found = folds_of(data, 0)
    assert "day by day" not in found.how
    assert data.at is not None
    assert all(data.at[fold.learn].max() < data.at[fold.judge].min() for fold in found.folds)
    assert len(rows.y) == 500


def test_without_moments_rows_are_drawn_and_it_is_said(learning: Any) -> None:
    data = examine(learning(at=None))
    found, same, other = folds_of(data, 3), folds_of(data, 3), folds_of(data, 4)
    assert not found.ordered
    assert "drawn at random, because rows have no moments" in found.how
    assert [each.judge.tolist() for each in found.folds] == [each.judge.tolist() for each in same.folds]
    assert found.folds[0].judge.tolist() != other.folds[0].judge.tolist()


def test_classes_that_came_one_after_the_other_leave_no_order(learning: Any) -> None:
    y = (np.arange(500) >= 250).astype(int)
    found = folds_of(examine(learning(y=y)), 0)
    assert not found.ordered
    assert "classes came one after the other" in found.how


def test_a_fold_without_a_class_is_left_out(learning: Any) -> None:
    rows: Learning = learning()
    y = np.where(np.arange(500) < 210, 0, rows.y)
    found = folds_of(examine(learning(y=y)), 0)
    assert (len(found.folds), found.ordered) == (2, True)
    assert len(folds_of(examine(learning(Task.REGRESSION)), 0).folds) == 3
