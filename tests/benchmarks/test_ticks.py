"""The benchmark of ticks: it measures turns in which nothing is new, and hours that are handed over whole."""

from pathlib import Path

from benchmarks.monitors.ticks import BEGUN, Installation, busy, idle

from headgate.vocabulary import HOUR


def test_nothing_new_is_nothing_to_look_at_and_an_hour_is_looked_at_whole(tmp_path: Path) -> None:
    installation = Installation(tmp_path, ["first", "second"])
    assert len(idle(installation, 2)) == 2
    assert busy(installation, 50)["rows"] == 50
    state = installation.store.watch("default", "first")
    assert state is not None
    assert state.until == BEGUN + 12 * HOUR
    assert sum(each.volume for each in installation.store.watched_days("default", "first")) == 20 + 50
    installation.store.close()
