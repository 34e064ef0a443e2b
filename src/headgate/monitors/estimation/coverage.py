"""How many of the labels that are due are there, and whether the rows that have theirs are like those that have not.

A metric is measured on labelled rows. Where labels come sooner, or only, for some kinds of input, it speaks of those
kinds; so a figure is no better than this one says, whatever its interval.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Floats, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.domains import LEAST, domains
from headgate.monitors.standing import Shortfall, undecided

ALIKE: Final = 0.55
"""An AUC up to which rows with and without a label are as good as alike: the better guess is right 11 times in 20."""


class LabelCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """Labels of one window."""

    share: Estimate
    """Share of the due labels that are there, with Wilson's interval."""
    selection: Estimate | Shortfall
    """How well inputs tell rows with a label from rows without, as an AUC: 0.5 where chance alone chose."""

    @property
    def selective(self) -> bool | None:
        """Whether labels are surely there for other inputs than they are missing for; None while nobody can tell."""
        if isinstance(self.selection, Shortfall) or self.selection.low is None or self.selection.high is None:
            return None
        if self.selection.low > ALIKE:
            return True
        return False if self.selection.high <= ALIKE else None


def label_coverage(
    labelled: NDArray[np.bool_],
    due: NDArray[np.bool_],
    features: Floats,
    categorical: NDArray[np.bool_],
    *,
    confidence: float = CONFIDENCE,
) -> LabelCoverage | Shortfall:
    """The labels of a window whose rows are `labelled` and `due`, with `features` their matrix, all in one order.

    Labels that came before they were due do not count. Selection by what no feature shows is not seen.

    Raises headgate.errors.BadInput where the three differ in their rows, and for a confidence outside 0 to 1.

    >>> draw = np.random.default_rng(0)
    >>> features, due = draw.normal(size=(1000, 1)), np.ones(1000, dtype=bool)
    >>> found = label_coverage(features[:, 0] > 0, due, features, np.array([False]))
    >>> 0.4 < found.share.value < 0.6, found.selective
    (True, True)
    """
    if not len(labelled) == len(due) == len(features):
        counts = f"{len(labelled):,}, {len(due):,} and {len(features):,}"
        raise BadInput("features", "shape", f"there are {counts} rows of labels, of what is due and of features")
    z, owed = quantile_of(confidence), int(due.sum())
    if owed == 0:
        return undecided("no label is due yet")
    there, absent = due & labelled, due & ~labelled
    return LabelCoverage(
        share=proportion("label_coverage", int(there.sum()), owed, z),
        selection=_selection(features[absent], features[there], categorical),
    )


def _selection(absent: Floats, there: Floats, categorical: NDArray[np.bool_]) -> Estimate | Shortfall:
    if len(absent) == 0:
        return undecided("every label that is due is there")
    for which, rows in (("with", there), ("without", absent)):
        if len(rows) < LEAST:
            return undecided(f"{len(rows):,} rows {which} a label are due; {LEAST} are needed to tell who has one")
    found = domains(absent, there, categorical)
    return found if isinstance(found, Shortfall) else found.auc
