"""The pictures of a window beside those of a reference: darker, brighter, more blurred, sharper, smaller, larger."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Estimate, Floats, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.quality.excess import excess
from headgate.monitors.quality.pictures import Picture
from headgate.monitors.standing import Shortfall, undecided
from headgate.vocabulary import readable

OUTER: Final = 0.005
"""Share of pictures like the reference's that lie beyond either end of a range, at most."""
LEAST: Final = math.ceil(1 / OUTER) - 1
"""Pictures of a reference below which its ends are not known so far out."""


class Trait(StrEnum):
    """What is measured of a picture."""

    BRIGHTNESS = "brightness"
    SHARPNESS = "sharpness"
    HEIGHT = "height"
    WIDTH = "width"


class Side(StrEnum):
    """Beyond which end of a range."""

    BELOW = "below"
    ABOVE = "above"


class TraitRange(msgspec.Struct, frozen=True):
    """Where a trait of the reference's pictures lies, but for the outermost at either end."""

    trait: Trait
    low: float
    high: float
    rows: int
    """Pictures it was measured on."""


@readable
class PictureRanges(msgspec.Struct, frozen=True):
    """Fitted once on a reference; a value that can be kept as JSON."""

    ranges: tuple[TraitRange, ...]


class Beyond(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures beyond one end of one range."""

    trait: Trait
    side: Side
    limit: float
    """The end, in the trait's unit."""
    share: Estimate
    """Of the pictures that have the trait."""
    excess: Estimate
    """Share less what lies out there in the reference; its interval allows for the reference's size."""

    @property
    def unusual(self) -> bool | None:
        """Whether surely more lie beyond than of the reference; None without pictures."""
        return None if self.excess.low is None else self.excess.low > 0


class PicturesSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of one window."""

    rows: int
    unreadable: Estimate
    """Share of them that are no pictures."""
    reasons: tuple[tuple[str, int], ...]
    """Why they are none, and how many; most first."""
    beyond: tuple[Beyond, ...]
    """Both ends of every range, most excess first."""


def picture_ranges(reference: Iterable[Picture | Shortfall]) -> PictureRanges | Shortfall:
    """Where the traits of the reference's pictures lie; what is no picture is left out.

    An end is the floor((n + 1) / 200)-th outermost of n values: a picture that comes as they did lies beyond it with
    probability 0.005 at most, whatever their distribution.

    >>> picture_ranges([]).reason
    'the reference has 0 pictures; 199 are needed'
    """
    found = [each for each in reference if isinstance(each, Picture)]
    if len(found) < LEAST:
        return undecided(f"the reference has {len(found):,} pictures; {LEAST} are needed")
    values = [(trait, np.sort(_values(found, trait))) for trait in Trait]
    return PictureRanges(tuple(_range(trait, each) for trait, each in values if len(each) >= LEAST))


def pictures_seen(
    reference: PictureRanges, window: Iterable[Picture | Shortfall], *, confidence: float = CONFIDENCE
) -> PicturesSeen | Shortfall:
    """How many of a window's pictures are none, and how many lie beyond each end of the reference's ranges.

    Intervals of the excess hold over all ends at once (Bonferroni). Raises headgate.errors.BadInput for a confidence
    outside 0 to 1.
    """
    given = list(window)
    if not given:
        return undecided("the window has no pictures")
    found = [each for each in given if isinstance(each, Picture)]
    reasons = Counter(each.reason for each in given if isinstance(each, Shortfall))
    z, strict = quantile_of(confidence), quantile_of(1 - (1 - confidence) / max(1, 2 * len(reference.ranges)))
    beyond = [_beyond(each, side, found, z, strict) for each in reference.ranges for side in Side]
    return PicturesSeen(
        rows=len(given),
        unreadable=proportion("unreadable", len(given) - len(found), len(given), z),
        reasons=tuple(reasons.most_common()),
        beyond=tuple(sorted(beyond, key=lambda each: -(each.excess.value or 0.0))),
    )


def _values(pictures: Sequence[Picture], trait: Trait) -> Floats:
    """The trait of those that have it."""
    each = (getattr(picture, trait) for picture in pictures)
    return np.array([value for value in each if value is not None], dtype=np.float64)


def _range(trait: Trait, ranked: Floats) -> TraitRange:
    place = _outermost(len(ranked))
    return TraitRange(trait, float(ranked[place - 1]), float(ranked[-place]), len(ranked))


def _outermost(rows: int) -> int:
    return math.floor((rows + 1) * OUTER)


def _beyond(known: TraitRange, side: Side, found: Sequence[Picture], z: float, strict: float) -> Beyond:
    values = _values(found, known.trait)
    limit = known.low if side is Side.BELOW else known.high
    count, name = int((values < limit if side is Side.BELOW else values > limit).sum()), f"{known.trait}_{side}"
    expected = _outermost(known.rows) / (known.rows + 1)
    return Beyond(
        trait=known.trait,
        side=side,
        limit=limit,
        share=proportion(name, count, len(values), z),
        excess=excess(f"{name}_excess", count, len(values), expected, reference_rows=known.rows, z=strict),
    )
