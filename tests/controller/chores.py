"""A turn of the controller's chores over doubles, for tests of what it takes into the history."""

from pathlib import Path
from typing import Any

from headgate.clock import HeldClock
from headgate.controller.chores import Chores
from headgate.controller.declared import Declared
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.registry.packages import PackageStore
from headgate.registry.registry import Registry
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros


def turn(root: Path, store: MemoryStore, **more: Any) -> None:
    """One turn at the moment 9; `more` are the sources of history a test has."""
    clock = HeldClock(Micros(9))
    Chores(
        declared=Declared(store, Registry(store, PackageStore(root / "packages"), clock), lambda: b"s" * 32, store),
        segments=MemorySegments(),
        finish=lambda _stream: False,
        lake=Lake(root / "lake"),
        orphans=Orphans(UnkindDisk(), MemorySegments(), Lake(root / "lake"), clock=clock),
        events=store,
        clock=clock,
        seal_interval=10.0,
        seconds=lambda: 0.0,
        **more,
    ).turn()
