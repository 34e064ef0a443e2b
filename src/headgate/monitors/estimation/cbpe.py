"""CBPE: a classifier's figures from its own calibrated scores, before any label is there."""

from headgate.monitors.answered import Answered, unreadable
from headgate.monitors.estimation.expectations import ClassExpectation
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.standing import Shortfall, broken


def cbpe(footing: Footing, said: Answered) -> ClassExpectation | Shortfall:
    """What is expected of these answers if scores mean on the window what they meant on the reference.

    That is so when the inputs changed and the relation of input and output did not, and not always then: see `pape`.
    """
    why = mismatch(footing, said) or unreadable(said)
    if why is not None:
        return why
    assert footing.calibration is not None  # noqa: S101 - `mismatch` refuses a regression
    assert said.scores is not None  # noqa: S101 - `unreadable` refuses answers without scores
    return ClassExpectation(said, footing.calibration.chances(said.scores), footing.metrics, footing.rows)


def mismatch(footing: Footing, said: Answered) -> Shortfall | None:
    """Why the window's answers are not of the kind the reference was; None when they are."""
    if footing.calibration is None:
        return broken("the reference is a regression's, whose losses are estimated from its features")
    if said.task is not footing.task or tuple(said.classes) != footing.classes:
        return broken("the window's classes are not those of the reference")
    return None
