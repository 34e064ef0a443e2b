"""A child's death reaches the history once, whatever happens between noting and forgetting it."""

from pathlib import Path

from tests.controller.chores import turn

from headgate.events import Death, EventKind
from headgate.store.deaths import FileDeaths
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros


class Unforgetting(FileDeaths):
    """A controller that dies before it forgets."""

    def forget(self, death: Death) -> None:
        pass


def test_deaths_become_history_once(tmp_path: Path) -> None:
    store, folder = MemoryStore(), tmp_path / "deaths"
    FileDeaths(folder).report("gateway 0", "signal SIGKILL", Micros(7))
    FileDeaths(folder).report("gateway 0", "exit status 1", Micros(8))
    (folder / "0-nonsense.json").write_bytes(b"{")
    turn(tmp_path, store, deaths=Unforgetting(folder))
    turn(tmp_path, store, deaths=FileDeaths(folder))
    assert FileDeaths(folder).waiting() == []
    found = [(each.at, each.kind, each.subject, each.actor, each.why) for each in store.events("default")]
    assert found == [
        (8, EventKind.DIED, "gateway 0", "supervisor", "exit status 1"),
        (7, EventKind.DIED, "gateway 0", "supervisor", "signal SIGKILL"),
    ]
