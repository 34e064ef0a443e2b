"""The kinds of models that are tried, the settings each is tried with, and how one is built.

The first settings of a family are what usually does well; further ones are drawn at random.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from headgate.retraining.search.roles import Roles
from headgate.vocabulary import Task

Value = str | int | float | bool | None
Parameters = Mapping[str, Value]
Draw = Callable[[np.random.Generator], dict[str, Value]]

LAST: Final = "model"
"""The name of a pipeline's last step."""
MOST_ROUNDS: Final = 300
"""Trees that follow one another at most."""
_PLENTY: Final = 20_000
"""Rows from which on a net sees each as often as its setting says."""
_MOST_EPOCHS: Final = 60


@dataclass(frozen=True, slots=True)
class Setup:
    """What a model is built for, beside its settings."""

    task: Task
    seed: int
    threads: int
    """Processor threads one fit may use."""
    rows: int
    """Rows it will learn from."""
    share: float = 1.0
    """What share of all rows that is: settings that count rows shrink with it."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model."""

    name: str
    """As people read it."""
    first: tuple[dict[str, Value], ...]
    """Settings tried before any are drawn."""
    draw: Draw
    build: Callable[[Parameters, Roles, Setup], Pipeline]
    """An unfitted pipeline."""
    rounds: str | None = None
    """The setting that says how many trees follow one another; a prefix of them is a model too. None: no such thing."""

    def settings(self, random: np.random.Generator) -> Iterator[dict[str, Value]]:
        """Settings without end, each seldom twice."""
        yield from self.first
        while True:
            yield self.draw(random)


def families() -> tuple[Family, ...]:
    """Every family that can be tried here; LightGBM where it is installed."""
    known = (LINEAR, BOOSTING, FOREST, NET)
    return (*known, LIGHTGBM) if importlib.util.find_spec("lightgbm") is not None else known


def _log(random: np.random.Generator, low: float, high: float) -> float:
    return float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.3g}")


def _pipeline(columns: Any, model: Any) -> Pipeline:
    return Pipeline([("columns", columns), (LAST, model)])


def _linear(given: Parameters, roles: Roles, setup: Setup) -> Pipeline:
    if setup.task is Task.REGRESSION:
        return _pipeline(roles.scaled(), Ridge(alpha=1.0 / float(given["C"] or 1.0)))
    return _pipeline(roles.scaled(), LogisticRegression(C=given["C"], max_iter=300))


def _boosting(given: Parameters, roles: Roles, setup: Setup) -> Pipeline:
    kind = HistGradientBoostingRegressor if setup.task is Task.REGRESSION else HistGradientBoostingClassifier
    # Stopping early on a random tenth would be judged on rows of the same days; how many rounds are enough is told by
    # the rows that are judged on, for all settings alike.
    model = kind(
        **{**given, "min_samples_leaf": _fewer(given["min_samples_leaf"], setup.share)},
        early_stopping=False,
        random_state=setup.seed,
    )
    return _pipeline(roles.coded(filled=False), model)


def _forest(given: Parameters, roles: Roles, setup: Setup) -> Pipeline:
    kind = RandomForestRegressor if setup.task is Task.REGRESSION else RandomForestClassifier
    changed = {**given, "min_samples_leaf": _fewer(given["min_samples_leaf"], setup.share)}
    return _pipeline(roles.coded(filled=True), kind(**changed, n_jobs=setup.threads, random_state=setup.seed))


def _net(given: Parameters, roles: Roles, setup: Setup) -> Pipeline:
    kind = MLPRegressor if setup.task is Task.REGRESSION else MLPClassifier
    layers = tuple(int(each) for each in str(given["layers"]).split("x"))
    # Few rows are few steps: smaller batches and more rounds of them make up for it.
    changed = {
        "alpha": given["alpha"],
        "learning_rate_init": given["learning_rate_init"],
        "batch_size": min(int(given["batch_size"] or 0), max(16, setup.rows // 20)),
        "max_iter": min(_MOST_EPOCHS, max(1, round(int(given["max_iter"] or 1) * max(1.0, _PLENTY / setup.rows)))),
    }
    return _pipeline(roles.scaled(), kind(layers, **changed, tol=0.0, random_state=setup.seed))


def _lightgbm(given: Parameters, roles: Roles, setup: Setup) -> Pipeline:
    library = importlib.import_module("lightgbm")
    kind = library.LGBMRegressor if setup.task is Task.REGRESSION else library.LGBMClassifier
    model = kind(
        **{**given, "min_child_samples": _fewer(given["min_child_samples"], setup.share)},
        bagging_freq=1,
        n_jobs=setup.threads,
        random_state=setup.seed,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )
    return _pipeline(roles.coded(filled=False), model)


def _fewer(rows: Value, share: float) -> int:
    return max(5, round(int(rows or 0) * share))


def _draw_boosting(random: np.random.Generator) -> dict[str, Value]:
    rate = _log(random, 0.03, 0.2)
    return {
        "learning_rate": rate,
        "max_iter": _rounds(rate),
        "max_leaf_nodes": int(random.choice([7, 15, 31, 63])),
        "min_samples_leaf": int(random.choice([20, 50, 100, 200])),
        "l2_regularization": _log(random, 0.1, 30.0),
        "max_features": float(random.choice([0.3, 0.5, 0.7])),
    }


def _draw_lightgbm(random: np.random.Generator) -> dict[str, Value]:
    rate = _log(random, 0.03, 0.2)
    return {
        "learning_rate": rate,
        "n_estimators": _rounds(rate),
        "num_leaves": int(random.choice([7, 15, 31, 63])),
        "min_child_samples": int(random.choice([20, 50, 100, 200])),
        "reg_lambda": _log(random, 0.1, 30.0),
        "colsample_bytree": float(random.choice([0.3, 0.5, 0.7])),
        "subsample": float(random.choice([0.5, 0.8, 1.0])),
    }


def _rounds(rate: float) -> int:
    """Enough rounds to overfit at that rate; how many are used is seen on the way."""
    return min(MOST_ROUNDS, max(100, round(18 / rate)))


def _draw_forest(random: np.random.Generator) -> dict[str, Value]:
    return {
        "n_estimators": int(random.choice([30, 50, 80])),
        "min_samples_leaf": int(random.choice([5, 10, 20, 40])),
        "max_features": float(random.choice([0.2, 0.35, 0.5])),
        "max_leaf_nodes": int(random.choice([250, 500, 1000])),
        "max_samples": float(random.choice([0.3, 0.5, 0.8])),
    }


def _draw_linear(random: np.random.Generator) -> dict[str, Value]:
    return {"C": _log(random, 1e-4, 30.0)}


def _draw_net(random: np.random.Generator) -> dict[str, Value]:
    return {
        "layers": str(random.choice(["16", "32", "64", "32x16"])),
        "alpha": _log(random, 1e-4, 1.0),
        "learning_rate_init": _log(random, 5e-4, 5e-3),
        "batch_size": int(random.choice([128, 256, 512])),
        "max_iter": int(random.choice([3, 5, 10])),
    }


_BOOSTING: Final[dict[str, Value]] = {
    "learning_rate": 0.06,
    "max_iter": MOST_ROUNDS,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 100,
    "l2_regularization": 10.0,
    "max_features": 0.5,
}
LINEAR: Final = Family("linear", ({"C": 0.1}, {"C": 0.01}, {"C": 1.0}), _draw_linear, _linear)
BOOSTING: Final = Family(
    "gradient boosting",
    (_BOOSTING, {**_BOOSTING, "max_leaf_nodes": 31, "learning_rate": 0.04}),
    _draw_boosting,
    _boosting,
    rounds="max_iter",
)
FOREST: Final = Family(
    "random forest",
    (
        {
            "n_estimators": 50,
            "min_samples_leaf": 15,
            "max_features": 0.2,
            "max_leaf_nodes": 500,
            "max_samples": 0.4,
        },
    ),
    _draw_forest,
    _forest,
)
NET: Final = Family(
    "small net",
    ({"layers": "16", "alpha": 1.0, "learning_rate_init": 0.001, "batch_size": 256, "max_iter": 5},),
    _draw_net,
    _net,
)
LIGHTGBM: Final = Family(
    "lightgbm",
    (
        {
            "learning_rate": 0.06,
            "n_estimators": MOST_ROUNDS,
            "num_leaves": 15,
            "min_child_samples": 100,
            "reg_lambda": 5.0,
            "colsample_bytree": 0.5,
            "subsample": 0.5,
        },
    ),
    _draw_lightgbm,
    _lightgbm,
    rounds="n_estimators",
)
