"""What the tests of the writing half share: a schema, records, and reading everything back."""

import threading
from collections.abc import Callable

from headgate.clock import Clock, HeldClock
from headgate.errors import JournalUnavailable
from headgate.journal.committer import Committer
from headgate.journal.ports import Disk, Stream
from headgate.journal.records import Answer, Block, Input, Schema, SchemaField
from headgate.journal.scan import scan
from headgate.journal.segments import DiskSegmentSource
from headgate.vocabulary import Micros

STREAM = Stream("here-0")
START = Micros(1_700_000_000_000_000)


def schema(endpoint: str = "delays") -> Schema:
    return Schema("default", endpoint, "sha256:00", (SchemaField("x", "number", "public"),), "binary", "boolean")


DELAYS = schema()


def block(*numbers: int) -> Block:
    """A block whose inputs carry `numbers` as their ids."""
    ids = [number.to_bytes(16) for number in numbers]
    return Block(
        inputs=[Input(each, 0, (1.5,), "r", 0) for each in ids],
        answers=[Answer(each, "m:1", "m:1", "live", 1.0, True, [0.2, 0.8], 3, 4) for each in ids],
    )


def kept(disk: Disk) -> list[int]:
    """The numbers of every input in every segment, in order of stream, sequence and place."""
    source = DiskSegmentSource(disk)
    return [
        int.from_bytes(each.id)
        for segment in source.segments()
        for _, found in scan(source.read(segment)).blocks
        for each in found.inputs
    ]


class Told:
    """A callback that remembers what it was told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.answers: list[JournalUnavailable | None] = []
        self._event = threading.Event()

    def __call__(self, problem: JournalUnavailable | None) -> None:
        self.answers.append(problem)
        self._event.set()

    def wait(self) -> JournalUnavailable | None:
        """The answer; fails the test if none comes."""
        assert self._event.wait(20), "nobody answered"
        return self.answers[0]


def committer(disk: Disk, clock: Clock | None = None, **settings: float) -> Committer:
    """A committer whose clock stands still, so that nothing happens unless a test makes it happen."""
    defaults: dict[str, float] = {"retry_after": 1000.0, "rotate_after": 1000.0, "commit_interval": 0.0}
    make: Callable[..., Committer] = Committer
    return make(disk, STREAM, clock=clock or HeldClock(START), **(defaults | settings))


def write(journal: Committer, number: int) -> JournalUnavailable | None:
    """Write one record and wait for the answer."""
    told = Told()
    journal.write(DELAYS, block(number), told)
    return told.wait()
