"""Whether more inputs are unlike the reference than the endpoint's file says of ordinary ones."""

import math
from typing import Final

from scipy.special import betaincinv

from headgate.monitors.alarms.risk import RiskDrift
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import undecided
from headgate.monitors.watch.aspects import Aspect
from headgate.traffic.outliers import OutlierWords, rate_of
from headgate.vocabulary import OUTLIER

OUTLIERS: Final = "outliers"
UNLUCKY: Final = 0.001
"""With which probability a reference, as luck has it, lets more ordinary rows be marked than is borne here."""


def outlying() -> Aspect:
    """Inputs that were flagged or refused for being unlike the reference, of those that were looked at."""
    return Aspect(
        name=OUTLIERS,
        counted=lambda rows: (rows.failed | (rows.answered >= 0) | rows.outlying, rows.outlying),
        rows="inputs",
        happens="are unlike the rows the model was fitted on",
        cause="callers send other rows than they did, a field arrives broken, or the world has changed",
        advice=f"look at rows of the journal with the flag or the refusal `{OUTLIER}`, field by field; "
        "where they are right, learn again on rows like them",
    )


def stated(words: OutlierWords) -> float | None:
    """The share of ordinary rows that an endpoint's file lets be flagged or refused; None where none is looked at.

    >>> stated(OutlierWords(flag="1 in 100", reject="1 in 1000")), stated(OutlierWords())
    (0.01, None)
    """
    return rate_of(words.flag) or rate_of(words.reject)


def borne(rate: float, held_out: int) -> float:
    """The share beyond which more rows are marked than luck with the reference explains, but with `UNLUCKY`.

    The threshold is the k-th smallest of n held out scores, so the share of ordinary rows beyond it is distributed as
    Beta(n - k + 1, k) over references (David & Nagaraja 2003, "Order Statistics", 2.3).

    >>> round(borne(0.01, 2500), 4)
    0.0173
    """
    place = math.ceil(round((held_out + 1) * (1 - rate), 9))
    return float(betaincinv(held_out - place + 1, place, 1 - UNLUCKY))


def outlier_risk(rate: float, held_out: int, terms: Terms) -> RiskDrift:
    """What compares the share of inputs found unlike the reference with the stated one.

    `held_out` are the reference's rows that set the threshold; none where there is no reference.
    """
    if held_out + 1 < 1 / rate:
        why = f"the reference has {held_out:,} rows to set a threshold by, and 1 in {round(1 / rate):,} needs more"
        return RiskDrift(name=OUTLIERS, terms=terms, shortfall=undecided(why))
    bound = borne(rate, held_out)
    return RiskDrift(name=OUTLIERS, terms=terms, mean=bound, bounds=(bound,))
