"""gRPC as Triton's own client speaks it, with its defaults."""

import asyncio
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ml_dtypes
import msgspec
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.events import Event, EventKind
from headgate.testing.scripted import linear_weights, numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

ROWS = np.array([[0.1, 0.2, 0.3], [5.0, 5.0, 5.0]], np.float32)
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"
KINDS = (
    Field("whole", Kind.INTEGER),
    Field("truth", Kind.BOOLEAN),
    Field("word", Kind.CATEGORY, domain=("ja", "nein")),
    Field("note", Kind.TEXT),
    Field("face", Kind.IMAGE),
    Field("wave", Kind.TENSOR, shape=(2,)),
)


def serve(town: Any) -> None:
    town.publish([Member("m:1", town.linear(), 1.0, proved=True), Member("m:2", town.linear(bias=9.0), 0.0)])


def serve_every_kind(town: Any) -> None:
    plain = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True))
    contract = msgspec.json.encode(to_document(Contract((*plain.fields, *KINDS), plain.output))).decode()
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=contract)


def tensor(name: str, array: Any, datatype: str = "FP32") -> Any:
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return made


def expected(rows: Any) -> Any:
    return 1 / (1 + np.exp(-(rows.astype(np.float32) @ linear_weights(3)).astype(float)))


@contextmanager
def client_of(town: Any) -> Iterator[Any]:
    client = triton.InferenceServerClient(f"127.0.0.1:{town.gateway.grpc_port}")
    try:
        yield client
    finally:
        client.close()


def asking(ask: Callable[[Any], None]) -> Any:
    """A scene in which a thread of its own asks, as blocking clients must."""

    async def scene(town: Any) -> None:
        def run() -> None:
            with client_of(town) as client:
                ask(client)

        await asyncio.to_thread(run)

    return scene


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(InferenceServerException) as caught:
        call()
    return str(caught.value.status()).removeprefix("StatusCode."), str(caught.value.message())


def test_the_server_and_its_models_speak_of_themselves(play_rpc: Any) -> None:
    def ask(client: Any) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("e")
        assert client.is_model_ready("e", "1")
        assert client.get_server_metadata().name == "headgate"
        said = client.get_model_metadata("e", as_json=True)
        assert said["versions"] == ["m:1"]
        assert [each["name"] for each in said["inputs"]] == ["f0", "f1", "f2"]
        assert said["outputs"][1] == {"name": "scores", "datatype": "FP64", "shape": ["-1", "2"]}
        assert refused(lambda: client.is_model_ready("nobody"))[0] == "NOT_FOUND"
        assert refused(lambda: client.get_model_metadata("e", "7"))[0] == "NOT_FOUND"

    play_rpc(serve, asking(ask))


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_rows_are_answered(play_rpc: Any, compression: str | None) -> None:
    def ask(client: Any) -> None:
        many = np.tile(ROWS, (300, 1))
        result = client.infer("e", [tensor("x", many)], request_id="42", compression_algorithm=compression)
        np.testing.assert_allclose(result.as_numpy("scores")[:, 1], expected(many), atol=1e-6)
        assert result.as_numpy("prediction").tolist() == [1] * 600
        response = result.get_response()
        assert (response.model_name, response.model_version, response.id) == ("e", "m:1", "42")
        assert response.parameters["headgate_request_id"].string_param == "42"
        assert len(response.parameters["headgate_ids"].string_param.split(",")) == 600

    play_rpc(serve, asking(ask))


@pytest.mark.parametrize(
    "datatype", ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"]
)
def test_numbers_come_in_every_datatype(play_rpc: Any, datatype: str) -> None:
    dtype = np.dtype(datatype.lower().replace("fp", "float"))
    rows = np.array([[1, 2, 3], [0, 1, 0]], dtype)

    def ask(client: Any) -> None:
        together = client.infer("e", [tensor("x", rows, datatype)]).as_numpy("scores")
        columns = [tensor(f"f{place}", rows[:, place].copy(), datatype) for place in range(3)]
        apart = client.infer("e", columns).as_numpy("scores")
        np.testing.assert_allclose(together[:, 1], expected(rows), atol=1e-6)
        np.testing.assert_array_equal(together, apart)

    play_rpc(serve, asking(ask))


def test_a_field_of_every_kind_comes_raw(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        def run() -> None:
            columns = [tensor(f"f{place}", ROWS[:1, place].copy()) for place in range(3)]
            columns += [
                tensor("whole", np.array([[7]], np.int16), "INT16"),
                tensor("truth", np.array([True]), "BOOL"),
                tensor("word", np.array(["ja"], dtype=object), "BYTES"),
                tensor("note", np.array([b""], dtype=object), "BYTES"),
                tensor("face", np.array([PICTURE], dtype=object), "BYTES"),
                tensor("wave", np.array([[1.5, -2.0]], ml_dtypes.bfloat16), "BF16"),
            ]
            with client_of(town) as client:
                assert client.infer("e", columns).as_numpy("scores").shape == (1, 2)

        await asyncio.to_thread(run)
        (record,) = town.journal.inputs
        assert record.refusal is None

    play_rpc(serve_every_kind, scene)


def test_no_rows_get_no_answers_and_leave_no_record(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        def run() -> None:
            with client_of(town) as client:
                result = client.infer("e", [tensor("x", np.zeros((0, 3), np.float32))])
                assert result.as_numpy("prediction").shape == (0,)
                assert result.as_numpy("scores").shape == (0, 2)

        await asyncio.to_thread(run)
        assert town.journal.blocks == []

    play_rpc(serve, scene)


def test_outputs_versions_and_parameters_are_the_callers_to_choose(play_rpc: Any) -> None:
    def ask(client: Any) -> None:
        x = tensor("x", ROWS)
        scores = [triton.InferRequestedOutput("scores")]
        one = client.infer("e", [x], outputs=scores, model_version="1", priority=1, timeout=5_000_000)
        assert [each.name for each in one.get_response().outputs] == ["scores"]
        assert client.infer("e", [x], parameters={"key": "customer-17"}).as_numpy("scores").shape == (2, 2)
        assert (
            "prediction, scores"
            in refused(lambda: client.infer("e", [x], outputs=[triton.InferRequestedOutput("nothing")]))[1]
        )
        classes = [triton.InferRequestedOutput("scores", class_count=2)]
        for call in (
            lambda: client.infer("e", [x], outputs=classes),
            lambda: client.infer("e", [x], model_version="2"),
            lambda: client.infer("e", [x], parameters={"key": 3}),
            lambda: client.infer("e", [tensor("x", np.full((1, 3), np.inf, np.float32))]),
        ):
            assert refused(call)[0] == "INVALID_ARGUMENT"

    play_rpc(serve, asking(ask))


def test_the_repository_is_listed_and_left_alone(play_rpc: Any) -> None:
    def ask(client: Any) -> None:
        models = client.get_model_repository_index().models
        assert [(each.name, each.version, each.state) for each in models] == [
            ("e", "m:1", "READY"),
            ("e", "m:2", "UNAVAILABLE"),
        ]
        assert "evaluate" in models[1].reason
        for change in (client.load_model, client.unload_model):
            status, says = refused(lambda change=change: change("e"))  # type: ignore[misc] # bound at once
            assert status == "PERMISSION_DENIED"
            assert "only an operator" in says

    play_rpc(serve, asking(ask))


def test_calls_at_once_get_their_own_answers(play_rpc: Any) -> None:
    def ask(client: Any) -> None:
        rows = np.random.default_rng(3).normal(size=(200, 3)).astype(np.float32)
        said: queue.Queue[tuple[int, Any, Any]] = queue.Queue()
        for place, row in enumerate(rows):
            client.async_infer(
                "e", [tensor("x", row[None])], lambda result, error, place=place: said.put((place, result, error))
            )
        for _ in rows:
            place, result, error = said.get(timeout=20)
            assert error is None
            np.testing.assert_allclose(result.as_numpy("scores")[0, 1], expected(rows[place]), atol=1e-6)

    play_rpc(serve, asking(ask))


def test_configuration_and_statistics_are_told_as_over_http(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()

        def run() -> tuple[Any, Any, Any]:
            with client_of(town) as client:
                client.infer("e", [tensor("x", ROWS)])
                deadline = time.monotonic() + 30  # counted when the reply is on its way
                while not client.get_inference_statistics("e").model_stats[0].inference_count:
                    assert time.monotonic() < deadline
                assert refused(lambda: client.get_inference_statistics("nobody"))[0] == "NOT_FOUND"
                assert refused(lambda: client.get_model_config("e", "7"))[0] == "NOT_FOUND"
                named = client.get_inference_statistics("e", "1")
                return client.get_model_config("e").config, client.get_inference_statistics(), named

        config, statistics, named = await asyncio.to_thread(run)
        rest = (await caller.ask("GET", "/v2/models/e/config")).json
        assert (config.name, config.platform, config.backend) == (rest["name"], rest["platform"], rest["backend"])
        assert (config.max_batch_size, list(config.version_policy.specific.versions)) == (rest["max_batch_size"], [1])
        for ours, theirs in zip([*config.input, *config.output], [*rest["input"], *rest["output"]], strict=True):
            assert model_config_pb2.DataType.Name(ours.data_type) == theirs["data_type"]
            assert (ours.name, list(ours.dims)) == (theirs["name"], theirs["dims"])
        (told,) = (await caller.ask("GET", "/v2/models/stats")).json["model_stats"]
        for said in (statistics.model_stats[0], named.model_stats[0]):
            assert (said.name, said.version, said.inference_count) == ("e", "m:1", 2)
            assert said.inference_stats.success.count == told["inference_stats"]["success"]["count"] == 1
            assert said.inference_stats.success.ns == told["inference_stats"]["success"]["ns"]

    play_rpc(serve, scene)


def test_operators_take_endpoints_out_of_service_and_back(play_rpc: Any) -> None:
    noted: list[Event] = []

    async def scene(town: Any) -> None:
        def run() -> None:
            with client_of(town) as client:
                x = [tensor("x", ROWS)]
                client.unload_model("e")
                assert refused(lambda: client.infer("e", x))[0] == "UNAVAILABLE"
                assert not client.is_model_ready("e")
                assert {each.state for each in client.get_model_repository_index().models} == {"UNAVAILABLE"}
                assert refused(lambda: client.load_model("e", config="{}"))[0] == "INVALID_ARGUMENT"
                client.load_model("e")
                assert client.is_model_ready("e")
                assert client.infer("e", x).as_numpy("prediction").tolist() == [1, 1]
                for change in (client.load_model, client.unload_model):
                    assert refused(lambda change=change: change("nobody"))[0] == "NOT_FOUND"  # type: ignore[misc]

        await asyncio.to_thread(run)
        assert [(each.kind, each.subject, each.actor, each.before, each.after) for each in noted] == [
            (EventKind.UNLOADED, "e", "anybody", "in service", "out of service"),
            (EventKind.LOADED, "e", "anybody", "out of service", "in service"),
        ]

    play_rpc(serve, scene, may_operate=lambda: True, note=noted.append)


def test_a_change_that_cannot_be_written_down_is_not_made(play_rpc: Any) -> None:
    def note(_: Event) -> None:
        raise OSError(28, "No space left on device")

    def ask(client: Any) -> None:
        status, says = refused(lambda: client.unload_model("e"))
        assert (status, "No space left" in says) == ("UNAVAILABLE", True)
        assert client.is_model_ready("e")

    play_rpc(serve, asking(ask), may_operate=lambda: True, note=note)


def test_streams_are_refused_with_what_to_do_instead(play_rpc: Any) -> None:
    def ask(client: Any) -> None:
        said: queue.Queue[tuple[Any, Any]] = queue.Queue()
        client.start_stream(lambda result, error: said.put((result, error)))
        with suppress(InferenceServerException):  # where the refusal was quicker; the callback tells it either way
            client.async_stream_infer("e", [tensor("x", ROWS)])
        result, error = said.get(timeout=10)
        assert (result, "UNIMPLEMENTED" in str(error.status())) == (None, True)
        assert "a ModelInfer of its own" in error.message()
        client.stop_stream()
        for other in (client.get_trace_settings, client.get_log_settings, client.get_system_shared_memory_status):
            assert refused(other)[0] == "UNIMPLEMENTED"

    play_rpc(serve, asking(ask))


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_tensor_of_the_wrong_size_is_refused(play_rpc: Any, compression: str) -> None:
    def ask(client: Any) -> None:
        short = tensor("x", ROWS)
        short.set_shape([3, 3])
        for how in (None, compression):
            status, says = refused(lambda how=how: client.infer("e", [short], compression_algorithm=how))  # type: ignore[misc]
            assert (status, "24 bytes where type and shape say 36" in says) == ("INVALID_ARGUMENT", True)

    play_rpc(serve, asking(ask))


def test_a_clients_patience_is_the_deadline(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True

        def run() -> None:
            with client_of(town) as client:
                x = [tensor("x", ROWS)]
                assert refused(lambda: client.infer("e", x, client_timeout=0.1))[0] == "DEADLINE_EXCEEDED"

        await asyncio.to_thread(run)
        town.journal.release()

    play_rpc(serve, scene)
