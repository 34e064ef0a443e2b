"""What waits is kept, in order, once each, and tried ever more rarely."""

from pathlib import Path

from headgate.tracking.entries import Ending, Marked, Model, Ran
from headgate.tracking.outbox import LONGEST_PAUSE_S, Outbox
from headgate.vocabulary import SECOND, Micros


def ran(id_: str) -> Ran:
    return Ran(id=id_, name=id_, experiment="e", started=Micros(0), ended=Micros(1), ending=Ending.FINISHED)


def test_entries_wait_in_order_and_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    marked = Marked(id="a/../b", at=Micros(2), model=Model("late", "late:1", "sha256:0"), experiment="e")
    outbox.add(ran("z"), Micros(1))
    outbox.add(marked, Micros(2))
    outbox.add(ran("z"), Micros(3))
    again = Outbox(tmp_path / "outbox")
    assert [each.entry.id for each in again.waiting()] == ["z", "a/../b"]
    assert [type(each.entry) for each in again.waiting()] == [Ran, Marked]
    again.taken("z")
    again.taken("z")
    assert [each.entry.id for each in outbox.waiting()] == ["a/../b"]
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "outbox"}


def test_pauses_grow_to_a_bound(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.add(ran("r"), Micros(0))
    [waiting] = outbox.waiting()
    pauses = []
    for _ in range(12):
        waiting = waiting.failed(Micros(0), "away", final=False)
        pauses.append(waiting.next / SECOND)
    outbox.keep(waiting)
    assert pauses[:3] == [5.0, 10.0, 20.0]
    assert pauses[-1] == LONGEST_PAUSE_S
    [kept] = outbox.waiting()
    assert (kept.tries, kept.said, kept.refused) == (12, "away", False)
