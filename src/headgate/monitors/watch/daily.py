"""How sure a test has to be that is made once a day, so that all days together keep the endpoint's sentence."""

from headgate.evidence.false_alarms import Kind
from headgate.monitors.alarms.terms import Terms


def probability(terms: Terms, name: str, tests: int, days: int = 1) -> float:
    """With which the `tests`-th test of the monitor of that name, one in so many `days`, may be false, at most a half.

    Days / limit, the limit being its part of the budget in days: false alarms add up to one in so many days, whatever
    days share. Where none may ever be false, the n-th has 1 / (n (n + 1)) of all there is.

    >>> from headgate.monitors.alarms.terms import Budget
    >>> round(1 / probability(Terms(Budget.of("at most one per 90 days")), "risk", 5))
    270
    """
    limit = terms.budget.limit(name)
    share = 1.0 / (tests * (tests + 1)) if terms.budget.policy.kind is Kind.EVER else float(days)
    # A budget of more than one false alarm a day would ask for no certainty at all.
    return min(share / limit, 0.5)
