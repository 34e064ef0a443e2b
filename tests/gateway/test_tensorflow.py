"""TensorFlow Serving's REST API and Vertex AI's, which is its row form on routes the platform names."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.gateway.scenery import serve_one_of_three
from tests.gateway.test_permits import a_key

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.decode import compile_contract
from headgate.contracts.text import to_document
from headgate.errors import BadInput
from headgate.gateway.doors.forms import by_column, by_record, by_row, by_table
from headgate.gateway.doors.paths import chosen_routes
from headgate.gateway.reading import Reader
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

PREDICT = "/v1/models/e:predict"
DATA = [[0.1, 0.2, 0.3], [-5.0, 5.0, 5.0]]
ROWS: list[dict[str, Any]] = [dict(zip(("f0", "f1", "f2"), each, strict=True)) for each in DATA]


def serve_two(town: Any) -> None:
    members = [
        Member("m:1", town.linear(), 1.0, proved=True),
        Member("m:2", town.linear(bias=50.0), 0.0, proved=True),
        Member("m:3", town.linear(bias=-50.0), 0.0),
    ]
    town.publish(members)


async def until_loaded(caller: Any, version: str) -> None:
    async with asyncio.timeout(30):
        while (await caller.ask("GET", f"/v2/models/e/versions/{version}/ready")).status != 200:
            await asyncio.sleep(0.005)


def test_row_and_column_form_say_the_same(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        columns = {"f0": [0.1, -5], "f1": [0.2, 5], "f2": [0.3, 5]}
        tall = {name: [[each] for each in column] for name, column in columns.items()}
        scores = (await caller.post(PREDICT, {"instances": ROWS})).json["predictions"]
        assert [sum(each) for each in scores] == pytest.approx([1.0, 1.0], abs=1e-6)
        for instances in (DATA, [{name: [value] for name, value in row.items()} for row in ROWS]):
            body = {"signature_name": "serving_default", "instances": instances}
            assert (await caller.post(PREDICT, body)).json == {"predictions": scores}
        for inputs in (columns, tall, DATA):
            assert (await caller.post(PREDICT, {"inputs": inputs})).json == {"outputs": scores}
        rows = (await caller.post(PREDICT, {"signature_name": "predict", "instances": DATA})).json["predictions"]
        named = (await caller.post(PREDICT, {"signature_name": "predict", "inputs": DATA})).json["outputs"]
        assert rows == [{"prediction": each, "scores": score} for each, score in zip([1, 0], scores, strict=True)]
        assert named == {"prediction": [1, 0], "scores": scores}
        assert (await caller.post(PREDICT, {"instances": []})).json == {"predictions": []}
        assert (await caller.post(PREDICT, {"inputs": {"f0": [], "f1": [], "f2": []}})).json == {"outputs": []}

    play(serve_two, scene)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "either"),
        ([], "object"),
        ({"instances": DATA, "inputs": DATA}, "either"),
        ({"instances": DATA, "signature_name": "regress"}, "serving_default"),
        ({"instances": DATA, "examples": []}, "examples"),
        ({"instances": [[1, 2]]}, "rows[0]: expected 3 values"),
        ({"instances": [ROWS[0], {"f0": "x"}]}, "rows[1].f0"),
        ({"instances": [{"f0": [1, 2], "f1": 1, "f2": 1}]}, "rows[0].f0"),
        ({"instances": None}, "instances"),
        ({"inputs": {"f0": [1], "f1": [1], "f2": [1], "f3": [1]}}, "rows[0].f3"),
    ],
)
def test_what_is_wrong_is_said_as_tensorflow_says_it(play: Any, document: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, document)
        assert (reply.status, list(reply.json)) == (400, ["error"])
        assert says in reply.json["error"]

    play(serve_two, scene)


def test_versions_and_labels_in_the_path(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await until_loaded(caller, "2")
        for path, version in (("versions/2", "m:2"), ("versions/m:2", "m:2"), ("labels/live", "m:1")):
            reply = await caller.post(f"/v1/models/e/{path}:predict", {"instances": DATA})
            assert (reply.status, reply.headers["headgate-version"]) == (200, version)
        assert {(each.role, each.answered) for each in town.journal.answers} == {("pinned", "m:1"), ("pinned", "m:2")}
        unknown = await caller.post("/v1/models/e/labels/canary:predict", {"instances": DATA})
        assert unknown.status == 404
        assert unknown.json["error"].startswith("label 'canary' does not exist. Traffic knows")
        assert (await caller.post("/v1/models/e/versions/9:predict", {"instances": DATA})).status == 404
        assert (await caller.post("/v1/models/e/versions/3:predict", {"instances": DATA})).status == 400
        assert (await caller.post("/v1/models/nobody:predict", {"instances": DATA})).json.keys() == {"error"}
        assert (await caller.ask("GET", PREDICT)).status == 405
        assert (await caller.post("/v1/models/e:classify", {})).status == 405  # it would be a model of that name
        assert (await caller.ask("GET", "/v1/models/e/more/than/that")).status == 404

    play(serve_two, scene)


@pytest.mark.parametrize("closed", [False, True])
def test_the_list_of_models_is_not_told_and_the_connection_stays(play: Any, closed: bool) -> None:
    """It is KServe's; who asks for it reads `error` as a text."""

    def prepare(town: Any) -> None:
        serve_two(town)
        if closed:
            town.keys.publish([a_key("predict")[0]])

    async def scene(town: Any) -> None:
        caller = await town.call()
        for path in ("/v1/models", "/v1/models?limit=1", "/v1/models/e/more/than/that"):
            reply = await caller.ask("GET", path)
            assert (reply.status, list(reply.json)) == (404, ["error"])
            assert path[:40] in reply.json["error"]
        assert (await caller.ask("GET", "/livez")).status == 200
        assert (await caller.ask("CONNECT", "endpoints/e")).status == 405

    play(prepare, scene)


def test_status_and_metadata(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await until_loaded(caller, "2")
        fine = {"error_code": "OK", "error_message": ""}
        status = (await caller.ask("GET", "/v1/models/e")).json["model_version_status"]
        assert status == [{"version": each, "state": "AVAILABLE", "status": fine} for each in ("1", "2")]
        for path in ("/v1/models/e/versions/2", "/v1/models/e/versions/m:2"):
            assert len((await caller.ask("GET", path)).json["model_version_status"]) == 1
        assert (await caller.ask("GET", "/v1/models/e/versions/8")).status == 404
        said = (await caller.ask("GET", "/v1/models/e/metadata")).json
        assert said["model_spec"] == {"name": "e", "signature_name": "", "version": "1"}
        assert said["metadata"]["headgate"] == {"version": "m:1", "task": "binary", "classes": [0, 1]}
        signatures = said["metadata"]["signature_def"]["signature_def"]
        assert list(signatures["serving_default"]["outputs"]) == ["scores"]
        assert list(signatures["predict"]["outputs"]) == ["prediction", "scores"]
        dims = [{"size": "-1", "name": ""}, {"size": "2", "name": ""}]
        scores = {"dtype": "DT_DOUBLE", "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": "scores"}
        assert signatures["predict"]["outputs"]["scores"] == scores
        assert list(signatures["predict"]["inputs"]) == ["f0", "f1", "f2"]
        assert (await caller.ask("GET", "/v1/models/e/labels/live/metadata")).status == 200

    play(serve_two, scene)


def test_a_version_that_is_loading_says_so_wherever_it_is_asked(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        every = (await caller.ask("GET", "/v1/models/e")).json["model_version_status"]
        assert [(each["version"], each["state"]) for each in every] == [("1", "AVAILABLE"), ("2", "LOADING")]
        for path, one in (("versions/1", every[0]), ("labels/live", every[0]), ("versions/2", every[1])):
            reply = await caller.ask("GET", f"/v1/models/e/{path}")
            assert (path, reply.status, reply.json["model_version_status"]) == (path, 200, [one])
        assert (await caller.ask("GET", "/v1/models/e/versions/3")).status == 400
        assert (await caller.ask("GET", "/v1/models/e/versions/2/metadata")).status == 503
        assert (await caller.post("/v1/models/e/versions/2:predict", {"instances": ROWS})).status == 503

    play(serve_one_of_three, scene)


class Lengths(Runtime):
    """Answers two tensors: how long the face is, and the note's letters."""

    def run(self, feeds: Feeds) -> Outputs:
        rows = len(feeds["X"])
        return Outputs(np.empty(0), None, {"twice": np.arange(2.0 * rows).reshape(rows, 2), "one": np.ones(rows)}, 1)

    def close(self) -> None:
        pass


class Here:
    inline = Lengths()

    async def run(self, feeds: Feeds) -> Outputs:
        return self.inline.run(feeds)

    async def close(self) -> None:
        pass


def test_bytes_come_in_base64_and_tensors_go_by_name(play: Any) -> None:
    picture = b"\x89PNG" + bytes(20)
    more = (Field("face", Kind.IMAGE), Field("note", Kind.TEXT), Field("wave", Kind.TENSOR, shape=(2,)))
    contract = Contract((*numbers_contract(3, Output(Task.TENSOR)).fields, *more), Output(Task.TENSOR))

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Here()
        own = msgspec.json.encode(to_document(contract)).decode()
        town.publish([Member("m:1", digest, 1.0, proved=True)], contract=own)

    async def scene(town: Any) -> None:
        caller = await town.call()
        face = {"b64": base64.b64encode(picture).decode()}
        row = ROWS[0] | {"face": face, "note": {"b64": "WWVz"}, "wave": [1, 2.5]}
        reply = await caller.post(PREDICT, {"instances": [row]})
        assert reply.json == {"predictions": [{"twice": [0.0, 1.0], "one": 1.0}]}
        columns = {name: [value] for name, value in row.items()}
        reply = await caller.post(PREDICT, {"inputs": columns})
        assert reply.json == {"outputs": {"twice": [[0.0, 1.0]], "one": [1.0]}}
        for each in town.journal.inputs:
            face_kept, note, wave = each.features[3:]
            assert (town.blobs.get(face_kept.digest), note) == (picture, "Yes")
            assert town.blobs.get(wave.digest) == b"[1.0,2.5]"
        for broken, says in (({"b64": "%"}, "face"), ({"b64": 3}, "face"), ({"b64": "/w=="}, "")):
            reply = await caller.post(PREDICT, {"instances": [row | {"face": broken, "note": broken}]})
            assert reply.status == 400
            assert says in reply.json["error"]

    play(prepare, scene)


def reader_of(contract: Contract) -> Reader:
    return Reader(compile_contract(contract), rows_limit=2, replay=False)


SHAPES: dict[str, Callable[[Any, Reader], Any]] = {
    "rows": lambda values, reader: by_row(values, reader, "instances"),
    "records": lambda values, reader: by_record(values, reader, "dataframe_records"),
    "matrix": lambda values, reader: by_column(values, reader, "inputs"),
    "columns": lambda values, reader: by_column({"f0": values}, reader, "inputs"),
    "table": lambda values, reader: by_table(["f0"], values, reader, "dataframe_split.data"),
}


ODD: dict[str, list[Any]] = {"records": [{"f0": 1.5}], "table": [[1.5]]}
"""One row of what is not written as its bare value."""


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_are_counted_before_any_is_made(shape: str) -> None:
    reader = reader_of(Contract((Field("f0", Kind.NUMBER),), Output(Task.REGRESSION)))
    values = ODD.get(shape, [1.5])
    assert SHAPES[shape](values * 2, reader) == [{"f0": 1.5}] * 2
    assert SHAPES[shape]([], reader) == []
    broken = {"b64": "%"}  # which would be refused for itself if it were looked at
    with pytest.raises(BadInput, match="1 to 2 rows") as refused:
        SHAPES[shape]([broken] * 3, reader)
    assert (refused.value.field, refused.value.rule) == ("rows", "size")


def test_a_single_field_needs_no_name(play: Any) -> None:
    contract = Contract((Field("wave", Kind.TENSOR, shape=(3,)),), Output(Task.TENSOR))
    plain = Contract((Field("f0", Kind.NUMBER),), Output(Task.REGRESSION))

    waves, plains = reader_of(contract), reader_of(plain)
    assert by_row(DATA, waves, "instances") == [{"wave": each} for each in DATA]
    assert by_column(DATA, waves, "inputs") == [{"wave": each} for each in DATA]
    assert by_row([1.5, [2.5]], plains, "instances") == [{"f0": 1.5}, {"f0": 2.5}]
    assert by_column([1.5, [2.5]], plains, "inputs") == [{"f0": 1.5}, {"f0": 2.5}]
    notes = reader_of(Contract((Field("note", Kind.TEXT),), Output(Task.REGRESSION)))
    assert by_row([{"b64": "WWVz"}, {"note": "ja"}], notes, "instances") == [{"note": "Yes"}, {"note": "ja"}]

    def prepare(town: Any) -> None:
        town.publish([Member("m:1", town.linear(n_fields=1), 1.0, proved=True)])

    async def scene(town: Any) -> None:
        caller = await town.call()
        for body in ({"instances": [1.5, 2.5]}, {"instances": [[1.5], [2.5]]}, {"instances": [{"f0": 1.5}, 2.5]}):
            assert len((await caller.post(PREDICT, body)).json["predictions"]) == 2
        assert len((await caller.post(PREDICT, {"inputs": [1.5, 2.5]})).json["outputs"]) == 2
        assert {each.features for each in town.journal.inputs} == {(1.5,), (2.5,)}

    play(prepare, scene)


def test_vertex_chooses_its_routes(play: Any) -> None:
    health = "/v1/endpoints/77/deployedModels/8"
    predict = f"{health}:predict"

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.ask("GET", health)).status == 200
        body = {"instances": DATA, "parameters": {"id": "v-1"}}
        reply = await caller.post(predict, body)
        assert (reply.json, reply.headers["headgate-request-id"]) == ({"predictions": [1, 0]}, "v-1")
        scores = await caller.post(predict, {"instances": ROWS, "parameters": {"output": "scores"}})
        assert [len(each) for each in scores.json["predictions"]] == [2, 2]
        assert (await caller.post(f"/endpoints/e{predict}", {"instances": DATA})).json == {"predictions": [1, 0]}
        assert (await caller.ask("GET", f"/endpoints/e{health}")).status == 200
        assert (await caller.ask("GET", f"/endpoints/nobody{health}")).json.keys() == {"error"}
        for wrong in (
            {},
            {"instances": DATA, "parameters": 3},
            {"instances": DATA, "model": "x"},
            {"instances": [[1]]},
        ):
            refused = await caller.post(predict, wrong)
            assert (refused.status, list(refused.json)) == (400, ["error"])
        assert (await caller.post(predict, {"instances": DATA, "parameters": {"top_k": 3}})).status == 400

    play(serve_two, scene, chosen=chosen_routes(health=health, predict=predict))


def test_a_gateway_nobody_chose_routes_for_has_none(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.post("/vertex/predict", {"instances": DATA})).status == 404

    play(serve_two, scene)
