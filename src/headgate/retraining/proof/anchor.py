"""The frozen anchor: the best proven version, so that margins cannot be given away one by one.

A challenger that is no worse by the margin may still be a little worse. Fifty of them in a row could lose fifty margins
if each were held against the one before it alone. So each is held against the anchor too, and the anchor moves by
proved superiority only: whatever is promoted by itself is within one margin of the best that was ever proved.
"""

from typing import Final

import msgspec

from headgate.retraining.proof.values import Proof
from headgate.vocabulary import readable

ANCHOR: Final = "anchor"
"""The alias of the best proven version, beside ``champion``."""


@readable
class Anchored(msgspec.Struct, frozen=True):
    """Which version is the anchor from now on, and why."""

    version: str
    why: str
    moved: bool
    """Whether it was another before."""


def anchor_of(champion: str | None, anchor: str | None) -> str | None:
    """What a challenger is held against beside the champion: the anchor, before there is one the champion itself.

    >>> anchor_of("m:3", None), anchor_of("m:3", "m:1")
    ('m:3', 'm:1')
    """
    return champion if anchor is None else anchor


def after(proof: Proof, *, promoted: bool) -> Anchored:
    """The anchor after a challenger's `proof`, once its rollout and its probation are over.

    It moves to a challenger that was promoted and proved better than the anchor, to no other.
    """
    before = anchor_of(proof.champion, proof.anchor)
    if before is None:
        return Anchored(proof.challenger, "the first version there is", moved=True)
    if promoted and proof.moves_anchor:
        return Anchored(proof.challenger, f"proved to be better than {before}", moved=True)
    why = "it was not proved to be better" if promoted else "it was not promoted"
    return Anchored(before, f"{proof.challenger} does not take its place: {why}", moved=False)
