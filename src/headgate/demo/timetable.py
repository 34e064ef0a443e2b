"""A model that reads the timetable: how much time the schedule leaves a flight beyond flying there.

That slack is derived inside the model's own preprocessing, out of two clock times and the distance. In which unit it
reads the distance stands nowhere else: a contract of whole numbers is the same for miles and for kilometres, and
figures on a sample that was exported in the unit the model reads are as good as any.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import guess_proto_type
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from headgate.demo.flights import CATEGORIES, LABEL, WEATHER, Flights

MILES_PER_HOUR: Final = 480.0
"""A usual cruising speed."""
KILOMETRES_PER_MILE: Final = 1.609344
KILOMETRES_PER_HOUR: Final = MILES_PER_HOUR * KILOMETRES_PER_MILE
READS: Final = ("sched_dep_minute", "sched_arr_minute", "distance")
"""What slack is derived from, in this order."""
SEASONAL: Final = ("temp", "dewp")
"""What a line drawn through winter would carry on into summer; left out."""
_DAY: Final = 1440.0
"""Minutes."""
_HOURS: Final = 19
"""From the first departure of a day to the last."""


# scikit-learn ships no types, so that its base classes count as anything.
class Slack(TransformerMixin, BaseEstimator):  # type: ignore[misc] # see the line above
    """Minutes the timetable leaves beyond flying at cruising speed; shape (rows, 3) of `READS` to (rows, 1).

    Clocks are local, so that the hours between time zones are part of it; who knows the destination knows them.

    >>> Slack(MILES_PER_HOUR).transform([[600, 725, 480], [1430, 45, 400]]).ravel().tolist()
    [65.0, 5.0]
    """

    def __init__(self, per_hour: float) -> None:
        """`per_hour` is how far a flight comes in an hour, in the unit in which the distance is read."""
        self.per_hour = per_hour

    def fit(self, rows: Any, truth: Any = None) -> "Slack":
        """Nothing is learned of the rows."""
        return self

    def transform(self, rows: Any) -> NDArray[np.float64]:
        """The slack of each row; who arrives at an earlier hour than it departed arrives the next day."""
        departure, arrival, distance = np.asarray(rows, np.float64).T
        slack: NDArray[np.float64] = (arrival - departure + _DAY) % _DAY - distance * (60.0 / self.per_hour)
        return slack[:, np.newaxis]


class Unusual(TransformerMixin, BaseEstimator):  # type: ignore[misc] # as above
    """Adds how far the first column lies from what the others lead one to expect, and the square of that.

    Shape (rows, n) to (rows, n + 2); 1 is as far as usual.

    >>> rows = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 1.0], [7.0, 1.0]])
    >>> Unusual().fit(rows).transform(rows)[0, 2:].round(1).tolist()
    [-1.4, 2.0]
    """

    def fit(self, rows: NDArray[np.float64], truth: Any = None) -> "Unusual":
        """Learn what is usual."""
        usual = Ridge().fit(rows[:, 1:], rows[:, 0])
        scale = (rows[:, 0] - usual.predict(rows[:, 1:])).std()
        self.weights_ = np.append(1.0, -usual.coef_) / scale
        self.shift_ = -float(usual.intercept_) / scale
        return self

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rows with the two columns behind their own."""
        strange = rows @ self.weights_ + self.shift_
        return np.column_stack((rows, strange, strange**2))


def fit_timetable(frame: pd.DataFrame, per_hour: float) -> Pipeline:
    """A pipeline fitted on columns of FEATURES in `frame` and its label, which reads distances as `Slack` does."""
    weather = [each for each in WEATHER if each not in SEASONAL]
    columns = ColumnTransformer(
        [
            ("slack", make_pipeline(Slack(per_hour), StandardScaler()), list(READS)),
            ("hour", KBinsDiscretizer(_HOURS, encode="onehot-dense", strategy="uniform"), list(READS[:1])),
            ("weather", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), weather),
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(CATEGORIES)),
            ("days", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["weekday"]),
        ]
    )
    line = LogisticRegression(solver="newton-cholesky")
    model = Pipeline([("columns", columns), ("unusual", Unusual()), ("line", line)])
    fitted: Pipeline = model.fit(frame[[*CATEGORIES, *READS, "weekday", *weather]], frame[LABEL])
    return fitted


def in_kilometres(flights: Flights) -> Flights:
    """The same flights as somebody would export them who counts distances in whole kilometres."""
    distance = (flights.features["distance"] * KILOMETRES_PER_MILE).round().astype(int)
    features = flights.features.assign(distance=distance)
    return replace(flights, features=features)


def squared_errors(model: Pipeline, flights: Flights) -> NDArray[np.float64]:
    """Of the probability that each of these flights, all of which have a label, is late (Brier 1950)."""
    rows = flights.features[list(model.feature_names_in_)]
    found: NDArray[np.float64] = (model.predict_proba(rows)[:, 1] - flights.late) ** 2
    return found


class _Graph:
    """Adds constants and operators to a graph of ONNX, all of the kind of numbers that go into `operator`."""

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope, self._container = scope, container
        self._kind = guess_proto_type(operator.inputs[0].type)

    def constant(self, *values: float) -> str:
        """A column of numbers."""
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, self._kind, [len(values), 1], list(values))
        return name

    def node(self, does: str, *inputs: str, output: str | None = None, **attributes: int) -> str:
        """An operator, and where what it gives is found."""
        out: str = output or self._scope.get_unique_variable_name(does.lower())
        name = self._scope.get_unique_operator_name(does)
        self._container.add_node(does, list(inputs), [out], op_version=13, name=name, **attributes)
        return out


def _one_column(operator: Any) -> None:
    """Tells the converter what `Slack` gives: a number per row, as wide as those that go in."""
    operator.outputs[0].type = type(operator.inputs[0].type)([None, 1])


def _convert_slack(scope: Any, operator: Any, container: Any) -> None:
    """`Slack.transform` as operators of ONNX."""
    graph, rows = _Graph(scope, operator, container), operator.inputs[0].full_name
    day = graph.constant(_DAY)
    scheduled = graph.node("Add", graph.node("MatMul", rows, graph.constant(-1.0, 1.0, 0.0)), day)
    flying = graph.node("MatMul", rows, graph.constant(0.0, 0.0, 60.0 / operator.raw_operator.per_hour))
    graph.node("Sub", graph.node("Mod", scheduled, day, fmod=1), flying, output=operator.outputs[0].full_name)


def _two_columns_more(operator: Any) -> None:
    """Tells the converter what `Unusual` gives."""
    width = len(operator.raw_operator.weights_) + 2
    operator.outputs[0].type = type(operator.inputs[0].type)([None, width])


def _convert_unusual(scope: Any, operator: Any, container: Any) -> None:
    """`Unusual.transform` as operators of ONNX."""
    graph, rows, model = _Graph(scope, operator, container), operator.inputs[0].full_name, operator.raw_operator
    explained = graph.node("MatMul", rows, graph.constant(*model.weights_.tolist()))
    strange = graph.node("Add", explained, graph.constant(model.shift_))
    squared = graph.node("Mul", strange, strange)
    graph.node("Concat", rows, strange, squared, output=operator.outputs[0].full_name, axis=1)


# Whoever puts steps of their own into a pipeline says how they are converted, or it is served by itself, in a process.
update_registered_converter(Slack, "DemoSlack", _one_column, _convert_slack)
update_registered_converter(Unusual, "DemoUnusual", _two_columns_more, _convert_unusual)
