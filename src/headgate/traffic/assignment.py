"""The pure function from a key to the version that answers it.

Called by gateways for every row of an endpoint with more than one version, and by whoever must know afterwards
where a key went. The same key gives the same version in every process, on every machine, in any language:

* *Draw.* ``draw(salt, version, key)`` is BLAKE2b (RFC 7693) with an 8-byte digest, keyed by the UTF-8 bytes of the
  salt, over the version's UTF-8 bytes, one zero byte and the key, read as a big-endian integer in 0 .. 2⁶⁴-1. A salt
  of more than 64 bytes is first replaced by its own 64-byte BLAKE2b digest.
* *Key.* The UTF-8 bytes of the sticky key, or the 16 bytes of the input id where an endpoint has none.
* *Turns.* Members other than the live one take turns in the order of their names. A member whose weight is w takes a
  key it is offered if ``draw < ⌊w / (1 - taken) · 2⁶⁴⌋`` with IEEE 754 doubles, where ``taken`` is the sum of the
  weights before it. What nobody takes belongs to the live version.

Every member has a draw of its own, so raising its weight only adds keys to it, and its share is exactly its weight.
One cumulative interval per member would be simpler and would move the keys of all later members.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from headgate.traffic.traffic import Traffic

WHOLE: Final = 1 << 64
"""The threshold that takes all: no draw reaches it."""
_LONGEST_KEY: Final = blake2b.MAX_KEY_SIZE


@dataclass(frozen=True, slots=True)
class Arm:
    """A version that may take a key, when it is its turn."""

    version: str
    probability: float
    """Share of all keys, 0 to 1."""
    prefix: bytes
    """What precedes the key in the hash."""
    threshold: int
    """Draws below it are taken; WHOLE takes all."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who answers which key; make it once per traffic revision.

    >>> from headgate.traffic.traffic import Member
    >>> members = [Member("m:1", "sha256:1", 0.5, proved=True), Member("m:2", "sha256:2", 0.5, proved=True)]
    >>> assignment = assign(Traffic("default", "delays", 1, "m:1", members, "salt"))
    >>> [assignment.version(key) for key in (b"ada", b"bob", b"key-0")]
    [('m:1', 0.5), ('m:1', 0.5), ('m:2', 0.5)]
    """

    live: str
    live_probability: float
    arms: tuple[Arm, ...]
    salt: bytes

    def version(self, key: bytes) -> tuple[str, float]:
        """The version that answers `key` and the chance it had of being drawn."""
        for arm in self.arms:
            if int.from_bytes(blake2b(arm.prefix + key, digest_size=8, key=self.salt).digest()) < arm.threshold:
                return arm.version, arm.probability
        return self.live, self.live_probability


def assign(traffic: Traffic, *, absent: frozenset[str] = frozenset()) -> Assignment:
    """The assignment `traffic` asks for.

    Members that nobody proved or forced take nothing. Those named in `absent` keep their turn, but what they would
    take is the live version's: a worker that has one version still to load moves no key of another. Weights beyond a
    sum of one are cut off in the order of the turns.
    """
    arms: list[Arm] = []
    taken = away = 0.0
    for member in sorted(traffic.members, key=lambda each: each.version):
        if member.version == traffic.live or member.weight <= 0.0 or not member.entitled or taken >= 1.0:
            continue
        weight = min(member.weight, 1.0 - taken)
        threshold = min(WHOLE, int(weight / (1.0 - taken) * WHOLE))
        arms.append(Arm(member.version, weight, member.version.encode() + b"\0", threshold))
        taken += weight
        away += weight if member.version in absent else 0.0
    lives = max(0.0, 1.0 - taken) + away
    while arms and arms[-1].version in absent:
        arms.pop()  # what the last ones would take falls to the live version anyway
    there = [
        replace(each, version=traffic.live, probability=lives) if each.version in absent else each for each in arms
    ]
    return Assignment(traffic.live, lives, tuple(there), salt_key(traffic.salt))


def draw(salt: str, version: str, key: bytes) -> int:
    """The integer in 0 .. 2⁶⁴-1 that decides whether `version` takes `key`.

    >>> draw("salt", "m:2", b"ada")
    13086283518500188470
    """
    hashed = blake2b(version.encode() + b"\0" + key, digest_size=8, key=salt_key(salt))
    return int.from_bytes(hashed.digest())


def is_drawn(prefix: bytes, key: bytes, threshold: int, salt: bytes) -> bool:
    """Whether `key` is taken by whom `prefix` names; WHOLE takes all, without a draw. `salt` is a `salt_key`."""
    if threshold == WHOLE:
        return True
    return int.from_bytes(blake2b(prefix + key, digest_size=8, key=salt).digest()) < threshold


def salt_key(salt: str) -> bytes:
    """The salt as a BLAKE2b key of at most 64 bytes."""
    raw = salt.encode()
    return raw if len(raw) <= _LONGEST_KEY else blake2b(raw, digest_size=_LONGEST_KEY).digest()
