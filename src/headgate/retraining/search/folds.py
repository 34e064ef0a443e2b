"""Which rows a model is tried on: always newer ones than those it learned from, where rows have an order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from headgate.retraining.search.learnable import Examined
from headgate.vocabulary import DAY, Task

CUTS: Final = (0.4, 0.6, 0.8)
"""Shares of the rows that are learned from; the fifth behind each is judged."""
_DAYS_WORTH: Final = 10
_LEAST_OF_A_CLASS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows to learn from and rows to judge on, as places in the examined rows."""

    learn: NDArray[np.intp]
    judge: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Folds:
    """All folds, oldest first, and in words how they were made."""

    folds: tuple[Fold, ...]
    how: str
    ordered: bool
    """Whether every row judged is newer than all rows learned from."""


def folds_of(data: Examined, seed: int) -> Folds:
    """Three folds: the oldest 40 %, 60 % and 80 % of rows, each judged on the fifth that follows.

    Cuts fall between days (UTC) where rows span at least ten of them, since rows of one day are alike. A fold in which
    a class is all but absent is left out. Only rows without moments are divided at random, with `seed`; and rows in
    which classes came one after the other, of which `Folds.how` speaks.
    """
    if data.at is not None:
        cuts = [_cut(data.at, share) for share in CUTS]
        places = np.arange(len(data))
        found = tuple(
            fold
            for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)
            if _usable(fold := Fold(places[:start], places[start:end]), data)
        )
        if found:
            how = "judged on rows newer than all those learned from" + (", day by day" if _daily(data.at) else "")
            return Folds(found, f"{how} ({_count(found)})", ordered=True)
    why = "rows have no moments" if data.at is None else "classes came one after the other, not side by side"
    split = (KFold if data.task is Task.REGRESSION else StratifiedKFold)(3, shuffle=True, random_state=seed)
    target = data.labels if data.task is Task.REGRESSION else data.codes
    drawn = tuple(Fold(learn, judge) for learn, judge in split.split(np.zeros((len(data), 1)), target))
    return Folds(drawn, f"judged on thirds drawn at random, because {why}", ordered=False)


def _daily(at: NDArray[np.int64]) -> bool:
    return int(at[-1] - at[0]) >= _DAYS_WORTH * DAY


def _cut(at: NDArray[np.int64], share: float) -> int:
    """The first row behind a share of them; of its day, or of its moment, where days are too few."""
    moment = int(at[int(len(at) * share)])
    return int(np.searchsorted(at, moment - moment % DAY if _daily(at) else moment, side="left"))


def _usable(fold: Fold, data: Examined) -> bool:
    if len(fold.learn) < 50 or len(fold.judge) < 20:
        return False
    if data.task is Task.REGRESSION:
        return bool(np.ptp(data.labels[fold.learn]) > 0)
    return all(
        int(np.bincount(data.codes[part], minlength=len(data.classes)).min()) >= _LEAST_OF_A_CLASS
        for part in (fold.learn, fold.judge)
    )


def _count(folds: tuple[Fold, ...]) -> str:
    return "once" if len(folds) == 1 else f"{len(folds)} times"
