"""People who inspect surfaces, simulated: what they say of one, how often they are wrong, and how long they take.

A person overlooks what hardly stands out, more so in poor light, sometimes takes dust for damage, and sometimes presses
the wrong button. Nothing of it is measured from people; it is an assumption, written down here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.demo.inspection.light import Shift
from headgate.demo.inspection.surfaces import Surface
from headgate.vocabulary import SECOND, Micros

CLARITY: Final = {Shift.DAY: 1.0, Shift.NIGHT: 0.75}
"""How much of a defect's contrast a person sees in the light of each shift."""
STEEPNESS: Final = 0.02
"""Within how little contrast what is overlooked becomes what is seen."""
PER_SPECK: Final = 0.003
"""Chance that one speck of dust is taken for damage."""
TYPICAL_SECONDS: Final = 40.0
"""Half of the decisions come sooner."""
LONGEST_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Inspector:
    """Somebody who looks at surfaces."""

    name: str
    slips: float
    """Share of surfaces on which the wrong button is pressed, whatever was seen."""
    sight: float
    """The contrast that is overlooked by day every second time."""

    def error_rate(self, surface: Surface, shift: Shift) -> float:
        """The probability that what this person says of `surface` is wrong, 0 to 1.

        >>> plain = Surface(np.zeros((1, 1)), "dent", contrast=0.4)
        >>> round(Inspector("A", slips=0.01, sight=0.1).error_rate(plain, Shift.DAY), 3)
        0.01
        """
        if surface.contrast == 0.0:
            mistaken = min(1.0, PER_SPECK * surface.dust)
        else:
            seen = CLARITY[shift] * surface.contrast
            mistaken = 1.0 / (1.0 + float(np.exp((seen - self.sight) / STEEPNESS)))
        return self.slips + (1.0 - self.slips) * mistaken

    def decide(
        self, surface: Surface, shift: Shift, classes: Sequence[str], usual: str, chance: np.random.Generator
    ) -> str:
        """What this person says of `surface`: one of `classes`, and `usual` where a defect was overlooked."""
        if chance.random() >= self.error_rate(surface, shift):
            return surface.truth
        if surface.truth != usual:
            return usual
        others = [each for each in classes if each != usual]
        return others[chance.integers(len(others))]


INSPECTOR: Final = Inspector("inspector-a", slips=0.015, sight=0.07)
COLLEAGUE: Final = Inspector("inspector-b", slips=0.02, sight=0.065)
"""Who looks again at a share of what the first one decided, and knows nothing of it."""


def thinks_for(chance: np.random.Generator) -> Micros:
    """How long a person takes to decide, in microseconds: lognormal around TYPICAL_SECONDS, LONGEST_SECONDS at most.

    >>> thinks_for(np.random.default_rng(1)) <= LONGEST_SECONDS * SECOND
    True
    """
    seconds = min(LONGEST_SECONDS, TYPICAL_SECONDS * float(chance.lognormal(0.0, 0.5)))
    return Micros(round(seconds * SECOND))
