"""One setting of one family, tried: learned on each fold and judged on the rows behind it."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from headgate.evaluation.estimate import Floats
from headgate.retraining.search.families import LAST, Family, Parameters, Setup
from headgate.retraining.search.folds import Fold, Folds
from headgate.retraining.search.learnable import Examined
from headgate.retraining.search.roles import Roles
from headgate.vocabulary import Task

SMALLEST: Final = 1e-6
"""Probabilities are held this far from 0 and 1, so that a single row cannot decide between models."""
MOST_JUDGED: Final = 50_000
"""Rows of one fold that are judged at most; a thinned part of them tells as much."""
STAGES: Final = (10, 20, 30, 50, 75, 100, 150, 200, 250, 300)
"""Numbers of trees at which a boosted model is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a model said of rows it did not learn from."""

    rows: NDArray[np.intp]
    """Places in the examined rows."""
    answers: Floats
    """Probabilities, (rows, classes); of a regression numbers, (rows,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What became of one setting."""

    number: int
    """In the order they were drawn."""
    family: Family
    drawn: Parameters
    """The setting it was tried with."""
    parameters: Parameters
    """The same with as many rounds as were best, where rounds follow one another."""
    share: float
    """The share of rows it learned from."""
    loss: float
    """Mean log loss, or mean squared error, over all rows judged; infinite when it could not learn."""
    seconds: float
    """Time for all folds."""
    out: str = ""
    """Why it went no further; empty while it is in the race."""
    said: tuple[Said, ...] = ()
    """Fold by fold; empty where it is not kept."""
    model: Any = None
    """As it learned from the newest fold; None where it is not kept."""

    def without(self, out: str = "") -> "Trial":
        """The same without what takes memory."""
        return replace(self, said=(), model=None, out=out or self.out)


class Trials:
    """Tries settings on the same rows and folds."""

    def __init__(
        self, data: Examined, roles: Roles, folds: Folds, *, seed: int, threads: int, clock: Callable[[], float]
    ) -> None:
        self._data = data
        self._roles = roles
        self._folds = folds.folds
        self._seed = seed
        self._threads = threads
        self._clock = clock
        # One draw for all: rows of a smaller share are among those of a larger one.
        self._place = np.random.default_rng(seed).random(len(data))

    def attempt(self, number: int, family: Family, parameters: Parameters, share: float) -> Trial:
        """Learn with a thinned share of each fold's rows, and judge. A setting that cannot learn has its reason."""
        begun = self._clock()
        try:
            judged = [self._fold(fold, family, parameters, share) for fold in self._folds]
        except (ValueError, ArithmeticError, MemoryError) as error:  # of four libraries, each in its own words
            why = f"it could not learn: {_first_line(error)}"
            return Trial(number, family, parameters, parameters, share, float("inf"), self._clock() - begun, why)
        rounds = _best(judged)
        chosen = parameters if rounds is None or family.rounds is None else {**parameters, family.rounds: rounds}
        said = tuple(Said(each.rows, each.at[rounds]) for each in judged)
        losses = [self.losses(each) for each in said]
        loss = float(np.concatenate(losses).mean())
        seconds = self._clock() - begun
        return Trial(number, family, parameters, chosen, share, loss, seconds, said=said, model=judged[-1].model)

    def learn(
        self,
        family: Family,
        parameters: Parameters,
        rows: NDArray[np.intp],
        share: float = 1.0,
        *,
        coded: bool = False,
    ) -> Pipeline:
        """A pipeline that learned from these rows: their classes, or with `coded` the numbers of their classes."""
        labels = self._data.codes if coded and self._data.classes else self._data.labels
        setup = Setup(self._data.task, self._seed, self._threads, len(rows), share)
        pipeline = family.build(parameters, self._roles, setup)
        weights: dict[str, Any] = {}
        if self._data.weight is not None:
            if not has_fit_parameter(pipeline[-1], "sample_weight"):
                raise ValueError(f"a {family.name} takes no weights with this scikit-learn")
            weights[f"{LAST}__sample_weight"] = self._data.weight[rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of nets that could go on learning, and solvers of data that can be parted
            fitted: Pipeline = pipeline.fit(self._data.frame.iloc[rows], labels[rows], **weights)
        return fitted

    def losses(self, said: Said) -> Floats:
        """The loss of every row: -ln of the probability of its class, clipped; of a number the squared error."""
        if self._data.task is Task.REGRESSION:
            return np.asarray((said.answers - self._data.labels[said.rows].astype(np.float64)) ** 2)
        given = said.answers[np.arange(len(said.rows)), self._data.codes[said.rows]]
        return np.asarray(-np.log(np.clip(given, SMALLEST, 1 - SMALLEST)))

    def answers(self, model: Any, rows: NDArray[np.intp]) -> Floats:
        """What a fitted pipeline says of these rows."""
        frame = self._data.frame.iloc[rows]
        regression = self._data.task is Task.REGRESSION
        return np.asarray(model.predict(frame) if regression else model.predict_proba(frame), np.float64)

    def _fold(self, fold: Fold, family: Family, parameters: Parameters, share: float) -> "_Judged":
        learn = fold.learn[self._place[fold.learn] < share]
        judge = fold.judge
        if len(judge) > MOST_JUDGED:
            judge = judge[self._place[judge] < MOST_JUDGED / len(judge)]
        if self._data.task is not Task.REGRESSION and len(np.unique(self._data.codes[learn])) < len(self._data.classes):
            raise ValueError("a class is missing among so few rows")
        model = self.learn(family, parameters, learn, share * len(fold.learn) / len(self._data), coded=True)
        if family.rounds is None:
            return _Judged(judge, {None: self.answers(model, judge)}, {None: 0.0}, model)
        stages = _staged(model, self._data.frame.iloc[judge], self._data.task, int(parameters[family.rounds] or 1))
        at: dict[int | None, Floats] = dict(stages)
        sums = {rounds: float(self.losses(Said(judge, answers)).sum()) for rounds, answers in at.items()}
        return _Judged(judge, at, sums, model)


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """One fold: answers, and summed losses, by number of rounds; None where there are no rounds."""

    rows: NDArray[np.intp]
    at: dict[int | None, Floats]
    sums: dict[int | None, float]
    model: Pipeline


def _best(judged: list[_Judged]) -> int | None:
    """The number of rounds with the smallest loss over all folds."""
    totals = {rounds: sum(each.sums[rounds] for each in judged) for rounds in judged[0].sums}
    return min(totals, key=lambda rounds: totals[rounds])


def _staged(model: Pipeline, frame: Any, task: Task, most: int) -> Iterator[tuple[int, Floats]]:
    """What a boosted model says after each number of rounds that is looked at."""
    rows, last = model[:-1].transform(frame), model[-1]
    wanted = sorted({each for each in STAGES if each < most} | {most})
    if hasattr(last, "staged_predict"):
        stages = last.staged_predict(rows) if task is Task.REGRESSION else last.staged_predict_proba(rows)
        for rounds, answers in enumerate(stages, 1):
            if rounds in wanted:
                yield rounds, np.asarray(answers, np.float64)
        return
    ask = last.predict if task is Task.REGRESSION else last.predict_proba
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses names for its columns, which have none by then
        for rounds in wanted:
            yield rounds, np.asarray(ask(rows, num_iteration=rounds), np.float64)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
