"""A child's death reaches the history once, whatever happens between noting and forgetting it."""

from pathlib import Path

from headgate.clock import HeldClock
from headgate.controller.chores import Chores
from headgate.controller.declared import Declared
from headgate.events import Death, EventKind
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.registry.packages import PackageStore
from headgate.registry.registry import Registry
from headgate.store.deaths import FileDeaths
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros


class Unforgetting(FileDeaths):
    """A controller that dies before it forgets."""

    def forget(self, death: Death) -> None:
        pass


def turn(root: Path, store: MemoryStore, deaths: FileDeaths) -> None:
    clock = HeldClock(Micros(9))
    Chores(
        declared=Declared(store, Registry(store, PackageStore(root / "packages"), clock), lambda: b"s" * 32),
        segments=MemorySegments(),
        finish=lambda _stream: False,
        lake=Lake(root / "lake"),
        orphans=Orphans(UnkindDisk(), MemorySegments(), Lake(root / "lake"), clock=clock),
        events=store,
        clock=clock,
        seal_interval=10.0,
        deaths=deaths,
        seconds=lambda: 0.0,
    ).turn()


def test_deaths_become_history_once(tmp_path: Path) -> None:
    store, folder = MemoryStore(), tmp_path / "deaths"
    FileDeaths(folder).report("gateway 0", "signal SIGKILL", Micros(7))
    FileDeaths(folder).report("gateway 0", "exit status 1", Micros(8))
    (folder / "0-nonsense.json").write_bytes(b"{")
    turn(tmp_path, store, Unforgetting(folder))
    turn(tmp_path, store, FileDeaths(folder))
    assert FileDeaths(folder).waiting() == []
    found = [(each.at, each.kind, each.subject, each.actor, each.why) for each in store.events("default")]
    assert found == [
        (8, EventKind.DIED, "gateway 0", "supervisor", "exit status 1"),
        (7, EventKind.DIED, "gateway 0", "supervisor", "signal SIGKILL"),
    ]
