"""PAPE: CBPE with scores calibrated on the reference as if its rows had come as those of the window did.

Białek, Kivimäki, Kuberski & Perrakis 2025, "Estimating model performance under covariate shift without labels"
(NeurIPS 2025, arXiv 2401.08348); there for two classes, here for each class against the rest as well.
"""

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered, unreadable
from headgate.monitors.domains import Domains
from headgate.monitors.estimation.calibration import Calibrator, isotonic, ranked, ranked_codes, together
from headgate.monitors.estimation.cbpe import mismatch
from headgate.monitors.estimation.expectations import ClassExpectation, Source
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.reweighting import unweighable
from headgate.monitors.standing import Shortfall, broken


def pape(footing: Footing, reference: Rows, domains: Domains, said: Answered) -> ClassExpectation | Shortfall:
    """What is expected of these answers if the relation of input and output stayed, wherever the inputs went.

    `reference` are the labelled rows the footing was made of, `domains` the comparison of their features with the
    window's, in the same order. A score that means different things to different inputs, which calibration on the
    whole reference averages, is calibrated here for the inputs that came.
    """
    before = Answered.of(reference)
    why = mismatch(footing, said) or unreadable(said) or unreadable(before)
    if why is None and (tuple(before.classes), len(before)) != (footing.classes, footing.rows):
        why = broken("the labelled rows are not those that the footing was made of")
    why = why or unweighable(domains, len(reference))
    if why is not None:
        return why
    assert said.scores is not None  # noqa: S101 - `unreadable` refuses answers without scores
    maps = _maps(reference, domains.weights, footing)
    columns = [each.apply(scores) for each, scores in zip(maps, ranked(said.scores), strict=True)]
    chances = together(said.scores, columns)
    return ClassExpectation(said, chances, footing.metrics, domains.effective, Source.REWEIGHTED)


def _maps(reference: Rows, weights: Floats, footing: Footing) -> tuple[Calibrator, ...]:
    """The maps of all the classes under these weights; a class without labels of both kinds keeps the footing's."""
    assert reference.scores is not None  # noqa: S101 - `unreadable` refuses answers without scores
    assert footing.calibration is not None  # noqa: S101 - `mismatch` refuses a regression
    maps: list[Calibrator] = []
    codes, columns = ranked_codes(reference), ranked(reference.scores)
    for code, scores, kept in zip(codes, columns, footing.calibration.calibrators, strict=True):
        hits = np.asarray(reference.truth == code)
        maps.append(isotonic(scores, hits, weights) if hits.any() and not hits.all() else kept)
    return tuple(maps)
