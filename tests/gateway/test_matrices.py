"""Matrices that stay one from the socket to the journal: nobody can tell them from rows asked one by one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.gateway.test_doors_agree import Here
from tests.gateway.test_versions import Scripted

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.journal.identifiers import format_id
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.testing.scripted import linear_weights
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

INFER, PREDICT = "/v2/models/e/infer", "/v1/endpoints/e/predict"
MANY = np.random.default_rng(11).normal(size=(600, 3)).astype(np.float32)


def serve(town: Any) -> None:
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)])


def binary(matrix: Any, *, outputs: bool = True, **parameters: Any) -> tuple[bytes, str]:
    raw = matrix.tobytes()
    tensor = {
        "name": "x",
        "shape": list(matrix.shape),
        "datatype": "FP32",
        "parameters": {"binary_data_size": len(raw)},
    }
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": outputs, **parameters}}).encode()
    return text + raw, f"Inference-Header-Content-Length: {len(text)}"


def in_json(matrix: Any, *, nested: bool) -> bytes:
    data = matrix.astype(float).tolist() if nested else matrix.astype(float).reshape(-1).tolist()
    tensor = {"name": "x", "shape": list(matrix.shape), "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def as_rows(matrix: Any) -> list[dict[str, float]]:
    return [dict(zip(("f0", "f1", "f2"), map(float, row), strict=True)) for row in matrix]


def kept(journal: Any) -> Any:
    """What the journal has of each row, without what differs from request to request."""
    answers = {each.input_id: each for each in journal.answers}
    found = []
    for each in sorted(journal.inputs, key=lambda one: one.row):
        said = answers[each.id]
        words = (said.assigned, said.answered, said.role, said.probability, said.prediction, said.scores, said.fallback)
        found.append((each.row, each.features, each.flags, each.entity, each.subject, each.refusal, words))
    return found


@pytest.mark.parametrize("pressed", [False, True])
@pytest.mark.parametrize("count", [1, 15, 16, 32, 64, 65, 128, 129, 300])
def test_records_and_answers_are_those_of_the_same_rows_in_json(play: Any, count: int, pressed: bool) -> None:
    """Also those without features, where the disk falls behind."""
    matrix = MANY[:count]

    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.pressed = pressed
        shed = town.slab.cell("headgate_capture_shed_total", project="default", endpoint="e")
        told = (await caller.post(PREDICT, {"rows": as_rows(matrix)})).json["predictions"]
        expected = kept(town.journal)
        town.journal.blocks.clear()
        reply = await caller.ask("POST", INFER, *binary(matrix, outputs=False))
        assert kept(town.journal) == expected
        said = {each["name"]: each["data"] for each in reply.json["outputs"]}
        assert said["prediction"] == [each["prediction"] for each in told]
        np.testing.assert_array_equal(np.reshape(said["scores"], (count, -1)), [each["scores"] for each in told])
        ids = reply.json["parameters"]["headgate_ids"].split(",")
        assert sorted(ids) == sorted(format_id(each.id) for each in town.journal.inputs)
        assert len(set(ids)) == count
        assert {each.features is None for each in town.journal.inputs} == {pressed}
        assert town.slab.values[shed] == 2 * count * pressed
        assert reply.headers["headgate-version"] == "m:1"

    play(serve, scene)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("count", [2, 40, 100])
def test_tensors_in_json_leave_the_same_records(play: Any, count: int, nested: bool) -> None:
    matrix = MANY[:count]

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": as_rows(matrix)})).status == 200
        expected = kept(town.journal)
        town.journal.blocks.clear()
        reply = await caller.ask("POST", INFER, in_json(matrix, nested=nested))
        assert (reply.status, kept(town.journal)) == (200, expected)

    play(serve, scene)


@pytest.mark.parametrize("odd", ["true", '"7"', "null", "{}", "1e999", str(10**400)])
def test_an_element_that_is_no_number_is_named_by_its_row(play: Any, odd: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        elements = ["0.5"] * 30
        elements[13] = odd
        body = f'{{"inputs": [{{"name": "x", "shape": [10, 3], "datatype": "FP32", "data": [{", ".join(elements)}]}}]}}'
        reply = await caller.ask("POST", INFER, body.encode())
        assert reply.status == 400
        assert odd in {"{}", "1e999"} or "rows[4].f1" in reply.json["error"], reply.json
        assert town.journal.answers == []

    play(serve, scene)


def asked(body: bytes, header: str) -> bytes:
    return f"POST {INFER} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n{header}\r\n\r\n".encode() + body


def scores_of(reply: Any) -> Any:
    said = {each["name"]: each for each in reply.json["outputs"]}
    return np.reshape(said["scores"]["data"], said["scores"]["shape"])


def expected_of(matrix: Any) -> Any:
    return 1 / (1 + np.exp(-(matrix @ linear_weights(3)).astype(float)))


@pytest.mark.parametrize("sizes", [[100] * 6, [16, 32, 64, 17], [64] * 20, [600, 40, 16]])
def test_matrices_of_one_turn_get_their_own_answers(play: Any, sizes: list[int]) -> None:
    async def scene(town: Any) -> None:
        callers = [await town.call() for _ in sizes]
        parts = [MANY[at : at + size] for at, size in enumerate(sizes)]
        for place, (caller, part) in enumerate(zip(callers, parts, strict=True)):
            body, header = binary(part, outputs=False)
            named = json.loads(body[: int(header.rpartition(" ")[2])]) | ({"id": f"mine-{place}"} if place % 2 else {})
            text = json.dumps(named).encode()
            length = f"Inference-Header-Content-Length: {len(text)}"
            caller.writer.write(asked(text + part.tobytes(), length))
        by_id: dict[str, tuple[str, int, tuple[float, ...]]] = {}
        for place, (caller, part) in enumerate(zip(callers, parts, strict=True)):
            reply = await caller.reply()
            np.testing.assert_allclose(scores_of(reply)[:, 1], expected_of(part), atol=1e-6)
            ids = reply.json["parameters"]["headgate_ids"].split(",")
            request = reply.headers["headgate-request-id"]
            assert request == (f"mine-{place}" if place % 2 else ids[0])
            by_id |= {each: (request, row, tuple(map(float, part[row]))) for row, each in enumerate(ids)}
        kept_by_id = {format_id(each.id): (each.request_id, each.row, each.features) for each in town.journal.inputs}
        assert kept_by_id == by_id
        assert len(by_id) == sum(sizes)
        assert all(each.latency_us > 0 for each in town.journal.answers)

    play(serve, scene)


class Picky(Runtime):
    """Fails for any row beyond 90."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, feeds: Feeds) -> Outputs:
        matrix = next(iter(feeds.values()))
        self.sizes.append(len(matrix))
        if (matrix > 90).any():
            raise ValueError("too much")
        return Outputs(np.zeros(len(matrix), np.int64), np.full((len(matrix), 2), 0.5), {}, 1)

    def close(self) -> None:
        pass


def serving(runtime: Runtime) -> Callable[[Any], None]:
    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Here(runtime)
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    return prepare


def test_joined_requests_part_again_where_one_row_fails(play: Any) -> None:
    picky = Picky()

    async def scene(town: Any) -> None:
        caller = await town.call()
        bad = MANY[:20].copy()
        bad[7, 1] = 91.0
        caller.writer.write(b"".join(asked(*binary(each, outputs=False)) for each in (MANY[:30], bad, MANY[30:60])))
        assert [(await caller.reply()).status for _ in range(3)] == [200, 503, 200]
        refused = [each for each in town.journal.inputs if each.refusal]
        assert [each.row for each in refused] == [7]
        assert len(town.journal.answers) == 79
        assert picky.sizes[0] == 80, "all three were asked at once"

    play(serving(picky), scene)


def test_matrices_that_wait_for_a_busy_version_are_asked_together(play: Any) -> None:
    gate = asyncio.Event()
    slow = Scripted(lambda _: gate.wait(), 0.0)

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = slow
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    async def scene(town: Any) -> None:
        callers = [await town.call() for _ in range(4)]
        for caller in callers:
            caller.writer.write(asked(*binary(MANY[:20], outputs=False)))
            await asyncio.sleep(0.02)
        gate.set()
        assert [(await caller.reply()).status for caller in callers] == [200] * 4
        assert slow.sizes == [20, 60]

    play(prepare, scene)


def test_of_joined_requests_the_one_nobody_waits_for_is_left_out(play: Any) -> None:
    gate = asyncio.Event()

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Scripted(lambda _: gate.wait(), 0.0)
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    async def scene(town: Any) -> None:
        caller, hasty = await town.call(), await town.call()
        caller.writer.write(asked(*binary(MANY[:20], outputs=False)))
        hasty.writer.write(asked(*binary(MANY[20:50], outputs=False, timeout=30_000)))
        assert (await hasty.reply()).status == 504
        gate.set()
        assert (await caller.reply()).status == 200
        ends = {each.request_id: each.refusal and each.refusal.rule for each in town.journal.inputs}
        assert sorted(map(str, ends.values())) == ["None", "deadline"]
        assert len(town.journal.answers) == 20

    play(prepare, scene)


def test_a_row_that_breaks_a_rule_is_named_and_a_flag_is_kept(play: Any) -> None:
    fields = (Field("f0", Kind.NUMBER, maximum=50.0), Field("f1", Kind.NUMBER), Field("f2", Kind.NUMBER))
    own = json.dumps(to_document(Contract(fields, Output(Task.BINARY, classes=(0, 1), probability=True))))

    def prepare(town: Any) -> None:
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=own)

    async def scene(town: Any) -> None:
        caller = await town.call()
        matrix = MANY[:20].copy()
        matrix[4, 0] = 51.0
        assert (await caller.ask("POST", INFER, *binary(matrix))).status == 200
        assert [each.row for each in town.journal.inputs if each.flags] == [4]
        matrix[9, 1] = np.nan
        reply = await caller.ask("POST", INFER, *binary(matrix))
        assert (reply.status, "rows[9].f1" in reply.json["error"]) == (400, True)

    play(prepare, scene)


def test_a_call_that_fails_costs_the_row_that_is_to_blame(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        matrix = MANY[:100].copy()
        matrix[3, 2] = 91.0
        reply = await caller.ask("POST", INFER, *binary(matrix))
        assert reply.status == 503
        assert [each.row for each in town.journal.inputs if each.refusal] == [3]
        assert len(town.journal.answers) == 99
        assert (await caller.ask("POST", INFER, *binary(MANY[:16]))).status == 200

    play(serving(Picky()), scene)


def test_a_split_gives_each_row_its_own_version(play: Any) -> None:
    def prepare(town: Any) -> None:
        arms = {"m:1": town.linear(), "m:2": town.linear(bias=9.0)}
        town.publish([Member(name, digest, 0.5, proved=True) for name, digest in arms.items()])

    async def scene(town: Any) -> None:
        caller = await town.call()
        while (await caller.ask("GET", "/v2/models/e/versions/m:2/ready")).status != 200:
            await asyncio.sleep(0.005)
        assert (await caller.ask("POST", INFER, *binary(MANY[:200]))).status == 200
        assert {each.answered for each in town.journal.answers} == {"m:1", "m:2"}

    play(prepare, scene)
