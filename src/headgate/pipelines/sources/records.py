"""Messages and documents of JSON as rows of texts, which are read as what they mean later, like cells of CSV."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from headgate.pipelines.sources.ports import BROKEN, CHUNK_ROWS


def rows_of(messages: Iterable[bytes]) -> Iterator[pa.Table]:
    """Messages as tables of texts, so many rows at a time.

    What is no JSON object becomes a row whose only value is in ``_text``; it is set aside when rows are checked.

    >>> table, = rows_of([b'{"a": 1, "b": [2]}', b'oops'])
    >>> table.to_pylist()
    [{'a': '1', 'b': '[2]', '_text': None}, {'a': None, 'b': None, '_text': 'oops'}]
    """
    waiting: list[dict[str, str | None]] = []
    for each in messages:
        waiting.append(_row(each))
        if len(waiting) == CHUNK_ROWS:
            yield _table(waiting)
            waiting = []
    if waiting:
        yield _table(waiting)


def records_of(document: object) -> list[bytes] | None:
    """The rows of a JSON document as messages: those of a list, or of the only list within an object; None if none."""
    if isinstance(document, dict):
        lists = [each for each in document.values() if isinstance(each, list)]
        document = lists[0] if len(lists) == 1 else None
    return [json.dumps(each).encode() for each in document] if isinstance(document, list) else None


def _row(message: bytes) -> dict[str, str | None]:
    try:
        found = json.loads(message)
    except ValueError:  # JSON's complaint, and UTF-8's
        found = None
    if not isinstance(found, dict):
        return {BROKEN: message.decode("utf-8", "replace")}
    return {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _table(rows: Sequence[dict[str, str | None]]) -> pa.Table:
    names = list(dict.fromkeys(name for each in rows for name in each))
    names.sort(key=lambda name: name == BROKEN)
    return pa.table([pa.array([each.get(name) for each in rows], pa.string()) for name in names], names=names)
