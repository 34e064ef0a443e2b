"""How the flights' model learns again: the recipe in the demo's endpoint file, ``learn.py:train``."""

from typing import Any

from sklearn.pipeline import Pipeline

from headgate.demo.flights import FEATURES
from headgate.demo.train import AGAIN, learner


def train(dataset: Any) -> Pipeline:
    """The learner of version 1 on the rows of `dataset`, a ``headgate.retraining.recipes.training.TrainingData``."""
    rows = dataset.X[list(FEATURES)]
    fitted: Pipeline = learner(AGAIN).fit(rows, dataset.y, trees__sample_weight=dataset.sample_weight)
    return fitted
