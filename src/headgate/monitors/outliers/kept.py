"""A detector as bytes that are kept: with the number of its format and its digest, so that it is whole or refused.

Needs NumPy and msgspec alone, so that a gateway can read what a controller fitted.
"""

import hashlib
from typing import Final

import msgspec

from headgate.errors import IntegrityError, NewerSchema
from headgate.monitors.outliers.screen import Detector
from headgate.vocabulary import readable

FORMAT: Final = 1


@readable
class _Form(msgspec.Struct, frozen=True):
    format: int


@readable
class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    digest: str
    """Of the detector's bytes, SHA-256 in hexadecimal digits."""
    detector: msgspec.Raw


def packed(detector: Detector) -> bytes:
    """The detector as JSON that `unpacked` reads."""
    body = msgspec.json.encode(detector)
    return msgspec.json.encode(_Kept(FORMAT, hashlib.sha256(body).hexdigest(), msgspec.Raw(body)))


def unpacked(data: bytes) -> Detector:
    """The detector that was packed. Raises NewerSchema for one of a newer Headgate, IntegrityError for changed bytes.

    >>> from headgate.monitors.outliers.screen import Threshold
    >>> from headgate.monitors.outliers.shapes import EmbeddingShape
    >>> made = Detector(shape=EmbeddingShape(centres=((0.0, 0.0),), radii=(1.0,)), flag=Threshold(0.01, 3.0, 1000))
    >>> unpacked(packed(made)) == made
    True
    """
    try:
        if msgspec.json.decode(data, type=_Form).format > FORMAT:
            raise NewerSchema("the detector was fitted by a newer Headgate; install that version or newer")
        kept = msgspec.json.decode(data, type=_Kept)
        if hashlib.sha256(kept.detector).hexdigest() != kept.digest:
            raise IntegrityError("the detector's bytes are not those that were fitted; apply the endpoint again")
        return msgspec.json.decode(kept.detector, type=Detector)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IntegrityError("the file holds no detector; remove it and apply the endpoint again") from error
