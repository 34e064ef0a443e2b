"""Whether fields still go together as they did in the reference: each may be usual, and their combination may not.

A row is compared with what the reference's principal components give back of it (`outliers.reconstruction`). How far
the two lie apart is a score, and a `ScoreDrift` says when scores are larger or smaller than they were.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Floats
from headgate.monitors.alarms.drift import ScoreDrift
from headgate.monitors.alarms.references import nothing
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.columns import Ints
from headgate.monitors.outliers.reconstruction import Reconstruction, reconstruction, row_errors
from headgate.monitors.standing import Shortfall, Standing, broken, undecided
from headgate.monitors.watch.drift import features_of
from headgate.monitors.watch.monitor import Portion

RECONSTRUCTION: Final = "reconstruction"
TOGETHER: Final = "how the fields go together"
"""The one thing that is watched."""
SUBJECT: Final = "relations"
_Seen = Callable[[Portion], tuple[Ints, dict[str, Floats]]]


def reconstructed(rows: pa.Table, terms: Terms) -> tuple[ScoreDrift, _Seen]:
    """What watches the reconstruction of `rows`, the reference, and how it sees a portion.

    Half of the rows are fitted on, and the others are what is compared with: what was fitted on is given back better.
    """
    order = np.random.default_rng(terms.seed).permutation(len(rows))
    fitted = reconstruction(rows.take(pa.array(order[::2])))
    if isinstance(fitted, Shortfall):
        why = (broken if fitted.standing is Standing.BROKEN else undecided)(fitted.reason)
        return ScoreDrift(nothing(RECONSTRUCTION, terms, (TOGETHER,), why)), lambda portion: _seen(None, portion)
    others = rows.take(pa.array(np.sort(order[1::2])))
    machine = ScoreDrift.of({TOGETHER: row_errors(fitted, others)}, terms, name=RECONSTRUCTION)
    return machine, lambda portion: _seen(fitted, portion)


def _seen(fitted: Reconstruction | None, portion: Portion) -> tuple[Ints, dict[str, Floats]]:
    at, rows = features_of(portion)
    return at, {} if fitted is None else {TOGETHER: row_errors(fitted, rows)}
