"""The pure function that says whose an input is where people decide beside a model.

Called by gateways for every row of such an endpoint. In the words of `assignment.py` people take a key if
``draw(salt, "human", key) < ⌊share · 2⁶⁴⌋``; a share of one takes all of them, without a draw. Raising the model's part
only takes keys from people, so that no case goes back and forth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.traffic.assignment import WHOLE, is_drawn, salt_key
from headgate.traffic.traffic import People
from headgate.vocabulary import PEOPLE

_PREFIX: Final = PEOPLE.encode() + b"\0"


@dataclass(frozen=True, slots=True)
class PeopleShare:
    """Which inputs are people's; make it once per traffic revision.

    >>> shares = [people_share("salt", People(share)) for share in (0.0, 0.5, 1.0)]
    >>> [[each.takes(bytes([id]) * 16) for id in range(4)] for each in shares]
    [[False, False, False, False], [False, True, True, False], [True, True, True, True]]
    """

    share: float
    """Of all inputs, 0 to 1."""
    confidence: float
    suggests: bool
    threshold: int
    """Draws below it are taken; WHOLE takes all."""
    salt: bytes

    def takes(self, key: bytes) -> bool:
        """Whether the input of that key is people's, whatever the model says of it."""
        return is_drawn(_PREFIX, key, self.threshold, self.salt)

    def is_sure(self, scores: Sequence[float] | None) -> bool:
        """Whether the model, with these scores, may decide by itself; without scores only where any will do."""
        return self.confidence <= (max(scores) if scores else 0.0)


def people_share(salt: str, people: People) -> PeopleShare:
    """What `people` asks for under the salt of its traffic; a share outside 0 to 1 is the nearer of the two."""
    share = min(max(people.share, 0.0), 1.0)
    return PeopleShare(share, people.confidence, people.suggests, int(share * WHOLE), salt_key(salt))
