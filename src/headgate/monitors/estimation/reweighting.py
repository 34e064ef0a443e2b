"""Whether the reference can be weighed so that it looks like the window; `pape` and `losses` ask before they do."""

from typing import Final

from headgate.monitors.domains import Domains
from headgate.monitors.standing import Shortfall, broken, undecided

LEAST: Final = 200
"""Unweighted rows the weighed reference must be worth; what is fitted on fewer follows chance."""
COVERED: Final = 0.5
"""Share of the window that reference rows must stand for."""


def unweighable(domains: Domains, rows: int) -> Shortfall | None:
    """Why these weights of `rows` reference rows are worth nothing; None when they are worth something."""
    if len(domains.weights) != rows:
        return broken(f"there are {len(domains.weights):,} weights for {rows:,} reference rows")
    if domains.covered < COVERED:
        return undecided(
            f"the window hardly overlaps the reference: no more than {domains.covered * 100:.0f} % of it is of a kind "
            "that the reference has"
        )
    if domains.effective < LEAST:
        return undecided(
            f"the window overlaps few rows of the reference: weighed like it, {rows:,} rows are worth "
            f"{domains.effective:.0f}, and {LEAST} are needed"
        )
    return None
