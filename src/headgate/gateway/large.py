"""Large values on the request path: which fields may hold them, and what is kept of them.

`view.py` asks once per version whether its contract has such fields; a version without any pays nothing. The rest is
called in threads by `remember.py`, so that the event loop neither encodes a picture nor waits for its disk.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.contracts.contract import Field, Kind
from headgate.journal.blobs import INLINE_BYTES, BlobStore
from headgate.journal.records import Input

Features = tuple[object, ...]

_ALWAYS: Final = frozenset({Kind.TENSOR, Kind.IMAGE})
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_TEXT: Final = "text/plain; charset=utf-8"
_TENSOR: Final = "application/json"
_UNKNOWN: Final = "application/octet-stream"


class LargeFields:
    """Where, among the fields the journal keeps, values stand that do not belong into a frame."""

    __slots__ = ("_always", "_texts")

    def __init__(self, always: tuple[int, ...], texts: tuple[int, ...]) -> None:
        self._always = always
        self._texts = texts

    def any_in(self, records: Sequence[Input]) -> bool:
        """Whether any of `records` has such a value; cheap enough for the event loop."""
        return any(each.features is not None and self._places(each.features) for each in records)

    def kept(self, records: Sequence[Input], blobs: BlobStore) -> list[Features | None]:
        """The features of `records` with a reference in the place of each large value, which `blobs` has then.

        Raises OSError when one cannot be written.
        """
        return [None if each.features is None else self._put(each.features, blobs) for each in records]

    def _put(self, features: Features, blobs: BlobStore) -> Features:
        found = list(features)
        for place in self._places(features):
            found[place] = blobs.put(*_encoded(features[place]))
        return tuple(found)

    def _places(self, features: Features) -> list[int]:
        places = [place for place in self._always if features[place] is not None]
        return places + [place for place in self._texts if _is_long(features[place])]


def large_fields(kept: Sequence[Field]) -> LargeFields | None:
    """Where `kept`, the fields the journal keeps in its order, may be large; None when none of them may.

    >>> large_fields([Field("age", Kind.NUMBER), Field("note", Kind.TEXT, max_bytes=1000)]) is None
    True
    >>> large_fields([Field("age", Kind.NUMBER), Field("face", Kind.IMAGE)]) is None
    False
    """
    always = tuple(place for place, each in enumerate(kept) if each.kind in _ALWAYS)
    texts = tuple(
        place
        for place, each in enumerate(kept)
        if each.kind is Kind.TEXT and (each.max_bytes is None or each.max_bytes > INLINE_BYTES)
    )
    return LargeFields(always, texts) if always or texts else None


def _is_long(value: object) -> bool:
    # A character has at most four bytes: most texts are told by their length, without being encoded.
    return isinstance(value, str) and len(value) * 4 > INLINE_BYTES and len(value.encode()) > INLINE_BYTES


def _encoded(value: object) -> tuple[bytes, str]:
    """The bytes of a value and their media type: texts as UTF-8, tensors as JSON, pictures as they came."""
    if isinstance(value, bytes):
        return value, _picture_type(value)
    if isinstance(value, str):
        return value.encode(), _TEXT
    return msgspec.json.encode(value), _TENSOR


def _picture_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((name for begin, name in _PICTURES if data.startswith(begin)), _UNKNOWN)
