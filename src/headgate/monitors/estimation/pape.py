"""PAPE: CBPE with scores calibrated on the reference as if its rows had come as those of the window did.

Białek, Nguyen, Kuberski & Perrakis 2024, "Estimating model performance under covariate shift without labels"
(arXiv 2401.08348).
"""

from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Rows
from headgate.monitors.domains import Domains
from headgate.monitors.estimation.answered import Answered, unreadable
from headgate.monitors.estimation.calibration import Calibrator, isotonic, ranked, together
from headgate.monitors.estimation.cbpe import mismatch
from headgate.monitors.estimation.expectations import ClassExpectation, Source
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.standing import Shortfall, broken, undecided

LEAST: Final = 200
"""Unweighted rows the weighed reference must be worth; a rising map of fewer follows chance."""
COVERED: Final = 0.5
"""Share of the window that reference rows must stand for."""


def pape(footing: Footing, reference: Rows, domains: Domains, said: Answered) -> ClassExpectation | Shortfall:
    """What is expected of these answers if the relation of input and output stayed, wherever the inputs went.

    `reference` are the labelled rows the footing was made of, `domains` the comparison of their features with the
    window's, in the same order. A score that means different things to different inputs, which calibration on the
    whole reference averages, is calibrated here for the inputs that came.
    """
    why = mismatch(footing, said) or unreadable(said) or unreadable(Answered.of(reference))
    if why is not None:
        return why
    if len(domains.weights) != len(reference):
        return broken(f"there are {len(domains.weights):,} weights for {len(reference):,} reference rows")
    if domains.covered < COVERED:
        return undecided(
            f"the window hardly overlaps the reference: no more than {domains.covered * 100:.0f} % of it is of a kind "
            "that the reference has"
        )
    if domains.effective < LEAST:
        return undecided(
            f"the window overlaps few rows of the reference: weighed like it, {len(reference):,} rows are worth "
            f"{domains.effective:.0f}, and {LEAST} are needed"
        )
    assert said.scores is not None  # noqa: S101 - `unreadable` refuses answers without scores
    maps = _maps(reference, domains.weights, footing)
    columns = [each.apply(scores) for each, scores in zip(maps, ranked(said.scores), strict=True)]
    return ClassExpectation(said, together(said.scores, columns), footing.metrics, Source.REWEIGHTED)


def _maps(reference: Rows, weights: Floats, footing: Footing) -> tuple[Calibrator, ...]:
    """The maps of all the classes under these weights; a class without labels of both kinds keeps the footing's."""
    assert reference.scores is not None  # noqa: S101 - `unreadable` refuses answers without scores
    assert footing.calibration is not None  # noqa: S101 - `mismatch` refuses a regression
    codes = (1,) if len(reference.classes) == 2 else range(len(reference.classes))
    maps: list[Calibrator] = []
    for code, scores, kept in zip(codes, ranked(reference.scores), footing.calibration.calibrators, strict=True):
        hits = np.asarray(reference.truth == code)
        maps.append(isotonic(scores, hits, weights) if hits.any() and not hits.all() else kept)
    return tuple(maps)
