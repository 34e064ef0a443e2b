"""The demo's model: gradient boosting on January and February, as an engineer would hand it over."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from headgate.demo.flights import CATEGORIES, FEATURES, LABEL, NUMBERS, Flights
from headgate.vocabulary import DAY

LAST_TRAINING_MONTH = 2
FIRST: Final[dict[str, Any]] = {"max_iter": 100, "learning_rate": 0.06}
AGAIN: Final[dict[str, Any]] = {"max_iter": 50, "learning_rate": 0.12, "max_features": 0.5}
"""Of a model that is learned every few days, from more flights: fewer trees, each split with half of the fields."""
HELD_OUT_EVERY = 10
"""Every tenth day of the training months is kept aside to judge the gate on: whole days, because flights of one
hour share their weather."""


def training_flights(flights: Flights, last_month: int = LAST_TRAINING_MONTH) -> Flights:
    """The labelled flights of January up to `last_month`."""
    return flights.select((flights.month <= last_month) & ~np.isnan(flights.late))


def replayed_flights(flights: Flights, share: float = 1.0, *, every: int = 1) -> Flights:
    """Every flight from March on, or a seeded share of those of one day in `every`."""
    later = (flights.month > LAST_TRAINING_MONTH) & (flights.at // DAY % every == 0)
    if share < 1.0:
        later &= np.random.default_rng(2013).random(len(flights)) < share
    return flights.select(later)


def split(flights: Flights) -> tuple[Flights, Flights]:
    """(flights to fit on, flights of other days to judge on)."""
    aside = flights.at // DAY % HELD_OUT_EVERY == 0
    return flights.select(~aside), flights.select(aside)


def with_label(flights: Flights) -> pd.DataFrame:
    """Features and label side by side; the label is 0 or 1."""
    return flights.features.assign(**{LABEL: flights.late.astype(int)})


def fit(frame: pd.DataFrame, words: Mapping[str, Any] = FIRST) -> Pipeline:
    """A pipeline fitted on the columns FEATURES of `frame` and its label."""
    fitted: Pipeline = learner(words).fit(frame[list(FEATURES)], frame[LABEL])
    return fitted


def learner(words: Mapping[str, Any] = FIRST) -> Pipeline:
    """The pipeline, before it has learned, with these words for its trees; 100 of them take 1 s per 50,000 flights."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return Pipeline(
        [
            (
                "columns",
                ColumnTransformer([("codes", encode, list(CATEGORIES)), ("as_is", "passthrough", list(NUMBERS))]),
            ),
            (
                "trees",
                HistGradientBoostingClassifier(
                    **words,
                    max_leaf_nodes=15,
                    min_samples_leaf=200,
                    l2_regularization=10.0,
                    # Stopping early on a random tenth moves a summer month by .04 between near-equal fits.
                    early_stopping=False,
                    random_state=0,
                ),
            ),
        ]
    )
