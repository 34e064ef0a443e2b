"""Lengths of time as people write them: ``30s``, ``10m``, ``2d``.

Called by every file a person writes; nothing else in Headgate reads durations from text.
"""

import re
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RULE: Final = re.compile(r"([0-9]{1,6})([smhd])")


def seconds(text: str) -> int:
    """Whole seconds in `text`: a whole number and one of s, m, h and d.

    Raises ValueError, with a sentence that says what a duration is, for anything else.

    >>> seconds("30s"), seconds("10m"), seconds("2d")
    (30, 600, 172800)
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError("is no duration; write a whole number and s, m, h or d, such as 30s, 10m or 2d")
    return int(found[1]) * _SECONDS[found[2]]


def duration(whole_seconds: int) -> str:
    """`whole_seconds` in the largest unit that leaves no rest.

    >>> duration(172800), duration(90)
    ('2d', '90s')
    """
    unit = next(unit for unit in "dhms" if whole_seconds % _SECONDS[unit] == 0) if whole_seconds else "s"
    return f"{whole_seconds // _SECONDS[unit]}{unit}"
