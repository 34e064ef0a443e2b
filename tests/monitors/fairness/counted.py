"""Answers of groups counted by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.monitors.answered import Answered
from headgate.monitors.fairness.gaps import Method
from headgate.monitors.fairness.groups import Group
from headgate.monitors.fairness.measure import Fairness, fairness
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task

CLASSES = ("no", "yes")
Column = NDArray[Any]


def table(cells: dict[str, tuple[int, int, int, int]]) -> tuple[Column, Column, Column]:
    """Truth, prediction and group of (true positives, false negatives, false positives, true negatives) per group."""
    truth, called, group = [], [], []
    for name, (tp, fn, fp, tn) in cells.items():
        truth += [1] * (tp + fn) + [0] * (fp + tn)
        called += [1] * tp + [0] * fn + [1] * fp + [0] * tn
        group += [name] * (tp + fn + fp + tn)
    return np.array(truth), np.array(called), np.array(group)


BY_HAND = {"f": (30, 10, 10, 50), "m": (45, 5, 20, 30), "x": (20, 20, 5, 55)}
"""Selected 40/100, 65/100, 25/100; of the positive 30/40, 45/50, 20/40; of the negative 10/60, 20/50, 5/60."""


def measured(cells: dict[str, tuple[int, int, int, int]], method: Method = Method.BETWEEN_GROUPS) -> Fairness:
    truth, called, group = table(cells)
    found = fairness(Answered(Task.BINARY, called, None, CLASSES), truth, {"sex": group}, method=method)
    assert not isinstance(found, Shortfall)
    return found[0]


def group_of(found: Fairness, name: str) -> Group:
    return next(each for each in found.treated.groups if each.name == name)
