"""What the kernel saw: no reply is written before the disk has its record, told by tracing system calls.

The trace of a gateway whose acknowledgements are buffered is the control: the same reading must find fault with it.
"""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.faults.lone_gateway import lone_gateway

from headgate.testing.callers import Acknowledged, Callers
from headgate.testing.installation import Installation

CALLS = "write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync"
LINE = re.compile(
    r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\((?P<fd>\d+)<(?P<file>[^>]*>?[^>]*)>)"
)
HEX = re.compile(r"(?:\\x[0-9a-f]{2})+")


@dataclass
class Call:
    """One system call: where in the trace it began and returned, and what it was about."""

    name: str
    file: str
    began: int
    data: bytes
    returned: int = -1
    worked: bool = False

    @property
    def writes(self) -> bool:
        return "sync" not in self.name


def read_trace(text: str) -> list[Call]:
    """Every call of a trace made with `CALLS`, in the order in which they began."""
    calls: list[Call] = []
    under_way: dict[str, Call] = {}
    for place, line in enumerate(text.splitlines()):
        if (match := LINE.match(line)) is None:
            continue  # a signal or an exit
        call = under_way.pop(match["pid"]) if match["resumed"] else None
        if call is None:
            strings = [bytes.fromhex(each.replace("\\x", "")) for each in HEX.findall(line)]
            file, data = (strings[0], strings[1:]) if "TCP" not in match["file"] else (b"TCP", strings)
            call = Call(match["call"], file.decode(), place, b"".join(data))
            calls.append(call)
        if "<unfinished" in line:
            under_way[match["pid"]] = call
        else:
            call.returned = place
            call.worked = " = -1 " not in line
    return calls


def too_early(calls: list[Call]) -> Iterator[str]:
    """Input ids whose reply began to leave before a sync that holds their record had returned.

    A sync holds what was written to its file before it began. Records hold an id as its sixteen bytes.
    """
    records = [each for each in calls if each.writes and each.file.endswith(".open")]
    syncs = [each for each in calls if not each.writes and each.worked and each.returned >= 0]
    for reply in calls:
        if reply.file != "TCP" or b"HTTP/1.1 200" not in reply.data:
            continue
        for body in reply.data.split(b"\r\n\r\n")[1:]:
            found = re.match(rb'\{"predictions":.*\}', body)
            for each in json.loads(found[0])["predictions"] if found else ():
                id_bytes = bytes.fromhex(each["id"].replace("-", ""))
                record = next(record for record in records if id_bytes in record.data)
                if not any(_holds(sync, record) and sync.returned < reply.began for sync in syncs):
                    yield each["id"]


def unkept_labels(calls: list[Call], labels: dict[str, int]) -> Iterator[str]:
    """Label acknowledgements, on one connection in turn, that began to leave before their record was synced."""
    records = [each for each in calls if each.writes and each.file.endswith(".open")]
    syncs = [each for each in calls if not each.writes and each.worked and each.returned >= 0]
    replies = [each for each in calls if each.file == "TCP" and b'{"accepted":1}' in each.data]
    assert len(replies) == len(labels)
    for reply, input_id in zip(replies, labels, strict=True):
        id_bytes = bytes.fromhex(input_id.replace("-", ""))
        *_, record = [record for record in records if id_bytes in record.data]  # the label's comes last
        if not any(_holds(sync, record) and sync.returned < reply.began for sync in syncs):
            yield input_id


def _holds(sync: Call, record: Call) -> bool:
    return sync.file == record.file and 0 <= record.returned < sync.began


def traced(installation: Installation, *, connections: int, requests: int) -> tuple[list[Call], Acknowledged]:
    """The calls of a gateway while callers ask, and what they were promised."""
    assert shutil.which("strace"), "strace is not installed: apt-get install strace"
    trace = installation.home.root.parent / "trace.txt"
    strace = ["strace", "-f", "-yy", "-xx", "-s", "1048576", "-e", f"trace={CALLS}", "-o", str(trace)]
    with (
        lone_gateway(installation, strace),
        Callers(installation.port, "late", connections=connections, requests=requests) as callers,
    ):
        promised = callers.finish()
    return read_trace(trace.read_text()), promised


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path / "h") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        yield installation


@pytest.mark.full
def test_no_prediction_is_answered_before_its_record_is_synced(durable: Installation) -> None:
    calls, promised = traced(durable, connections=8, requests=400)
    assert list(too_early(calls)) == []
    assert len(promised.predictions) == 400
    replied = b"".join(each.data for each in calls if each.file == "TCP")
    assert all(each.encode() in replied for each in promised.predictions), "the trace saw every reply"


@pytest.mark.full
def test_no_label_is_accepted_before_its_record_is_synced(durable: Installation) -> None:
    calls, promised = traced(durable, connections=1, requests=100)
    assert list(unkept_labels(calls, promised.labels)) == []
    assert len(promised.labels) == 100


@pytest.mark.full
def test_the_reading_finds_fault_with_buffered_acknowledgements(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", ack="buffered") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        calls, promised = traced(installation, connections=1, requests=100)
    assert len(list(too_early(calls))) > 50
    assert len(list(unkept_labels(calls, promised.labels))) > 50


def test_a_trace_is_read_in_the_order_of_what_happened() -> None:
    file, id_text = r"\x2f\x61\x2e\x6f\x70\x65\x6e", "00112233-4455-6677-8899-aabbccddeeff"
    record = "".join(rf"\x{id_text.replace('-', '')[at : at + 2]}" for at in range(0, 32, 2))
    body = json.dumps({"predictions": [{"id": id_text}]})
    reply = "".join(rf"\x{each:02x}" for each in f"HTTP/1.1 200 OK\r\n\r\n{body}".encode())
    lines = [
        f'7 write(5<{file}>, "{record}", 16) = 16',
        f"7 fdatasync(5<{file}> <unfinished ...>",
        "7 <... fdatasync resumed>) = 0",
        f'6 write(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "{reply}", 99) = 99',
    ]
    assert list(too_early(read_trace("\n".join(lines)))) == []
    for wrong in ([0, 1, 3, 2], [1, 2, 0, 3], [0, 3, 1, 2]):
        assert list(too_early(read_trace("\n".join(lines[place] for place in wrong)))) == [id_text]
