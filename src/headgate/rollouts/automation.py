"""How much a candidate may decide by itself where people decided before: the risk it was promised to hold.

From what it said unseen follows the least confidence with which it holds the risk; from what it then decided by itself
follows whether it still does. What is right is what the world said where labels are expected, else what people decided
of the same input.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evidence.betting import BettingTest
from headgate.evidence.risk import least_confidence
from headgate.rollouts.answers import Answers, Pairs
from headgate.rollouts.measures import Found

SETTLING: Final = 200
"""Cases from which the confidences to be tried are chosen; all later ones prove them."""


@dataclass(frozen=True, slots=True, eq=False)
class Automation:
    """What a candidate said of inputs with what was right, entry by entry."""

    unseen: Answers
    """Of inputs that people decided."""
    alone: Answers
    """Of inputs that it decided itself, since it decides any."""


def by_people(pairs: Pairs) -> Answers:
    """What the candidate said, with what people decided as what is right."""
    truth = pairs.live.predicted
    return replace(pairs.candidate, truth=truth, labelled=truth >= 0)


def enough_confidence(unseen: Answers, *, risk: float, alpha: float) -> float | None:
    """The least confidence with which it is wrong less often than `risk`, but for a probability of `alpha`.

    None while there is none. Holds at whatever moment it is asked, and however often.
    """
    known = unseen.take(unseen.labelled)
    found = least_confidence(_confidences(known), _wrong(known), risk=risk, alpha=alpha, settling=SETTLING)
    return None if found is None else found.confidence


def risk_kept(alone: Answers, *, risk: float) -> Found:
    """Evidence that it is wrong more often than `risk` where it decided by itself, and that it is not."""
    wrong = _wrong(alone.take(alone.labelled))
    above, below = (BettingTest(0.0, 1.0, risk, side) for side in ("greater", "less"))
    return Found(
        rows=len(wrong),
        p_worse=above.update(above.start(), wrong).p_value,
        p_fine=below.update(below.start(), wrong).p_value,
        candidate=float(wrong.mean()) if len(wrong) else None,
    )


def _confidences(answers: Answers) -> Floats:
    if answers.scores is None:
        return np.zeros(len(answers))
    found: Floats = np.nan_to_num(answers.scores.max(axis=1, initial=0.0))
    return found


def _wrong(answers: Answers) -> Floats:
    found: Floats = (answers.failed | (answers.predicted != answers.truth)).astype(np.float64)
    return found
