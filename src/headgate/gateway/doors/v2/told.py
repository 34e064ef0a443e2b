"""An answer as tensors and what stands beside them, once for JSON, binary and protobuf."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from headgate.errors import RuntimeFailed
from headgate.gateway.ask import Ask, Spoken
from headgate.gateway.doors.native import spoke
from headgate.gateway.doors.v2.about import outputs_of
from headgate.gateway.doors.v2.asked import Wanted
from headgate.gateway.doors.v2.binary import DTYPES, packed
from headgate.journal.identifiers import format_id
from headgate.runtimes.ports import Array


class Told(msgspec.Struct):
    """One output, its elements flat and row-major."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | Array | bytes
    """As bytes where it is wanted binary and was packed before."""
    binary: bool
    """As it was wanted."""

    def listed(self) -> list[Any]:
        """The elements as Python has them."""
        return self.data.tolist() if isinstance(self.data, np.ndarray) else list(self.data)

    def packed(self) -> bytes:
        """The elements as the bytes of a tensor."""
        return self.data if isinstance(self.data, bytes) else packed(self.data, self.datatype)


def outputs(ask: Ask, wanted: Sequence[Wanted]) -> list[Told]:
    """The outputs asked for, in the order asked, of a request whose rows are all answered."""
    return [Told(each.name, each.datatype, *_elements(ask, each), each.binary) for each in wanted]


def packed_outputs(ask: Ask, wanted: Sequence[Wanted]) -> list[bytes] | None:
    """The same as the bytes of tensors, where all are wanted so and were told of all rows at once; else None."""
    if not ask.whole or len(ask.spoken) != 1:
        return None
    (one,) = ask.spoken
    found = []
    for each in wanted:
        dtype = DTYPES.get(each.datatype)
        if dtype is None or not each.binary:
            return None
        found.append(one.packed(scores=each.name != "prediction", dtype=dtype))
    return found


def model_version(ask: Ask) -> str:
    """The versions that answered, separated by commas."""
    return ",".join(spoke(ask))


def parameters(ask: Ask) -> dict[str, str | bool]:
    """What a reply says of itself: the ids by which its rows are labelled later."""
    if ask.whole:
        ids = ",".join([each.names for each in ask.spoken])
    else:
        ids = ",".join([format_id(each.input_id) for each in ask.answers()])
    said: dict[str, str | bool] = {"headgate_request_id": ask.request_id, "headgate_ids": ids}
    if not ask.journalled:
        said["journalled"] = False
    return said


def _elements(ask: Ask, wanted: Wanted) -> tuple[list[int], list[Any] | Array | bytes]:
    """Shape and elements of one output, flat and row-major. Raises RuntimeFailed when its rows differ in shape."""
    name = wanted.name
    if not ask.outcomes:
        wide = {each["name"]: each["shape"] for each in outputs_of(ask.pinned or ask.view.live)}[name]
        return [0, *[max(0, each) for each in wide[1:]]], []
    if ask.arrays is not None:
        arrays = ask.arrays
        parts = [arrays[row][name] for row in range(len(ask.outcomes))]
        if len({each.shape for each in parts}) > 1:
            raise RuntimeFailed("the answers to these rows differ in shape, so no tensor holds them; ask row by row")
        array = np.stack(parts)
        return list(array.shape), array.reshape(-1)
    if ask.whole:
        return _spoken(ask.spoken, wanted)
    answers = ask.answers()
    if name == "prediction":
        return [len(answers)], [each.prediction for each in answers]
    rows = [each.scores or [] for each in answers]
    return [len(rows), len(rows[0])], [score for row in rows for score in row]


def _spoken(spoken: Sequence[Spoken], wanted: Wanted) -> tuple[list[int], Array | bytes]:
    scores = wanted.name != "prediction"
    if wanted.binary and len(spoken) == 1 and (dtype := DTYPES.get(wanted.datatype)) is not None:
        (one,) = spoken
        across = one.speech.scores.shape[1:] if scores and one.speech.scores is not None else ()
        return [one.rows, *across], one.packed(scores=scores, dtype=dtype)
    parts = [each.scores if scores else each.prediction for each in spoken]
    array = np.concatenate([each for each in parts if each is not None])
    return list(array.shape), array.reshape(-1)
