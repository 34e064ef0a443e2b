"""gRPC by hand: typed contents, what is refused and how, deadlines, leaving callers, health, the end."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import numpy as np
import pytest
from tests.gateway.test_permits import a_key, serving
from tests.gateway.test_versions import Scripted, hang

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.errors import BadConfiguration, JournalUnavailable
from headgate.gateway.metrics.collector import SlabCollector
from headgate.gateway.rpc import grpcio
from headgate.gateway.rpc.door import SERVICE, RpcDoor
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.gateway.rpc.health import CHECK, NOT_SERVING, SERVICE_UNKNOWN, SERVING, WATCH
from headgate.gateway.rpc.messages import HEALTH, INFERENCE, message_classes
from headgate.gateway.rpc.places import THREADS
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

M = message_classes(INFERENCE)
H = message_classes(HEALTH)
INFER = f"/{SERVICE}/ModelInfer"
ROWS = np.array([[0.1, 0.2, 0.3], [5.0, 5.0, 5.0]], np.float32)
X = {"name": "x", "datatype": "FP32", "shape": [2, 3]}


def serve(town: Any) -> None:
    town.serve_one()


def typed(*inputs: dict[str, Any], **more: Any) -> Any:
    return M["ModelInferRequest"](model_name="e", inputs=inputs, **more)


def raw(**more: Any) -> Any:
    return typed(X, **{"raw_input_contents": [ROWS.tobytes()], **more})


def wholly_typed() -> Any:
    return typed(X | {"contents": {"fp32_contents": ROWS.reshape(-1).tolist()}})


@asynccontextmanager
async def line(town: Any, **more: Any) -> Any:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{town.gateway.grpc_port}", **more) as channel:
        yield channel


def inferring(channel: Any) -> Callable[..., Awaitable[Any]]:
    call: Callable[..., Awaitable[Any]] = channel.unary_unary(
        INFER,
        request_serializer=lambda each: each if isinstance(each, bytes) else each.SerializeToString(),
        response_deserializer=M["ModelInferResponse"].FromString,
    )
    return call


async def refusal(call: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def test_typed_is_answered_typed_and_raw_raw(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            said = await infer(wholly_typed())
            assert list(said.raw_output_contents) == []
            prediction, scores = said.outputs
            assert list(prediction.contents.int64_contents) == [1, 1]
            assert (list(scores.shape), len(scores.contents.fp64_contents)) == ([2, 2], 4)
            other = await infer(raw())
            assert not any(each.HasField("contents") for each in other.outputs)
            assert other.raw_output_contents[1] == np.array(scores.contents.fp64_contents).tobytes()

    play_rpc(serve, scene)


KINDS = (
    Field("whole", Kind.INTEGER),
    Field("large", Kind.INTEGER),
    Field("truth", Kind.BOOLEAN),
    Field("word", Kind.CATEGORY, domain=("ja", "nein")),
    Field("wave", Kind.TENSOR, shape=(2,)),
)
TYPED = (
    {"name": "f0", "datatype": "FP32", "contents": {"fp32_contents": [0.5]}},
    {"name": "f1", "datatype": "FP64", "contents": {"fp64_contents": [0.25]}},
    {"name": "f2", "datatype": "INT8", "contents": {"int_contents": [-3]}},
    {"name": "whole", "datatype": "UINT16", "contents": {"uint_contents": [65535]}},
    {"name": "large", "datatype": "INT64", "contents": {"int64_contents": [1 << 40]}},
    {"name": "truth", "datatype": "BOOL", "contents": {"bool_contents": [True]}},
    {"name": "word", "datatype": "BYTES", "contents": {"bytes_contents": [b"nein"]}},
    {"name": "wave", "datatype": "UINT64", "contents": {"uint64_contents": [3, 4]}, "shape": [1, 2]},
)


def serve_every_kind(town: Any) -> None:
    plain = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True))
    contract = msgspec.json.encode(to_document(Contract((*plain.fields, *KINDS), plain.output))).decode()
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=contract)


def test_the_journal_remembers_the_same_of_the_same_row_whichever_way_it_came(play_rpc: Any) -> None:
    """Over REST as JSON and over gRPC typed."""

    def rest(said: dict[str, Any]) -> dict[str, Any]:
        ((_, data),) = said["contents"].items()
        data = [each.decode() if isinstance(each, bytes) else each for each in data]
        return {"shape": [1], **{name: each for name, each in said.items() if name != "contents"}, "data": data}

    async def scene(town: Any) -> None:
        caller = await town.call()
        by_rest = await caller.post("/v2/models/e/infer", {"id": "a", "inputs": [rest(each) for each in TYPED]})
        assert by_rest.status == 200
        async with line(town) as channel:
            by_rpc = await inferring(channel)(typed(*({"shape": [1], **each} for each in TYPED), id="a"))
        assert by_rpc.id == by_rest.json["id"]
        inputs, answers = town.journal.inputs, town.journal.answers
        for one, other in ((inputs[0], inputs[1]), (answers[0], answers[1])):
            drawn = {"id", "at", "input_id", "compute_us", "latency_us"} & set(type(one).__struct_fields__)
            assert msgspec.structs.replace(other, **{each: getattr(one, each) for each in drawn}) == one
        assert town.journal.blocks[0][0] == town.journal.blocks[1][0]
        assert by_rpc.parameters["headgate_ids"].string_param != by_rest.json["parameters"]["headgate_ids"]

    play_rpc(serve_every_kind, scene)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (lambda: typed(X | {"contents": {"fp32_contents": [1]}}, raw_input_contents=[ROWS.tobytes()]), "mixed"),
        (lambda: raw(raw_input_contents=[ROWS.tobytes(), b""]), "one entry per input"),
        (lambda: raw(raw_input_contents=[ROWS.tobytes()[:-1]]), "23 bytes"),
        (lambda: typed(X), "number of elements"),
        (lambda: typed(X | {"contents": {"fp64_contents": [1.0] * 6}}), "fp32_contents"),
        (lambda: typed(X | {"datatype": "FP16"}), "raw"),
        (lambda: typed(X | {"datatype": "FP8"}), "datatype"),
        (lambda: typed(X | {"shape": []}), "number of rows"),
        (lambda: typed(X | {"datatype": "INT8", "contents": {"int_contents": [300] * 6}}), "INT8"),
        (lambda: typed(X | {"datatype": "UINT16", "contents": {"uint_contents": [70000] * 6}}), "UINT16"),
        (lambda: typed({"name": "f0", "datatype": "FP32", "shape": [1], "contents": {"fp32_contents": [1]}}), "f1"),
        (typed, "at least one tensor"),
        (lambda: typed(*[X] * 5), "the contract has 3 fields"),
        (lambda: raw(model_version="9"), "does not exist"),
        (lambda: raw(outputs=[{"name": "nothing"}]), "this model gives"),
        (lambda: b"\xff\xff\xff", "not the message"),
        (lambda: b"\x0a\x02\xff\xfe", "not the message"),
    ],
)
def test_what_is_no_request_is_refused_by_name(play_rpc: Any, request_: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            error = await refusal(inferring(channel)(request_()))
            assert error.code().name == ("NOT_FOUND" if "exist" in says else "INVALID_ARGUMENT")
            assert says in error.details()
            trailers = dict(error.trailing_metadata())
            assert trailers["headgate-request-id"]
            assert trailers["headgate-version"] in ("none", "m:1")
            assert not town.journal.answers
            assert (await inferring(channel)(raw())).model_version == "m:1"

    play_rpc(serve, scene)


def test_metadata_behind_the_answer_says_who_answered(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            call: Any = inferring(channel)(raw(id="order-4711"))
            await call
            trailers = dict(await call.trailing_metadata())
            assert (trailers["headgate-request-id"], trailers["headgate-version"]) == ("order-4711", "m:1")

    play_rpc(serve, scene)


def test_other_calls_are_not_spoken(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            for method in (f"/{SERVICE}/TraceSetting", "/other.Service/Call"):
                assert (await refusal(channel.unary_unary(method)(b""))).code().name == "UNIMPLEMENTED"
            stream = channel.stream_stream(f"/{SERVICE}/ModelStreamInfer")()
            assert await stream.code() == grpc.StatusCode.UNIMPLEMENTED
            assert "a ModelInfer of its own" in await stream.details()
            silent = channel.stream_unary(INFER)()
            await silent.done_writing()
            assert await silent.code() == grpc.StatusCode.INVALID_ARGUMENT

    play_rpc(serve, scene)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_may_be_as_large_as_a_body(play_rpc: Any, compression: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town, compression=compression) as channel:
            infer = inferring(channel)
            assert (await infer(raw(parameters={"note": {"string_param": "x" * 7000}}))).model_version == "m:1"
            error = await refusal(infer(raw(parameters={"note": {"string_param": "x" * 9000}})))
            assert error.code().name == "RESOURCE_EXHAUSTED"
            assert (await infer(raw())).model_version == "m:1"
        assert len(gzip.compress(b"x" * 9000)) < 100  # so it is the unfolded size that counts

    play_rpc(serve, scene, body_limit=8192)


def test_a_message_may_be_larger_than_grpcs_own_limit(play_rpc: Any) -> None:
    """Which is 4 MiB where nobody says otherwise."""

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            assert (await infer(raw(parameters={"note": {"string_param": "x" * (6 << 20)}}))).model_version == "m:1"

    play_rpc(serve, scene, body_limit=8 << 20)


def test_a_full_queue_says_when_to_come_back(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        async with line(town) as channel:
            infer = inferring(channel)
            waiting = asyncio.ensure_future(infer(raw()))
            while not town.journal.waiting:
                await asyncio.sleep(0.001)
            error = await refusal(infer(raw()))
            assert error.code().name == "UNAVAILABLE"
            assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
            town.journal.release()
            assert (await waiting).model_version == "m:1"

    play_rpc(serve, scene, queue_rows=3)


def test_a_journal_that_fails_is_unavailable(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.problem = JournalUnavailable("no space left")
        async with line(town) as channel:
            error = await refusal(inferring(channel)(raw()))
            assert (error.code().name, "no space left" in error.details()) == ("UNAVAILABLE", True)

    play_rpc(serve, scene)


@pytest.mark.parametrize("stated", ["call", "parameter", "endpoint"])
def test_a_deadline_is_kept(play_rpc: Any, stated: str, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            asked = raw()
            if stated == "parameter":
                asked.parameters["timeout"].int64_param = 60_000
            town.journal.held = True
            error = await refusal(infer(asked, timeout=0.06 if stated == "call" else 20))
            assert error.code().name == "DEADLINE_EXCEEDED"
            async with asyncio.timeout(5):
                while not _replies(tmp_path).get("4"):
                    await asyncio.sleep(0.005)
            town.journal.release()
            town.journal.held = False
            assert (await infer(raw())).model_version == "m:1"

    play_rpc(lambda town: town.serve_one(deadline_ms=60 if stated == "endpoint" else 10_000), scene)


def _replies(home: Path) -> dict[str, float]:
    return {
        sample.labels["code"]: sample.value
        for family in SlabCollector(home / "metrics").collect()
        for sample in family.samples
        if sample.name == "headgate_requests_total" and sample.labels["protocol"] == "grpc"
    }


def test_callers_that_leave_cost_nobody_else(play_rpc: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        async with line(town) as channel:
            infer = inferring(channel)
            leaving: list[Any] = [infer(raw()) for _ in range(20)]
            async with asyncio.timeout(5):
                while len(town.journal.answers) < 40:
                    await asyncio.sleep(0.001)
            for each in leaving:
                each.cancel()
            async with asyncio.timeout(5):
                while town.gateway._router.views["default", "e"].waiting:
                    await asyncio.sleep(0.001)
            town.journal.release()
            town.journal.held = False
            assert (await infer(raw())).model_version == "m:1"
        assert _replies(tmp_path) == {"4": 20, "0": 1}

    play_rpc(serve, scene)


def test_replies_are_counted_by_their_status(play_rpc: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            await infer(raw())
            await refusal(infer(raw(model_version="9")))
            await refusal(infer(typed()))
        assert _replies(tmp_path) == {"0": 1, "3": 1, "5": 1}

    play_rpc(serve, scene)


def test_health_is_told_and_watched(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            made = {"request_serializer": H["HealthCheckRequest"].SerializeToString}
            made["response_deserializer"] = H["HealthCheckResponse"].FromString
            check, watch = channel.unary_unary(CHECK, **made), channel.unary_stream(WATCH, **made)

            async def asked(service: str) -> int:
                return int((await check(H["HealthCheckRequest"](service=service))).status)

            assert [await asked(each) for each in ("", SERVICE, "e")] == [SERVING] * 3
            assert (await refusal(asked("nobody"))).code().name == "NOT_FOUND"
            watching, unknown = watch(H["HealthCheckRequest"]()), watch(H["HealthCheckRequest"](service="x"))
            assert (await watching.read()).status == SERVING
            assert (await unknown.read()).status == SERVICE_UNKNOWN
            unknown.cancel()
            town.journal.healthy = False
            assert (await watching.read()).status == NOT_SERVING
            assert await asked("") == NOT_SERVING
            town.journal.healthy = True
            assert (await watching.read()).status == SERVING
            await town.gateway.drain(1.0)
            assert await watching.code() == grpc.StatusCode.UNAVAILABLE

    play_rpc(serve, scene)


def test_health_tells_strangers_of_no_endpoint(play_rpc: Any) -> None:
    key, text = a_key("predict")
    other, label = a_key("label", name="labeller")

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            made = {"request_serializer": H["HealthCheckRequest"].SerializeToString}
            made["response_deserializer"] = H["HealthCheckResponse"].FromString
            check, watch = channel.unary_unary(CHECK, **made), channel.unary_stream(WATCH, **made)

            def asking(call: Any, service: str, *shown: str) -> Any:
                metadata = tuple(("authorization", f"Bearer {each}") for each in shown)
                return call(H["HealthCheckRequest"](service=service), metadata=metadata)

            assert [(await asking(check, each)).status for each in ("", SERVICE)] == [SERVING] * 2
            for shown in ((), (label,), ("nothing",)):
                for service in ("e", "nobody"):
                    error = await refusal(asking(check, service, *shown))
                    assert (error.code().name, service in error.details()) == ("NOT_FOUND", True)
            assert (await asking(check, "e", text)).status == SERVING
            stranger, known = asking(watch, "e"), asking(watch, "e", text)
            assert [(await each.read()).status for each in (stranger, known)] == [SERVICE_UNKNOWN, SERVING]
            town.keys.publish([other])
            assert (await known.read()).status == SERVICE_UNKNOWN, "a revoked key hears no more of it"

    play_rpc(serving(key, other), scene)


def test_those_who_watch_are_few_and_starve_nobody(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            watch = channel.unary_stream(WATCH, response_deserializer=H["HealthCheckResponse"].FromString)
            watching = [watch(b"") for _ in range(grpcio._STREAMS)]
            for each in watching:
                assert (await each.read()).status == SERVING
            assert await watch(b"").code() == grpc.StatusCode.UNAVAILABLE
            answers = [inferring(channel)(raw()) for _ in range(THREADS + 1)]
            assert {each.model_version for each in await asyncio.gather(*answers)} == {"m:1"}
            watching[0].cancel()
            async with asyncio.timeout(5):
                while not await _admitted(watch(b"")):  # the place is free once the server has heard of it
                    await asyncio.sleep(0.005)

    play_rpc(serve, scene)


async def _admitted(call: Any) -> bool:
    try:
        said = await call.read()
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return False
    call.cancel()
    return said is not grpc.aio.EOF


def test_more_calls_than_threads_wait_for_one(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        threads = THREADS + grpcio._STREAMS
        async with line(town) as channel:
            calls = [asyncio.ensure_future(inferring(channel)(raw())) for _ in range(threads + 20)]
            async with asyncio.timeout(5):
                while len(town.journal.answers) < len(ROWS) * threads:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            assert len(town.journal.answers) == len(ROWS) * threads
            town.journal.held = False
            town.journal.release()
            assert {each.model_version for each in await asyncio.gather(*calls)} == {"m:1"}

    play_rpc(serve, scene)


def test_a_caller_whose_message_does_not_come_is_cut_off(play_rpc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpcio, "_SILENT_SECONDS", 0.0)

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            silent = [channel.stream_unary(INFER)(), channel.stream_stream(WATCH)()]
            async with asyncio.timeout(5):
                assert {await each.code() for each in silent} == {grpc.StatusCode.CANCELLED}
            assert (await inferring(channel)(raw())).model_version == "m:1"

    play_rpc(serve, scene)


def test_what_was_taken_is_answered_before_the_end(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        async with line(town) as channel:
            waiting = asyncio.ensure_future(inferring(channel)(raw()))
            while not town.journal.waiting:
                await asyncio.sleep(0.001)
            ending = asyncio.ensure_future(town.gateway.drain(5.0))
            await asyncio.sleep(0.05)
            town.journal.release()
            assert (await waiting).model_version == "m:1"
            await ending
            assert (await refusal(inferring(channel)(raw()))).code().name == "UNAVAILABLE"

    play_rpc(serve, scene)


def test_an_end_does_not_wait_for_a_model_that_hangs(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            waiting = asyncio.ensure_future(inferring(channel)(raw()))
            while not town.placements[town.linear()].sizes:
                await asyncio.sleep(0.001)
            async with asyncio.timeout(5):
                await town.gateway.drain(0.05)
            assert (await refusal(waiting)).code().name in ("CANCELLED", "UNAVAILABLE")

    def prepare(town: Any) -> None:
        town.placements[town.linear()] = Scripted(hang, 0.0)
        town.serve_one()

    play_rpc(prepare, scene)


def test_models_that_cannot_answer_yet_are_not_ready(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:

            async def said(rpc: str, **fields: Any) -> Any:
                call = channel.unary_unary(f"/{SERVICE}/{rpc}", response_deserializer=M[f"{rpc}Response"].FromString)
                return await call(M[f"{rpc}Request"](**fields).SerializeToString())

            assert (await said("ModelReady", name="e")).ready
            town.journal.healthy = False
            assert not (await said("ModelReady", name="e")).ready
            assert not (await said("ServerReady")).ready
            assert (await said("ServerLive")).live
            (model,) = (await said("RepositoryIndex")).models
            assert (model.state, model.reason) == ("UNAVAILABLE", "the journal cannot be written")
            assert list((await said("RepositoryIndex", ready=True)).models) == []

    play_rpc(serve, scene)


def test_workers_share_a_port_that_can_be_listened_on(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        port = town.gateway.grpc_port
        other = ThreadedServer("127.0.0.1", port, body_limit=1024)
        nobody: Any = RpcDoor.__new__(RpcDoor)
        nobody.methods = nobody.streaming = frozenset()
        nobody.unspoken = {}
        assert other.start(nobody) == port
        await other.stop(1.0)
        with pytest.raises(BadConfiguration, match="--grpc-port"):
            ThreadedServer("192.0.2.1", 1, body_limit=1024).start(nobody)

    play_rpc(serve, scene)


def test_rest_and_rpc_say_the_same_of_a_model(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        rest = json.loads((await caller.ask("GET", "/v2/models/e")).body)
        async with line(town) as channel:
            call = channel.unary_unary(
                f"/{SERVICE}/ModelMetadata", response_deserializer=M["ModelMetadataResponse"].FromString
            )
            said = await call(M["ModelMetadataRequest"](name="e").SerializeToString())
        assert (said.name, list(said.versions), said.platform) == (rest["name"], rest["versions"], rest["platform"])
        for ours, theirs in zip([*said.inputs, *said.outputs], [*rest["inputs"], *rest["outputs"]], strict=True):
            assert {"name": ours.name, "datatype": ours.datatype, "shape": list(ours.shape)} == theirs

    play_rpc(serve_every_kind, scene)


def test_a_strangers_message_is_not_decoded(play_rpc: Any) -> None:
    key, text = a_key("admin")

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            for name in ("ModelInfer", "ModelReady", "ModelStatistics", "RepositoryIndex", "RepositoryModelLoad"):
                call = channel.unary_unary(f"/{SERVICE}/{name}")
                assert (await refusal(call(b"\xff\xff\xff"))).code().name == "UNAUTHENTICATED"
                known = await refusal(call(b"\xff\xff\xff", metadata=(("authorization", f"Bearer {text}"),)))
                assert (known.code().name, "not the message" in known.details()) == ("INVALID_ARGUMENT", True)

    play_rpc(serving(key), scene)


def test_what_is_refused_as_a_whole_is_not_free(play_rpc: Any) -> None:
    key, text = a_key("predict", rate=0.1, burst=2.0)

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            shown = (("authorization", f"Bearer {text}"),)
            codes = [(await refusal(inferring(channel)(typed(), metadata=shown))).code().name for _ in range(3)]
            assert codes == ["INVALID_ARGUMENT", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"]
            assert len(town.journal.inputs) == 2

    play_rpc(serving(key), scene)


def test_callers_show_the_same_keys_as_over_http(play_rpc: Any) -> None:
    key, text = a_key("predict")
    other, label = a_key("label", name="labeller")

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            assert (await refusal(infer(raw()))).code().name == "UNAUTHENTICATED"
            wrong = await refusal(infer(raw(), metadata=(("authorization", "Bearer nothing"),)))
            assert wrong.code().name == "UNAUTHENTICATED"
            denied = await refusal(infer(raw(), metadata=(("authorization", f"Bearer {label}"),)))
            assert denied.code().name == "PERMISSION_DENIED"
            assert town.journal.answers == []
            answered = await infer(raw(), metadata=(("authorization", f"Bearer {text}"),))
            assert answered.model_version == "m:1"

    play_rpc(serving(key, other), scene)
