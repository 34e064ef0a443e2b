"""The answers of a request as an Arrow table, a row each, in the words of the native JSON reply."""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.errors import RuntimeFailed
from headgate.gateway.ask import Ask
from headgate.gateway.doors.errors import error_body
from headgate.gateway.doors.native import spoke
from headgate.gateway.stretch import Stretch
from headgate.journal.identifiers import format_id
from headgate.journal.records import Answer

METADATA: Final = b"headgate"
"""The key of a schema's metadata under which stands what a JSON body has beside its rows."""
_REFUSAL: Final = ("error_field", "error_rule", "error_message")
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_DASHES: Final = (8, 13, 18, 23)
_ID_LETTERS: Final = 36


def told(ask: Ask) -> pa.Table:
    """One row per row asked, in order.

    Columns: ``id``, ``version``, ``prediction``, ``scores`` where the model gives them, ``flags``, and of a refused row
    ``error_field``, ``error_rule`` and ``error_message`` with nulls in the others. A tensor model's ``prediction`` is a
    struct of its outputs. The schema's metadata says under ``headgate`` which request and versions these are.
    """
    stretches = sorted(ask.stretches, key=lambda each: each.start)
    if sum(map(len, stretches)) == len(ask.outcomes):
        names, arrays = _of_stretches(ask, stretches)
    else:
        ask.settle()
        names, arrays = _of_outcomes(ask)
    said = {"request_id": ask.request_id, "versions": spoke(ask), "journalled": ask.journalled}
    return pa.table(arrays, names=names).replace_schema_metadata({METADATA: msgspec.json.encode(said)})


def _of_stretches(ask: Ask, stretches: list[Stretch]) -> tuple[list[str], list[Any]]:
    size = len(ask.outcomes)
    nothing = pa.nulls(size, pa.string())
    names = ["id", "version", "prediction"]
    arrays = [
        _ids(b"".join(each.ids for each in stretches)),
        pa.array([stretches[0].seat.version], pa.string()).take(pa.array(np.zeros(size, np.int8))),
        pa.array(np.concatenate([each.answers for each in stretches if each.answers is not None])),
    ]
    if stretches[0].scores is not None:
        names.append("scores")
        arrays.append(_lists(np.concatenate([each.scores for each in stretches if each.scores is not None])))
    return [*names, "flags", *_REFUSAL], [*arrays, _flags(ask), nothing, nothing, nothing]


def _of_outcomes(ask: Ask) -> tuple[list[str], list[Any]]:
    answers = [each if isinstance(each, Answer) else None for each in ask.outcomes]
    # A settled request has no None among its outcomes; one would be a row nobody answered.
    problems = [
        None if isinstance(each, Answer) else error_body(each or RuntimeFailed("the row was not answered"))
        for each in ask.outcomes
    ]
    names = ["id", "version", "prediction"]
    arrays = [
        pa.array([None if each is None else format_id(each.input_id) for each in answers], pa.string()),
        pa.array([None if each is None else each.answered for each in answers], pa.string()),
        pa.array(_predictions(ask, answers)),
    ]
    if ask.arrays is None and any(each is not None and each.scores is not None for each in answers):
        names.append("scores")
        arrays.append(pa.array([None if each is None else each.scores for each in answers], pa.list_(pa.float64())))
    refusals = [
        pa.array([None if each is None else getattr(each, name) for each in problems], pa.string())
        for name in ("field", "rule", "message")
    ]
    return [*names, "flags", *_REFUSAL], [*arrays, _flags(ask), *refusals]


def _predictions(ask: Ask, answers: list[Answer | None]) -> list[Any]:
    if ask.arrays is None:
        return [None if each is None else each.prediction for each in answers]
    return [
        None if each is None else {name: array.tolist() for name, array in ask.arrays[place].items()}
        for place, each in enumerate(answers)
    ]


def _flags(ask: Ask) -> Any:
    kind = pa.list_(pa.string())
    if ask.reading.flags is None:
        size = len(ask.outcomes)
        return pa.ListArray.from_arrays(pa.array(np.zeros(size + 1, np.int32)), pa.array([], pa.string()))
    return pa.array(ask.reading.flags, kind)


def _ids(ids: bytes) -> Any:
    """The texts of identifiers of 16 bytes each."""
    raw = np.frombuffer(ids, np.uint8).reshape(-1, 16)
    digits = np.empty((len(raw), 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _HEX[raw >> 4], _HEX[raw & 15]
    text = np.full((len(raw), _ID_LETTERS), ord("-"), np.uint8)
    text[:, [place for place in range(_ID_LETTERS) if place not in _DASHES]] = digits
    offsets = np.arange(0, (len(raw) + 1) * _ID_LETTERS, _ID_LETTERS, dtype=np.int32)
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(text))


def _lists(scores: npt.NDArray[np.float64]) -> Any:
    offsets = pa.array(np.arange(0, scores.size + 1, scores.shape[1], dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(scores.reshape(-1)))
