"""Tables over HTTP: the same rows as in JSON, and nothing a table can say makes a gateway stumble."""

import asyncio
import importlib
import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest
from tests.gateway.spoken import arrow_body
from tests.gateway.test_doors_agree import FIELDS, OUTPUTS, ROW, Here, Sums, preparing, serving

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.decode import compile_contract
from headgate.gateway.doors.arrow.ipc import ArrowTables
from headgate.gateway.reading import Reader
from headgate.runtimes.failure import failed
from headgate.runtimes.ports import Feeds, Outputs
from headgate.vocabulary import Task

PATH = "/v1/endpoints/e/predict"
STREAM = "application/vnd.apache.arrow.stream"
FILE = "application/vnd.apache.arrow.file"
TYPE, ACCEPT = f"Content-Type: {STREAM}", f"Accept: {STREAM}"
NUMBERS = (
    Field("f0", Kind.NUMBER, minimum=-100, maximum=100),
    Field("f1", Kind.NUMBER, nullable=True),
    Field("f2", Kind.NUMBER),
    Field("calls", Kind.INTEGER),
    Field("member", Kind.BOOLEAN, nullable=True),
    Field("since", Kind.TIMESTAMP, nullable=True),
)
LIMIT = 1 << 20


def stream(table: Any, *, codec: str | None = None, chunk: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=chunk)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def file(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def reader_of(*fields: Field, rows: int = 16384) -> Reader:
    return Reader(compile_contract(Contract(fields, Output(Task.REGRESSION))), rows_limit=rows, replay=True)


def read(table_or_body: Any, *fields: Field, limit: int = LIMIT, rows: int = 16384, is_file: bool = False) -> Any:
    body = table_or_body if isinstance(table_or_body, bytes) else stream(table_or_body)
    return ArrowTables().read(body, reader_of(*fields, rows=rows), limit=limit, is_file=is_file)


def many(count: int) -> Any:
    rng = np.random.default_rng(3)
    members = rng.random(count) < 0.5
    return pa.table(
        {
            "f0": pa.array(rng.normal(size=count) * 60),
            "f1": pa.array(rng.normal(size=count), mask=rng.random(count) < 0.2),
            "f2": pa.array(rng.normal(size=count)),
            "calls": pa.array(rng.integers(-(2**62), 2**62, count)),
            "member": pa.array(members, mask=rng.random(count) < 0.2),
            "since": pa.array(rng.integers(0, 2**50, count), pa.timestamp("us", "UTC"), mask=rng.random(count) < 0.2),
        }
    )


def as_json(table: Any) -> bytes:
    return msgspec.json.encode({"id": "r", "rows": table.to_pylist()})


def numeric(task: str = "multiclass") -> Any:
    return serving(Contract(NUMBERS, OUTPUTS[task]))


def kept(journal: Any) -> Any:
    answers = {each.input_id: each for each in journal.answers}
    found = []
    for each in sorted(journal.inputs, key=lambda one: one.row):
        answer = answers[each.id]
        said = (answer.assigned, answer.answered, answer.role, answer.probability, answer.prediction, answer.scores)
        found.append((each.row, each.features, each.request_id, each.entity, each.flags, each.refusal, said))
    return found


# --- the same rows


@pytest.mark.parametrize("task", ["multiclass", "binary", "regression"])
def test_ten_thousand_rows_are_those_of_json(play: Any, task: str) -> None:
    table = many(10_000)

    async def scene(town: Any) -> None:
        caller = await town.call()
        told = await caller.ask("POST", PATH, as_json(table))
        expected = kept(town.journal)
        town.journal.blocks.clear()
        own = table.replace_schema_metadata({"headgate": '{"id": "r"}'})
        reply = await caller.ask("POST", PATH, stream(own, chunk=3000), TYPE, ACCEPT)
        assert (reply.status, reply.headers["content-type"]) == (200, STREAM)
        assert reply.headers["headgate-request-id"] == "r"
        assert reply.headers["headgate-version"] == "m:1"
        assert kept(town.journal) == expected
        assert sum(bool(each[4]) for each in expected) > 100  # flags are among them
        rows = pa.ipc.open_stream(reply.body).read_all()
        entries = told.json["predictions"]
        assert rows["prediction"].to_pylist() == [each["prediction"] for each in entries]
        assert set(rows["version"].to_pylist()) == {"m:1"}
        assert rows["flags"].to_pylist() == [list(each[4]) for each in expected]
        if task != "regression":
            assert rows["scores"].to_pylist() == [each["scores"] for each in entries]
        # Labels come back by these ids.
        labels = {"regression": 1.0, "binary": True, "multiclass": "tie"}
        one = {"id": rows["id"][9_999].as_py(), "label": labels[task]}
        assert (await caller.post("/v1/endpoints/e/labels", {"labels": [one]})).status == 200
        assert [town.mint.issued(b"default/e", each.id) for each in town.journal.inputs] == [True] * 10_000
        said = json.loads(rows.schema.metadata[b"headgate"])
        assert said == {"request_id": "r", "versions": ["m:1"], "journalled": True}

    play(numeric(task), scene)


def test_answers_in_json_are_the_same(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        both = [await caller.ask("POST", PATH, stream(many(200)), TYPE, *more) for more in ((), (ACCEPT,))]
        plain = both[0].json["predictions"]
        rows = pa.ipc.open_stream(both[1].body).read_all()
        assert [each["prediction"] for each in plain] == rows["prediction"].to_pylist()
        assert len({each["id"] for each in plain} | set(rows["id"].to_pylist())) == 400
        assert both[0].headers["headgate-request-id"] == plain[0]["id"]

    play(numeric(), scene)


def test_a_file_is_a_stream(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, file(many(70)), f"Content-Type: {FILE}")
        assert reply.status == 200
        assert len(reply.json["predictions"]) == 70

    play(numeric(), scene)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_batches_are_read(play: Any, codec: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, stream(many(300), codec=codec), TYPE)
        assert reply.status == 200
        assert len(town.journal.answers) == 300

    play(numeric(), scene)


def test_bad_rows_are_told_beside_good_ones(play: Any) -> None:
    rows = [ROW, ROW | {"f0": 1000.5}, ROW]

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, arrow_body(rows, FIELDS), TYPE, ACCEPT)
        assert reply.status == 200
        table = pa.ipc.open_stream(reply.body).read_all().to_pylist()
        assert [each["error_field"] for each in table] == [None, "rows[1].f0", None]
        assert [each["error_rule"] for each in table] == [None, "range", None]
        assert [each["prediction"] is None for each in table] == [False, True, False]
        assert [each["id"] is None for each in table] == [False, True, False]
        assert [each.refusal is None for each in sorted(town.journal.inputs, key=lambda one: one.row)] == [1, 0, 1]
        none = await caller.ask("POST", PATH, arrow_body(rows[1:2], FIELDS), TYPE, ACCEPT)
        assert none.status == 422
        assert pa.ipc.open_stream(none.body).read_all()["error_rule"].to_pylist() == ["range"]

    play(preparing("binary"), scene)


def test_keys_and_deadlines_come_as_metadata(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        rest = {"id": "mine", "keys": ["a", "b"], "deadline_ms": 9000}
        body = arrow_body([ROW, ROW], FIELDS, headgate=json.dumps(rest))
        reply = await caller.ask("POST", PATH, body, TYPE)
        assert reply.status == 200
        assert sorted(each.entity for each in town.journal.inputs) == ["a", "b"]
        for bad, field in (({"keys": ["a"]}, "keys"), ({"fax": 1}, "fax"), ([], "headgate")):
            reply = await caller.ask("POST", PATH, arrow_body([ROW, ROW], FIELDS, headgate=json.dumps(bad)), TYPE)
            assert (reply.status, reply.json["error"]["field"]) == (422, field)
        reply = await caller.ask("POST", PATH, arrow_body([ROW], FIELDS, headgate="{"), TYPE)
        assert reply.status == 400
        reply = await caller.ask("POST", PATH, arrow_body([ROW], FIELDS), TYPE, "Headgate-Deadline-Ms: none")
        assert reply.status == 422

    play(preparing("binary"), scene)


# --- what goes wrong on the way


class Frail(Sums):
    """Fails on rows whose first number is over 90."""

    def run(self, feeds: Feeds) -> Outputs:
        if (feeds["X"][:, 0] > 90).any():
            raise failed(ValueError())
        return super().run(feeds)


def test_a_row_the_model_fails_on_costs_itself_alone(play: Any) -> None:
    size = 1500
    table = pa.table({name: np.zeros(size) for name in ("f0", "f2")} | {"calls": np.zeros(size, np.int64)})
    table = table.set_column(0, "f0", pa.array([99.0 if row == 1200 else 1.0 for row in range(size)]))

    def prepare(town: Any) -> None:
        numeric("regression")(town)
        digest = next(iter(town.placements))
        town.placements[digest] = Here(Frail(Output(Task.REGRESSION)))

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, stream(table), TYPE, ACCEPT)
        rows = pa.ipc.open_stream(reply.body).read_all()
        assert reply.status == 200
        assert [place for place, rule in enumerate(rows["error_rule"].to_pylist()) if rule] == [1200]
        assert rows["prediction"].null_count == 1
        assert len(town.journal.inputs) == size
        assert [each.row for each in town.journal.inputs if each.refusal] == [1200]

    play(prepare, scene)


class Slow(Here):
    async def run(self, feeds: Feeds) -> Outputs:
        await asyncio.sleep(0.3)
        return self.inline.run(feeds)


def test_a_caller_whose_time_runs_out_is_told_and_the_records_say_so(play: Any) -> None:
    def prepare(town: Any) -> None:
        numeric("regression")(town)
        digest = next(iter(town.placements))
        town.placements[digest] = Slow(Sums(Output(Task.REGRESSION)))

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, stream(many(1500)), TYPE, "Headgate-Deadline-Ms: 100")
        assert (reply.status, reply.json["error"]["rule"]) == (504, "deadline")
        async with asyncio.timeout(5):
            while len(town.journal.inputs) < 1500:
                await asyncio.sleep(0.02)
        assert {each.refusal.rule for each in town.journal.inputs} == {"deadline"}

    play(prepare, scene)


def test_nothing_is_answered_that_cannot_be_remembered(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.healthy = False
        reply = await (await town.call()).ask("POST", PATH, stream(many(100)), TYPE, ACCEPT)
        assert (reply.status, reply.json["error"]["rule"]) == (503, "journal")

    play(numeric(), scene)


def test_without_the_extra_a_table_is_refused_by_its_name(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError("no module", name="pyarrow")

    async def scene(town: Any) -> None:
        monkeypatch.setattr(importlib, "import_module", absent)
        caller = await town.call()
        for body, header in ((stream(many(3)), TYPE), (as_json(many(3)), ACCEPT)):
            reply = await caller.ask("POST", PATH, body, header)
            assert (reply.status, reply.json["error"]["rule"]) == (501, "extra")
            assert "headgate[platform]" in reply.json["error"]["message"]
        assert (await caller.ask("POST", PATH, as_json(many(3)))).status == 200

    play(numeric(), scene)
