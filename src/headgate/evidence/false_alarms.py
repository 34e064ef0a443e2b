"""How often alarms may be false, in a person's words and as what detectors need: limits, and what joins.

Three sentences can be meant, and `detector` keeps all of them in one way:

* ``at most one per 90 days``: on average, and whatever the traffic does. What joins is the days that passed.
* ``at most 5 % per year``: with this probability there is any in a year. What joins is again the days, a year of them
  adds up to 365, and the limit is 365 days / 5 %; as each year stands for itself, detectors begin anew with it.
* ``at most 5 % ever``: with this probability there is any at all. What joins becomes less with every observation.

Several detectors share a budget by parts of it that sum to 1: one that has the part v gets its limit divided by v. The
expected numbers of their false alarms add up to no more than the whole, and so do probabilities, whatever the detectors
share and in whatever order they are looked at. Of the time to the first alarm of any of them that alone says a little
less: the probability that it comes within the share x of 90 days is x at most, hence half of them on average at least.
All 90 it is where the bets of each are fair given what all others saw: then the sum of v R, which is at the undivided
limit when one R is at limit / v, is a detector itself. P-values of features of the same rows are independent each by
itself and nearly, not exactly, together; simulations show all of the 90.

To hold that sum itself against the undivided limit would alarm sooner, never later. It is not done because it needs
every R at every moment and rests on the bets being fair together; and it would be one alarm for everything. What parts
cost is little: evidence grows geometrically after a change, so a part v costs log(1 / v) more of it, 4.6 for one of a
hundred features where 90 days of a thousand rows each ask for 11.4 already; and those that moved are named by their own
alarms.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evidence.detector import ever, since
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.vocabulary import DAY, Micros, readable

SILENCE: Final = 0.01
"""What joins at one observation, at most, as a share of the limit: however long nothing came, it takes evidence of a
hundred to one, or more, to raise an alarm. Without this the first row after 90 days would raise one by itself."""
_DAYS: Final = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "year": 365.0}
_NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SPAN: Final = rf"per (?:(?P<length>[1-9][0-9]{{0,3}}) )?(?P<unit>{'|'.join(_DAYS)})s?"
_MEAN: Final = re.compile(rf"at most (?P<count>{'|'.join(_NUMBERS)}|[1-9][0-9]{{0,2}}) {_SPAN}")
_CERTAIN: Final = re.compile(rf"at most (?P<percent>[0-9]{{1,2}}(?:\.[0-9]{{1,3}})?) ?% (?:ever|{_SPAN})")
_RULE: Final = (
    "says how often alarms may be false: write 'at most one per 90 days' for a mean time between them, 'at most 5 % "
    "per year' for the chance of any in a year, or 'at most 5 % ever'; a span is a whole number of hours, days, weeks "
    "or years"
)


class Kind(StrEnum):
    """What is promised of false alarms."""

    MEAN = "mean"
    """So many in a period on average."""
    PERIOD = "period"
    """None in a period, but for a probability."""
    EVER = "ever"
    """None ever, but for a probability."""


@readable
class FalseAlarms(msgspec.Struct, frozen=True):
    """How often alarms may be false, all detectors of an endpoint together.

    >>> FalseAlarms.read("at most one per 90 days")
    FalseAlarms(kind=<Kind.MEAN: 'mean'>, most=1.0, days=90.0)
    >>> FalseAlarms.read("at most two per year").limit(sharers=4)
    730.0
    """

    kind: Kind = Kind.MEAN
    most: float = 1.0
    """False alarms a period, or the probability of any."""
    days: float = 90.0
    """Of the period; means nothing for `Kind.EVER`."""

    @classmethod
    def read(cls, text: str, field: str = "false_alarms") -> "FalseAlarms":
        """What the sentence in `text` says; BadInput that names `field` and says what may be written there."""
        text = " ".join(text.split())
        if found := _MEAN.fullmatch(text):
            count = found["count"]
            most = _NUMBERS.index(count) + 1 if count in _NUMBERS else int(count)
            return cls(Kind.MEAN, float(most), _days(found))
        if found := _CERTAIN.fullmatch(text):
            alpha = float(found["percent"]) / 100
            if alpha <= 0:
                raise BadInput(field, "range", "no alarm is never false: the percentage must be above 0")
            return cls(Kind.EVER, alpha) if found["unit"] is None else cls(Kind.PERIOD, alpha, _days(found))
        raise BadInput(field, "syntax", _RULE)

    @property
    def words(self) -> str:
        """The sentence, as `read` takes it.

        >>> FalseAlarms.read("at most two per 1 weeks").words
        'at most 2 per 7 days'
        """
        hours = round(self.days * 24)
        span = f"per {hours // 24} days" if hours % 24 == 0 else f"per {hours} hours"
        if self.kind is Kind.MEAN:
            return f"at most {self.most:g} {span}"
        return f"at most {100 * self.most:g} % {'ever' if self.kind is Kind.EVER else span}"

    def limit(self, sharers: int = 1) -> float:
        """Where the alarm of a detector is that shares this evenly with others, so many in all; BadInput below one.

        In days, where days join; a number where what ever joins is 1.
        """
        if sharers < 1:
            raise BadInput("sharers", "range", "a budget is shared by at least one")
        return (1.0 if self.kind is Kind.EVER else self.days) / self.most * sharers

    def joins(self, latest: Micros, at: Ints, seen: int) -> Floats:
        """What joins before each observation at the moments `at`, after one at `latest` and `seen` in all."""
        if self.kind is Kind.EVER:
            return ever(seen, len(at))
        passed: Floats = np.minimum(since(0.0, (at - latest) / DAY), SILENCE * self.limit())
        return passed

    def joined(self, began: Micros, latest: Micros, seen: int) -> float:
        """What may have joined by the observation at `latest`, `seen` in all, since `began` or since its period began.

        After a long silence it was less. So at a moment fixed beforehand the mean of R / joined is 1 at most.

        >>> FalseAlarms().joined(Micros(0), Micros(3 * DAY), 100), FalseAlarms(Kind.EVER).joined(0, 0, 3)
        (3.0, 0.75)
        """
        if self.kind is Kind.EVER:
            return seen / (seen + 1)
        passed = latest - began
        return (passed % self._period if self.kind is Kind.PERIOD else passed) / DAY

    def stretches(self, began: Micros, latest: Micros, at: Ints) -> list[tuple[Micros, slice, bool]]:
        """Observations by period: what the time before the first counts from, which they are, whether all begins anew.

        One stretch but where periods stand for themselves. These follow each other from `began` on.

        >>> policy = FalseAlarms.read("at most 5 % per 1 days")
        >>> policy.stretches(Micros(0), Micros(0), np.array([1, 2, DAY + 1]))
        [(0, slice(0, 2, None), False), (86400000000, slice(2, 3, None), True)]
        """
        if self.kind is not Kind.PERIOD or not len(at):
            return [(latest, slice(0, len(at)), False)]
        period = self._period
        numbers = (np.maximum(np.maximum.accumulate(at), latest) - began) // period
        current = (latest - began) // period
        found: list[tuple[Micros, slice, bool]] = []
        for number in np.unique(numbers).tolist():
            rows = slice(int(np.searchsorted(numbers, number)), int(np.searchsorted(numbers, number, "right")))
            is_new = number > current
            found.append((Micros(began + number * period) if is_new else latest, rows, is_new))
        return found

    @property
    def _period(self) -> int:
        return round(self.days * DAY)


def _days(found: re.Match[str]) -> float:
    return int(found["length"] or 1) * _DAYS[found["unit"]]
