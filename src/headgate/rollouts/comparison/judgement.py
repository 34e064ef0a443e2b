"""Who was right, or nearer, once the truth is known. `compare` and `slices` are the only callers."""

import math

import numpy as np

from headgate.evaluation.estimate import Estimate, Floats
from headgate.evidence.asymptotic import asymptotic_interval
from headgate.rollouts.comparison.agreement import mean_estimate
from headgate.rollouts.comparison.pairs import CLASSES, Pairs
from headgate.rollouts.comparison.values import Nearer, Right
from headgate.vocabulary import Task


def judged(both: Pairs, alpha: float) -> Right | Nearer | None:
    """Who was right, for classes, or nearer, for numbers; None without labels."""
    known = both.take(both.labelled)
    if not len(known) or known.output.task is Task.TENSOR:
        return None
    return _right(known, alpha) if known.output.task in CLASSES else _nearer(known, alpha)


def losses(known: Pairs) -> Floats:
    """What the candidate loses more than the live one on each labelled input: -1, 0 or 1.

    Classes: whether it is wrong, less whether the live one is. Numbers: 1 where it is farther from the truth, -1
    where it is nearer.
    """
    live, candidate = _errors(known)
    found: Floats = np.sign(candidate - live)
    return found


def _errors(known: Pairs) -> tuple[Floats, Floats]:
    if known.output.task in CLASSES:
        live, candidate = ((side.said != known.truth).astype(np.float64) for side in (known.live, known.candidate))
    else:
        live, candidate = (np.abs(side.said - known.truth) for side in (known.live, known.candidate))
    return live, candidate


def _right(known: Pairs, alpha: float) -> Right:
    live, candidate = _errors(known)
    counts = np.bincount((2 * live + candidate).astype(np.int64), minlength=4).tolist()
    return Right(
        both=counts[0],
        only_live=counts[1],
        only_candidate=counts[2],
        neither=counts[3],
        live_error=float(live.mean()),
        candidate_error=float(candidate.mean()),
        difference=_balance("error", known, alpha),
    )


def _nearer(known: Pairs, alpha: float) -> Nearer:
    live, candidate = _errors(known)
    return Nearer(
        live=int((live < candidate).sum()),
        candidate=int((candidate < live).sum()),
        alike=int((live == candidate).sum()),
        live_error=float(live.mean()),
        candidate_error=float(candidate.mean()),
        difference=_shift("mae", candidate - live, alpha),
        balance=_balance("balance", known, alpha),
    )


def _balance(name: str, known: Pairs, alpha: float) -> Estimate:
    return mean_estimate(name, losses(known), low=-1.0, high=1.0, alpha=alpha, without="no label is known yet")


def _shift(name: str, values: Floats, alpha: float) -> Estimate:
    found = asymptotic_interval(values, alpha=alpha)
    if not math.isfinite(found.low):
        reason = "an interval needs two inputs at least on which the errors differ by different amounts"
        return Estimate(name, float(values.mean()), None, None, len(values), reason)
    return Estimate(name, float(values.mean()), found.low, found.high, len(values))
