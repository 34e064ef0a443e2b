"""The answers of a request as an Arrow table, a row each, in the words of the native JSON reply."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headgate.errors import RuntimeFailed
from headgate.gateway.ask import Ask, Spoken
from headgate.gateway.doors.errors import error_body
from headgate.gateway.doors.native import spoke
from headgate.journal.identifiers import ID_LETTERS, format_id, id_letters
from headgate.journal.records import Answer

METADATA: Final = b"headgate"
"""The key of a schema's metadata under which stands what a JSON body has beside its rows."""
_REFUSAL: Final = ("error_field", "error_rule", "error_message")


def told(ask: Ask) -> pa.Table:
    """One row per row asked, in order.

    Columns: ``id``, ``version``, ``prediction``, ``scores`` where the model gives them, ``flags``, and of a refused row
    ``error_field``, ``error_rule`` and ``error_message`` with nulls in the others. A tensor model's ``prediction`` is a
    struct of its outputs. The schema's metadata says under ``headgate`` which request and versions these are.
    """
    if ask.whole:
        names, arrays = _of_columns(ask, ask.spoken)
    else:
        ask.settle()
        names, arrays = _of_outcomes(ask)
    said = {"request_id": ask.request_id, "versions": spoke(ask), "journalled": ask.journalled}
    return pa.table(arrays, names=names).replace_schema_metadata({METADATA: msgspec.json.encode(said)})


def _of_columns(ask: Ask, spoken: Sequence[Spoken]) -> tuple[list[str], list[Any]]:
    size = len(ask.outcomes)
    nothing = pa.nulls(size, pa.string())
    names = ["id", "version", "prediction"]
    arrays = [
        _ids(b"".join(each.ids for each in spoken)),
        _repeated(spoken[0].seat.version, size),
        pa.array(np.concatenate([each.prediction for each in spoken])),
    ]
    if spoken[0].scores is not None:
        names.append("scores")
        arrays.append(_lists(np.concatenate([each.scores for each in spoken if each.scores is not None])))
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
    text = id_letters(ids)
    return _texts(len(text), ID_LETTERS, text)


def _repeated(word: str, size: int) -> Any:
    """One text of every row; to look it up for each would take longer."""
    letters = word.encode()
    return _texts(size, len(letters), letters * size)


def _texts(size: int, length: int, letters: Any) -> Any:
    """`size` texts of `length` bytes each, one behind the other."""
    offsets = np.arange(0, size * length + 1, length, dtype=np.int32)
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(letters))


def _lists(scores: npt.NDArray[np.float64]) -> Any:
    offsets = pa.array(np.arange(0, scores.size + 1, scores.shape[1], dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(scores.reshape(-1)))
