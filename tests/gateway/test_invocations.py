"""MLflow's scoring protocol and SageMaker's container contract, as their documentation has them."""

import asyncio
import time
from typing import Any

import pytest

from headgate.contracts.contract import Output
from headgate.errors import BodyRefused
from headgate.gateway.doors.invocations.table import read_table
from headgate.runtimes.ports import Placement
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member, Policy
from headgate.vocabulary import VERSION, OnFailure, Task

JSON = "Content-Type: application/json"
CSV = "Content-Type: text/csv"
COLUMNS = ["f0", "f1", "f2"]
DATA = [[0.1, 0.2, 0.3], [5, 5, 5]]
SPLIT = {"dataframe_split": {"columns": COLUMNS, "data": DATA}}


def serve_one(town: Any) -> None:
    town.serve_one()


def test_requests_of_mlflows_own_documentation_are_answered(play: Any) -> None:
    def with_requests(port: int) -> None:
        import pandas as pd
        import requests

        url, frame = f"http://127.0.0.1:{port}/invocations", pd.DataFrame(DATA, columns=COLUMNS)
        rows = frame.to_dict(orient="records")
        bodies: list[Any] = [
            {"dataframe_split": frame.to_dict(orient="split")},
            {"dataframe_records": rows},
            {"instances": rows},
            {"instances": DATA},
            {"inputs": frame.to_dict(orient="list")},
            {"inputs": DATA, "params": {"deadline_ms": 900}},
        ]
        replies = [requests.post(url, json=body, timeout=10) for body in bodies]
        text = frame.to_csv(index=False)
        for kind in ("text/csv", "text/csv; charset=utf-8"):
            replies.append(requests.post(url, data=text, headers={"Content-Type": kind}, timeout=10))
        split = f'{{"dataframe_split": {frame.to_json(orient="split")}}}'
        replies.append(requests.post(url, data=split, timeout=10))  # names no type at all
        assert [(each.status_code, each.json()) for each in replies] == [(200, {"predictions": [1, 1]})] * 9

    async def scene(town: Any) -> None:
        await asyncio.to_thread(with_requests, town.port)
        assert {each.features for each in town.journal.inputs if each.refusal is None} == {
            (0.1, 0.2, 0.3),
            (5.0, 5.0, 5.0),
        }

    play(serve_one, scene)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[[1, 2, 3]]", "expected an object"),
        ("{", "JSON"),
        ("{}", "exactly one"),
        ('{"instances": [[1,2,3]], "inputs": [[1,2,3]]}', "exactly one"),
        ('{"instances": [[1,2,3]], "more": 1}', "more"),
        ('{"instances": [[1,2]]}', "rows[0]: expected 3 values"),
        ('{"instances": {"f0": 1}}', "instances: expected a list"),
        ('{"instances": [7]}', "rows[0]"),
        ('{"inputs": {"f0": [1], "f1": [1, 2], "f2": [3]}}', "different lengths"),
        ('{"inputs": {"f0": 1, "f1": [1], "f2": [3]}}', "inputs.f0"),
        ('{"inputs": 3}', "inputs"),
        ('{"dataframe_records": [[1, 2, 3]]}', "rows[0]"),
        ('{"dataframe_records": {"f0": 1}}', "dataframe_records"),
        ('{"dataframe_split": [1]}', "dataframe_split"),
        ('{"dataframe_split": {"columns": ["f0", "f0"], "data": [[1, 2]]}}', "twice"),
        ('{"dataframe_split": {"columns": ["f0", 1], "data": [[1, 2]]}}', "columns"),
        ('{"dataframe_split": {"columns": ["f0"], "data": [[1, 2]]}}', "rows[0]: expected a list of 1"),
        ('{"dataframe_split": {"columns": ["f0"]}}', "data"),
        ('{"dataframe_split": {"data": [[1, 2, 3]], "dtype": "f"}}', "dtype"),
        ('{"instances": [[1,2,3]], "params": 3}', "params"),
        ('{"instances": [[1,2,3]], "params": {"temperature": 0.1}}', "temperature"),
        ('{"instances": [[1,2,3]], "params": {"output": "odds"}}', "prediction"),
        ('{"instances": [[1,2,3]], "params": {"at": ["2020-01-01T00:00:00Z"]}}', "replay"),
        ('{"instances": [[NaN, 2, 3]]}', "rows[0].f0"),
        ('{"instances": [[1e999, 2, 3]]}', "rows[0].f0"),
    ],
)
def test_what_is_wrong_is_said_as_mlflow_says_it(play: Any, body: str, says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", "/invocations", body.encode(), JSON)
        assert (reply.status, list(reply.json)) == (400, ["error_code", "message"])
        assert reply.json["error_code"] == "BAD_REQUEST"
        assert says in reply.json["message"]
        assert town.journal.answers == []
        assert len(town.journal.inputs) == 1

    play(serve_one, scene)


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-npy",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "text/csv; charset=utf-16",
        "application/json; header=present",
        "text/csv; header=maybe",
        "application/json; profile=x",
    ],
)
def test_other_content_types_are_refused_in_plain_text(play: Any, kind: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", "/invocations", b"1,2,3", f"Content-Type: {kind}")
        assert (reply.status, reply.headers["content-type"]) == (415, "text/plain")
        assert b"content-type" in reply.body

    play(serve_one, scene)


def test_a_table_may_name_its_columns_or_not(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()

        async def score(text: str, *headers: str) -> Any:
            return await caller.ask("POST", "/invocations", text.encode(), *(headers or (CSV,)))

        for text in (
            "f2,f0,f1\n0.3,0.1,0.2\n5,5,5\n",
            "0.1,0.2,0.3\r\n5,5,5",
            '\ufefff0,f1,f2\n0.1,"0.2",0.3\n\n5,5,5\n',
        ):
            assert (await score(text)).json == {"predictions": [1, 1]}
        assert {each.features for each in town.journal.inputs} == {(0.1, 0.2, 0.3), (5.0, 5.0, 5.0)}
        assert (await score("f0,f1,f2\n")).json == {"predictions": []}
        assert (await score("")).json == {"predictions": []}
        forced = await score("f0,f1,f2\n1,2,3\n", "Content-Type: text/csv; header=absent")
        assert "rows[0].f0: expected a number, got a string" in forced.json["message"]
        named = await score("a,b,c\n1,2,3\n", "Content-Type: text/csv; header=present")
        assert "rows[0].f0: is required" in named.json["message"]
        for text, says in (
            ("1,2\n", "rows[0]: expected 3 cells"),
            ("f0,f0,f1\n1,2,3\n", "twice"),
            ("1,2,1_000\n", "rows[0].f2: expected a number"),
            ("1,2,\n", "rows[0].f2: may not be null"),
            ("1,2,inf\n", "rows[0].f2: must be finite"),
            ('1,2,"3\n', "not CSV"),
        ):
            reply = await score(text)
            assert (reply.status, says in reply.json["message"]) == (400, True), text
        assert (await caller.ask("POST", "/invocations", b"\xff,1,2", CSV)).status == 400

    play(serve_one, scene)


def test_answers_come_as_csv_to_those_who_accept_that(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", "/invocations", b"1,2,3\n-9,0,0", CSV, "Accept: text/csv")
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        assert reply.body == b"1\n0\n"
        body = b'{"instances": [[1, 2, 3]], "params": {"output": "all"}}'
        reply = await caller.ask("POST", "/invocations", body, "Accept: text/csv, */*")
        prediction, low, high = reply.body.decode().split(",")
        assert prediction == "1"
        assert float(low) + float(high) == pytest.approx(1.0)

    play(serve_one, scene)


def test_params_are_what_stands_beside_rows(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        params = {"id": "order-1", "keys": ["a", "b"], "output": "scores"}
        reply = await caller.post("/invocations", SPLIT | {"params": params})
        assert [len(each) for each in reply.json["predictions"]] == [2, 2]
        assert reply.headers["headgate-request-id"] == "order-1"
        assert [(each.request_id, each.row, each.entity) for each in town.journal.inputs] == [
            ("order-1", 0, "a"),
            ("order-1", 1, "b"),
        ]

    play(serve_one, scene)


def test_sagemakers_inference_id_names_the_request(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        header = "X-Amzn-SageMaker-Inference-Id: inf-42"
        reply = await caller.ask("POST", "/invocations", b"1,2,3", CSV, header, "X-Amzn-SageMaker-Custom-Attributes: c")
        assert reply.headers["headgate-request-id"] == "inf-42"
        assert [each.request_id for each in town.journal.inputs] == ["inf-42"]
        own = b'{"instances": [[1, 2, 3]], "params": {"id": "mine"}}'
        assert (await caller.ask("POST", "/invocations", own, header)).headers["headgate-request-id"] == "mine"
        long = f"X-Amzn-SageMaker-Inference-Id: {'x' * 129}"
        assert (await caller.ask("POST", "/invocations", b"1,2,3", CSV, long)).status == 400

    play(serve_one, scene)


def test_health_of_the_only_endpoint_and_of_a_named_one(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for path in ("/ping", "/health", "/endpoints/e/ping", "/endpoints/e/health"):
            reply = await caller.ask("GET", path)
            assert (reply.status, reply.body, reply.headers["headgate-version"]) == (200, b"\n", "m:1")
        for path in ("/version", "/endpoints/e/version"):
            assert (await caller.ask("GET", path)).body.decode() == VERSION
        nobody = await caller.ask("GET", "/endpoints/nobody/ping")
        assert (nobody.status, nobody.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert (await caller.ask("GET", "/endpoints/e/anything")).status == 404
        assert (await caller.ask("POST", "/ping")).status == 405
        town.journal.healthy = False
        sick = await caller.ask("GET", "/ping")
        assert (sick.status, sick.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert sick.headers["retry-after"] == "1"

    play(serve_one, scene)


def test_without_one_endpoint_alone_a_caller_must_name_it(play: Any) -> None:
    def prepare(town: Any) -> None:
        town.serve_one()
        member = Member("m:1", town.linear(), 1.0, proved=True)
        from headgate.traffic.traffic import Traffic

        town.traffic.swap(Traffic("default", "other", 1, "m:1", [member], "salt"), 0)

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("GET", "/ping")).status == 404
        reply = await caller.post("/invocations", SPLIT)
        assert (reply.status, "/endpoints/" in reply.json["message"]) == (404, True)
        assert (await caller.post("/endpoints/other/invocations", SPLIT)).status == 200

    play(prepare, scene)


def test_ping_answers_while_a_version_is_loaded(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        place = town.placement_for

        def slowly(digest: str, live: bool) -> Placement:
            time.sleep(1.0)
            found: Placement = place(digest, live)
            return found

        town.placement_for = slowly
        town.gateway._follower._placement_for = slowly
        town.publish([Member("m:2", town.linear(bias=9.0), 1.0, proved=True)], live="m:2")
        longest, end = 0.0, time.perf_counter() + 10.0
        version = "m:1"
        while version != "m:2" and time.perf_counter() < end:
            began = time.perf_counter()
            reply = await caller.ask("GET", "/ping")
            longest = max(longest, time.perf_counter() - began)
            version = reply.headers["headgate-version"]
            assert reply.status == 200
            await asyncio.sleep(0.01)
        assert version == "m:2"
        assert longest < 0.5

    play(serve_one, scene)


def test_an_answer_that_was_not_kept_says_so(play: Any) -> None:
    from headgate.errors import JournalUnavailable

    def prepare(town: Any) -> None:
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], policy=Policy(on_failure=OnFailure.ANSWER))
        town.journal.problem = JournalUnavailable("full")

    async def scene(town: Any) -> None:
        caller = await town.call()
        for path, body in (("/invocations", SPLIT), ("/v1/models/e:predict", {"instances": DATA})):
            reply = await caller.post(path, body)
            assert (reply.status, reply.headers["headgate-journalled"]) == (200, "false")

    play(prepare, scene)


def lines_of(*rows: str) -> bytes:
    return "\n".join(rows).encode()


@pytest.mark.parametrize("named", [True, False, None])
def test_no_more_lines_are_read_than_show_that_there_are_too_many(named: bool | None) -> None:
    contract = numbers_contract(2, Output(Task.REGRESSION))
    names = ["f0,f1"] if named is not False else []
    rows = [{"f0": 1, "f1": 2}]
    for count in (0, 1, 3):
        assert read_table(lines_of(*names, *["1,2"] * count), contract, named=named, most=3) == rows * count
    endless = lines_of(*names, *["1,2"] * 5, '"')
    assert len(read_table(endless, contract, named=named, most=3)) in (4, 5), "and nobody sees the open quote"
    with pytest.raises(BodyRefused, match="quote"):
        read_table(endless, contract, named=named)


def test_too_many_lines_are_refused_as_too_many_rows(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for names in ((), ("f0,f1,f2",)):
            assert (await caller.ask("POST", "/invocations", lines_of(*names, *["1,2,3"] * 3), CSV)).status == 200
            reply = await caller.ask("POST", "/invocations", lines_of(*names, *["1,2,3"] * 4), CSV)
            assert reply.status == 400
            assert "1 to 3 rows" in reply.json["message"]

    play(serve_one, scene, queue_rows=3)
