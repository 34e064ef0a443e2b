"""The least confidence at which a model may decide by itself, so that its risk stays where it was promised to be.

Candidates for the threshold are tried in an order fixed in advance, from the most cautious on, each at the full error
rate; the first that cannot be proved ends it. "Learn then test" of Angelopoulos, Bates, Candès, Jordan and Lei 2021
with fixed sequence testing, and a betting test for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest, check_values
from headgate.evidence.mixture import Floats, check_alpha

SHARES: Final = tuple(np.linspace(0.1, 1.0, 19).round(2).tolist())
"""Parts of all cases, the most confident first, for which the model may be proved good enough."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a model may decide by itself."""

    confidence: float
    """Cases with this confidence or more."""
    share: float
    """The part of the cases that these were."""
    risk: float
    """What they lost on average."""


def least_confidence(
    confidences: Floats,
    losses: Floats,
    *,
    risk: float,
    alpha: float,
    shares: Sequence[float] = SHARES,
    settling: int = 0,
) -> Threshold | None:
    """The least confidence above which the mean loss is below `risk`, but for a probability of `alpha`; None without.

    `losses` in [0, 1] are of cases in the order in which they came; `confidences` are the model's own, and decide alone
    which cases each candidate is tried on. The first `settling` cases choose the candidates and prove nothing: then it
    may be asked again with every new case. With none, the cases choose and prove, and it may be asked once. Raises
    BadInput for values outside, a risk that is none, or no error rate.

    >>> confidences = np.linspace(0.5, 1.0, 2000)
    >>> found = least_confidence(confidences, (confidences < 0.6).astype(float), risk=0.05, alpha=0.05)
    >>> found.share, round(found.confidence, 2)
    (0.8, 0.6)
    """
    check_alpha(alpha)
    if not 0 < risk < 1:
        raise BadInput("risk", "range", "must lie between 0 and 1, neither of them included")
    if len(confidences) != len(losses):
        raise BadInput("losses", "length", "must be one per case, as confidences")
    check_values(losses, 0.0, 1.0)
    test = BettingTest(0.0, 1.0, risk, "less")
    choosing = confidences[:settling] if settling else confidences
    confidences, losses = confidences[settling:], losses[settling:]
    found = None
    for share in sorted(shares):
        if not len(confidences):
            break
        confidence = float(np.quantile(choosing, 1.0 - share, method="higher"))
        chosen = confidences >= confidence
        if not test.update(test.start(), losses[chosen]).rejects(alpha):
            break  # each confidence has the whole error rate because none is tried after one that failed
        found = Threshold(confidence, float(chosen.mean()), float(losses[chosen].mean()))
    return found
