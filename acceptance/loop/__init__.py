"""The closed loop: it retrains, proves the new model, promotes it, and takes it back; one file per part of it."""

from acceptance.loop import (
    badinput,
    datasets,
    flights,
    gates,
    mlflow,
    pipelines,
    recipes,
    record,
    rollouts,
    shows,
    speed,
    triggers,
)
from acceptance.rows import Suite

SUITE = Suite().join(
    # What is timed comes first: a disk that was busy for ten minutes is slower for the next ten.
    flights.SUITE,
    triggers.SUITE,
    datasets.SUITE,
    recipes.SUITE,
    gates.SUITE,
    rollouts.SUITE,
    pipelines.SUITE,
    mlflow.SUITE,
    record.SUITE,
    speed.SUITE,
    badinput.SUITE,
    shows.SUITE,
)
