"""How well a classifier tells a window from the reference: drift of all fields together, and where the two overlap.

The domain classifier's AUC is the drift; its odds weigh the reference so that it looks like the window.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, measure
from headgate.evaluation.weighted import effective
from headgate.monitors.matrices import for_trees
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Task

FOLDS: Final = 5
LEAST: Final = 100
"""Rows of either side below which the two are not compared."""
MOST: Final = 50_000
"""Rows of either side that a fold learns from; every row is judged."""
ALIKE: Final = 0.45
APART: Final = 0.65
"""The AUC outside which NannyML's domain classifier alarms."""
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
    """How many unweighted rows the weighed reference is worth (Kish 1965)."""
    beyond: Estimate
    """Share of the window's rows that look more like the window than any reference row does."""
    covered: float
    """Share of the window that reference rows stand for: their mean ratio of densities, which weights divide by."""

    @property
    def drifted(self) -> bool | None:
        """Whether the AUC lies outside 0.45 to 0.65, the band of NannyML's domain classifier; None without one."""
        return None if self.auc.value is None else not ALIKE <= self.auc.value <= APART


def domains(reference: Floats, window: Floats, categorical: NDArray[np.bool_]) -> Domains | Shortfall:
    """The two matrices of `headgate.monitors.matrices` compared, with the same columns in either.

    Gradient boosting, five folds. The ratio of densities is the odds over the ratio of rows learnt from (Bickel,
    Brueckner & Scheffer 2009, "Discriminative learning under covariate shift"); as weights it is cut at the root of
    the number of rows times its mean (Ionides 2008, "Truncated importance sampling"), so that no few rows stand for
    all, and divided by its mean.

    >>> draw = np.random.default_rng(0)
    >>> found = domains(draw.normal(0, 1, (400, 1)), draw.normal(2, 1, (400, 1)), np.array([False]))
    >>> found.drifted, found.effective < 200
    (True, True)
    """
    if reference.shape[1] == 0:
        return undecided("no field can be compared: none is a number, a moment, a truth value or a text")
    here, there = window.shape[1], reference.shape[1]
    if here != there:
        return broken(f"the window has {here} columns of features where the reference has {there}")
    for name, count in (("reference", len(reference)), ("window", len(window))):
        if count < LEAST:
            return undecided(f"the {name} has {count:,} rows; {LEAST} are needed to compare the two")
    rows = for_trees(np.concatenate([reference, window]), categorical)
    is_window = np.arange(len(rows)) >= len(reference)
    ratios = _ratios(rows, is_window, categorical)
    mine, theirs = ratios[~is_window], ratios[is_window]
    cut = np.minimum(mine, mine.mean() * np.sqrt(len(mine)))
    lost = int((theirs > mine.max()).sum())
    return Domains(
        auc=measure(Task.BINARY, is_window, None, ratios, (False, True), metrics=["auc"])["auc"],
        weights=cut / cut.mean(),
        effective=effective(cut),
        beyond=proportion("beyond", lost, len(theirs), quantile_of(CONFIDENCE)),
        covered=min(1.0, float(mine.mean())),
    )


def _ratios(rows: Floats, is_window: NDArray[np.bool_], categorical: NDArray[np.bool_]) -> Floats:
    """How much more frequent rows like each are in the window than in the reference."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - every verb of the command line would wait two seconds for it

    draw = np.random.default_rng(_SEED)
    reference, window = (draw.permutation(np.flatnonzero(side)) for side in (~is_window, is_window))
    ratios = np.empty(len(rows))
    for fold in range(FOLDS):
        held = np.concatenate([reference[fold::FOLDS], window[fold::FOLDS]])
        mine, theirs = _others(reference, fold), _others(window, fold)
        kept = np.concatenate([mine, theirs])
        # Small, shrunken trees: what is asked for is a smooth ratio.
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=5.0, early_stopping=False,
            categorical_features=categorical, random_state=_SEED,
        )  # fmt: skip
        model.fit(rows[kept], is_window[kept])
        chance = np.clip(model.predict_proba(rows[held])[:, 1], _CLOSEST, 1 - _CLOSEST)
        ratios[held] = chance / (1 - chance) * (len(mine) / len(theirs))
    return ratios


def _others(places: NDArray[Any], fold: int) -> NDArray[Any]:
    """The rows of the other folds, as many as are learnt from."""
    kept: NDArray[Any] = places[np.arange(len(places)) % FOLDS != fold][:MOST]
    return kept
