"""Direct loss estimation: a model of a regression's own losses, from its inputs and what it answered.

Fitted on the labelled reference. It is not kept: with the same rows and the seed below it is the same again.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from headgate.evaluation.estimate import Estimate, Floats, around, estimate, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.evaluation.rows import Rows
from headgate.monitors.estimation.answered import Answered
from headgate.monitors.estimation.expectations import LossExpectation
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Task

LEAST: Final = 200
"""Labelled reference rows below which losses are not modelled."""
LARGEST: Final = 1e150
"""Losses beyond it have no square."""
_SEED: Final = 13


@dataclass(frozen=True, slots=True, eq=False)
class LossModels:
    """Models of the absolute and of the squared error, and what the first is worth."""

    absolute: Any
    squared: Any
    excess: Estimate
    """Realised less estimated mean absolute error, on reference rows that the model tried had not seen."""
    columns: int
    """Columns of features it was fitted on."""

    def expect(self, said: Answered, features: Floats) -> LossExpectation | Shortfall:
        """The losses to expect of a window's rows; `features` are its matrix, in the order of the answers."""
        why = _unusable(said.predicted, features)
        if why is not None:
            return why
        if features.shape[1] != self.columns:
            return broken(
                f"the window has {features.shape[1]} columns of features where the reference had {self.columns}"
            )
        inputs = _inputs(said.predicted, features)
        return LossExpectation(_least_zero(self.absolute, inputs), _least_zero(self.squared, inputs))


def loss_models(reference: Rows, features: Floats, categorical: NDArray[np.bool_]) -> LossModels | Shortfall:
    """Models of the losses on these labelled rows, features as `headgate.monitors.matrices` gives them.

    Gradient boosting of squared losses, so that what is predicted is a mean; a window's MAE is the mean of predicted
    absolute errors, its RMSE the root of the mean of predicted squares.
    """
    if reference.task is not Task.REGRESSION:
        return broken("only a regression's losses are estimated from its features")
    why = _unusable(reference.predicted, features)
    if why is not None:
        return why
    if len(reference) < LEAST:
        return undecided(f"the reference has {len(reference):,} labelled rows; {LEAST} are needed to model losses")
    errors = np.abs(reference.truth - reference.predicted)
    if not bool((errors < LARGEST).all()):
        return broken("the reference's errors are too large to be squared")
    inputs = _inputs(reference.predicted, features)
    kinds = np.append(categorical, False)
    return LossModels(
        absolute=_fitted(inputs, errors, kinds),
        squared=_fitted(inputs, errors**2, kinds),
        excess=_excess(inputs, errors, kinds),
        columns=features.shape[1],
    )


def _unusable(predicted: NDArray[Any] | None, features: Floats) -> Shortfall | None:
    if predicted is None:
        return broken("the model gives no predictions")
    if len(predicted) == 0:
        return undecided("the window has no answered rows")
    if len(predicted) != len(features):
        return broken(f"there are features of {len(features):,} rows for {len(predicted):,} answers")
    lost = int((~np.isfinite(predicted)).sum())
    return broken(f"{lost:,} of {len(predicted):,} rows have no finite prediction") if lost else None


def _inputs(predicted: NDArray[Any] | None, features: Floats) -> Floats:
    inputs = np.column_stack((features, np.asarray(predicted, dtype=np.float64)))
    inputs[:, np.isnan(inputs).all(axis=0)] = 0.0
    # The trees put thresholds half way between two numbers, whose sum must be one.
    return np.clip(inputs, -LARGEST, LARGEST)


def _fitted(inputs: Floats, losses: Floats, categorical: NDArray[np.bool_]) -> Any:
    model = HistGradientBoostingRegressor(
        max_iter=100, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False, categorical_features=categorical,
        random_state=_SEED,
    )  # fmt: skip
    return model.fit(inputs, losses)


def _least_zero(model: Any, inputs: Floats) -> Floats:
    """No loss is negative, though a sum of trees may be."""
    losses: Floats = np.maximum(model.predict(inputs), 0.0)
    return losses


def _excess(inputs: Floats, errors: Floats, categorical: NDArray[np.bool_]) -> Estimate:
    """Each half judged by a model of the other; the interval is that of the mean of the paired differences."""
    later = np.random.default_rng(_SEED).permutation(len(errors)) % 2 == 1
    apart = np.empty(len(errors))
    for half in (later, ~later):
        apart[half] = errors[half] - _least_zero(_fitted(inputs[~half], errors[~half], categorical), inputs[half])
    mean = float(apart.mean())
    return estimate("excess", around(mean, apart - mean, quantile_of(CONFIDENCE)), len(errors))
