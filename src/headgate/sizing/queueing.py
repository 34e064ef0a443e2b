"""How long callers wait where batches are served one after the other. Pure; called by the plan.

The model is M/G/1, and its customers are whole batches. It has two parts:

* the mean wait, exact for Poisson arrivals (the formula of Pollaczek and Khinchine; L. Kleinrock, *Queueing Systems*,
  volume I, 1975, chapter 5): ``E[W] = u S (1 + c²) / (2 (1 - u))`` with the mean time S a batch takes, its squared
  coefficient of variation c² and the utilisation u, the share of time in which the server is busy;
* the tail, exponential as in heavy traffic (J. F. C. Kingman, *The single server queue in heavy traffic*, 1961),
  begun at the chance u of waiting at all: ``P(W > t) = u exp(-u t / E[W])``. For M/M/1 (c² = 1) that is exact.

A gateway answers everything that waits in one batch, and all of it when the batch ends. So a caller also waits for
those that came after it into the same batch: as long as it waits, they bring u times as much work, and `delay_quantile`
adds that. Where a batch costs less than its rows one by one, a gateway is quicker than this.
"""

import math
from dataclasses import dataclass
from typing import Final

QUANTILE: Final = 0.99
"""The share of answers a latency objective speaks of."""
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Service:
    """How long one batch keeps its server busy."""

    mean_s: float
    variation: float = 0.0
    """Squared coefficient of variation: 0 for a time that is always the same, 1 for an exponential one."""


def mean_wait(service: Service, utilisation: float) -> float:
    """Seconds a batch waits on average before it is begun.

    >>> mean_wait(Service(0.010, variation=1.0), 0.5)  # M/M/1: as long as the service itself
    0.01
    """
    _check(utilisation)
    return utilisation * _scale(service, utilisation)


def wait_quantile(service: Service, utilisation: float, quantile: float = QUANTILE) -> float:
    """Seconds that a share `quantile` of batches wait at most.

    >>> round(wait_quantile(Service(0.010), 0.5), 4)  # M/D/1
    0.0391
    >>> wait_quantile(Service(0.010), 0.01)  # fewer than one in a hundred waits at all
    0.0
    """
    _check(utilisation)
    late = 1.0 - quantile
    if utilisation <= late:
        return 0.0
    return _scale(service, utilisation) * math.log(utilisation / late)


def delay_quantile(service: Service, utilisation: float, quantile: float = QUANTILE) -> float:
    """Seconds by which answers are later than alone, for a share `quantile` of them: the wait, and who joins meanwhile.

    >>> round(delay_quantile(Service(0.010), 0.5), 4)
    0.0587
    """
    return (1.0 + utilisation) * wait_quantile(service, utilisation, quantile)


def highest_utilisation(service: Service, allowed_s: float, ceiling: float, quantile: float = QUANTILE) -> float:
    """The largest share of time a server may be busy, up to `ceiling`, while delays stay within `allowed_s` seconds.

    0 when no delay is allowed for: `allowed_s` is below 0.

    >>> highest_utilisation(Service(0.010), 1.0, 0.7), highest_utilisation(Service(0.010), -0.001, 0.7)
    (0.7, 0.0)
    """
    _check(ceiling)
    if allowed_s < 0.0:
        return 0.0
    if delay_quantile(service, ceiling, quantile) <= allowed_s:
        return ceiling
    low, high = min(1.0 - quantile, ceiling), ceiling
    for _ in range(_HALVINGS):  # the delay grows with the utilisation, so halving finds where it is too long
        middle = (low + high) / 2
        if delay_quantile(service, middle, quantile) <= allowed_s:
            low = middle
        else:
            high = middle
    return low


def _scale(service: Service, utilisation: float) -> float:
    """``E[W] / u``, the mean wait of those that wait."""
    return service.mean_s * (1.0 + service.variation) / (2.0 * (1.0 - utilisation))


def _check(utilisation: float) -> None:
    if not 0.0 <= utilisation < 1.0:
        raise ValueError("a utilisation is at least 0 and less than 1")
