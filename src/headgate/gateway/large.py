"""Large values: which fields may hold them, what is kept of them, and what a record has in their place.

On the request path `view.py` asks once per version whether its contract has such fields; a version without any pays
nothing. The rest is called in threads by `remember.py`, so that the event loop neither encodes a picture nor waits for
its disk.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.contracts.contract import Field, Kind
from headgate.journal.blobs import INLINE_BYTES, BlobRef, BlobStore
from headgate.journal.records import Input

Features = tuple[object, ...]

_ALWAYS: Final = frozenset({Kind.TENSOR, Kind.IMAGE})
_CELL: Final = '["blob",'
"""How a reference begins in the lake, where it is JSON text."""
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_WEBP: Final = "image/webp"
_TEXT: Final = "text/plain; charset=utf-8"
_TENSOR: Final = "application/json"
UNKNOWN: Final = "application/octet-stream"
MEDIA_TYPES: Final = frozenset({*(name for _, name in _PICTURES), _WEBP, _TEXT, _TENSOR, UNKNOWN})
"""Every type that a large value may have; none of them is a program to a browser."""


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
    texts = tuple(place for place, each in enumerate(kept) if _may_be_long(each))
    return LargeFields(always, texts) if always or texts else None


def reference_in(field: Field, value: object) -> BlobRef | None:
    """The reference that the lake has in the place of a large value of `field`; None where it has the value itself.

    Where texts may be long, a caller's own may look like one: `is_long_text` tells them apart.

    >>> cell = '["blob","sha256:00",9,"image/png"]'
    >>> reference_in(Field("face", Kind.IMAGE), cell)
    BlobRef(digest='sha256:00', size=9, media_type='image/png')
    >>> reference_in(Field("note", Kind.TEXT, max_bytes=1000), cell) is None
    True
    """
    if not (field.kind in _ALWAYS or _may_be_long(field)):
        return None
    if not isinstance(value, str) or not value.startswith(_CELL):
        return None
    try:
        return msgspec.json.decode(value, type=BlobRef)
    except (msgspec.DecodeError, RecursionError):  # a text that only begins like one
        return None


def is_long_text(reference: BlobRef, data: bytes) -> bool:
    """Whether `reference` is what a gateway writes in the place of the text in `data`."""
    return len(data) == reference.size > INLINE_BYTES and reference.media_type == _TEXT


def _may_be_long(field: Field) -> bool:
    return field.kind is Kind.TEXT and (field.max_bytes is None or field.max_bytes > INLINE_BYTES)


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
        return _WEBP
    return next((name for begin, name in _PICTURES if data.startswith(begin)), UNKNOWN)
