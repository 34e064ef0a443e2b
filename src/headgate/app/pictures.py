"""Pictures an endpoint was sent, measured as somebody decodes them; `monitoring` asks for a window and a reference.

Headgate decodes no pictures by itself: whoever asks brings the library that the model was made with.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.errors import BadInput, IntegrityError, NotFound
from headgate.gateway.large import reference_in
from headgate.journal.blobs import BlobStore
from headgate.journal.tables import FEATURES
from headgate.monitors.quality.likeness import LookAlikes, look_alikes
from headgate.monitors.quality.picture_ranges import PicturesSeen, picture_ranges, pictures_seen
from headgate.monitors.quality.pictures import Picture, picture
from headgate.monitors.standing import Shortfall, broken

Decode = Callable[[bytes], NDArray[Any]]
"""The bytes of a picture as shades: (height, width) or (height, width, channels)."""
Measured = Picture | Shortfall


@dataclass(frozen=True, slots=True)
class PicturesCompared:
    """The pictures of a window."""

    seen: PicturesSeen | Shortfall
    """Beside the ranges of the reference's pictures: light, sharpness and size."""
    alike: LookAlikes
    """Those that are all but the same as an earlier one."""


def picture_field(contract: Contract, name: str) -> Field:
    """The field of that name, whose values are pictures anybody may look at. Raises BadInput where it is none."""
    found = next((each for each in contract.fields if each.name == name), None)
    if found is None or found.kind is not Kind.IMAGE:
        raise BadInput("field", "type", f"'{name}' is no field of pictures")
    if found.sensitivity is not Sensitivity.PUBLIC:
        raise BadInput("field", "sensitivity", f"'{name}' is not public, and its pictures are not looked at here")
    return found


def compared_pictures(reference: Iterable[Measured], window: Iterable[Measured]) -> PicturesCompared:
    """The pictures of a window beside those of a reference."""
    ranges, given = picture_ranges(reference), list(window)
    seen = ranges if isinstance(ranges, Shortfall) else pictures_seen(ranges, given)
    return PicturesCompared(seen, look_alikes([each.fingerprint for each in given if isinstance(each, Picture)]))


def measured_pictures(features: pa.Table, field: Field, blobs: BlobStore, decode: Decode) -> Iterator[Measured]:
    """Every picture among the features that the journal has, in order; what is none with its reason."""
    struct = features[FEATURES].combine_chunks()
    if struct.type.get_field_index(field.name) < 0:
        return
    for value in pc.struct_field(struct, field.name).drop_null().to_pylist():
        yield _measured(reference_in(field, value), blobs, decode)


def _measured(reference: Any, blobs: BlobStore, decode: Decode) -> Measured:
    if reference is None:
        return broken("the journal does not say where it is kept")
    try:
        data = blobs.get(reference.digest)
    except (NotFound, IntegrityError):
        return broken("it is not kept any more, or was changed")
    try:
        return picture(decode(data))
    except Exception as error:  # what somebody else's decoder makes of somebody else's bytes
        return broken(f"it cannot be decoded: {type(error).__name__}")
