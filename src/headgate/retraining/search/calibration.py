"""Probabilities made to mean what they say, without a step of their own in the model that is served.

Platt's scaling (Platt 1999) of log odds, and of several classes the same with one slope and an offset per class. A
model whose last step is a link over a sum takes both in: its coefficients, leaves or last layer are multiplied by the
slope and its intercept moved. So ONNX stays exact and no row takes longer. Isotonic steps were refused: a float32 input
near one of them is answered otherwise than by the model itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from headgate.evaluation.estimate import Floats
from headgate.retraining.search.trial import SMALLEST, Said

SLOPES: Final = (0.2, 5.0)
"""Slopes beyond these say that something else is wrong than how sure a model is."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A slope and offsets for log odds."""

    slope: float
    offsets: Floats
    """One per class; of two classes a single one, of the positive class's log odds."""

    @classmethod
    def fit(cls, said: Sequence[Said], codes: NDArray[np.int64]) -> "Scaling":
        """What makes these answers likeliest, given the classes of all examined rows.

        >>> sure = Said(np.arange(4), np.array([[0.99, 0.01], [0.99, 0.01], [0.01, 0.99], [0.01, 0.99]]))
        >>> round(Scaling.fit([sure], np.array([0, 1, 1, 0])).slope, 1)
        0.2
        """
        odds = np.concatenate([_odds(each.answers) for each in said])
        truth = np.concatenate([codes[each.rows] for each in said])
        width = odds.shape[1]

        def cost(at: Floats) -> float:
            given = _probabilities(at[0] * odds + at[1:])[np.arange(len(truth)), truth]
            # A thousandth of a row's worth holds offsets of several classes, of which one is free.
            return float(-np.log(np.clip(given, 1e-12, 1.0)).mean() + 1e-3 * np.square(at[1:]).mean() / len(truth))

        start = np.concatenate([[1.0], np.zeros(width)])
        found = minimize(cost, start, method="L-BFGS-B", bounds=[SLOPES, *[(-5.0, 5.0)] * width])
        return cls(float(found.x[0]), np.asarray(found.x[1:], np.float64))

    def applied(self, said: Said) -> Said:
        """The same rows with scaled probabilities."""
        return Said(said.rows, _probabilities(self.slope * _odds(said.answers) + self.offsets))


def takes(model: Any) -> bool:
    """Whether a model is a pipeline whose last step can take a scaling in."""
    if not isinstance(model, Pipeline):
        return False
    last = model[-1]
    return isinstance(last, LogisticRegression | HistGradientBoostingClassifier | MLPClassifier) or _is_lightgbm(last)


def take_in(model: Pipeline, scaling: Scaling) -> None:
    """Change a fitted pipeline so that it answers scaled probabilities; `takes` must say it can."""
    last, slope, offsets = model[-1], scaling.slope, scaling.offsets
    if isinstance(last, LogisticRegression):
        last.coef_ = last.coef_ * slope
        last.intercept_ = last.intercept_ * slope + offsets
    elif isinstance(last, MLPClassifier):
        last.coefs_[-1] = last.coefs_[-1] * slope
        last.intercepts_[-1] = last.intercepts_[-1] * slope + offsets
    elif isinstance(last, HistGradientBoostingClassifier):
        last._baseline_prediction = last._baseline_prediction * slope + offsets
        for predictor in (each for step in last._predictors for each in step):
            predictor.nodes["value"] *= slope
    else:
        _take_into_leaves(last.booster_, slope, offsets)


def _is_lightgbm(model: Any) -> bool:
    return type(model).__module__.partition(".")[0] == "lightgbm" and hasattr(model, "predict_proba")


def _take_into_leaves(booster: Any, slope: float, offsets: Floats) -> None:
    """Scale every leaf, and move those of the first tree of each class."""
    for tree, leaves in booster.trees_to_dataframe().query("split_feature.isna()").groupby("tree_index"):
        for name, value in zip(leaves["node_index"], leaves["value"], strict=True):
            leaf = int(str(name).rpartition("L")[2]) if "L" in str(name) else 0
            moved = float(offsets[tree]) if tree < len(offsets) else 0.0
            booster.set_leaf_output(int(tree), leaf, value * slope + moved)


def _odds(answers: Floats) -> Floats:
    """Log odds of the second of two classes, (rows, 1); of several the logarithms of their probabilities."""
    held = np.clip(answers, SMALLEST, 1 - SMALLEST)
    if answers.shape[1] == 2:
        return np.asarray(np.log(held[:, 1:] / (1 - held[:, 1:])))
    return np.asarray(np.log(held))


def _probabilities(odds: Floats) -> Floats:
    if odds.shape[1] == 1:
        positive = 1 / (1 + np.exp(-odds))
        return np.column_stack([1 - positive, positive])
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
