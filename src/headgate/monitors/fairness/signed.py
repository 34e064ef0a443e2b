"""One group against another, with a sign: AIF360's measures by its names, unprivileged less privileged.

Intervals come from Wilson's intervals of the rates by MOVER, the method of variance estimates recovery: for a
difference that is Newcombe's hybrid score interval (1998, method 10), for a ratio Zou & Donner 2008.
"""

import math

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.monitors.fairness.groups import Group


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What AIF360 calls these; 0, or 1 for the ratio, where both groups are treated alike."""

    statistical_parity_difference: Estimate
    """Difference of selection rates."""
    disparate_impact: Estimate
    """Ratio of selection rates."""
    equal_opportunity_difference: Estimate
    """Difference of true positive rates."""
    average_odds_difference: Estimate
    """Half the sum of the differences of true and of false positive rates."""


def signed(unprivileged: Group, privileged: Group) -> Signed:
    """Both groups compared, at the confidence their rates were measured with."""
    true = _less(unprivileged.true_positive_rate, privileged.true_positive_rate, "equal_opportunity_difference")
    false = _less(unprivileged.false_positive_rate, privileged.false_positive_rate, "false_positive_rate_difference")
    return Signed(
        statistical_parity_difference=_less(
            unprivileged.selection_rate, privileged.selection_rate, "statistical_parity_difference"
        ),
        disparate_impact=_over(unprivileged.selection_rate, privileged.selection_rate),
        equal_opportunity_difference=true,
        average_odds_difference=_average(true, false),
    )


def _less(ours: Estimate, theirs: Estimate, name: str) -> Estimate:
    """A difference of two rates with Newcombe's interval."""
    rows = ours.rows + theirs.rows
    match (ours.value, ours.low, ours.high), (theirs.value, theirs.low, theirs.high):
        case (float() as p, float() as p_low, float() as p_high), (float() as q, float() as q_low, float() as q_high):
            low = p - q - math.hypot(p - p_low, q_high - q)
            high = p - q + math.hypot(p_high - p, q - q_low)
            return Estimate(name, p - q, low, high, rows)
    return Estimate(name, None, None, None, rows, ours.reason or theirs.reason)


def _over(ours: Estimate, theirs: Estimate) -> Estimate:
    """A ratio of two rates: the interval of the difference of their logarithms, turned back."""
    name, rows = "disparate_impact", ours.rows + theirs.rows
    match (ours.value, ours.low, ours.high), (theirs.value, theirs.low, theirs.high):
        case (float() as p, float() as p_low, float() as p_high), (float() as q, float() as q_low, float() as q_high):
            if q == 0.0:
                return Estimate(name, None, None, None, rows, "nobody of the privileged group is selected")
            if p == 0.0:
                # A logarithm has no interval here: the ends hold as often as both one-sided bounds at once.
                return Estimate(name, 0.0, 0.0, p_high / q_low, rows)
            low = math.exp(math.log(p / q) - math.hypot(math.log(p / p_low), math.log(q_high / q)))
            high = math.exp(math.log(p / q) + math.hypot(math.log(p_high / p), math.log(q / q_low)))
            return Estimate(name, p / q, low, high, rows)
    return Estimate(name, None, None, None, rows, ours.reason or theirs.reason)


def _average(one: Estimate, other: Estimate) -> Estimate:
    """Half the sum of two differences measured on rows of their own."""
    name, rows = "average_odds_difference", one.rows + other.rows
    match (one.value, one.low, one.high), (other.value, other.low, other.high):
        case (float() as a, float() as a_low, float() as a_high), (float() as b, float() as b_low, float() as b_high):
            value = (a + b) / 2
            low = value - math.hypot(a - a_low, b - b_low) / 2
            return Estimate(name, value, low, value + math.hypot(a_high - a, b_high - b) / 2, rows)
    return Estimate(name, None, None, None, rows, one.reason or other.reason)
