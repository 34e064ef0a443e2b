"""How long a verdict will take, before anything moves: in labels, events and requests.

Rules of thumb: each bet's evidence grows by its information per update, and a mixture pays about two nats for not
knowing which bet is right. Simulated means lie from 30 % below to 15 % above.
"""

import math
from dataclasses import dataclass
from typing import Final

from headgate.errors import BadInput
from headgate.evidence.blocks import block_size
from headgate.evidence.mixture import check_alpha

MIXING: Final = 2.0
"""Nats beyond log(1/alpha) that a verdict waits for."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a verdict about rates takes, on average."""

    events: float
    """Errors, or whatever is counted, of both arms."""
    requests: float
    """Of both arms."""
    candidate_events: float
    """How many of the events callers of the candidate meet."""


@dataclass(frozen=True, slots=True)
class MeanCost:
    """What a verdict about means takes where callers are divided, on average."""

    blocks: float
    """With answers of both versions in them; see `blocks.block_differences`."""
    requests: float
    """Whose loss is known, of both arms."""
    candidate_requests: float
    """How many of them the candidate answers."""


def updates_needed(variance: float, difference: float, alpha: float) -> float:
    """Values until a mean that is off by `difference` is found.

    For paired 0-1 losses one update is one label, and `variance` is the share of inputs on which the versions differ.
    Raises BadInput where nothing would ever be found.

    >>> round(updates_needed(variance=0.09, difference=0.01, alpha=0.01))
    11889
    """
    check_alpha(alpha)
    if difference == 0:
        raise BadInput("difference", "range", "must not be 0: no difference is never found")
    if not 0 < variance < math.inf:
        raise BadInput("variance", "range", "must be a positive number")
    return 2 * variance * (math.log(1 / alpha) + MIXING) / difference**2


def rate_cost(*, rate: float, ratio: float, share: float, alpha: float, null: float = 1.0) -> Cost:
    """What it takes until a candidate with `ratio` times the events is found, `share` of the requests being its own.

    `rate` is the live version's events per request. Raises BadInput where nothing would ever be found.

    >>> found = rate_cost(rate=0.05, ratio=1.5, share=0.1, alpha=0.01)
    >>> round(found.events), round(found.requests), round(found.candidate_events)
    (723, 13775, 103)
    """
    check_alpha(alpha)
    for name, value in (("rate", rate), ("share", share)):
        if not 0 < value < 1:
            raise BadInput(name, "range", "must lie between 0 and 1, neither of them included")
    if not 0 < ratio < math.inf or not 0 < null < math.inf or ratio == null:
        raise BadInput("ratio", "range", "must be positive, and other than the null's: no difference is never found")
    expected, believed = (share * each / (share * each + 1 - share) for each in (ratio, null))
    information = expected * math.log(expected / believed) + (1 - expected) * math.log((1 - expected) / (1 - believed))
    events = (math.log(1 / alpha) + MIXING) / information
    return Cost(events, events / (rate * (1 - share + share * ratio)), events * expected)


def mean_cost(*, live: float, candidate: float, difference: float, share: float, alpha: float) -> MeanCost:
    """What it takes until a candidate that loses `difference` more is found, `share` of the requests being its own.

    `live` and `candidate` are the variances of what one request of each loses. Raises BadInput where nothing would
    ever be found.

    >>> found = mean_cost(live=0.05, candidate=0.05, difference=0.02, share=0.25, alpha=0.01)
    >>> round(found.blocks), round(found.requests), round(found.candidate_requests)
    (2031, 11952, 2988)
    """
    if not 0 < share < 1:
        raise BadInput("share", "range", "must lie between 0 and 1, neither of them included")
    size = block_size(share)
    chances = {ours: math.comb(size, ours) * share**ours * (1 - share) ** (size - ours) for ours in range(1, size)}
    both = sum(chances.values())
    variance = sum(chance * (candidate / ours + live / (size - ours)) for ours, chance in chances.items()) / both
    blocks = updates_needed(variance=variance, difference=difference, alpha=alpha)
    requests = blocks * size / both
    return MeanCost(blocks, requests, requests * share)
