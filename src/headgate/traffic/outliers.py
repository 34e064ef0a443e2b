"""What an endpoint's file says of rows unlike those its model was fitted on, and what of that gateways obey."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

import msgspec

_RATE: Final = re.compile(r"1 in ([1-9][0-9]{0,6})")
_RULE: Final = "must be a rate such as 1 in 1000, from 1 in 2 to 1 in 9999999, or null"
FORMAT: Final = 1
"""Of what a name stands for: another way of fitting has another number, and then everything is fitted anew."""


class OutlierWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words under ``outliers`` in an endpoint's file; without any of them no row is looked at."""

    flag: str | None = None
    """Rows beyond what 1 of so many ordinary rows exceeds are flagged, such as `1 in 1000`; null flags none."""
    reject: str | None = None
    """The same for rows that are refused; rarer than those that are flagged."""


class Screen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What gateways hold the rows of an endpoint against."""

    detector: str
    """The name of the detector, 64 hexadecimal digits: it was fitted on the live version's reference."""
    flag: float | None = None
    """Of ordinary rows this share is flagged, at most; None flags none."""
    reject: float | None = None
    """Of ordinary rows this share is refused, at most; None refuses none."""

    @property
    def rate(self) -> float:
        """Of ordinary rows this share is flagged or refused, at most."""
        return max(self.flag or 0.0, self.reject or 0.0)


def rate_of(words: str | None) -> float | None:
    """The share that `words` stand for, None for None. Raises ValueError with the rule for anything else.

    >>> rate_of("1 in 1000"), rate_of(None)
    (0.001, None)
    """
    if words is None:
        return None
    found = _RATE.fullmatch(words)
    if found is None or int(found[1]) < 2:
        raise ValueError(_RULE)
    return 1 / int(found[1])


def words_of(rate: float) -> str:
    """A rate in the words of the file.

    >>> words_of(0.001)
    '1 in 1000'
    """
    return f"1 in {round(1 / rate)}"


def screen_of(words: OutlierWords, digest: str, contract: str | None) -> Screen | None:
    """What `words` make of a live version, by its package's digest and the endpoint's own contract; None for nothing.

    The name is of everything that the detector is made of, so it is known before anything is fitted.

    >>> one, other = (screen_of(OutlierWords(flag=each), "sha256:0", None) for each in ("1 in 100", "1 in 50"))
    >>> one.flag, one.reject, one.detector != other.detector, screen_of(OutlierWords(), "sha256:0", None)
    (0.01, None, True, None)
    """
    flag, reject = rate_of(words.flag), rate_of(words.reject)
    if flag is None and reject is None:
        return None
    made_of = msgspec.json.encode((FORMAT, digest, contract, flag, reject))
    return Screen(hashlib.sha256(made_of).hexdigest(), flag, reject)


def outlier_faults(words: OutlierWords) -> Iterator[tuple[str, str]]:
    """The keys that break a rule, each with the rule.

    >>> list(outlier_faults(OutlierWords(flag="1 in 1000", reject="1 in 100")))
    [('outliers.reject', 'must be rarer than outliers.flag: a row that is refused is not flagged')]
    """
    rates: dict[str, float | None] = {}
    for key in ("flag", "reject"):
        try:
            rates[key] = rate_of(getattr(words, key))
        except ValueError as error:
            yield f"outliers.{key}", str(error)
    flag, reject = rates.get("flag"), rates.get("reject")
    if flag is not None and reject is not None and reject >= flag:
        yield "outliers.reject", "must be rarer than outliers.flag: a row that is refused is not flagged"
