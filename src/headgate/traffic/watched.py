"""What an endpoint's file says of how it is watched: how often alarms may be false, and what is borne."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms

MOST_GROUPS: Final = 5
"""Fields whose groups are compared: where they cross there are groups enough."""


class Compared(StrEnum):
    """With which rows inputs are compared."""

    NONE = "none"
    """With none."""
    PACKAGE = "package"
    """With those that the package was registered with."""


class MonitorWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words under ``monitors`` in an endpoint's file. Every endpoint is watched, also without any of them."""

    false_alarms: str = "at most one per 90 days"
    """How often alarms of all monitors together may be false; or `at most 5 % per year`, or `at most 5 % ever`."""
    errors_percent: float = 1.0
    """Of the inputs so many may end in an error."""
    refusals_percent: float = 5.0
    """Of the inputs so many may be refused."""
    fallbacks_percent: float = 5.0
    """Of the answers so many may come from another version than was assigned."""
    tolerance: float | None = None
    """How much worse than its evaluation the model may be, as a share; None bears 0.01, or a tenth if that is less."""
    reference: Compared = Compared.NONE
    """With which rows inputs are compared: `none`, or `package`, with those that the version was registered with."""
    groups: list[str] = []
    """Fields of the contract whose groups are compared week by week; of two classes alone, and at most five."""
    price_per_cpu_hour: float | None = None
    """Money an hour of a processor costs, in any currency; None tells seconds alone."""

    @property
    def policy(self) -> FalseAlarms:
        """The sentence as monitors take it."""
        return FalseAlarms.read(self.false_alarms)


def faults(words: MonitorWords) -> Iterator[tuple[str, str]]:
    """The keys that break a rule, each with the rule.

    >>> list(faults(MonitorWords(errors_percent=0)))
    [('monitors.errors_percent', 'must lie between 0 and 100, neither of them included')]
    """
    try:
        FalseAlarms.read(words.false_alarms)
    except BadInput as error:
        yield "monitors.false_alarms", error.message
    for key in ("errors_percent", "refusals_percent", "fallbacks_percent"):
        if not 0 < getattr(words, key) < 100:
            yield f"monitors.{key}", "must lie between 0 and 100, neither of them included"
    if words.tolerance is not None and not 0 <= words.tolerance < 1:
        yield "monitors.tolerance", "must lie between 0 and 1"
    if len(words.groups) > MOST_GROUPS:
        yield "monitors.groups", f"must be at most {MOST_GROUPS} fields"
    for i, name in enumerate(words.groups):
        if name in words.groups[:i]:
            yield f"monitors.groups[{i}]", f"'{name}' is named already"
    if words.price_per_cpu_hour is not None and not 0 <= words.price_per_cpu_hour < float("inf"):
        yield "monitors.price_per_cpu_hour", "must be 0 or more"
