"""How the flights' model learns again: the recipe in the demo's endpoint file, ``learn.py:train``."""

from typing import Any

from sklearn.pipeline import Pipeline

from headgate.demo.flights import FEATURES
from headgate.demo.train import AGAIN, learner


def train(dataset: Any) -> Pipeline:
    """The learner of version 1 on the rows of `dataset`, a ``headgate.retraining.recipes.training.TrainingData``."""
    fitted: Pipeline = learner(AGAIN).fit(dataset.X[list(FEATURES)], dataset.y, trees__sample_weight=dataset.weight)
    return fitted
