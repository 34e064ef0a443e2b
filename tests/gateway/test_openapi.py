"""What the gateway says of itself is valid OpenAPI, says all there is, and is what it does."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from openapi_spec_validator import OpenAPIV31SpecValidator

from headgate.gateway.doors.openapi.document import of_server
from headgate.gateway.doors.paths import find_route

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
PATHS = Path(__file__).parent.parent.parent / "src/headgate/gateway/doors/paths.py"
FILLED = {"{endpoint}": "e", "{project}": "default", "{version}": "1"}


def filled(path: str) -> str:
    for mark, name in FILLED.items():
        path = path.replace(mark, name)
    return path


def test_the_description_of_the_server_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(of_server("0.1.0")))).validate()


def test_every_path_that_is_described_is_one_and_answers_that_method() -> None:
    for path, item in of_server("0.1.0")["paths"].items():
        route = find_route(filled(path).encode())
        assert route is not None, path
        (method,) = set(item) - {"parameters"}
        assert method.upper().encode() in route.methods
        named = set(re.findall(r"\{(\w+)\}", path))
        assert named == {each["name"] for each in item.get("parameters", [])}
        assert (route.endpoint is not None) == ("endpoint" in named)


def test_every_native_and_v2_path_is_described() -> None:
    described = {
        (filled(path), next(iter(set(item) - {"parameters"})).upper()) for path, item in of_server("")["paths"].items()
    }
    lines = re.findall(r"^    (GET|POST) +(/.+)$", PATHS.read_text().partition('"""')[2], re.MULTILINE)
    found = {(filled(path), method) for method, line in lines for path in _alternatives(line)}
    kept = {
        each for each in found if each[0].startswith(("/livez", "/readyz", "/openapi", "/v1/endpoints", "/v1/projects"))
    }
    assert len(kept) >= 11
    assert kept <= described
    v2 = {"/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/e", "/v2/models/e/ready"}
    assert {(path, "GET") for path in v2} <= found & described


def _alternatives(line: str) -> list[str]:
    """``/a/x | y  …/z`` and ``/a[/b]  /c`` as whole paths."""
    paths: list[str] = []
    for word in line.replace(" | ", "|").split():
        first, *others = word.split("|")
        first = f"{paths[0]}{first[1:]}" if first.startswith("…") else first
        optional = re.search(r"\[(.+?)\]", first)
        shapes = (
            [first] if optional is None else [first.replace(optional[0], ""), first.replace(optional[0], optional[1])]
        )
        paths += [*shapes, *(f"{first.rpartition('/')[0]}/{each}" for each in others)]
    return paths


def resolved(document: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def test_an_endpoint_describes_its_rows_and_answers_as_described(play: Callable[..., None]) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("GET", "/v1/endpoints/e/openapi.json")
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
        assert reply.headers["headgate-version"] == "m:1"
        document = reply.json
        OpenAPIV31SpecValidator(document).validate()
        assert document["x-headgate-endpoint"] == {
            "endpoint": "e", "project": "default", "revision": 1, "live": "m:1", "versions": ["m:1"],
            "task": "binary", "classes": [0, 1],
        }  # fmt: skip
        assert document["components"]["schemas"]["Row"]["required"] == ["f0", "f1", "f2"]
        asked = resolved(document, "PredictRequest")
        for example in document["components"]["schemas"]["PredictRequest"]["examples"]:
            asked.validate(example)
            assert (await caller.post(PREDICT, example)).status == 200
        for body, legal in (
            ({"rows": [ROW]}, True),
            ({"rows": []}, False),
            ({"rows": [{"f0": 1}]}, False),
            ({"rows": [ROW], "more": 1}, False),
            ({"rows": [ROW], "deadline_ms": 0}, False),
            ({"rows": [ROW], "keys": [""]}, False),
            ({"rows": [ROW], "id": None}, True),
        ):
            answer = await caller.post(PREDICT, body)
            assert asked.is_valid(body) == legal == (answer.status == 200)
            names = ["PredictReply"] if legal else ["PredictReply", "Error"]
            assert any(resolved(document, name).is_valid(answer.json) for name in names)
        ready = await caller.ask("GET", "/readyz")
        resolved(document, "Ready").validate(ready.json)

    play(lambda town: town.serve_one(), scene)


def test_labels_are_described_as_they_are_taken(play: Callable[..., None]) -> None:
    moment = "2026-01-01T00:00:00Z"

    async def scene(town: Any) -> None:
        caller = await town.call()
        document = (await caller.ask("GET", "/v1/endpoints/e/openapi.json")).json
        first = (await caller.post(PREDICT, {"rows": [ROW]})).json["predictions"][0]["id"]
        entries: list[tuple[dict[str, Any], bool]] = [
            ({"id": first, "label": 1}, True),
            ({"id": first, "label": 1, "key": None}, True),
            ({"request_id": "r", "label": 1}, True),
            ({"request_id": "r", "row": 2, "label": 0, "observed_at": moment}, True),
            ({"key": "k", "at": moment, "label": 0}, True),
            ({"key": "k", "label": 0}, False),
            ({"id": first, "request_id": "r", "label": 1}, False),
            ({"id": first, "row": 0, "label": 1}, False),
            ({"request_id": "r", "at": moment, "label": 1}, False),
            ({"label": 1}, False),
            ({"id": first}, False),
            ({"id": first, "label": 2}, False),
            ({"id": first, "label": True}, False),
            ({"id": first, "label": 1, "actor": "a"}, False),
            ({"id": first, "decision": 1}, False),
        ]
        for entry, legal in entries:
            body = {"labels": [entry]}
            answer = await caller.post("/v1/endpoints/e/labels", body)
            assert (answer.status == 200) == legal, entry
            assert resolved(document, "LabelsRequest").is_valid(body) == legal, entry
            resolved(document, "Accepted" if legal else "Error").validate(answer.json)
        decided = {"decisions": [{"id": first, "decision": 1, "actor": "desk"}]}
        resolved(document, "DecisionsRequest").validate(decided)
        assert (await caller.post("/v1/endpoints/e/decisions", decided)).status == 200

    play(lambda town: town.serve_one(), scene)


def test_v2_is_described_as_it_speaks(play: Callable[..., None]) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        document = (await caller.ask("GET", "/openapi.json")).json
        assert document == json.loads(json.dumps(of_server(document["info"]["version"])))
        for path, name in (("/v2", "V2Server"), ("/v2/models/e", "V2Model"), ("/v2/models/e/ready", "V2Ready")):
            resolved(document, name).validate((await caller.ask("GET", path)).json)
        tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [0.5]} for name in ROW]
        body = {"id": "r", "inputs": tensors, "outputs": [{"name": "scores"}]}
        resolved(document, "V2Request").validate(body)
        resolved(document, "V2Reply").validate((await caller.post("/v2/models/e/infer", body)).json)
        refused = await caller.post("/v2/models/e/infer", {"inputs": []})
        assert refused.status == 400
        resolved(document, "V2Error").validate(refused.json)

    play(lambda town: town.serve_one(), scene)


def test_a_description_follows_the_traffic(play: Callable[..., None]) -> None:
    from headgate.traffic.traffic import Member

    async def scene(town: Any) -> None:
        caller = await town.call()
        path = "/v1/projects/default/endpoints/e/openapi.json"
        before = (await caller.ask("GET", path)).json["x-headgate-endpoint"]
        assert (await caller.ask("GET", path)).json["x-headgate-endpoint"] == before
        digest = town.linear(bias=1.0)
        town.publish(
            [Member("m:1", town.linear(), 0.0, proved=True), Member("m:2", digest, 1.0, proved=True)], live="m:2"
        )
        await town.obeyed(2)
        after = (await caller.ask("GET", path)).json["x-headgate-endpoint"]
        assert (before["live"], after["live"], after["versions"]) == ("m:1", "m:2", ["m:1", "m:2"])
        missing = await caller.ask("GET", "/v1/endpoints/nobody/openapi.json")
        assert (missing.status, missing.json["error"]["rule"]) == (404, "unknown")
        wrong = await caller.ask("POST", "/openapi.json", b"{}")
        assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")

    play(lambda town: town.serve_one(), scene)
