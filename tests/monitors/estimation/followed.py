"""A window followed from no label to all of them."""

import numpy as np

from headgate.evaluation.rows import UNLABELLED, Rows
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.figure import Performance
from headgate.monitors.estimation.footing import Footing, footing
from headgate.monitors.estimation.performance import performance


def founded(rows: Rows) -> Footing:
    made = footing(rows)
    assert isinstance(made, Footing)
    return made


def after(made: Footing, labels: int, window: Rows) -> Performance:
    """The window when so many labels have come."""
    said = Answered.of(window)
    truth = np.where(np.arange(len(window)) < labels, window.truth, UNLABELLED)
    return performance(made, cbpe(made, said), said, truth)


def limit(found: Performance, name: str) -> bool | None:
    return next(each.holds for each in found.limits if each.name == name)
