"""The pure function that says which inputs a shadow answers too.

Called by gateways for every row the live version answered, and by whoever must know afterwards which inputs were meant
to have two answers. In the words of `assignment.py` a shadow takes an input if
``draw(salt, "shadow:" + version, input id) < ⌊share · 2⁶⁴⌋``; a share of one takes all of them, without a draw.

The draw is not the one by which the same version takes callers: else its shadow would be asked first what its canary
would have been asked, and the two samples would not be independent. Raising a share only adds inputs.
"""

from dataclasses import dataclass

from headgate.traffic.assignment import WHOLE, is_drawn, salt_key
from headgate.traffic.traffic import Shadow


@dataclass(frozen=True, slots=True)
class ShadowShare:
    """Which inputs one shadow answers; make it once per traffic revision.

    >>> shares = [shadow_share("salt", Shadow("m:2", share)) for share in (0.0, 0.5, 1.0)]
    >>> [[each.takes(bytes([id]) * 16) for id in range(4)] for each in shares]
    [[False, False, False, False], [False, False, True, False], [True, True, True, True]]
    """

    version: str
    share: float
    """Of all inputs, 0 to 1."""
    prefix: bytes
    """What precedes the input id in the hash."""
    threshold: int
    """Draws below it are taken; WHOLE takes all."""
    salt: bytes

    @property
    def is_whole(self) -> bool:
        """Whether it takes every input, so that none need be asked for."""
        return self.threshold == WHOLE

    def takes(self, input_id: bytes) -> bool:
        """Whether the shadow answers the input of that id too; the id is all that decides."""
        return is_drawn(self.prefix, input_id, self.threshold, self.salt)


def shadow_share(salt: str, shadow: Shadow) -> ShadowShare:
    """What `shadow` asks for under the salt of its traffic; a share outside 0 to 1 is the nearer of the two."""
    share = min(max(shadow.share, 0.0), 1.0)
    prefix = b"shadow:" + shadow.version.encode() + b"\0"
    return ShadowShare(shadow.version, share, prefix, int(share * WHOLE), salt_key(salt))
