"""Direct loss estimation: a model of a regression's own losses, from its inputs and what it answered.

Fitted on the labelled reference, which may be weighed so that it looks like the window. It is not kept: with the same
rows and the seed below it is the same again.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, around, estimate, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered
from headgate.monitors.domains import Domains
from headgate.monitors.estimation.expectations import LossExpectation, Source
from headgate.monitors.estimation.reweighting import unweighable
from headgate.monitors.matrices import for_trees
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Task

LEAST: Final = 200
"""Labelled reference rows below which losses are not modelled."""
LARGEST: Final = 1e75
"""Errors beyond it have no variance of their squares."""
_SEED: Final = 13


@dataclass(frozen=True, slots=True, eq=False)
class LossModels:
    """Models of the absolute and of the squared error, and what the first is worth."""

    absolute: Any
    squared: Any
    excess: Estimate
    """Realised less estimated mean absolute error, on reference rows that the model tried had not seen."""
    categorical: NDArray[np.bool_]
    """Which columns of features are codes of categories."""
    learnt_on: float
    """Reference rows they were fitted on, weighed ones as many as they are worth."""
    source: Source
    """Reweighted where the reference was weighed."""

    def expect(self, said: Answered, features: Floats) -> LossExpectation | Shortfall:
        """The losses to expect of a window's rows; `features` are its matrix, in the order of the answers."""
        if said.task is not Task.REGRESSION:
            return broken("the reference is a regression's, and these answers are none")
        why = _unusable(said.predicted, features)
        if why is not None:
            return why
        columns = len(self.categorical)
        if features.shape[1] != columns:
            return broken(f"the window has {features.shape[1]} columns of features where the reference had {columns}")
        inputs = _inputs(said.predicted, features, self.categorical)
        absolute, squared = (_least_zero(each, inputs) for each in (self.absolute, self.squared))
        return LossExpectation(absolute, squared, self.learnt_on, self.source)


def loss_models(
    reference: Rows, features: Floats, categorical: NDArray[np.bool_], domains: Domains | None = None
) -> LossModels | Shortfall:
    """Models of the losses on these labelled rows, features as `headgate.monitors.matrices` gives them.

    Gradient boosting of squared losses, so that what is predicted is a mean; a window's MAE is the mean of predicted
    absolute errors, its RMSE the root of the mean of predicted squares. With `domains`, the comparison of these
    features with a window's, rows are weighed as that window's inputs come.
    """
    if reference.task is not Task.REGRESSION:
        return broken("only a regression's losses are estimated from its features")
    why = _unusable(reference.predicted, features)
    if why is not None:
        return why
    if len(reference) < LEAST:
        return undecided(f"the reference has {len(reference):,} labelled rows; {LEAST} are needed to model losses")
    why = None if domains is None else unweighable(domains, len(reference))
    if why is not None:
        return why
    errors = np.abs(reference.truth - reference.predicted)
    if not bool((errors < LARGEST).all()):
        return broken("the reference's errors are too large to be reckoned with")
    inputs = _inputs(reference.predicted, features, categorical)
    weights = np.ones(len(errors)) if domains is None else domains.weights
    return LossModels(
        absolute=_fitted(inputs, errors, weights, categorical),
        squared=_fitted(inputs, errors**2, weights, categorical),
        excess=_excess(inputs, errors, weights, categorical),
        categorical=categorical,
        learnt_on=len(errors) if domains is None else domains.effective,
        source=Source.ESTIMATED if domains is None else Source.REWEIGHTED,
    )


def _unusable(predicted: NDArray[Any] | None, features: Floats) -> Shortfall | None:
    if predicted is None:
        return broken("the model gives no predictions")
    if len(predicted) == 0:
        return undecided("there are no answered rows")
    if len(predicted) != len(features):
        return broken(f"there are features of {len(features):,} rows for {len(predicted):,} answers")
    lost = int((~np.isfinite(predicted)).sum())
    return broken(f"{lost:,} of {len(predicted):,} rows have no finite prediction") if lost else None


def _inputs(predicted: NDArray[Any] | None, features: Floats, categorical: NDArray[np.bool_]) -> Floats:
    """Features with the prediction behind them."""
    both = np.column_stack((features, np.asarray(predicted, dtype=np.float64)))
    return for_trees(both, np.append(categorical, False))


def _fitted(inputs: Floats, losses: Floats, weights: Floats, categorical: NDArray[np.bool_]) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - every verb of the command line would wait two seconds for it

    model = HistGradientBoostingRegressor(
        max_iter=100, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False,
        categorical_features=np.append(categorical, False), random_state=_SEED,
    )  # fmt: skip
    return model.fit(inputs, losses, sample_weight=weights)


def _least_zero(model: Any, inputs: Floats) -> Floats:
    """No loss is negative, though a sum of trees may be."""
    losses: Floats = np.maximum(model.predict(inputs), 0.0)
    return losses


def _excess(inputs: Floats, errors: Floats, weights: Floats, categorical: NDArray[np.bool_]) -> Estimate:
    """Each half judged by a model of the other; the interval is that of the weighted mean of the differences."""
    later = np.random.default_rng(_SEED).permutation(len(errors)) % 2 == 1
    apart = np.empty(len(errors))
    for half in (later, ~later):
        other = _fitted(inputs[~half], errors[~half], weights[~half], categorical)
        apart[half] = errors[half] - _least_zero(other, inputs[half])
    mean = float(np.average(apart, weights=weights))
    moved = (apart - mean) * (weights / weights.mean())
    return estimate("excess", around(mean, moved, quantile_of(CONFIDENCE)), len(errors))
