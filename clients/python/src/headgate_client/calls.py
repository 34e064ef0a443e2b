"""What each call sends and how its reply is read, without a word about transport; both clients are thin over it.

A `Call` says what to send, `parse` turns a reply into a typed result or raises the error it stands for.
"""

import importlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from headgate_client.errors import (
    BadInput,
    BadReply,
    DeadlineExceeded,
    HeadgateError,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from headgate_client.values import (
    ById,
    ByKey,
    ByRequest,
    Decision,
    Endpoint,
    Label,
    LeftToPeople,
    Prediction,
    Predictions,
    Row,
    RowRefused,
)

T = TypeVar("T")
V = TypeVar("V")
_ROWS: Final = "must be a list of rows, each a mapping; of a frame: frame.to_dict('records')"
DEFAULT_PROJECT: Final = "default"
LONGEST_DEADLINE: Final = 600.0
"""Seconds the server takes as a deadline at most."""
PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may be answered."""
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def reply_of(status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Reply:
    """A reply as the wire had it."""
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    return Reply(status, named, body)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, however often it is sent."""

    method: str
    path: str
    read: Callable[[Reply], T]
    body: Callable[[float], bytes] | None = None
    """The body for so many seconds of patience; None for a request without one."""
    headers: tuple[tuple[str, str], ...] = ()
    """In the place of those every request has."""


def predict(
    project: str,
    endpoint: str,
    rows: Sequence[Row],
    *,
    keys: Sequence[str] | None = None,
    at: Sequence[datetime] | None = None,
    request_id: str | None = None,
) -> Call[Predictions]:
    """Ask for predictions. The id is drawn here, once: every attempt bears it and the server counts it once."""
    if hasattr(rows, "columns"):  # a frame's list would be its columns' names
        raise BadInput(_ROWS, field="rows", rule="type")
    name = request_id if request_id is not None else uuid.uuid4().hex
    document: dict[str, Any] = {"id": name, "rows": _listed(rows, "rows", _ROWS)}
    if keys is not None:
        document["keys"] = _listed(keys, "keys", "must be a list with one text per row")
    if at is not None:
        document["at"] = _listed(at, "at", "must be a list with one moment per row")
    start = encoded(document)[:-1]

    def body(patience: float) -> bytes:
        return b'%b,"deadline_ms":%d}' % (start, max(1, int(min(patience, LONGEST_DEADLINE) * 1000)))

    def read(reply: Reply) -> Predictions:
        found = _object(reply)
        entries = found.get("predictions")
        if not isinstance(entries, list) or len(entries) != len(document["rows"]):
            raise problem_of(reply)
        return Predictions(name, tuple(_row(each, reply) for each in entries), found.get("journalled", True) is True)

    return Call("POST", f"{_of(project, endpoint)}/predict", read, body)


def predict_table(
    project: str, endpoint: str, given: Any, *, keys: Sequence[str] | None = None, request_id: str | None = None
) -> Call[Any]:
    """The same for a table, answered by one. Raises BadInput for what is no table, or where pyarrow is missing."""
    try:
        tables = importlib.import_module("headgate_client.tables")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pyarrow":
            raise
        said = "needs pyarrow: pip install 'headgate-client[arrow]'"
        raise BadInput(said, field="table", rule="extra") from error
    table = tables.table_of(given)
    rest: dict[str, Any] = {"id": request_id if request_id is not None else uuid.uuid4().hex}
    if keys is not None:
        rest["keys"] = list(keys)
    body = tables.writer_of(table, rest, LONGEST_DEADLINE)
    return Call("POST", f"{_of(project, endpoint)}/predict", tables.reader_of(table.num_rows), body, tables.HEADERS)


def label(project: str, endpoint: str, labels: Iterable[Label]) -> Call[int]:
    """Tell what turned out to be true; the result is how many labels were accepted.

    When it became known is written here, once, where a label does not say: a later attempt may arrive behind a
    correction, and the one observed last wins.
    """
    now = datetime.now(UTC)
    entries = [
        {**_reference(each.of, place, "labels"), "label": each.value, "observed_at": _moment(each.observed_at, now)}
        for place, each in enumerate(_all_of(Label, labels, "labels"))
    ]
    return _telling(f"{_of(project, endpoint)}/labels", "labels", entries)


def decide(project: str, endpoint: str, decisions: Iterable[Decision]) -> Call[int]:
    """Tell what people chose; the result is how many decisions were accepted. When is written as for labels."""
    now = datetime.now(UTC)
    entries = [
        {
            **_reference(each.of, place, "decisions"),
            "decision": each.value,
            **({} if each.actor is None else {"actor": each.actor}),
            "observed_at": _moment(each.observed_at, now),
        }
        for place, each in enumerate(_all_of(Decision, decisions, "decisions"))
    ]
    return _telling(f"{_of(project, endpoint)}/decisions", "decisions", entries)


def endpoint_of(project: str, endpoint: str) -> Call[Endpoint]:
    """Ask what an endpoint says of itself."""

    def read(reply: Reply) -> Endpoint:
        document = _object(reply)
        if reply.status != 200:
            raise problem_of(reply)
        try:
            about, schema = document["x-headgate-endpoint"], document["components"]["schemas"]["Row"]
            return Endpoint(
                about["endpoint"],
                about["project"],
                about["live"],
                tuple(about["versions"]),
                about["task"],
                tuple(about["classes"]),
                schema,
            )
        except (KeyError, TypeError) as error:
            raise BadReply("the reply describes no endpoint", status=reply.status) from error

    return Call("GET", f"{_of(project, endpoint)}/openapi.json", read)


def health(path: str) -> Call[bool]:
    """Ask ``/livez`` or ``/readyz``."""
    return Call("GET", path, lambda reply: reply.status == 200)


def problem_of(reply: Reply) -> HeadgateError:
    """The error a reply stands for.

    >>> body = b'{"error": {"field": "rows", "rule": "size", "message": "must have one row at least"}}'
    >>> error = problem_of(Reply(422, {}, body))
    >>> type(error).__name__, error.field, error.rule, error.status
    ('BadInput', 'rows', 'size', 422)
    """
    said = _said(reply)
    kind = _kind(reply.status)
    message = said.get("message") or f"the server answered {reply.status} without a word Headgate would use"
    return kind(
        str(message),
        field=str(said.get("field") or "request"),
        rule=str(said.get("rule") or ""),
        status=reply.status,
        retry_after=retry_after(reply, datetime.now(UTC)),
    )


def retry_after(reply: Reply, now: datetime) -> float | None:
    """Seconds the ``Retry-After`` header asks for, given as seconds or as a date (RFC 9110, section 10.2.3).

    >>> retry_after(Reply(503, {"retry-after": "3"}, b""), datetime(2026, 1, 1, tzinfo=UTC))
    3.0
    """
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def encoded(document: object) -> bytes:
    """`document` as JSON. Raises BadInput for what JSON does not have."""
    try:
        return json.dumps(document, allow_nan=False, default=_plain, separators=(",", ":")).encode()
    except ValueError as error:  # NaN and Infinity; a list that holds itself
        message = "a value is NaN or infinite; send None for a missing value"
        raise BadInput(message, field="body", rule="finite") from error
    except (TypeError, RecursionError) as error:  # names that are no text, lists in lists without end
        raise BadInput(f"JSON cannot hold it: {error}", field="body", rule="type") from error


def _telling(path: str, listed: str, entries: list[dict[str, Any]]) -> Call[int]:
    payload = encoded({listed: entries})

    def read(reply: Reply) -> int:
        accepted = _object(reply).get("accepted")
        if reply.status != 200 or not isinstance(accepted, int):
            raise problem_of(reply)
        return accepted

    return Call("POST", path, read, lambda _: payload)


def _of(project: str, endpoint: str) -> str:
    for field, name in (("project", project), ("endpoint", endpoint)):
        # Half a character has no bytes to send.
        if not isinstance(name, str) or not name or not name.isprintable():
            raise BadInput("must be a name", field=field, rule="name")
    where = "" if project == DEFAULT_PROJECT else f"/projects/{quote(project, safe='')}"
    return f"/v1{where}/endpoints/{quote(endpoint, safe='')}"


def _listed(values: Any, field: str, says: str) -> list[Any]:
    """`values` as a list. Raises BadInput for one value where several are meant: a text would be its characters."""
    if not isinstance(values, Mapping | str | bytes):
        try:
            return list(values)
        except TypeError:  # nothing one can go through; said below
            pass
    raise BadInput(says, field=field, rule="type")


def _all_of(kind: type[V], values: Any, field: str) -> list[V]:
    """`values` as a list of `kind`. Raises BadInput for anything else."""
    found = _listed(values, field, f"must be a list of {kind.__name__}")
    for place, each in enumerate(found):
        if not isinstance(each, kind):
            raise BadInput(f"must be a {kind.__name__}", field=f"{field}[{place}]", rule="type")
    return found


def _reference(of: object, place: int, field: str) -> dict[str, Any]:
    match of:
        case ById(name) | Prediction(id=name) | LeftToPeople(id=name):
            return {"id": name}
        case ByRequest(request_id, row):
            return {"request_id": request_id, "row": row}
        case ByKey(key, at):
            return {"key": key, "at": at}
    says = (
        "must say of which row it is: ById, ByRequest, ByKey or the Prediction; a refused row has nothing to say it of"
    )
    raise BadInput(says, field=f"{field}[{place}].of", rule="type")


def _moment(observed_at: datetime | None, now: datetime) -> datetime:
    return now if observed_at is None or str(observed_at) == "NaT" else observed_at  # pandas' missing time


def _row(entry: Any, reply: Reply) -> Prediction | LeftToPeople | RowRefused:
    try:
        if "error" in entry:
            error = entry["error"]
            return RowRefused(error["field"], error["rule"], error["message"])
        scores = entry.get("scores")
        told = None if scores is None else tuple(scores)
        if "decides" in entry:
            return LeftToPeople(entry["id"], entry.get("suggestion"), told)
        return Prediction(entry["id"], entry["version"], entry["prediction"], told)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadReply("a row of the reply is neither an answer nor a refusal", status=reply.status) from error


def _object(reply: Reply) -> dict[str, Any]:
    """The JSON object in `reply`; the error it stands for when there is none."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):  # no JSON, or lists in lists without end; said below
        document = None
    if isinstance(document, dict):
        return document
    if reply.status == 200:
        raise BadReply("the reply is no JSON object; does the address belong to a Headgate gateway?", status=200)
    raise problem_of(reply)


def _said(reply: Reply) -> dict[str, Any]:
    """What the reply's error says: the native door's object, or another's text."""
    try:
        error = json.loads(reply.body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if isinstance(error, dict):
        return error
    return {"message": str(error)[:_SHOWN]}


def _kind(status: int) -> type[HeadgateError]:
    match status:
        case 401 | 403:
            return NotAllowed
        case 404:
            return NotFound
        case 504:
            return DeadlineExceeded
        case 429 | 502 | 503:
            return Unavailable
        case 400 | 413 | 422:
            return BadInput
    return Refused if 400 <= status < 500 else BadReply


def _plain(value: Any) -> object:
    """What pandas, NumPy and datetime values are in JSON; those libraries need not be installed.

    >>> json.dumps(datetime(2024, 1, 31, tzinfo=UTC), default=_plain)
    '"2024-01-31T00:00:00+00:00"'
    """
    if hasattr(value, "isoformat"):
        said = value.isoformat()
        return None if said == "NaT" else said  # what pandas has for a time that is missing
    if hasattr(value, "tolist"):
        # NumPy makes bare integers of times in nanoseconds.
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        return (value.astype(f"{kind}8[us]") if kind in ("M", "m") else value).tolist()
    message = f"a value is a {type(value).__name__}, which JSON does not have; send a number, text, true or None"
    raise BadInput(message, field="body", rule="type")
