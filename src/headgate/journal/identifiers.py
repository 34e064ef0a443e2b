"""Identifiers that know where they came from: a gateway draws them, every gateway of the home can recognise them.

An input's id is a UUIDv7 whose random part is partly a message authentication code under the home's secret, so a
label for an id nobody was given is refused without asking a database. The layout (RFC 9562, section 5.7):

::

    48 bits  milliseconds since 1970
     4 bits  version, 7
    12 bits  counter within the millisecond
     2 bits  variant, binary 10
    16 bits  worker
    16 bits  drawn at random when the process began
    30 bits  keyed BLAKE2b (RFC 7693) over time, counter, worker, the random part and the endpoint's tag

A guessed id passes with a chance of 2**-30. Gateways are the callers; labels are checked with `Mint.issued`.
"""

import hmac
import os
import re
import struct
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.clock import Clock
from headgate.errors import BadInput

WORKERS: Final = 1 << 16
"""Worker numbers lie below this; two workers of one home never share one."""

_PAIR: Final = struct.Struct(">QQ")
_CODES: Final = struct.Struct(">16I")
_CODE_BITS: Final = 30
_CODE_MASK: Final = (1 << _CODE_BITS) - 1
_VERSION: Final = 0x7000
_VARIANT: Final = 1 << 63
ID_BYTES: Final = 16
ID_LETTERS: Final = 36
"""Of an identifier and of its text."""
_RUNS: Final = (("u8", 0, 0), ("u4", 8, 9), ("u4", 12, 14), ("u4", 16, 19), ("u8", 20, 24), ("u4", 28, 32))
"""Runs of digits: the number that holds one, where it stands among an identifier's digits and where in its text."""
_HYPHENS: Final = (8, 13, 18, 23)
"""Where hyphens stand in a text."""
_UUID: Final = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def each_id(ids: bytes) -> list[bytes]:
    """Identifiers that stand one behind the other, one by one.

    >>> each_id(bytes(32)) == [bytes(16), bytes(16)]
    True
    """
    return [ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)]


def endpoint_tag(project: str, endpoint: str) -> bytes:
    """What an identifier is bound to: one project's endpoint.

    >>> endpoint_tag("default", "delays")
    b'default/delays'
    """
    return f"{project}/{endpoint}".encode()


class Mint:
    """Draws identifiers and recognises those any mint with the same secret drew.

    Identifiers of one mint increase strictly, whatever the clock does: within a millisecond a counter grows, and
    past 4096 draws, or when the clock is set back, the mint's own time runs ahead. Call it from one thread.

    >>> from headgate.clock import HeldClock
    >>> from headgate.vocabulary import Micros
    >>> mint = Mint(bytes(32), HeldClock(Micros(1_700_000_000_000_000)), worker=3)
    >>> delays = endpoint_tag("default", "delays")
    >>> id = mint.draw(delays)
    >>> mint.issued(delays, id), mint.issued(endpoint_tag("default", "prices"), id)
    (True, False)
    """

    def __init__(self, secret: bytes, clock: Clock, worker: int) -> None:
        """Mint under the home's `secret` (16 to 64 bytes); ValueError for another length or worker number."""
        if not 16 <= len(secret) <= 64:
            raise ValueError(f"a home's secret has 16 to 64 bytes, this one has {len(secret)}")
        if not 0 <= worker < WORKERS:
            raise ValueError(f"a worker's number lies in 0..{WORKERS - 1}, not at {worker}")
        self._keyed = blake2b(key=secret, person=b"headgate.id", digest_size=64)
        """The hash of nothing yet: a copy of it is had sooner than another like it."""
        self._clock = clock
        self._instance = worker << 16 | int.from_bytes(os.urandom(2))
        self._low = _VARIANT | self._instance << _CODE_BITS
        self._moment = 0
        """Milliseconds, 12 bits up, and the counter: the time of the last draw."""
        self._codes: dict[bytes, tuple[int, tuple[int, ...]]] = {}

    def draw(self, tag: bytes) -> bytes:
        """A new identifier of 16 bytes for the endpoint of `tag`, larger than every one drawn before."""
        moment = self._clock.now() // 1000 << 12
        if moment <= self._moment:
            moment = self._moment + 1  # a full counter carries into the milliseconds
        self._moment = moment
        block = moment >> 4
        cached = self._codes.get(tag)
        if cached is None or cached[0] != block:
            # One hash of 64 bytes holds the codes of sixteen successive draws.
            cached = self._codes[tag] = (block, self._hash(tag, block, self._instance))
        code = cached[1][moment & 15] & _CODE_MASK
        return _PAIR.pack(moment >> 12 << 16 | _VERSION | moment & 0xFFF, self._low | code)

    def draw_many(self, tag: bytes, count: int) -> list[bytes]:
        """`count` new identifiers, increasing, for the rows of one event-loop tick: the clock is asked once."""
        if count == 1:
            return [self.draw(tag)]
        at = max(self._clock.now() // 1000 << 12, self._moment + 1)
        end = at + count
        if count:
            self._moment = end - 1
        drawn: list[bytes] = []
        low = self._low
        while at < end:
            block, place = at >> 4, at & 15
            codes = self._hash(tag, block, self._instance)[place : place + end - at]
            high = at >> 12 << 16 | _VERSION | at & 0xFFF
            drawn.extend(map(_PAIR.pack, range(high, high + len(codes)), [low | code & _CODE_MASK for code in codes]))
            at += len(codes)
        return drawn

    def draw_block(self, tag: bytes, count: int) -> bytes:
        """`count` new identifiers, increasing, one behind the other: for tables, whose rows nobody looks at one by one.

        >>> from headgate.clock import SystemClock
        >>> mint = Mint(bytes(32), SystemClock(), worker=3)
        >>> block = mint.draw_block(b"default/delays", 40)
        >>> all(mint.issued(b"default/delays", block[at : at + 16]) for at in range(0, len(block), 16))
        True
        """
        at = max(self._clock.now() // 1000 << 12, self._moment + 1)
        end = at + count
        if count:
            self._moment = end - 1
        blocks = range(at >> 4, (end + 15) >> 4)
        digests = b"".join([self._digest(tag, each, self._instance) for each in blocks])
        codes = np.frombuffer(digests, ">u4")[at & 15 : (at & 15) + count].astype(np.uint64)
        moments = np.arange(at, end, dtype=np.uint64)
        drawn = np.empty((count, 2), ">u8")
        drawn[:, 0] = moments >> np.uint64(12) << np.uint64(16) | np.uint64(_VERSION) | moments & np.uint64(0xFFF)
        drawn[:, 1] = codes & np.uint64(_CODE_MASK) | np.uint64(self._low)
        return drawn.tobytes()

    def issued(self, tag: bytes, id: bytes) -> bool:  # noqa: A002  # the domain's own word
        """Whether `id` was drawn, by any mint of this home, for the endpoint of `tag`."""
        if len(id) != 16:
            return False
        high, low = int.from_bytes(id[:8]), int.from_bytes(id[8:])
        if high & 0xF000 != _VERSION or low >> 62 != 2:
            return False
        moment = high >> 16 << 12 | high & 0xFFF
        codes = self._hash(tag, moment >> 4, low >> _CODE_BITS & 0xFFFFFFFF)
        return codes[moment & 15] & _CODE_MASK == low & _CODE_MASK

    def age(self, id: bytes) -> float:  # noqa: A002
        """Seconds since `id` was drawn, by any mint of this home; 0 where its clock is ahead of ours."""
        return max(0.0, (self._clock.now() - int.from_bytes(id[:6]) * 1000) / 1e6)

    def _hash(self, tag: bytes, block: int, instance: int) -> tuple[int, ...]:
        return _CODES.unpack(self._digest(tag, block, instance))

    def _digest(self, tag: bytes, block: int, instance: int) -> bytes:
        state = self._keyed.copy()
        state.update((block << 32 | instance).to_bytes(16) + tag)
        return state.digest()


def format_id(id: bytes) -> str:  # noqa: A002
    """The canonical UUID text of 16 bytes.

    >>> format_id(bytes(range(16)))
    '00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    text = id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class IdBlock:
    """Identifiers drawn together; their texts are made once, for all of them, when somebody asks for some.

    >>> block = IdBlock(bytes(range(48)))
    >>> block.raw(1, 2).hex(), block.text(1, 2)
    ('101112131415161718191a1b1c1d1e1f', '10111213-1415-1617-1819-1a1b1c1d1e1f')
    """

    __slots__ = ("_text", "whole")

    def __init__(self, whole: bytes) -> None:
        """`whole`: 16 bytes of each."""
        self.whole = whole
        self._text = ""

    def raw(self, start: int, stop: int) -> bytes:
        """The bytes of those from `start` to before `stop`."""
        return self.whole[start * ID_BYTES : stop * ID_BYTES]

    def text(self, start: int, stop: int) -> str:
        """Their texts, with commas between."""
        if not self._text:
            self._text = format_ids(self.whole, ",")
        width = ID_LETTERS + 1
        return self._text[start * width : stop * width - 1]


def format_ids(ids: bytes, end: str = "") -> str:
    """The texts of many, 16 bytes each, one behind the other with `end`, a letter or none, after each.

    >>> format_ids(bytes(range(32)), ";")
    '00010203-0405-0607-0809-0a0b0c0d0e0f;10111213-1415-1617-1819-1a1b1c1d1e1f;'
    """
    return id_letters(ids, end).tobytes().decode()


def id_letters(ids: bytes, end: str = "") -> npt.NDArray[np.uint8]:
    """The same as bytes: (identifiers, letters of each)."""
    digits = np.frombuffer(ids.hex().encode(), np.uint8).reshape(-1, 2 * ID_BYTES)
    text = np.empty((len(digits), ID_LETTERS + len(end)), np.uint8)
    text[:, _HYPHENS] = ord("-")
    text[:, ID_LETTERS:] = ord(end or "-")
    for dtype, origin, target in _RUNS:
        # Several digits as one number: of ten thousand rows that is a fourth of the work.
        _lane(text, dtype, target)[:] = _lane(digits, dtype, origin)
    return text


def _lane(letters: npt.NDArray[np.uint8], dtype: str, start: int) -> npt.NDArray[Any]:
    """The letters of each row from `start` on that one number of `dtype` takes."""
    return np.ndarray(len(letters), dtype, letters, start, letters.strides[:1])


def least_id(moment: int) -> str:
    """What sorts behind the text of every id drawn before the millisecond of `moment`, and before all later ones.

    >>> least_id(1_700_000_000_000_000)
    '018bcfe5-6800'
    """
    text = f"{max(0, moment // 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


def drawn_at(text: str) -> int:
    """The millisecond in which the id of this text was drawn, in microseconds of its gateway's clock.

    >>> drawn_at("018bcfe5-6800-7000-8000-000000000000")
    1700000000000000
    """
    return int(text[:8] + text[9:13], 16) * 1000


def parse_id(text: object, field: str = "id") -> bytes:
    """The 16 bytes of a UUID's text, in upper or lower case.

    Raises BadInput, naming `field`, for everything else.

    >>> parse_id("00010203-0405-0607-0809-0A0B0C0D0E0F") == bytes(range(16))
    True
    """
    if not isinstance(text, str):
        raise BadInput(field, "type", f"an id is text, this is of type {type(text).__name__}")
    if _UUID.fullmatch(text) is None:
        raise BadInput(field, "uuid", "an id is a UUID such as a prediction's reply holds, 8-4-4-4-12 hex digits")
    return bytes.fromhex(text.replace("-", ""))


def subject_hmac(secret: bytes, key: str) -> bytes:
    """Whom a row is about, as 32 bytes that mean nothing without the home's secret (HMAC-SHA256, RFC 2104).

    >>> subject_hmac(bytes(32), "anna") == subject_hmac(bytes(32), "anna") != subject_hmac(bytes(32), "bert")
    True
    """
    return hmac.digest(secret, b"headgate.subject\0" + key.encode(), "sha256")
