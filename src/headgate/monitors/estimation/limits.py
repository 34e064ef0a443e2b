"""What estimates take for granted, in plain words, and checked wherever it can be. `performance` is the caller."""

from collections.abc import Mapping
from typing import Final

from headgate.evaluation.estimate import Estimate, quantile_of
from headgate.evaluation.table import digits
from headgate.monitors.domains import Domains
from headgate.monitors.estimation.corrected import LEAST, Corrected
from headgate.monitors.estimation.figure import Limit
from headgate.monitors.estimation.footing import Footing, range_of
from headgate.monitors.estimation.reweighting import COVERED

RARELY: Final = 0.0027
"""How often a limit that holds is taken for broken, over all metrics together: what three deviations are to one."""
BEYOND: Final = 0.01
"""Share of rows unlike any of the reference from which estimates say too little."""
MISCALIBRATED: Final = 0.02
"""Calibration error that is sure to be exceeded before scores are called miscalibrated."""
WRONG: Final = 0.1
"""Share of the mean error by which a model of losses may surely be off."""
FINE: Final = 0.02
"""Largest sampling error of a metric within 0 to 1."""
FINE_SHARE: Final = 0.05
"""Largest sampling error of a metric without bound, as a share of its value on the reference."""


def relation(found: Mapping[str, float], labelled: int) -> Limit:
    """Whether inputs still mean what they meant on the reference; only labels can tell.

    `found` is each metric, realised less expected on the labelled rows, in standard errors.
    """
    if not found:
        return Limit(
            "relation",
            None,
            "an estimate holds while inputs mean what they meant: where the same input has come to mean something else "
            f"(concept drift), it does not notice, and with {labelled:,} labels ({LEAST} are needed) nothing tells",
        )
    name, worst = max(found.items(), key=lambda each: abs(each[1]))
    if abs(worst) > _sure(len(found)):
        return Limit(
            "relation",
            False,
            f"the {labelled:,} labels contradict the estimate: their {name} lies {abs(worst):.1f} standard "
            "errors from what was expected of those rows, so inputs mean something else by now, or scores never meant "
            "what they said",
        )
    return Limit("relation", True, f"the {labelled:,} labels do not contradict what was expected of those rows")


def _sure(metrics: int) -> float:
    """Standard errors that the farthest of so many metrics exceeds by chance no more often than `RARELY`."""
    return quantile_of(1 - RARELY / metrics)


def support(domains: Domains | None) -> Limit:
    """Whether the window has rows of a kind the reference never saw."""
    if domains is None or domains.beyond.value is None:
        return Limit("support", None, "an estimate says nothing of inputs unlike any of the reference; nobody looked")
    share = f"{domains.beyond.value * 100:.2g} % of the rows are unlike any of the reference"
    if domains.covered < COVERED:
        stranger = f"no more than {domains.covered * 100:.0f} % of the window is of a kind that the reference has"
        return Limit("support", False, f"{stranger}, and an estimate says nothing of the rest")
    if domains.beyond.value > BEYOND:
        return Limit("support", False, f"{share}, and an estimate says nothing of those")
    return Limit("support", True, share)


def calibration(footing: Footing, excess: Estimate | None) -> Limit:
    """Whether what is expected agreed with the truth on reference rows it had not seen."""
    if footing.calibration is None:
        return _losses(footing, excess)
    used = footing.calibration.used
    if used.value is None or used.low is None:
        return Limit("calibration", None, f"the calibration of the reference is not known: {used.reason}")
    said = f"on reference rows not fitted on, chances lie {digits(used.value)} from frequencies on average"
    if used.low > MISCALIBRATED:
        return Limit("calibration", False, f"{said}: scores do not say how sure the model is")
    return Limit("calibration", True, said)


def _losses(footing: Footing, excess: Estimate | None) -> Limit:
    mae = footing.realised["mae"].value
    if mae is None or excess is None or excess.value is None or excess.low is None or excess.high is None:
        return Limit("calibration", None, "nobody looked how well losses are foretold on the reference")
    said = f"on reference rows not fitted on, errors are {digits(excess.value, '+')} from what was foretold on average"
    surely = excess.low > WRONG * mae or excess.high < -WRONG * mae
    return Limit(
        "calibration", not surely, f"{said}: losses cannot be foretold from these features" if surely else said
    )


def size(footing: Footing, rows: int) -> Limit:
    """Whether the window is large enough for chance to be small."""
    needs: dict[str, float] = {}
    for name, spread in footing.spreads.items():
        bounded = range_of(name, footing.task)[1] <= 1.0
        bound = FINE if bounded else FINE_SHARE * abs(footing.realised[name].value or 0.0)
        if bound > 0:
            needs[name] = (spread / bound) ** 2
    if not needs or rows == 0:
        return Limit("size", None, "how far chance moves these figures is not known")
    name, most = max(needs.items(), key=lambda each: each[1])
    error = footing.sampling_error(name, rows) or 0.0
    said = f"on {rows:,} rows chance alone moves {name} by {digits(error)} (one standard error)"
    if rows >= most:
        return Limit("size", True, said)
    return Limit("size", False, f"{said}; windows of {most:,.0f} rows would be large enough")


def selection(found: Mapping[str, Corrected], labelled: int) -> Limit | None:
    """Whether the labelled rows are like the others; None where no figure was corrected by labels."""
    if not found:
        return None
    name, worst = max(found.items(), key=lambda each: abs(each[1].selection))
    if abs(worst.selection) > _sure(len(found)):
        return Limit(
            "selection",
            False,
            f"the {labelled:,} labelled rows are no random sample of the window: the {name} expected of them lies "
            f"{abs(worst.selection):.1f} standard errors from that of the other rows, so corrected figures may be off",
        )
    return Limit("selection", True, f"the {labelled:,} labelled rows look like a random sample of the window")
