"""Files one byte of which is wrong, whichever byte: readers say what they promise, and writers put it right."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.access.keys import Published
from headgate.errors import IntegrityError
from headgate.store.deaths import MOST, FileDeaths
from headgate.store.keyfiles import FILE, FileKeys
from headgate.store.reports import FileReports
from headgate.store.trafficfiles import FileTraffic
from headgate.testing.conformance_store import a_key
from headgate.testing.conformance_traffic import some_traffic
from headgate.vocabulary import Micros


def damaged(path: Path) -> Iterator[None]:
    """Each byte of the file at `path` in turn is one that no text has."""
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        yield
    path.write_bytes(whole)


def test_damaged_keys_let_nobody_in_and_throw_nobody_out(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path)
    keys.publish(lambda: [a_key("k1")])
    known = keys.read()
    for _ in damaged(tmp_path / FILE):
        assert keys.read() == known
        assert FileKeys(tmp_path).read() == Published(0, True, ())


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", None])
def test_keys_lost_or_damaged_are_published_again(tmp_path: Path, damage: bytes | None) -> None:
    """Else a gateway started anew would let everybody in, or nobody, for as long as no key is made or ended."""
    keys, path = FileKeys(tmp_path), tmp_path / FILE
    keys.publish(lambda: [a_key("k1")])
    known = keys.read()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    keys.publish(lambda: [a_key("k1")])
    healed = FileKeys(tmp_path).read()
    assert (healed.required, healed.keys) == (True, known.keys)
    written = path.stat().st_ino
    keys.publish(lambda: [a_key("k1")])
    assert path.stat().st_ino == written


def test_where_there_never_was_a_key_none_is_published(tmp_path: Path) -> None:
    FileKeys(tmp_path).publish(list)
    assert not (tmp_path / FILE).exists()


def test_damaged_traffic_is_passed_over_and_what_was_known_stays(tmp_path: Path) -> None:
    traffic = FileTraffic(tmp_path)
    traffic.swap(some_traffic(1), 0)
    known = traffic.read()
    for _ in damaged(tmp_path / "default" / "delays.json"):
        assert traffic.read() == known
        assert FileTraffic(tmp_path).read() == {}
        with pytest.raises(IntegrityError, match="move it away"):
            traffic.swap(some_traffic(2), 1)


def test_damaged_reports_are_passed_over(tmp_path: Path) -> None:
    reports = FileReports(tmp_path)
    reports.report("w0", {"default/delays": 3})
    reports.report("w1", {"default/delays": 4})
    for _ in damaged(tmp_path / "w0.json"):
        assert reports.obeyed() == {"w1": {"default/delays": 4}}
    assert set(reports.obeyed()) == {"w0", "w1"}


def test_damaged_deaths_are_passed_over_and_the_others_come_in_order(tmp_path: Path) -> None:
    deaths = FileDeaths(tmp_path / "deaths")
    for at in (30, 10, 20):
        deaths.report(f"gateway {at}", "signal SIGKILL", Micros(at))
    first, second, third = deaths.waiting()
    assert (first.at, second.at, third.at) == (10, 20, 30)
    for _ in damaged(tmp_path / "deaths" / f"{second.id}.json"):
        assert deaths.waiting() == [first, third]
    deaths.forget(first)
    deaths.forget(first)
    assert deaths.waiting() == [second, third]


def test_deaths_nobody_takes_do_not_fill_the_disk(tmp_path: Path) -> None:
    deaths = FileDeaths(tmp_path)
    for at in range(MOST):
        (tmp_path / f"{at:020d}-x.json").touch()
    deaths.report("gateway 0", "signal SIGKILL", Micros(7))
    assert len(list(tmp_path.iterdir())) == MOST
    (tmp_path / f"{0:020d}-x.json").unlink()
    deaths.report("gateway 0", "signal SIGKILL", Micros(7))
    assert [each.name for each in deaths.waiting()] == ["gateway 0"]
