"""Sources that are servers: PostgreSQL and NATS themselves, and the broker that librdkafka brings for tests of clients.

That broker speaks Kafka's protocol over a socket and keeps its messages in memory; it is no Kafka. No broker comes with
Debian or PyPI.
"""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.pipelines.test_run import dataset
from tests.pipelines.test_sources import opened, pulled
from tests.pipelines.worlds import FLIGHTS, World

from headgate.errors import BadInput, Conflict, NotFound, Unavailable
from headgate.pipelines.pipelinefile import StepName
from headgate.pipelines.sources.kafka import KafkaSource
from headgate.pipelines.sources.nats import NatsSource
from headgate.pipelines.sources.ports import Mark
from headgate.pipelines.state import Ending

pytestmark = pytest.mark.full

POSTGRES = FLIGHTS.replace(
    "    csv: flights/*.csv\n    key: [id]\n",
    "    sql: SELECT id, at, distance::numeric AS distance, carrier, late FROM flights\n"
    "    url: ${FLIGHTS_DB}\n    watermark: at\n    overlap: 2h\n    key: [id]\n",
)


class Database:
    """A table of flights in PostgreSQL."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)
        self.say("CREATE TABLE flights (id bigint, at timestamptz, distance float8, carrier text, late boolean)")

    def close(self) -> None:
        self._connection.close()

    def say(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def add(self, first: int, last: int, **changed: str) -> None:
        said = {"distance": "100 + n", "at": "timestamptz '2026-01-01 00:00Z' + n * interval '1 hour'", **changed}
        carrier = "CASE n % 2 WHEN 1 THEN 'UA' ELSE 'DL' END"
        select = f"SELECT n, {said['at']}, {said['distance']}, {carrier}, n % 3 = 0"
        self.say(" ".join(["INSERT INTO flights", select, f"FROM generate_series({first}, {last - 1}) AS n"]))


@pytest.fixture
def flights(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("FLIGHTS_DB", postgres_url)
    database = Database(postgres_url)
    yield database
    database.close()


def test_a_pipeline_reads_postgresql_and_then_what_is_new(tmp_path: Path, flights: Database) -> None:
    flights.add(0, 400)
    world = World(tmp_path, POSTGRES)
    found, rows = dataset(world, world.runner().run())
    assert (found.rows, found.classes, rows["hours"][1].as_py()) == (400, {"False": 266, "True": 134}, 101 / 500)
    assert rows["at"][1].as_py() == datetime(2026, 1, 1, 1, tzinfo=UTC)
    flights.add(400, 500)
    flights.add(1000, 1001, at="timestamptz '2026-01-17 14:30Z'")  # came late, and lies before the newest seen
    run = world.runner().run()
    assert (run.step(StepName.LOAD).made["rows"], dataset(world, run)[0].rows) == (103, 501)
    assert run.step(StepName.CHECK).made == {"rows": 101, "aside": 0}  # the rest is the overlap, and known already
    run = world.runner().run()
    assert (run.step(StepName.LOAD).made["rows"], run.ending) == (2, Ending.NOTHING_NEW)
    flights.add(1001, 1002, at="timestamptz '2026-01-21 18:30Z'")  # so does one that comes alone
    assert dataset(world, world.runner().run())[0].rows == 502


def test_a_postgresql_that_changed_or_vanished_leaves_all_as_it_was(
    tmp_path: Path, flights: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    flights.add(0, 400)
    world = World(tmp_path, POSTGRES)
    world.runner().run()
    before = world.kept.state()
    flights.add(400, 500)
    flights.say("ALTER TABLE flights ALTER COLUMN late TYPE text USING late::text")
    with pytest.raises(BadInput, match=r"sources.flights: 'late' was bool and is string"):
        world.runner().run()
    flights.say("ALTER TABLE flights RENAME TO departures")
    with pytest.raises(BadInput, match='the database refuses the query: relation "flights" does not exist'):
        world.runner().run(fresh=True)
    monkeypatch.setenv("FLIGHTS_DB", "postgresql://postgres@/gone?host=/nowhere")
    with pytest.raises(Unavailable, match="the database cannot be reached"):
        world.runner().run(fresh=True)
    assert world.kept.state() == before
    assert len(list(world.datasets.glob("*/dataset.json"))) == 1


@pytest.fixture
def broker() -> Iterator[str]:
    kafka = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    producer = kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = producer.list_topics(timeout=10).brokers.values()
    yield f"{found.host}:{found.port}"
    del producer


def produce(broker: str, topic: str, messages: list[bytes]) -> None:
    import confluent_kafka

    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0})
    for each in messages:
        producer.produce(topic, each)
    assert producer.flush(10) == 0


def test_a_topic_is_read_to_its_end_and_then_what_is_new(broker: str, tmp_path: Path) -> None:
    produce(broker, "flights", [json.dumps({"id": each, "late": each % 2 == 0}).encode() for each in range(1000)])
    source = opened(tmp_path, kafka="flights", servers=broker)
    rows, first = pulled(source, {})
    assert sorted(int(each["id"]) for each in rows) == list(range(1000))
    assert rows[0]["late"] in ("true", "false")
    assert pulled(source, first.mark)[0] == []
    produce(broker, "flights", [b'{"id": 1000}', b"\xff no json"])
    mark: Mark = json.loads(json.dumps(first.mark))
    new = pulled(source, mark)[0]
    assert {each.get("id") for each in new} == {"1000", None}
    assert [each["_text"] for each in new if each.get("_text")] == ["\ufffd no json"]


def test_a_topic_that_is_gone_or_began_anew_is_named(broker: str) -> None:
    with pytest.raises(NotFound, match=r"topic 'nowhere' does not exist. sources.f reads it"):
        pulled(KafkaSource("f", "nowhere", broker), {})
    produce(broker, "flights", [b"{}"])
    with pytest.raises(Conflict, match="began anew since it was read last; read it anew with --reload f"):
        pulled(KafkaSource("f", "flights", broker), {"offsets": {str(each): 99 for each in range(9)}})


def test_a_broker_that_is_not_there_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    monkeypatch.setattr("headgate.pipelines.sources.kafka.TIMEOUT_S", 1.0)
    with pytest.raises(Unavailable, match=r"sources.f: the broker does not answer"):
        pulled(KafkaSource("f", "flights", "127.0.0.1:9"), {})


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("nats", reason="nats-py is not installed")
    program = shutil.which("nats-server")
    if program is None:
        pytest.skip("nats-server is not installed: apt-get install nats-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "jetstream")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def _publish(server: str, subject: str, messages: list[bytes], *, anew: bool) -> None:
    import nats

    connection = await nats.connect(server)
    stream: Any = connection.jetstream()
    with contextlib.suppress(nats.js.errors.NotFoundError):
        if anew:
            await stream.delete_stream("FLIGHTS")
    await stream.add_stream(name="FLIGHTS", subjects=["flights.>"])
    for each in messages:
        await stream.publish(subject, each)
    await connection.close()


def publish(server: str, subject: str, messages: list[bytes], *, anew: bool = False) -> None:
    asyncio.run(_publish(server, subject, messages, anew=anew))


def test_a_nats_stream_is_read_to_its_end_and_then_what_is_new(nats_server: str, tmp_path: Path) -> None:
    publish(nats_server, "flights.jfk", [json.dumps({"id": each}).encode() for each in range(300)])
    publish(nats_server, "flights.lga", [b'{"id": -1}'])
    source = opened(tmp_path, nats="flights.jfk", servers=nats_server)
    rows, first = pulled(source, {})
    assert [int(each["id"]) for each in rows] == list(range(300))
    assert pulled(source, first.mark)[0] == []
    publish(nats_server, "flights.jfk", [b'{"id": 300}'])
    rows, second = pulled(source, first.mark)
    assert rows == [{"id": "300"}]
    assert len(pulled(opened(tmp_path, nats="flights.>", servers=nats_server), {})[0]) == 302
    publish(nats_server, "flights.jfk", [b"{}"], anew=True)
    with pytest.raises(Conflict, match="the stream 'FLIGHTS' began anew since it was read last"):
        pulled(source, second.mark)


def test_a_nats_that_is_not_there_or_has_no_stream_is_named(nats_server: str) -> None:
    with pytest.raises(NotFound, match="stream of the subject 'weather' does not exist"):
        pulled(NatsSource("f", "weather", nats_server), {})
    with pytest.raises(Unavailable, match=r"sources.f: no NATS server answers"):
        pulled(NatsSource("f", "flights", "nats://127.0.0.1:9"), {})


def test_a_pipeline_reads_a_topic_and_sets_aside_what_is_no_row(broker: str, tmp_path: Path) -> None:
    text = FLIGHTS.replace("    csv: flights/*.csv\n", f"    kafka: flights\n    servers: {broker}\n")
    world = World(tmp_path, text)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"id": each, "at": (begin + timedelta(hours=each)).isoformat(), "distance": 100 + each, "carrier": "UA",
         "late": each % 3 == 0} for each in range(400)
    ]  # fmt: skip
    produce(broker, "flights", [*(json.dumps(each).encode() for each in rows), b"[]"])
    run = world.runner().run()
    assert (run.ending, run.step(StepName.CHECK).made) == (Ending.FINISHED, {"rows": 400, "aside": 1})
    assert dataset(world, run)[0].classes == {"False": 266, "True": 134}
