"""What people have an installation do stands in its history, whoever did it."""

from pathlib import Path

import headgate
from headgate.events import EventKind, first_broken
from headgate.vocabulary import Micros


def test_moves_of_a_replays_clock_are_history(tmp_path: Path) -> None:
    with headgate.open(tmp_path / "h") as hg:
        hg.note_advance(Micros(0), Micros(1_362_096_000_000_000), "key default/ops")
        (moved,) = hg.events("replay")
        assert (moved.kind, moved.actor, moved.at) == (EventKind.ADVANCED, "key default/ops", 0)
        assert (moved.before, moved.after) == ("1970-01-01T00:00:00+00:00", "2013-03-01T00:00:00+00:00")
        assert first_broken(hg.audit()) is None
