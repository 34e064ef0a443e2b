"""A model that reads the timetable: how much time the schedule leaves a flight beyond flying there.

That slack is derived inside the model's own preprocessing, out of two clock times and the distance. In which unit it
reads the distance stands nowhere else: a contract of whole numbers is the same for miles and for kilometres, and
figures on a sample that was exported in the unit the model reads are as good as any.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import guess_proto_type
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from headgate.demo.flights import CATEGORIES, FEATURES, LABEL, NUMBERS, Flights

MILES_PER_HOUR: Final = 480.0
"""A usual cruising speed."""
KILOMETRES_PER_MILE: Final = 1.609344
KILOMETRES_PER_HOUR: Final = MILES_PER_HOUR * KILOMETRES_PER_MILE
READS: Final = ("sched_dep_minute", "sched_arr_minute", "distance")
"""What slack is derived from, in this order."""
_DAY: Final = 1440.0
"""Minutes."""


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


def fit_timetable(frame: pd.DataFrame, per_hour: float) -> Pipeline:
    """A pipeline fitted on the columns FEATURES of `frame` and its label, which reads distances as `Slack` does."""
    plain = [name for name in NUMBERS if name not in READS[1:]]
    columns = ColumnTransformer(
        [
            ("slack", make_pipeline(Slack(per_hour), StandardScaler()), list(READS)),
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), plain),
            ("words", OneHotEncoder(handle_unknown="ignore"), list(CATEGORIES)),
        ]
    )
    model = Pipeline([("columns", columns), ("line", LogisticRegression(max_iter=1000))])
    fitted: Pipeline = model.fit(frame[list(FEATURES)], frame[LABEL])
    return fitted


def in_kilometres(flights: Flights) -> Flights:
    """The same flights as somebody would export them who counts distances in whole kilometres."""
    distance = (flights.features["distance"] * KILOMETRES_PER_MILE).round().astype(int)
    features = flights.features.assign(distance=distance)
    return Flights(features, flights.at, flights.landed_at, flights.late, flights.month)


def squared_errors(model: Pipeline, flights: Flights) -> NDArray[np.float64]:
    """Of the probability that each of these flights, all of which have a label, is late (Brier 1950)."""
    found: NDArray[np.float64] = (model.predict_proba(flights.features)[:, 1] - flights.late) ** 2
    return found


def _shape(operator: Any) -> None:
    """Tells the converter what comes out: one number per row, as wide as those that go in."""
    operator.outputs[0].type = type(operator.inputs[0].type)([None, 1])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """`Slack.transform` as operators of ONNX."""
    kind = guess_proto_type(operator.inputs[0].type)

    def constant(*values: float) -> str:
        name: str = scope.get_unique_variable_name("constant")
        container.add_initializer(name, kind, [len(values), 1], list(values))
        return name

    def node(does: str, *inputs: str, output: str | None = None, **attributes: int) -> str:
        out: str = output or scope.get_unique_variable_name(does.lower())
        name = scope.get_unique_operator_name(does)
        container.add_node(does, list(inputs), [out], op_version=13, name=name, **attributes)
        return out

    rows, day = operator.inputs[0].full_name, constant(_DAY)
    scheduled = node("Add", node("MatMul", rows, constant(-1.0, 1.0, 0.0)), day)
    flying = node("MatMul", rows, constant(0.0, 0.0, 60.0 / operator.raw_operator.per_hour))
    node("Sub", node("Mod", scheduled, day, fmod=1), flying, output=operator.outputs[0].full_name)


# Whoever adds a step of their own to a pipeline says how it is converted, or the model runs in a process of its own.
update_registered_converter(Slack, "DemoSlack", _shape, _convert)
