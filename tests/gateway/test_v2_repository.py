"""What Triton's tools ask a server besides predictions: statistics, configuration, and which models there are."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.gateway.scenery import serve_one_of_three
from tests.gateway.test_rpc_calls import M, line

from headgate.events import Event
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import EndpointCount
from headgate.gateway.rpc.door import SERVICE
from headgate.traffic.traffic import Member

INFER = "/v2/models/e/infer"
MATRIX = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [[0.1, 0.2, 0.3], [5, 5, 5]]}


def serve_two(town: Any) -> None:
    members = [
        Member("m:1", town.linear(), 1.0, proved=True),
        Member("m:2", town.linear(bias=50.0), 0.0, proved=True),
        Member("m:3", town.linear(bias=-50.0), 0.0),
    ]
    town.publish(members)


def anybody() -> bool:
    return True


async def loaded(caller: Any, version: str) -> None:
    async with asyncio.timeout(5):
        while (await caller.ask("GET", f"/v2/models/e/versions/{version}/ready")).status != 200:
            await asyncio.sleep(0.005)


async def stats_of(caller: Any, path: str, version: str) -> Any:
    found = (await caller.ask("GET", path)).json["model_stats"]
    return next(each for each in found if each["version"] == version)


def test_statistics_count_rows_calls_and_requests(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await loaded(caller, "m:2")
        before = await stats_of(caller, "/v2/models/stats", "m:1")
        assert (before["inference_count"], before["inference_stats"]["success"]["count"]) == (0, 0)
        for _ in range(3):
            assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 200
        assert (await caller.post(INFER, {"inputs": []})).status == 400
        await asyncio.sleep(0.01)  # counted when the replies are on their way
        for path in ("/v2/models/stats", "/v2/models/e/stats", "/v2/models/e/versions/1/stats"):
            found = await stats_of(caller, path, "m:1")
            assert (found["name"], found["inference_count"], found["execution_count"]) == ("e", 6, 3)
            said = found["inference_stats"]
            assert (said["success"]["count"], said["fail"]["count"], said["compute_infer"]["count"]) == (3, 1, 3)
            assert said["success"]["ns"] > said["compute_infer"]["ns"] >= 0
            assert said["queue"] == {"count": 0, "ns": 0}
        other = await stats_of(caller, "/v2/models/e/stats", "m:2")
        assert other["inference_count"] == 0
        assert (await caller.ask("GET", "/v2/models/e/versions/9/stats")).json.keys() == {"error"}
        assert (await caller.ask("GET", "/v2/models/nobody/stats")).status == 404

    play(serve_two, scene)


def test_statistics_are_of_all_workers_of_the_home(play: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        sibling = Slab(tmp_path / "metrics" / "w1.slab")
        for project, endpoint, version in (("default", "e", "m:1"), ("other", "e", "m:1"), ("default", "f", "m:1")):
            count = EndpointCount(sibling, project, endpoint)
            count.replied("native", 200, 0.5)
            count.replied("labels", 200, 0.0)
            count.version(version).ran("live", 7, 1000, 0)
        sibling.close()
        caller = await town.call()
        await caller.post(INFER, {"inputs": [MATRIX]})
        await asyncio.sleep(0.01)
        found = await stats_of(caller, "/v2/models/stats", "m:1")
        assert (found["inference_count"], found["inference_stats"]["success"]["count"]) == (9, 2)
        assert found["inference_stats"]["success"]["ns"] > 500_000_000
        names = {each["name"] for each in (await caller.ask("GET", "/v2/models/stats")).json["model_stats"]}
        assert names == {"e"}

    play(serve_two, scene)


def test_configuration(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        said = (await caller.ask("GET", "/v2/models/e/config")).json
        assert (said["name"], said["platform"], said["max_batch_size"]) == ("e", "headgate_onnx", 16384)
        assert said["input"][0] == {"name": "f0", "data_type": "TYPE_FP64", "dims": [1]}
        assert said["output"] == [
            {"name": "prediction", "data_type": "TYPE_INT64", "dims": [1]},
            {"name": "scores", "data_type": "TYPE_FP64", "dims": [2]},
        ]
        assert (await caller.ask("GET", "/v2/models/e/versions/m:1/config")).status == 200
        assert (await caller.ask("GET", "/v2/models/e/versions/m:3/config")).status == 400

    play(serve_two, scene)


def test_nobody_loads_or_unloads_without_the_right(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for what in ("load", "unload"):
            reply = await caller.ask("POST", f"/v2/repository/models/e/{what}")
            assert (reply.status, list(reply.json)) == (403, ["error"])
            assert (await caller.ask("POST", f"/v2/repository/models/nobody/{what}")).status == 404
        assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 200

    play(serve_two, scene)


def test_an_unloaded_endpoint_answers_nobody_until_it_is_loaded(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await loaded(caller, "m:2")

        async def states() -> list[str]:
            return [each["state"] for each in (await caller.post("/v2/repository/index", {})).json]

        assert await states() == ["READY", "READY", "UNAVAILABLE"], "nobody proved the last one"
        body = b'{"parameters": {"unload_dependents": false}}'
        assert (await caller.ask("POST", "/v2/repository/models/e/unload", body)).status == 200
        asked = [
            await caller.post(INFER, {"inputs": [MATRIX]}),
            await caller.post("/v1/endpoints/e/predict", {"rows": [{"f0": 1, "f1": 1, "f2": 1}]}),
            await caller.post("/invocations", {"instances": [[1, 1, 1]]}),
            await caller.post("/v1/models/e:predict", {"instances": [[1, 1, 1]]}),
            await caller.ask("GET", "/v2/models/e/ready"),
            await caller.ask("GET", "/ping"),
        ]
        assert [each.status for each in asked] == [503] * 6
        assert all(b"load it again" in each.body for each in asked)
        assert (await caller.ask("GET", "/readyz")).status == 200
        assert await states() == ["UNAVAILABLE"] * 3
        assert (await caller.post("/v2/repository/index", {"ready": True})).json == []
        assert (await caller.ask("GET", "/v2/models/e/stats")).status == 200
        configured = await caller.post("/v2/repository/models/e/load", {"parameters": {"config": "{}"}})
        assert configured.status == 400
        assert (await caller.ask("POST", "/v2/repository/models/e/load", b"[]")).status == 400
        assert (await caller.ask("POST", "/v2/repository/models/e/load")).status == 200
        assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 200
        assert (await caller.ask("POST", "/v2/repository/models/e/load")).status == 200

    play(serve_two, scene, may_operate=anybody)


def test_both_protocols_say_the_same_of_every_version(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()

        async def stand(*, ready: bool = False) -> list[tuple[str, str, str]]:
            over_http = (await caller.post("/v2/repository/index", {"ready": ready})).json
            async with line(town) as channel:
                call = channel.unary_unary(
                    f"/{SERVICE}/RepositoryIndex", response_deserializer=M["RepositoryIndexResponse"].FromString
                )
                said = await call(M["RepositoryIndexRequest"](ready=ready).SerializeToString())
            names = ("name", "version", "state", "reason")
            assert [{name: getattr(each, name) for name in names} for each in said.models] == over_http
            return [(each["version"], each["state"], each["reason"]) for each in over_http]

        unproved = ("m:3", "UNAVAILABLE", "has no passing evaluation record; evaluate it first")
        assert await stand() == [("m:1", "READY", ""), ("m:2", "LOADING", ""), unproved]
        assert await stand(ready=True) == [("m:1", "READY", "")]
        town.journal.healthy = False
        sick = "the journal cannot be written"
        assert await stand() == [("m:1", "UNAVAILABLE", sick), ("m:2", "UNAVAILABLE", sick), unproved]
        assert await stand(ready=True) == []
        assert (await caller.ask("POST", "/v2/repository/models/e/unload")).status == 200
        assert await stand() == [("m:1", "UNAVAILABLE", "unloaded"), ("m:2", "UNAVAILABLE", "unloaded"), unproved]

    play_rpc(serve_one_of_three, scene, may_operate=anybody)


def test_every_gateway_of_a_home_obeys(play: Any, tmp_path: Path) -> None:
    from headgate.store.closures import FileClosures

    shared = FileClosures(tmp_path / "run" / "closed")

    async def scene(town: Any) -> None:
        caller = await town.call()
        shared.close(("default", "e"))
        async with asyncio.timeout(5):
            while (await caller.post(INFER, {"inputs": [MATRIX]})).status != 503:
                await asyncio.sleep(0.02)
        shared.open(("default", "e"))
        async with asyncio.timeout(5):
            while (await caller.post(INFER, {"inputs": [MATRIX]})).status != 200:
                await asyncio.sleep(0.02)

    play(serve_two, scene, closures=FileClosures(tmp_path / "run" / "closed"))


def test_tritons_client_asks_what_it_wants(play: Any) -> None:
    def with_client(port: int) -> None:
        import tritonclient.http as triton
        from tritonclient.utils import InferenceServerException

        client = triton.InferenceServerClient(f"127.0.0.1:{port}")
        try:
            assert {each["version"] for each in client.get_model_repository_index()} == {"m:1", "m:2", "m:3"}
            assert client.get_model_config("e")["max_batch_size"] > 1
            assert client.get_inference_statistics()["model_stats"][0]["name"] == "e"
            assert client.get_inference_statistics("e", "m:2")["model_stats"][0]["version"] == "m:2"
            client.unload_model("e")
            assert not client.is_model_ready("e")
            client.load_model("e")
            assert client.is_model_ready("e")
            with pytest.raises(InferenceServerException, match="nobody"):
                client.load_model("nobody")
        finally:
            client.close()

    async def scene(town: Any) -> None:
        await loaded(await town.call(), "m:2")
        await asyncio.to_thread(with_client, town.port)

    play(serve_two, scene, may_operate=anybody)


@pytest.mark.parametrize("over_rpc", [False, True], ids=["http", "grpc"])
def test_nobody_waits_for_the_disk_on_which_a_change_is_noted(play_rpc: Any, over_rpc: bool) -> None:
    noting, goes_on = threading.Event(), threading.Event()

    def note(_: Event) -> None:
        noting.set()
        assert goes_on.wait(10.0)

    async def unload(town: Any) -> int:
        if not over_rpc:
            return int((await (await town.call()).ask("POST", "/v2/repository/models/e/unload")).status)
        async with line(town) as channel:
            call = channel.unary_unary(f"/{SERVICE}/RepositoryModelUnload")
            await call(M["RepositoryModelUnloadRequest"](model_name="e").SerializeToString())
            return 200

    async def scene(town: Any) -> None:
        caller = await town.call()
        unloading = asyncio.ensure_future(unload(town))
        assert await asyncio.to_thread(noting.wait, 5.0)
        assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 200, "what is not noted is not done"
        goes_on.set()
        assert await unloading == 200
        assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 503

    play_rpc(serve_two, scene, may_operate=anybody, note=note)


def test_a_change_that_cannot_be_noted_is_refused_in_the_protocols_words(play: Any) -> None:
    noted: list[Event] = []

    def note(event: Event) -> None:
        noted.append(event)
        raise OSError(28, "No space left on device")

    async def scene(town: Any) -> None:
        caller = await town.call()
        for _ in range(2):
            reply = await caller.ask("POST", "/v2/repository/models/e/unload")
            assert (reply.status, reply.headers["retry-after"], list(reply.json)) == (503, "1", ["error"])
            assert "No space left" in reply.json["error"]
        assert len(noted) == 2
        assert (await caller.post(INFER, {"inputs": [MATRIX]})).status == 200

    play(serve_two, scene, may_operate=anybody, note=note)


def test_both_protocols_say_alike_whether_a_version_is_ready(play_rpc: Any) -> None:
    refused = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404}

    async def scene(town: Any) -> None:
        caller = await town.call()

        async def over_rpc(version: str) -> int:
            async with line(town) as channel:
                call = channel.unary_unary(
                    f"/{SERVICE}/ModelReady", response_deserializer=M["ModelReadyResponse"].FromString
                )
                try:
                    said = await call(M["ModelReadyRequest"](name="e", version=version).SerializeToString())
                except grpc.aio.AioRpcError as error:
                    return refused[error.code().name]
                return 200 if said.ready else 503

        async def stand() -> list[int]:
            found = []
            for version in ("", "m:1", "m:2", "m:3", "m:9"):
                path = f"/v2/models/e/versions/{version}/ready" if version else "/v2/models/e/ready"
                found.append((await caller.ask("GET", path)).status)
                assert await over_rpc(version) == found[-1], version
            return found

        assert await stand() == [200, 200, 503, 400, 404]
        town.journal.healthy = False
        assert await stand() == [503] * 5
        town.journal.healthy = True
        assert (await caller.ask("POST", "/v2/repository/models/e/unload")).status == 200
        assert await stand() == [503] * 5

    play_rpc(serve_one_of_three, scene, may_operate=anybody)
