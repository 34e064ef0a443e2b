"""Bad input at the door of a running installation: named by field and rule, remembered, and nobody else's trouble."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.testing.installation import Installation
from headgate.vocabulary import Task

GOOD: dict[str, Any] = {"distance": 200.0, "hour": 5, "origin": "JFK"}
PREDICT = "/v1/endpoints/late/predict"
LABELS = "/v1/endpoints/late/labels"
HIDDEN = "hidden-value"
REJECT = OnBreak.REJECT


def model_and_reference() -> tuple[Any, pd.DataFrame]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "distance": random.uniform(50, 4000, 300).round(),
            "hour": random.integers(0, 24, 300),
            "origin": random.choice(["JFK", "LGA"], 300),
        }
    )
    frame["late"] = (frame.hour > 12).astype(int)
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), ["origin"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression(max_iter=500))
    return model.fit(frame[["distance", "hour", "origin"]], frame.late), frame


def contract() -> Contract:
    return Contract(
        (
            Field("distance", Kind.NUMBER, unit="miles", minimum=0, maximum=5000, on_range=REJECT),
            Field("hour", Kind.INTEGER, minimum=0, maximum=23, on_range=REJECT),
            Field("origin", Kind.CATEGORY, domain=("JFK", "LGA"), on_domain=REJECT),
        ),
        Output(Task.BINARY, "late", (0, 1), probability=True),
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`headgate up` with a pipeline that rejects by range and domain, and a model that reads a tensor."""
    with Installation(tmp_path_factory.mktemp("refusals") / "h") as installation:
        model, frame = model_and_reference()
        with installation.open() as hg:
            hg.register("delay", model, reference=frame, label="late", contract=contract())
        installation.serve("late", {"delay:1": 1.0})
        installation.linear()
        installation.serve("plain", {"linear:1": 1.0})
        yield installation.start()


def neighbour_is_well(served: Installation) -> None:
    status, body = served.post(PREDICT, json.dumps({"rows": [GOOD]}).encode())
    assert status == 200
    assert "id" in json.loads(body)["predictions"][0]


ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown-field": ({**GOOD, "gate": HIDDEN}, "gate", "unknown"),
    "missing-field": ({"distance": 200.0, "origin": "JFK"}, "hour", "missing"),
    "wrong-type": ({**GOOD, "distance": HIDDEN}, "distance", "type"),
    "null": ({**GOOD, "distance": None}, "distance", "null"),
    "nan": ({**GOOD, "distance": float("nan")}, "distance", "finite"),
    "infinity": ({**GOOD, "distance": float("-inf")}, "distance", "finite"),
    "out-of-range": ({**GOOD, "distance": 5000.5}, "distance", "range"),
    "hour-out-of-range": ({**GOOD, "hour": 24}, "hour", "range"),
    "unseen-category": ({**GOOD, "origin": HIDDEN}, "origin", "domain"),
}


@pytest.mark.parametrize(("row", "field", "rule"), ROWS.values(), ids=ROWS)
def test_a_bad_row_is_refused_by_field_and_rule_and_its_neighbour_answered(
    served: Installation, row: dict[str, Any], field: str, rule: str
) -> None:
    status, body = served.post(PREDICT, json.dumps({"rows": [row]}).encode())
    (entry,) = json.loads(body)["predictions"]
    assert (status, entry["error"]["field"], entry["error"]["rule"]) == (422, f"rows[0].{field}", rule)
    assert len(entry["error"]["message"]) > 10
    assert HIDDEN not in body.decode()
    status, body = served.post(PREDICT, json.dumps({"id": f"with-{field}-{rule}", "rows": [GOOD, row]}).encode())
    first, second = json.loads(body)["predictions"]
    assert status == 200
    assert "error" not in first
    assert (second["error"]["field"], second["error"]["rule"]) == (f"rows[1].{field}", rule)
    with served.open() as hg:
        kept = [row for row in hg.reader.joined("default", "late").to_pylist() if row["refusal_rule"] == rule]
    assert kept, "a refusal is a journal record"
    assert all(each["answered"] is None for each in kept)


BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "not-json": (b"distance=200", 400, "body", "json"),
    "half-json": (b'{"rows": [{"distance": 2', 400, "body", "json"),
    "empty": (b"", 400, "body", "json"),
    "bad-utf8": (b'{"rows": [{"distance": 200, "hour": 5, "origin": "\xff\xfe"}]}', 400, "body", "utf8"),
}


@pytest.mark.parametrize(("body", "expected", "field", "rule"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_none_is_refused(
    served: Installation, body: bytes, expected: int, field: str, rule: str
) -> None:
    for path in (PREDICT, LABELS):
        status, said = served.post(path, body)
        error = json.loads(said)["error"]
        assert (status, error["field"], error["rule"]) == (expected, field, rule), path
        assert error["message"]
    neighbour_is_well(served)


def test_an_oversized_body_is_refused_before_it_is_read(served: Installation) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.putrequest("POST", PREDICT)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    reply = connection.getresponse()
    error = json.loads(reply.read())["error"]
    connection.close()
    assert (reply.status, error["field"], error["rule"]) == (413, "body", "size")
    neighbour_is_well(served)


def test_a_truncated_body_is_not_answered_and_nothing_of_it_is_kept(served: Installation) -> None:
    before = inputs(served)
    body = json.dumps({"rows": [GOOD]}).encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as caller:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 10}\r\n\r\n"
        caller.sendall(head.encode() + body)
        caller.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: caller.recv(65536), b""))
    assert b" 200 " not in said.split(b"\r\n")[0]
    if said:  # a refusal names what is wrong; silence and a closed connection are the other way
        assert json.loads(said.rpartition(b"\r\n\r\n")[2])["error"]["rule"] in ("truncated", "size", "http", "json")
    with served.open() as hg:
        answered = [row for row in hg.reader.joined("default", "late").to_pylist() if row["answered"]]
    neighbour_is_well(served)
    assert len(answered) <= before


def inputs(served: Installation) -> int:
    with served.open() as hg:
        return hg.counts("late").answered


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}], "[rows]"),
        ([{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 2, 3]}], "shape"),
        ([{"name": "x", "shape": [1, -2], "datatype": "FP64", "data": [1, 2]}], "shape"),
    ],
    ids=["columns", "count", "negative"],
)
def test_a_tensor_of_the_wrong_shape_is_refused(served: Installation, inputs: Any, says: str) -> None:
    status, body = served.post("/v2/models/plain/infer", json.dumps({"inputs": inputs}).encode())
    assert status == 400
    assert says in json.loads(body)["error"]
    right = [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]
    assert served.post("/v2/models/plain/infer", json.dumps({"inputs": right}).encode())[0] == 200


def test_an_unknown_endpoint_is_not_found(served: Installation) -> None:
    for door, body in (("predict", {"rows": [GOOD]}), ("labels", {"labels": [{"request_id": "r", "label": 1}]})):
        status, said = served.post(f"/v1/endpoints/nobody/{door}", json.dumps(body).encode())
        error = json.loads(said)["error"]
        assert (status, error["field"], error["rule"]) == (404, "endpoint", "unknown")


def test_an_unknown_version_is_not_found(served: Installation) -> None:
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    status, body = served.post("/v2/models/plain/versions/9/infer", json.dumps({"inputs": [tensor]}).encode())
    assert (status, list(json.loads(body))) == (404, ["error"])


LABELS_THAT_ARE_NONE: dict[str, tuple[dict[str, Any], str, str]] = {
    "for-nothing": ({"id": "01890a5d-ac96-774b-bcce-b302099a8057", "label": 1}, "labels[0].id", "known_id"),
    "no-id": ({"id": HIDDEN, "label": 1}, "labels[0].id", "uuid"),
    "wrong-type": ({"request_id": "r", "label": "yes"}, "labels[0].label", "type"),
    "wrong-class": ({"request_id": "r", "label": 2}, "labels[0].label", "domain"),
    "null": ({"request_id": "r", "label": None}, "labels[0].label", "null"),
    "nothing-named": ({"label": 1}, "labels[0]", "reference"),
}


@pytest.mark.parametrize(("label", "field", "rule"), LABELS_THAT_ARE_NONE.values(), ids=LABELS_THAT_ARE_NONE)
def test_a_label_that_is_none_is_refused_and_nothing_beside_it_is_kept(
    served: Installation, label: dict[str, Any], field: str, rule: str
) -> None:
    _, body = served.post(PREDICT, json.dumps({"rows": [GOOD]}).encode())
    beside = {"id": json.loads(body)["predictions"][0]["id"], "label": 1}
    status, said = served.post(LABELS, json.dumps({"labels": [label, beside]}).encode())
    error = json.loads(said)["error"]
    assert (status, error["field"], error["rule"]) == (422, field, rule)
    assert HIDDEN not in said.decode()
    with served.open() as hg:
        (row,) = [each for each in hg.reader.joined("default", "late").to_pylist() if each["input_id"] == beside["id"]]
    assert row["label"] is None, "all labels of a request are kept or none"


def test_moving_the_clock_must_be_switched_on(served: Installation) -> None:
    status, body = served.post("/v1/replay/advance", b'{"to": "2013-03-01T00:00:00Z"}', port=served.control_port)
    assert 400 <= status < 500, (status, body)
    request = json.dumps({"rows": [GOOD], "at": ["2013-03-01T00:00:00Z"]}).encode()
    status, body = served.post(PREDICT, request)
    assert (status, json.loads(body)["error"]["rule"]) == (422, "replay")
