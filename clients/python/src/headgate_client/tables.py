"""Tables sent and answered as Arrow. `calls.py` loads this file with the first table, because it needs pyarrow."""

import json
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.ipc

from headgate_client.calls import Reply, problem_of
from headgate_client.errors import BadInput, BadReply

STREAM: Final = "application/vnd.apache.arrow.stream"
HEADERS: Final = (("Content-Type", STREAM), ("Accept", STREAM))
_METADATA: Final = b"headgate"


def table_of(given: Any) -> Any:
    """`given` as an Arrow table: one, a record batch, or anything that speaks Arrow's stream interface, as frames do.

    Raises BadInput.
    """
    if isinstance(given, pa.Table):
        return given
    try:
        return pa.Table.from_batches([given]) if isinstance(given, pa.RecordBatch) else pa.table(given)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadInput("must be a table: Arrow's, or a frame that becomes one", field="table", rule="type") from error


def writer_of(table: Any, rest: dict[str, Any], longest: float) -> Callable[[float], bytes]:
    """What writes `table` for so many seconds of patience, with `rest` beside its rows."""

    def body(patience: float) -> bytes:
        said = {**rest, "deadline_ms": max(1, int(min(patience, longest) * 1000))}
        named = table.replace_schema_metadata({**(table.schema.metadata or {}), _METADATA: json.dumps(said).encode()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, named.schema) as writer:
            writer.write_table(named)
        found: bytes = sink.getvalue().to_pybytes()
        return found

    return body


def reader_of(rows: int) -> Callable[[Reply], Any]:
    """What reads the answers of `rows` rows."""

    def read(reply: Reply) -> Any:
        if reply.headers.get("content-type", "") != STREAM:
            raise problem_of(reply)
        try:
            answers = pa.ipc.open_stream(reply.body).read_all()
            answers.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise BadReply("the reply is no Arrow stream", status=reply.status) from error
        if answers.num_rows != rows:
            raise BadReply("the reply has another number of rows", status=reply.status)
        return answers

    return read
