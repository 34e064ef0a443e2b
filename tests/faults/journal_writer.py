"""A process that writes a journal until it is killed, and says on its output which records are acknowledged.

Run as ``python journal_writer.py ROOT FIRST``: input ids count up from FIRST, one per write, a few in flight.
"""

import os
import sys
import threading
from pathlib import Path

from headgate.clock import SystemClock
from headgate.errors import JournalUnavailable
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Stream
from headgate.journal.records import Block, Input, Schema

SCHEMA = Schema("default", "delays", "sha256:00", (), "binary", "boolean")


def main(root: str, first: int) -> None:
    """Write for ever."""
    journal = Committer(LocalDisk(Path(root)), Stream("here-0"), clock=SystemClock(), segment_bytes=20_000)
    in_flight = threading.Semaphore(8)

    def write(number: int) -> None:
        def done(problem: JournalUnavailable | None) -> None:
            if problem is None:
                os.write(1, b"%d\n" % number)
            in_flight.release()

        journal.write(SCHEMA, Block(inputs=[Input(number.to_bytes(16), 0, ("x" * 100,), "r", 0)]), done)

    number = first
    while True:
        in_flight.acquire()
        write(number)
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
