"""How much more often something happened than the reference says it does, with what chance does to both."""

import math

from headgate.evaluation.estimate import Estimate, wilson


def excess(name: str, hits: float, rows: float, expected: float, *, reference_rows: float | None, z: float) -> Estimate:
    """The share of `rows` less the `expected` one, with Newcombe's interval (1998, method 10).

    `expected` was measured on `reference_rows`, or is exact where they are None. Without rows there is no value.

    >>> found = excess("holes", 30, 100, 0.1, reference_rows=None, z=1.96)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.2, 0.119, 0.296)
    """
    if rows == 0:
        return Estimate(name, None, None, None, 0, "there are no rows")
    share, (low, high) = hits / rows, wilson(hits, rows, z)
    least = most = expected
    if reference_rows:
        least, most = wilson(expected * reference_rows, reference_rows, z)
    value = share - expected
    return Estimate(
        name,
        value,
        value - math.hypot(share - low, most - expected),
        value + math.hypot(high - share, expected - least),
        round(rows),
    )
