"""How well a classifier tells a window from the reference: drift of all fields together, and where the two overlap.

The domain classifier's AUC is the drift; its odds weigh the reference so that it looks like the window.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from headgate.evaluation.estimate import Estimate, Floats, quantile_of, wilson
from headgate.evaluation.metrics import CONFIDENCE, measure
from headgate.monitors.standing import Shortfall, undecided
from headgate.vocabulary import Task

FOLDS: Final = 5
LEAST: Final = 100
"""Rows of either side below which the two are not compared."""
MOST: Final = 50_000
"""Rows of either side that a fold learns from; every row is judged."""
CATEGORIES: Final = 254
"""Categories of a field that are told apart; the rarer ones count as one."""
ALIKE: Final = 0.45
APART: Final = 0.65
"""The AUC outside which NannyML's domain classifier alarms."""
LARGEST: Final = 1e300
"""Numbers are cut here."""
_SEED: Final = 11
_CLOSEST: Final = 1e-6
"""Probabilities are held this far from 0 and 1, so that odds are finite."""


@dataclass(frozen=True, slots=True, eq=False)
class Domains:
    """Two sets of rows and what tells them apart, each row judged by a classifier that has not seen it."""

    auc: Estimate
    """0.5 where nothing tells them apart. DeLong's interval, which takes the classifiers as given."""
    weights: Floats
    """Per reference row, how much more frequent rows like it are in the window; their mean is 1."""
    effective: float
    """How many unweighted rows the weighed reference is worth: (sum of weights) squared over the sum of squares."""
    beyond: Estimate
    """Share of the window's rows that look more like the window than any reference row does."""
    covered: float
    """Share of the window that reference rows stand for: their mean ratio of densities, which weights divide by."""

    @property
    def drifted(self) -> bool:
        """Whether the AUC lies outside 0.45 to 0.65, the band of NannyML's domain classifier."""
        value = 0.5 if self.auc.value is None else self.auc.value
        return not ALIKE <= value <= APART


def domains(reference: Floats, window: Floats, categorical: NDArray[np.bool_]) -> Domains | Shortfall:
    """The two matrices of `headgate.monitors.matrices` compared, with the same columns in either.

    Gradient boosting, five folds. The density ratio is the odds over the ratio of rows (Bickel, Brueckner & Scheffer
    2009, "Discriminative learning under covariate shift"), cut (Ionides 2008, "Truncated importance sampling") and
    divided by its mean over the reference. Small, shrunken trees: what is asked for is a smooth ratio.
    """
    if reference.shape[1] == 0:
        return undecided("no field can be compared: none is a number, a moment, a truth value or a text")
    for name, count in (("reference", len(reference)), ("window", len(window))):
        if count < LEAST:
            return undecided(f"the {name} has {count:,} rows; {LEAST} are needed to compare the two")
    rows = _prepared(np.concatenate([reference, window]), categorical)
    is_window = np.arange(len(rows)) >= len(reference)
    chance = np.clip(_judged(rows, is_window, categorical), _CLOSEST, 1 - _CLOSEST)
    odds = chance / (1 - chance)
    mine, theirs = odds[~is_window], odds[is_window]
    # A few rows must not stand for all: weights are cut at the root of n times their mean (Ionides 2008).
    cut = np.minimum(mine, mine.mean() * np.sqrt(len(mine)))
    weights = cut / cut.mean()
    lost = int((theirs > mine.max()).sum())
    low, high = wilson(lost, len(theirs), quantile_of(CONFIDENCE))
    return Domains(
        auc=measure(Task.BINARY, is_window, None, chance, (False, True), metrics=["auc"])["auc"],
        weights=weights,
        effective=float(weights.sum() ** 2 / (weights * weights).sum()),
        beyond=Estimate("beyond", lost / len(theirs), low, high, len(theirs)),
        covered=min(1.0, float(mine.mean()) * len(mine) / len(theirs)),
    )


def _prepared(rows: Floats, categorical: NDArray[np.bool_]) -> Floats:
    """Categories as codes below 255, unseen ones with the rare ones; a column without any value as zeros."""
    rows = rows.copy()
    codes = rows[:, categorical]
    rows[:, categorical] = np.where((codes < 0) | (codes > CATEGORIES), CATEGORIES, codes)
    rows[:, np.isnan(rows).all(axis=0)] = 0.0
    # The trees put thresholds half way between two numbers, whose sum must be one.
    prepared: Floats = np.clip(rows, -LARGEST, LARGEST)
    return prepared


def _judged(rows: Floats, is_window: NDArray[np.bool_], categorical: NDArray[np.bool_]) -> Floats:
    """The chance that each row is of the window."""
    draw = np.random.default_rng(_SEED)
    sides = [draw.permutation(np.flatnonzero(side)) for side in (~is_window, is_window)]
    chance = np.empty(len(rows))
    for fold in range(FOLDS):
        held = np.concatenate([each[fold::FOLDS] for each in sides])
        kept = np.concatenate([_others(each, fold)[:MOST] for each in sides])
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=5.0, early_stopping=False,
            categorical_features=categorical, random_state=_SEED,
        )  # fmt: skip
        model.fit(rows[kept], is_window[kept])
        chance[held] = model.predict_proba(rows[held])[:, 1]
    return chance


def _others(places: NDArray[Any], fold: int) -> NDArray[Any]:
    kept: NDArray[Any] = places[np.arange(len(places)) % FOLDS != fold]
    return kept
