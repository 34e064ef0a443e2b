"""Versions that are made up: their answers to the same rows, as good as one likes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.report import Answers
from headgate.retraining.proof.compared import Compared, Side
from headgate.vocabulary import Task

Floats = NDArray[np.float64]


class World:
    """Rows whose chance of being late is known, and versions that know it more or less well."""

    def __init__(self, seed: int, rows: int = 3000, *, days: int = 0) -> None:
        """With `days`, rows of one day share what nobody knows beforehand."""
        self.random = np.random.default_rng(seed)
        logit = self.random.normal(-1.0, 1.0, rows)
        if days:
            self.day = np.arange(rows) * days // rows
            logit += self.random.normal(0.0, 1.0, days)[self.day]
        self.chance = 1 / (1 + np.exp(-logit))
        self.truth = self.random.random(rows) < self.chance

    def side(self, version: str, noise: float, *, seed: int = 0, shift: float = 0.0, **more: Any) -> Side:
        """A version that is off by `noise` in the logit, by chance, and by `shift` everywhere."""
        return Side(version, said(self.scores(noise, seed=seed, shift=shift)), **more)

    def scores(self, noise: float, *, seed: int = 0, shift: float = 0.0) -> Floats:
        logit = np.log(self.chance / (1 - self.chance))
        off = np.random.default_rng(seed).normal(0.0, noise, len(logit)) + shift
        found: Floats = 1 / (1 + np.exp(-(logit + off)))
        return found

    def compared(self, challenger: Side, champion: Side | None, anchor: Side | None = None, **more: Any) -> Compared:
        return Compared(Task.BINARY, (False, True), self.truth, challenger, champion, anchor, **more)


def said(scores: Floats) -> Answers:
    """What a model with these chances of the positive class says."""
    return Answers(scores > 0.5, scores)
