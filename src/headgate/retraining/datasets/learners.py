"""The cheap model that windows are compared with, and the one that says how frequent rows are by now.

Both are small boosted trees. What is asked of them is an order of windows and a smooth ratio, not the model to serve.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats
from headgate.monitors.encoder import Encoder
from headgate.monitors.matrices import encoder_of, for_trees, matrix
from headgate.monitors.solvers import classifier, regressor
from headgate.retraining.datasets.dataset import LABEL
from headgate.retraining.datasets.labelled import codes
from headgate.vocabulary import Task

LEAST_CHANCE: Final = 0.001
"""To which the chance of what came true is raised, so that one row loses 6.9 at most."""
DECIMALS: Final = 6
"""Of weights: sums in another order, on a machine with other cores, give the same set."""
_TREES: Final[dict[str, Any]] = {
    "max_iter": 40, "learning_rate": 0.15, "max_leaf_nodes": 8, "min_samples_leaf": 20, "l2_regularization": 1.0,
    "early_stopping": False,
}  # fmt: skip
_SMOOTH: Final[dict[str, Any]] = {**_TREES, "min_samples_leaf": 50, "l2_regularization": 5.0}


def losses_of(learned: pa.Table, weights: Floats | None, judged: pa.Table, output: Output, seed: int) -> Floats | str:
    """The loss of each row of `judged` after learning from others, or why there is none.

    Log loss for classes, none larger than 6.9; the absolute error for numbers. Of rows with `weights` as many are
    learned from, drawn in proportion to them.
    """
    if weights is not None:
        # Rather than passed on: trees take several times as long to make bins of weighted rows.
        learned = learned.take(_in_proportion(weights))
    names = [each for each in learned.column_names if each in judged.column_names and each != LABEL]
    encoder = encoder_of(learned.select(names))
    if not encoder.fields:
        return "no feature is a number, a moment, a truth value or a text"
    here, there = (for_trees(matrix(encoder, each), encoder.categorical) for each in (learned, judged))
    if output.task is Task.REGRESSION:
        truth = learned[LABEL].to_numpy()
        model = regressor(**_TREES, categorical_features=encoder.categorical, random_state=seed)
        _fit(model, here, truth)
        apart: Floats = np.abs(model.predict(there) - judged[LABEL].to_numpy())
        return apart
    truth = codes(learned[LABEL], output)
    if len(np.unique(truth)) < 2:
        return "all its rows are of one class"
    model = classifier(**_TREES, categorical_features=encoder.categorical, random_state=seed)
    _fit(model, here, truth)
    chances = np.zeros((len(there), len(output.classes)))
    chances[:, model.classes_] = model.predict_proba(there)
    true = chances[np.arange(len(there)), codes(judged[LABEL], output)]
    losses: Floats = -np.log(np.maximum(true, LEAST_CHANCE))
    return losses


def _fit(model: Any, rows: Floats, truth: NDArray[Any]) -> None:
    """Have it learn by this thread alone: of so few rows several wait for each other longer than they work."""
    with threadpool_limits(1, user_api="openmp"):
        model.fit(rows, truth)


def _in_proportion(weights: Floats) -> NDArray[np.intp]:
    """Places of as many rows as there are weights, evenly over their sum, so that none is drawn by chance."""
    evenly = (np.arange(len(weights)) + 0.5) / len(weights) * weights.sum()
    places: NDArray[np.intp] = np.minimum(np.searchsorted(np.cumsum(weights), evenly), len(weights) - 1)
    return places


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """How much more frequent rows like one are now than they were."""

    encoder: Encoder
    model: Any
    scale: float
    """Earlier rows per row of now that it was fitted on."""
    most: float
    """The largest weight."""

    @classmethod
    def of(cls, earlier: pa.Table, now: pa.Table, seed: int) -> "Densities":
        """Fitted on rows of both times, whose columns are features.

        The ratio of densities is the odds of a classifier that tells them apart, times earlier rows per row of now
        (Bickel, Brueckner & Scheffer 2009, "Discriminative learning under covariate shift"), cut at the root of the
        earlier rows times its mean (Ionides 2008, "Truncated importance sampling").
        """
        encoder = encoder_of(earlier)
        rows = for_trees(np.concatenate([matrix(encoder, each) for each in (earlier, now)]), encoder.categorical)
        model = classifier(**_SMOOTH, categorical_features=encoder.categorical, random_state=seed)
        _fit(model, rows, np.arange(len(rows)) >= len(earlier))
        found = cls(encoder, model, len(earlier) / len(now), np.inf)
        ratios = found.weights(earlier)
        return cls(encoder, model, found.scale, float(ratios.mean() * np.sqrt(len(ratios))))

    def weights(self, rows: pa.Table) -> Floats:
        """The ratio of each row: 1 for one that is as frequent as it was."""
        chance = self.model.predict_proba(for_trees(matrix(self.encoder, rows), self.encoder.categorical))[:, 1]
        odds = np.clip(chance, 1e-6, 1 - 1e-6)
        ratios: Floats = np.minimum(odds / (1 - odds) * self.scale, self.most)
        return np.round(ratios, DECIMALS)
