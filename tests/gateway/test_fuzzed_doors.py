"""Valid requests, damaged: every door answers them with a 2xx or a 4xx in its own form, at once, and goes on answering.

The short form asks the same every time; ``make fuzz`` asks far more, and other things each time.
"""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.conftest import Town, open_town
from tests.gateway.spoken import DOORS, Request
from tests.gateway.test_pictures import AGE, FACE, FORM, PATH, PNG, form, serving
from tests.gateway.test_rpc_calls import INFER, M
from tests.gateway.test_smuggling import statuses

from headgate.contracts.contract import Field, Output
from headgate.gateway.doors.paths import chosen_routes
from headgate.gateway.rpc.door import RpcDoor
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.gateway.server import run_on_uvloop
from headgate.testing.scripted import numbers_contract
from headgate.vocabulary import Task

LONG: Final = settings.get_current_profile_name() == "fuzz"
EXAMPLES: Final = settings.default.max_examples if LONG and settings.default is not None else 60
PATIENCE: Final = 10.0
"""Seconds; a door that takes longer hangs."""
FIELDS: Final = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True)).fields
ROWS: Final = [{"f0": 0.5, "f1": -0.25, "f2": 4.0}, {"f0": -5.0, "f1": 1.5, "f2": 0.0}]
EXPECTED: Final = [0, 0]
LABELS: Final = Request(
    "/v1/endpoints/e/labels",
    json.dumps(
        {
            "labels": [
                {"request_id": "order-4711", "row": 1, "label": 1},
                {"key": "k", "at": "2013-03-01T06:15:00Z", "label": 0, "observed_at": "2013-03-08T00:00:00+01:00"},
            ]
        }
    ).encode(),
)
DECISIONS: Final = Request(
    "/v1/endpoints/e/decisions", b'{"decisions": [{"request_id": "order-4711", "decision": 1, "actor": "desk"}]}'
)
NAMED: Final = {
    f"tensorflow-{name}": Request(f"/v1/models/e{path}:predict", json.dumps({"instances": ROWS}).encode())
    for name, path in {"version": "/versions/1", "label": "/labels/live"}.items()
}
REPOSITORY: Final = {
    "repository-index": Request("/v2/repository/index", b'{"ready": true}'),
    "repository-load": Request("/v2/repository/models/e/load", b'{"parameters": {}}'),
}
ASKED: Final = (
    {each.name: each.ask(ROWS, FIELDS) for each in DOORS}
    | {"labels": LABELS, "decisions": DECISIONS}
    | NAMED
    | REPOSITORY
)
PICTURE: Final = Request(PATH, PNG, ("Content-Type: image/png",))
PART: Final = Request(PATH, form(("face", PNG), ("age", b"41")), (FORM,))


@dataclass(repr=False)
class Gate:
    """A gateway in a thread of its own, and one connection to it that lives as long as it may."""

    town: Town
    line: http.client.HTTPConnection

    def ask(self, request: Request, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the reply; a reply that does not come in time fails the test."""
        try:
            self.line.request("POST", request.path, body, headers)
            reply = self.line.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.line.close()  # ended after the last refusal, while we wrote: the next connection must do
            self.line.request("POST", request.path, body, headers)
            reply = self.line.getresponse()
        said = reply.read()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, said


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with played(tmp_path_factory.mktemp("fuzzed")) as town:
        line = http.client.HTTPConnection("127.0.0.1", town.port, timeout=PATIENCE)
        yield Gate(town, line)
        line.close()


class played:  # noqa: N801 # reads as a verb where it is used
    """A town that is open while the context is, on a loop in a thread."""

    def __init__(self, home: Path, prepare: Callable[[Town], None] = lambda town: town.serve_one()) -> None:
        self._home, self._prepare = home, prepare
        self._open = threading.Event()
        self._thread = threading.Thread(target=lambda: run_on_uvloop(self._main))

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        rpc = ThreadedServer("127.0.0.1", 0, body_limit=1 << 20), RpcDoor
        chosen = chosen_routes(health=None, predict="/vertex/predict")
        async with open_town(
            self._home, self._prepare, rpc=rpc, chosen=chosen, body_limit=1 << 20, may_operate=lambda: True
        ) as town:
            self._town = town
            self._open.set()
            await self._over.wait()

    def __enter__(self) -> Town:
        self._thread.start()
        assert self._open.wait(30)
        return self._town

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)


# --- damage

ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, 0.1, "", "NaN", "\0", "é" * 300, [], {}, [[]], [{}]]
    ),
    st.sampled_from(["FP64", "BYTES", "INT8", "@live", "2", "../x", "%00", "1" * 5000, "\ud800"]),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(st.sampled_from(["a", "data", "shape", "parameters", "b64"]), st.integers(-3, 3), max_size=2),
)
DAMAGE = st.tuples(
    st.sampled_from(["cut", "drop", "repeat", "put", "change", "swap"]),
    st.floats(0, 1),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=9),
)


def damaged(body: bytes, damages: list[tuple[str, float, float, bytes]]) -> bytes:
    """`body` after each of `damages`."""
    for what, start, end, junk in damages:
        first, last = sorted((int(start * len(body)), int(end * len(body))))
        last = min(last, first + 64)
        part = body[first:last]
        match what:
            case "cut":
                body = body[:first]
            case "drop":
                body = body[:first] + body[last:]
            case "repeat":
                body = body[:last] + part + body[last:]
            case "put":
                body = body[:first] + junk + body[first:]
            case "change":
                body = body[:first] + junk + body[first + len(junk) :]
            case "swap":
                body = body[:first] + part[::-1] + body[last:]
    return body


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a JSON document."""
    yield at
    if isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, (*at, name))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from places(value, (*at, place))


def altered(document: Any, at: tuple[Any, ...], change: Callable[[Any, Any], None], value: Any) -> Any:
    """`document` with `change` done to its part `at`."""
    if not at:
        return value
    document = json.loads(json.dumps(document))
    inside = document
    for step in at[:-1]:
        inside = inside[step]
    change(inside, at[-1])
    return document


def put(value: Any) -> Callable[[Any, Any], None]:
    def change(inside: Any, step: Any) -> None:
        inside[step] = value

    return change


def drop(inside: Any, step: Any) -> None:
    del inside[step]


def rename(inside: Any, step: Any) -> None:
    if isinstance(inside, dict):
        inside[f"{step}x"] = inside.pop(step)


@st.composite
def bodies(draw: st.DrawFn, body: bytes) -> bytes:
    """A damaged `body`: in its bytes, or, where it is JSON, in what it means."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if document is not None and draw(st.booleans()):
        value = draw(ODD_VALUES)
        for _ in range(draw(st.integers(1, 2))):
            at = draw(st.sampled_from(list(places(document))))
            document = altered(document, at, draw(st.sampled_from([put(value), drop, rename])), value)
        return json.dumps(document).encode()
    return damaged(body, draw(st.lists(DAMAGE, min_size=1, max_size=4)))


@st.composite
def headers_of(draw: st.DrawFn, request: Request) -> dict[str, str]:
    """The request's headers, now and then with one of them damaged."""
    found = {name: value for name, _, value in (each.partition(": ") for each in request.headers)}
    match draw(st.integers(0, 9)):
        case 0 if "Inference-Header-Content-Length" in found:
            found["Inference-Header-Content-Length"] = draw(
                st.sampled_from(["-1", "0", "9", "1e3", "99999999", "x", ""])
            )
        case 1:
            found["Content-Encoding"] = draw(st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", "identity"]))
        case 2:
            found["Content-Type"] = draw(
                st.sampled_from(["text/csv", "application/json", "x", "", "text/csv; header=x"])
            )
        case 3:
            found["Accept"] = draw(st.sampled_from(["text/csv", "application/jsonlines", "*/*", "x"]))
    return found


TABLES = ("arrow-both-ways", "json-for-arrow")
"""Doors that answer by tables."""


def is_in_form(door: str, said: bytes, headers: dict[str, str]) -> bool:
    """Whether a refusal is told as the door's protocol tells refusals."""
    if headers["content-type"] == "application/vnd.apache.arrow.stream":  # every row was refused for itself
        return door in TABLES and None not in pa.ipc.open_stream(said).read_all()["error_rule"].to_pylist()
    if not headers["content-type"].startswith("application/json"):
        return headers["content-type"].startswith("text/plain") and door.startswith(("mlflow", "csv"))
    document = json.loads(said)
    if door.startswith(("mlflow", "csv")):
        return set(document) == {"error_code", "message"}
    if door in ("native", "labels", "decisions", "arrow", *TABLES):
        if "predictions" in document:
            return all(set(each["error"]) == {"field", "rule", "message"} for each in document["predictions"])
        return set(document["error"]) == {"field", "rule", "message"}
    return list(document) == ["error"] and isinstance(document["error"], str)


@pytest.mark.parametrize("door", ASKED)
def test_a_damaged_request_is_answered_or_refused_and_the_next_is_answered(door: str, gate: Gate) -> None:
    request = ASKED[door]
    well = {name: value for name, _, value in (each.partition(": ") for each in request.headers)}
    predictions = {each.name: each.predictions for each in DOORS}.get(door)

    @settings(max_examples=EXAMPLES, derandomize=not LONG, database=None, suppress_health_check=list(HealthCheck))
    @given(bodies(request.body), headers_of(request))
    def asked(body: bytes, headers: dict[str, str]) -> None:
        status, said_of, said = gate.ask(request, body, headers)
        assert 200 <= status < 300 or 400 <= status < 500 or status == 501, said
        if status >= 400:
            assert is_in_form(door, said, said_of), (status, said)
        status, _, said = gate.ask(request, request.body, well)
        assert status == 200, said
        if predictions is not None:
            assert predictions(said) == EXPECTED
        elif door in ("labels", "decisions"):
            assert json.loads(said)["accepted"] >= 1
        elif door in NAMED:
            assert len(json.loads(said)["predictions"]) == len(ROWS)

    asked()


@pytest.mark.parametrize(("request_", "fields"), [(PICTURE, [FACE]), (PART, [FACE, AGE])], ids=["whole", "form"])
def test_a_damaged_picture_is_answered_or_refused_and_the_next_is_answered(
    tmp_path: Path, request_: Request, fields: list[Field]
) -> None:
    with played(tmp_path, serving(*fields)) as town:
        line = http.client.HTTPConnection("127.0.0.1", town.port, timeout=PATIENCE)
        gate = Gate(town, line)
        well = {name: value for name, _, value in (each.partition(": ") for each in request_.headers)}

        @settings(max_examples=EXAMPLES, derandomize=not LONG, database=None, suppress_health_check=list(HealthCheck))
        @given(bodies(request_.body), headers_of(request_))
        def asked(body: bytes, headers: dict[str, str]) -> None:
            status, said_of, said = gate.ask(request_, body, headers)
            assert status == 200 or 400 <= status < 500, said
            if status >= 400:
                assert is_in_form("native", said, said_of), (status, said)
            status, _, said = gate.ask(request_, request_.body, well)
            assert (status, json.loads(said)["predictions"][0]["prediction"]) == (200, len(PNG))

        asked()
        line.close()


def test_a_damaged_message_is_answered_or_refused_over_grpc(gate: Gate) -> None:
    rows = np.array([list(each.values()) for each in ROWS], np.float32)
    inputs = [{"name": "x", "datatype": "FP32", "shape": [2, 3]}]
    by_type = [inputs[0] | {"contents": {"fp32_contents": rows.reshape(-1).tolist()}}]
    packed = M["ModelInferRequest"](model_name="e", inputs=inputs, raw_input_contents=[rows.tobytes()])
    messages = [packed, M["ModelInferRequest"](model_name="e", id="a", inputs=by_type, outputs=[{"name": "scores"}])]
    fine = {"INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "OK"}
    assert gate.town.gateway is not None
    with grpc.insecure_channel(f"127.0.0.1:{gate.town.gateway.grpc_port}") as channel:
        call = channel.unary_unary(INFER)

        @settings(max_examples=EXAMPLES, derandomize=not LONG, database=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(messages), st.lists(DAMAGE, min_size=1, max_size=4))
        def asked(message: Any, damages: list[tuple[str, float, float, bytes]]) -> None:
            asking = call.future(damaged(message.SerializeToString(), damages), timeout=PATIENCE)
            assert asking.code().name in fine, asking.details()
            said = M["ModelInferResponse"].FromString(call(packed.SerializeToString(), timeout=PATIENCE))
            assert np.frombuffer(said.raw_output_contents[0], np.int64).tolist() == EXPECTED

        asked()


@settings(
    max_examples=EXAMPLES * 2,
    report_multiple_bugs=False,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(sorted(ASKED)), st.lists(DAMAGE, min_size=1, max_size=3))
def test_damaged_bytes_on_the_wire_get_one_answer_or_none(
    gate: Gate, door: str, damages: list[tuple[str, float, float, bytes]]
) -> None:
    """Head and all: refused, answered, or left without an answer where the head itself never ends."""
    request = ASKED[door]
    head = "\r\n".join([f"POST {request.path} HTTP/1.1", "Host: t", *request.headers])
    raw = f"{head}\r\nContent-Length: {len(request.body)}\r\n\r\n".encode() + request.body

    async def scene() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.town.port)
        writer.write(damaged(raw, damages))
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            said = await reader.read()
        writer.close()
        return said

    found = statuses(asyncio.run(scene()))
    assert all(each == 200 or 400 <= each < 500 or each == 501 for each in found), found
    assert found.count(200) <= 1, "one request is answered once; what is behind it is refused"
    assert gate.ask(request, request.body, dict(each.split(": ", 1) for each in request.headers))[0] == 200
