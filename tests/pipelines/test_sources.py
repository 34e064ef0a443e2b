"""What each kind of source hands on, what is new at the next load, and what it says when something is wrong."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from tests.pipelines.worlds import write_csv

from headgate.errors import BadConfiguration, BadInput, NotFound, Unavailable
from headgate.pipelines.pipelinefile import SourceWords
from headgate.pipelines.sources.open import open_source
from headgate.pipelines.sources.ports import Mark, Pull, Source


def pulled(source: Source, mark: Mark) -> tuple[list[dict[str, Any]], Pull]:
    tables: list[pa.Table] = []
    pull = source.pull(mark, tables.append)
    return [row for each in tables for row in each.to_pylist()], pull


def opened(folder: Path, **words: Any) -> Source:
    return open_source("flights", SourceWords(**words), folder)


def test_csv_is_read_as_text_and_each_file_once(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"id": 1, "note": 'a "quoted", text'}])
    source = opened(tmp_path, csv="*.csv")
    rows, first = pulled(source, {})
    assert (rows, source.textual) == ([{"id": "1", "note": 'a "quoted", text'}], True)
    write_csv(tmp_path / "b.csv", [{"id": 2, "note": ""}])
    rows, second = pulled(source, first.mark)
    assert rows == [{"id": "2", "note": None}]
    assert pulled(source, second.mark)[0] == []


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("not parquet")
    with pytest.raises(BadInput, match=r"sources.flights: a.parquet cannot be read"):
        pulled(opened(tmp_path, parquet="a.parquet"), {})


def test_a_ragged_csv_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(BadInput, match="Expected 2 columns, got 1"):
        pulled(opened(tmp_path, csv="a.csv"), {})


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "at": [datetime(2026, 1, 1, tzinfo=UTC)]}), tmp_path / "a.parquet")
    rows, _ = pulled(opened(tmp_path, parquet="a.parquet"), {})
    assert rows == [{"id": 1, "at": datetime(2026, 1, 1, tzinfo=UTC)}]


def test_of_a_delta_table_the_files_a_version_added_are_read(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "lake", pa.table({"id": [1, 2]}))
    source = opened(tmp_path, delta="lake")
    rows, first = pulled(source, {})
    assert rows == [{"id": 1}, {"id": 2}]
    write_deltalake(tmp_path / "lake", pa.table({"id": [3]}), mode="append")
    rows, second = pulled(source, first.mark)
    assert (rows, second.whole) == ([{"id": 3}], False)
    write_deltalake(tmp_path / "lake", pa.table({"id": [9]}), mode="overwrite")
    rows, third = pulled(source, second.mark)
    assert (rows, third.whole) == ([{"id": 9}], True)
    assert pulled(source, third.mark)[0] == []


def test_partitions_of_a_delta_table_are_columns(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "lake", pa.table({"id": [1, 2], "day": ["mon", "tue"]}), partition_by=["day"])
    source = opened(tmp_path, delta="lake")
    rows, first = pulled(source, {})
    assert sorted(rows, key=str) == [{"id": 1, "day": "mon"}, {"id": 2, "day": "tue"}]
    write_deltalake(tmp_path / "lake", pa.table({"id": [3], "day": ["mon"]}), mode="append")
    assert pulled(source, first.mark)[0] == [{"id": 3, "day": "mon"}]


def test_a_delta_table_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"Delta table '.*lake' does not exist. sources.flights reads it"):
        pulled(opened(tmp_path, delta="lake"), {})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "flights.sqlite")
    connection.execute("CREATE TABLE flights (id INTEGER, at TEXT, fare REAL)")
    connection.execute("INSERT INTO flights VALUES (1, '2026-01-01 10:00:00', 9.5), (2, '2026-01-02 10:00:00', NULL)")
    connection.commit()
    yield connection
    connection.close()


def of_database(folder: Path, **words: Any) -> Source:
    words = {"sql": "SELECT * FROM flights -- all of them", "url": f"sqlite:///{folder}/flights.sqlite", **words}
    return opened(folder, **words)


@pytest.mark.parametrize("column", ["id", "at"])
def test_of_a_database_the_rows_beyond_the_watermark_are_read(
    tmp_path: Path, database: sqlite3.Connection, column: str
) -> None:
    source = of_database(tmp_path, watermark=column)
    rows, first = pulled(source, {})
    assert rows[1] == {"id": 2, "at": "2026-01-02 10:00:00", "fare": None}
    assert pulled(source, first.mark)[0] == []
    database.execute("INSERT INTO flights VALUES (3, '2026-01-03 10:00:00', 1.0)")
    database.commit()
    rows, second = pulled(source, json.loads(json.dumps(first.mark)))
    assert ([each["id"] for each in rows], second.whole) == ([3], False)


def test_without_a_watermark_a_query_is_whole_and_says_whether_it_differs(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    source = of_database(tmp_path)
    rows, first = pulled(source, {})
    assert (len(rows), first.whole) == (2, True)
    assert pulled(source, first.mark)[1].mark == first.mark
    database.execute("UPDATE flights SET fare = 2 WHERE id = 2")
    database.commit()
    assert pulled(source, first.mark)[1].mark != first.mark


def test_a_table_that_is_gone_is_named(tmp_path: Path, database: sqlite3.Connection) -> None:
    database.execute("DROP TABLE flights")
    database.commit()
    with pytest.raises(BadInput, match=r"sources.flights: the database refuses the query: no such table: flights"):
        pulled(of_database(tmp_path), {})


def test_a_database_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="names a database SQLAlchemy does not know"):
        pulled(opened(tmp_path, sql="SELECT 1", url="frogs://nowhere/x"), {})
    with pytest.raises(BadConfiguration, match="is no database"):
        pulled(opened(tmp_path, sql="SELECT 1", url="nowhere"), {})


def test_a_variable_the_environment_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"sources.flights.url: the environment has no variable NOT_SET_HERE"):
        opened(tmp_path, sql="SELECT 1", url="postgresql://${NOT_SET_HERE}@localhost/x")


@dataclass
class Site:
    """An address that answers what it is told to."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    said = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append(dict(self.headers))
            unchanged = self.headers.get("If-None-Match") is not None and (
                self.headers.get("If-None-Match") == said.headers.get("ETag")
            )
            self.send_response(304 if unchanged else said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if not unchanged:
                self.wfile.write(said.body)

        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        said.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield said
        server.shutdown()
        thread.join()


def test_an_address_is_asked_whether_anything_changed(tmp_path: Path, site: Site, monkeypatch: Any) -> None:
    monkeypatch.setenv("FARES_KEY", "s3cret")
    site.body, site.headers = b"id,fare\n1,9.5\n", {"ETag": '"one"'}
    source = opened(tmp_path, http=f"{site.url}/fares.csv", headers={"Authorization": "Bearer ${FARES_KEY}"})
    rows, first = pulled(source, {})
    assert (rows, first.whole, site.asked[0]["Authorization"]) == ([{"id": "1", "fare": "9.5"}], True, "Bearer s3cret")
    rows, second = pulled(source, first.mark)
    assert (rows, second.mark) == ([], first.mark)


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("fares.json", "", b'{"rows": [{"id": 1, "fare": 9.5}], "count": 1}'),
        ("fares", "application/json", b'[{"id": 1, "fare": 9.5}]'),
        ("fares.ndjson", "", b'{"id": 1, "fare": 9.5}\n\n'),
        ("fares", "text/csv; charset=utf-8", b"id,fare\n1,9.5\n"),
    ],
)
def test_an_address_may_answer_json_or_csv(tmp_path: Path, site: Site, name: str, kind: str, body: bytes) -> None:
    site.body, site.headers = body, {"Content-Type": kind} if kind else {}
    rows, _ = pulled(opened(tmp_path, http=f"{site.url}/{name}"), {})
    assert [(each["id"], each["fare"]) for each in rows] == [("1", "9.5")]


def _gone(site: Site) -> None:
    site.status = 404


def _failing(site: Site) -> None:
    site.status = 503


def _half(site: Site) -> None:
    site.headers = {"Content-Length": "1000"}


def _page(site: Site) -> None:
    site.body = b"<html>"


@pytest.mark.parametrize(
    ("does", "error", "says"),
    [
        (_gone, NotFound, "answers 404"),
        (_failing, Unavailable, "answers 503; try again later"),
        (_half, Unavailable, "broke off in the middle"),
        (_page, BadInput, "does not answer JSON"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(
    tmp_path: Path, site: Site, does: Callable[[Site], None], error: type[Exception], says: str
) -> None:
    site.body = b"[]"
    does(site)
    with pytest.raises(error, match=says):
        pulled(opened(tmp_path, http=f"{site.url}/fares.json?token=secret"), {})


def test_an_address_where_nobody_is_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"http://127.0.0.1/fares.csv does not answer"):
        pulled(opened(tmp_path, http="http://127.0.0.1:9/fares.csv"), {})
    with pytest.raises(BadConfiguration, match="must begin with http"):
        opened(tmp_path, http="file:///etc/passwd")
