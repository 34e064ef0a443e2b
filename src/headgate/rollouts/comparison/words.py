"""How figures of a comparison are said, in a terminal and on a page alike."""

from collections.abc import Callable

import numpy as np

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.rows import spelled
from headgate.evaluation.table import digits
from headgate.rollouts.comparison.values import Comparison, Value
from headgate.vocabulary import Task

NOTHING = "-"


def percent(share: float) -> str:
    """A share; never rounded to all or to none.

    >>> percent(0.9417), percent(1.0), percent(0.999999), percent(0.000001), percent(0.0)
    ('94.17 %', '100 %', 'over 99.99 %', 'under 0.01 %', '0 %')
    """
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    if share < 0.0001:
        return "under 0.01 %"
    return "over 99.99 %" if share > 0.9999 else f"{share * 100:.2f} %"


def share(part: int, whole: int) -> str:
    """How much a part is of a whole; a dash where there is nothing.

    >>> share(1, 4), share(0, 0)
    ('25.00 %', '-')
    """
    return percent(part / whole) if whole else NOTHING


def points(difference: float) -> str:
    """A difference of two shares, in percentage points with its sign.

    >>> points(-0.0167), points(0.0)
    ('-1.67', '0.00')
    """
    return "0.00" if abs(difference) < 0.00005 else f"{difference * 100:+.2f}"


def signed(difference: float) -> str:
    """A difference of two numbers, with its sign.

    >>> signed(12.5), signed(0.0)
    ('+12.50', '0')
    """
    return digits(difference, "+")


def figure(estimate: Estimate | None, said: Callable[[float], str]) -> str:
    """A figure with its interval, or a dash.

    >>> figure(Estimate("agreement", 0.9, 0.88, 0.92, 900), percent)
    '90.00 % (88.00 to 92.00)'
    """
    if estimate is None or estimate.value is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return said(estimate.value)
    low, high = (said(each).removesuffix(" %") for each in (estimate.low, estimate.high))
    return f"{said(estimate.value)} ({low} to {high})"


def value_of(value: Value, most: int = 24) -> str:
    r"""A prediction, a label or a feature in few characters, on one line.

    >>> value_of(True), value_of(None), value_of(0.123456), value_of(7), value_of("two\nlines")
    ('true', '-', '0.1235', '7', 'two lines')
    """
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return digits(value)
    return cut(spelled(value), most)


def cut(text: str, most: int) -> str:
    r"""The text on one line of at most `most` characters; what is no letter, sign or blank becomes a blank.

    >>> cut("a long name", 7), cut("\x1b[2J", 9)
    ('a long…', ' [2J')
    """
    line = "".join(each if each.isprintable() else " " for each in text)
    return line if len(line) <= most else line[: most - 1] + "…"


def moment(micros: int) -> str:
    """A moment in UTC, to the second.

    >>> moment(0)
    '1970-01-01 00:00:00'
    """
    return str(np.datetime64(micros, "us").astype("datetime64[s]")).replace("T", " ")


def confidence(found: Comparison) -> str:
    """How sure intervals are.

    >>> from headgate.rollouts.comparison.values import Side
    >>> nobody = Side(name="m:1", role="live", versions=(), asked=0, answered=0)
    >>> confidence(Comparison(task="binary", live=nobody, candidate=nobody, alpha=0.05, inputs=0))
    '95 %'
    """
    return f"{100 * (1 - found.alpha):g} %"


def leaning(difference: Estimate, found: Comparison) -> str:
    """Which of the two a difference of losses speaks for, if for any."""
    if difference.low is not None and difference.low > 0:
        return f"{found.live.name} is better"
    if difference.high is not None and difference.high < 0:
        return f"{found.candidate.name} is better"
    return "not told apart yet"


def agreement_means(found: Comparison) -> str:
    """When two answers are the same, for this task."""
    if found.task != Task.REGRESSION:
        return "both chose the same class"
    return f"the two numbers lie within {digits(found.tolerance or 0.0)} of each other"


def loss_means(found: Comparison) -> str:
    """What the last column of slices counts."""
    if found.task == Task.REGRESSION:
        return f"how much oftener {found.candidate.name} is farther off than nearer, in percentage points"
    return f"error of {found.candidate.name} less that of {found.live.name}, in percentage points"
