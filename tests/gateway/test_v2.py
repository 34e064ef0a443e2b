"""The inference protocol, spoken by hand and by Triton's own client."""

import asyncio
import json
from typing import Any

import msgspec
import numpy as np
import pytest

from headgate.contracts.contract import Output
from headgate.contracts.text import to_document
from headgate.runtimes.ports import Outputs
from headgate.testing.scripted import linear_weights, numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

INFER = "/v2/models/e/infer"
MATRIX = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [[0.1, 0.2, 0.3], [5, 5, 5]]}


def serve_two(town: Any) -> None:
    members = [
        Member("m:1", town.linear(), 1.0, proved=True),
        Member("m:2", town.linear(bias=50.0), 0.0, proved=True),
        Member("m:3", town.linear(bias=-50.0), 0.0),
    ]
    town.publish(members)


async def loaded(caller: Any, version: str) -> None:
    async with asyncio.timeout(5):
        while (await caller.ask("GET", f"/v2/models/e/versions/{version}/ready")).status != 200:
            await asyncio.sleep(0.005)


def columns(**data: list[Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": [len(each)], "datatype": "FP64", "data": each}
        for name, each in ({"f0": [0.1], "f1": [0.2], "f2": [0.3]} | data).items()
    ]


def test_a_matrix_and_columns_give_the_same_answer(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        matrix = await caller.post(INFER, {"id": "42", "inputs": [MATRIX]})
        assert matrix.status == 200
        body = matrix.json
        assert (body["model_name"], body["model_version"], body["id"]) == ("e", "m:1", "42")
        names = {each["name"]: each for each in body["outputs"]}
        assert names["prediction"]["shape"] == [2]
        assert names["scores"]["shape"] == [2, 2]
        assert len(body["parameters"]["headgate_ids"].split(",")) == 2
        by_column = await caller.post(INFER, {"inputs": columns(f0=[0.1, 5], f1=[0.2, 5], f2=[0.3, 5])})
        assert "id" not in by_column.json
        data = {each["name"]: each["data"] for each in by_column.json["outputs"]}
        assert data["scores"] == pytest.approx(names["scores"]["data"], abs=1e-6)

    play(serve_two, scene)


def test_a_named_version_answers_in_a_role_of_its_own(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await loaded(caller, "m:2")
        for version in ("m:2", "2"):
            reply = await caller.post(f"/v2/models/e/versions/{version}/infer", {"inputs": [MATRIX]})
            assert (reply.status, reply.json["model_version"]) == (200, "m:2")
            assert reply.headers["headgate-version"] == "m:2"
        assert {(each.role, each.assigned) for each in town.journal.answers} == {("pinned", "m:2")}
        assert (await caller.post("/v2/models/e/versions/9/infer", {"inputs": [MATRIX]})).status == 404
        unproved = await caller.post("/v2/models/e/versions/m:3/infer", {"inputs": [MATRIX]})
        assert unproved.status == 400
        assert "evaluation" in unproved.json["error"]

    play(serve_two, scene)


NAN = float("nan")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([], "inputs"),
        ([{**MATRIX, "data": [1, 2]}], "shape"),
        ([{**MATRIX, "shape": [-1, 3]}], "shape"),
        ([{**MATRIX, "datatype": "FP8"}], "datatype"),
        ([{**MATRIX, "shape": [3, 2]}], "[rows]"),
        ([{"name": "x"}], "inputs[0].shape: is missing"),
        ([{**MATRIX, "shape": ["2", 3]}], "inputs[0].shape[0]: "),
        (columns(**{"\ud800": [1.0]}), "inputs[3].name"),
        ([{**MATRIX, "name": "\ud800"}], "inputs[0].name"),
        ([{**MATRIX, "shape": [10**30, 3]}], "rest of the shape"),
        ([{**MATRIX, "shape": [10**300] * 1000}], "rest of the shape"),
        ([{**MATRIX, "shape": [2, *[2**31 - 1] * 31]}], "another number of elements"),
        ([{**MATRIX, "shape": [16385, 3], "data": [1, 2]}], "1 to 16384 rows"),
        ([{**MATRIX, "data": [[0.1, 0.2, [0.3]], [5, 5, 5]]}], "lists in places"),
        ([{**MATRIX, "data": [[0.1, 0.2, 0.3], 5, 5, 5]}], "lists in places"),
        (columns(f0=[[0.1]]), "lists in places"),
        (columns()[:2], "rows[0].f2"),
        (columns() + columns()[:1], "twice"),
        (columns(f3=[1.0]), "rows[0].f3"),
        (columns(f0=[1.0, 2.0]), "differ"),
        (columns(f0=["x"]), "rows[0].f0"),
        (columns(f0=[NAN]), "rows[0].f0"),
        (columns(f0=[float("inf")]), "rows[0].f0"),
    ],
)
def test_what_is_wrong_is_said_as_the_protocol_says_it(play: Any, inputs: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(INFER, {"inputs": inputs})
        assert reply.status == 400
        assert isinstance(reply.json["error"], str)
        assert says in reply.json["error"]
        assert town.journal.answers == []

    play(serve_two, scene)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"id": "i" * 129}, "id"),
        ({"id": "\ud800"}, "id"),
        ({"id": 7}, "id"),
        ({"parameters": {"key": "k" * 257}}, "parameters.key"),
        ({"parameters": {"key": ""}}, "parameters.key"),
        ({"parameters": {"key": "\ud800"}}, "parameters.key"),
        ({"parameters": {"timeout": -1}}, "parameters.timeout"),
        ({"parameters": {"timeout": NAN}}, "parameters.timeout"),
        ({"parameters": {"timeout": "1"}}, "parameters.timeout"),
        ({"outputs": [{"name": "scores"}, {"name": "scores"}]}, "twice"),
        ({"outputs": [{}]}, "outputs[0].name"),
    ],
)
def test_what_stands_beside_the_tensors_has_limits(play: Any, more: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(INFER, {"inputs": [MATRIX], **more})
        assert reply.status == 400
        assert says in reply.json["error"]
        assert (await caller.post(INFER, {"inputs": [MATRIX], "id": "i" * 128})).status == 200

    play(serve_two, scene)


@pytest.mark.parametrize(
    "timeout", [0, 1e300, float("inf"), 10**390, 600_000_001], ids=["zero", "far", "infinite", "long", "over"]
)
def test_a_timeout_of_0_or_beyond_every_deadline_is_as_none(play: Any, timeout: float) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.post(INFER, {"inputs": [MATRIX], "parameters": {"timeout": timeout}})).status == 200

    play(serve_two, scene)


class Uneven:
    """A placement whose arrays have another shape in every call."""

    inline = None

    async def run(self, feeds: Any) -> Outputs:
        rows = len(feeds["X"])
        arrays = {name: np.zeros((rows, rows)) for name in ("label", "probabilities")}
        return Outputs(np.zeros(0), None, arrays, 5)

    async def close(self) -> None:
        return None


def test_answers_that_no_tensor_holds_are_refused_and_nobody_waits_for_ever(play: Any) -> None:
    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Uneven()
        contract = msgspec.json.encode(to_document(numbers_contract(3, Output(Task.TENSOR)))).decode()
        town.publish([Member("m:1", digest, 1.0, proved=True)], contract=contract)

    async def scene(town: Any) -> None:
        caller = await town.call()
        rows = 1030  # more than one call takes
        reply = await caller.post(INFER, {"inputs": [{**MATRIX, "shape": [rows, 3], "data": [0.5] * (3 * rows)}]})
        assert reply.status == 503
        assert "differ in shape" in reply.json["error"]

    play(prepare, scene)


def test_bodies_that_are_none_and_outputs_that_are_none_are_refused(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for body in (b"", b"{", b"[]", b"\xff", b"{}", b"[" * 100_000):
            reply = await caller.ask("POST", INFER, body)
            assert (reply.status, list(reply.json)) == (400, ["error"])
        wrong = await caller.post(INFER, {"inputs": [MATRIX], "outputs": [{"name": "nothing"}]})
        assert wrong.status == 400
        some = await caller.post(INFER, {"inputs": [MATRIX], "outputs": [{"name": "scores"}]})
        assert [each["name"] for each in some.json["outputs"]] == ["scores"]
        assert (await caller.post("/v2/models/nobody/infer", {"inputs": [MATRIX]})).json.keys() == {"error"}

    play(serve_two, scene)


def test_health_and_metadata_with_and_without_slash(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for path in ("/v2", "/v2/"):
            assert (await caller.ask("GET", path)).json["name"] == "headgate"
        assert (await caller.ask("GET", "/v2/health/live")).json == {"live": True}
        assert (await caller.ask("GET", "/v2/health/ready")).json == {"ready": True}
        assert (await caller.ask("GET", "/v2/models/e/ready")).json == {"name": "e", "ready": True}
        model = (await caller.ask("GET", "/v2/models/e")).json
        assert model["versions"] == ["m:1", "m:2"]
        assert model["inputs"][0] == {"name": "f0", "datatype": "FP64", "shape": [-1]}
        assert [each["name"] for each in model["outputs"]] == ["prediction", "scores"]
        assert (await caller.ask("GET", "/v2/models/e/versions/m:9")).status == 404

    play(serve_two, scene)


def test_tritons_client_works_as_it_comes(play: Any) -> None:
    def with_client(port: int) -> None:
        import numpy as np
        import tritonclient.http as triton
        from tritonclient.utils import InferenceServerException

        client = triton.InferenceServerClient(f"127.0.0.1:{port}")
        try:
            assert client.is_server_live()
            assert client.is_server_ready()
            assert client.is_model_ready("e")
            assert client.get_server_metadata()["name"] == "headgate"
            described = client.get_model_metadata("e")
            said = []
            for binary in (True, False):
                tensors = []
                for each in described["inputs"]:
                    tensor = triton.InferInput(each["name"], [2], each["datatype"])
                    tensor.set_data_from_numpy(np.array([0.1, 0.4]), binary_data=binary)
                    tensors.append(tensor)
                wanted = [triton.InferRequestedOutput("scores", binary_data=binary)]
                result = client.infer("e", tensors, outputs=wanted, request_id="t1")
                assert result.get_response()["id"] == "t1"
                assert result.as_numpy("prediction") is None
                said.append(result.as_numpy("scores"))
            assert said[0].shape == (2, 2)
            np.testing.assert_array_equal(*said)
            np.testing.assert_allclose(said[0].sum(axis=1), 1.0, atol=1e-6)
            matrix = triton.InferInput("x", [1, 3], "FP32")
            matrix.set_data_from_numpy(np.array([[0.1, 0.1, 0.1]], np.float32))
            pinned = client.infer("e", [matrix], model_version="m:2")
            assert pinned.get_response()["model_version"] == "m:2"
            assert pinned.as_numpy("prediction").shape == (1,)
            for coding in ("gzip", "deflate"):
                coded = client.infer(
                    "e", [matrix], request_compression_algorithm=coding, response_compression_algorithm=coding
                )
                assert coded.as_numpy("scores").shape == (1, 2)
            matrix.set_data_from_numpy(np.array([[np.nan, 0.1, 0.1]], np.float32))
            with pytest.raises(InferenceServerException, match="f0"):
                client.infer("e", [matrix])
            nothing = triton.InferInput("x", [0, 3], "FP32")
            nothing.set_data_from_numpy(np.empty((0, 3), np.float32))
            assert client.infer("e", [nothing]).as_numpy("scores").shape == (0, 2)
        finally:
            client.close()

    async def scene(town: Any) -> None:
        await loaded(await town.call(), "m:2")
        await asyncio.to_thread(with_client, town.port)

    play(serve_two, scene)


def test_what_is_missing_is_named_by_its_place(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        path = "/v2/models/e/infer"
        for body, said in (
            ({}, "inputs: is missing"),
            ({"inputs": [{"name": "f0", "datatype": "FP64"}]}, "inputs[0].shape: is missing"),
            ({"inputs": [{"name": 7, "shape": [1], "datatype": "FP64"}]}, "inputs[0].name: is missing"),
            ({"inputs": [{"name": "f0", "shape": [0], "datatype": "AAA", "data": []}]}, "f0: has a datatype"),
        ):
            reply = await caller.post(path, body)
            assert reply.status == 400
            assert reply.json["error"].startswith(said)

    play(lambda town: town.serve_one(), scene)


@pytest.mark.parametrize(
    ("stated", "status"),
    [("250", 200), ("0.5e3", 200), (" 600000 ", 200)]
    + [(each, 400) for each in ("0", "-1", "nan", "inf", "600001", "abc", "", "1,2", "0x10")],
)
def test_a_deadline_in_a_header_is_milliseconds_or_refused(play: Any, stated: str, status: int) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        body = json.dumps({"inputs": [MATRIX]}).encode()
        reply = await caller.ask("POST", INFER, body, f"Headgate-Deadline-Ms: {stated}")
        assert reply.status == status
        if status == 400:
            assert "headgate-deadline-ms" in reply.json["error"]

    play(serve_two, scene)


@pytest.mark.parametrize("path", ["/v2/models/e/versions/m:2/infer", "/v1/models/e/versions/2:predict"])
def test_a_version_that_is_named_reads_rows_by_its_own_contract(play: Any, path: str) -> None:
    """The live one knows two of its fields; whoever names the other has all three read."""
    row = [0.5, -1.0, 2.0]
    body: dict[str, Any] = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": row}]}
    if path.endswith(":predict"):
        body = {"instances": [row], "signature_name": "predict"}

    def prepare(town: Any) -> None:
        arms = {"m:1": town.linear(n_fields=2), "m:2": town.linear()}
        town.publish([Member(name, digest, float(name == "m:1"), proved=True) for name, digest in arms.items()])

    async def scene(town: Any) -> None:
        caller = await town.call()
        while (await caller.ask("GET", "/v2/models/e/versions/m:2/ready")).status != 200:
            await asyncio.sleep(0.005)
        assert (await caller.post(path, body)).status == 200
        (answer,) = town.journal.answers
        expected = 1 / (1 + np.exp(-float(np.array(row) @ linear_weights(3))))
        assert answer.scores == pytest.approx([1 - expected, expected], abs=1e-6)
        assert town.journal.inputs[0].features == tuple(row)

    play(prepare, scene)
