"""A real process, killed while it writes: everything it said was acknowledged is read back, once."""

import signal
import subprocess
import sys
from pathlib import Path

from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Stream
from headgate.journal.scan import scan
from headgate.journal.segment import recover
from headgate.journal.segments import DiskSegmentSource

WRITER = Path(__file__).with_name("journal_writer.py")
KILLS = 4
ACKNOWLEDGED_BEFORE_KILL = 300


def killed_life(root: Path, first: int) -> list[int]:
    """Let a writer acknowledge some hundred records, kill it, and return every number it printed whole."""
    with subprocess.Popen([sys.executable, str(WRITER), str(root), str(first)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(ACKNOWLEDGED_BEFORE_KILL)]
        finally:
            process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [int(line) for line in lines if line.endswith(b"\n")]


def test_every_acknowledged_record_outlives_a_kill(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    for life in range(KILLS):
        acknowledged += killed_life(tmp_path, life * 1_000_000)
    disk = LocalDisk(tmp_path)
    recover(disk, Stream("here-0"))
    source = DiskSegmentSource(disk)
    segments = source.segments()
    found = [
        int.from_bytes(each.id)
        for segment in segments
        for _, block in scan(source.read(segment)).blocks
        for each in block.inputs
    ]
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED_BEFORE_KILL
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))
    assert all(segment.closed for segment in segments)
    assert len(segments) > KILLS, "some segments were closed by rotation, some by recovery"
