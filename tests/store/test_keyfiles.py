"""Published keys: replaced whole, seen at once, and never a way in when they cannot be read."""

import stat
import threading
from functools import partial
from pathlib import Path

import msgspec
import pytest

from headgate.access.keys import Key, Published
from headgate.store.keyfiles import FILE, FileKeys
from headgate.testing.conformance_store import a_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_what_was_published_is_read(folder: Path) -> None:
    writer, reader = FileKeys(folder), FileKeys(folder)
    assert (reader.changed(), reader.read(), reader.changed()) == (True, Published(), False)
    writer.publish(lambda: [a_key("k1"), a_key("k2", "other")])
    assert reader.changed()
    published = reader.read()
    assert (published.required, [each.id for each in published.keys]) == (True, ["k1", "k2"])
    assert not reader.changed()


def test_only_the_owner_may_read_them(folder: Path) -> None:
    FileKeys(folder).publish(lambda: [a_key("k1")])
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600


def test_revoked_keys_are_not_published_and_no_key_opens_no_door(folder: Path) -> None:
    keys = FileKeys(folder)
    keys.publish(lambda: [a_key("k1")])
    keys.publish(lambda: [msgspec.structs.replace(a_key("k1"), revoked_at=9)])
    assert keys.read() == Published(2, True, ())
    keys.publish(list)
    assert keys.read().required, "not even when the store forgot them all"


def test_nothing_new_writes_nothing(folder: Path) -> None:
    keys = FileKeys(folder)
    keys.publish(lambda: [a_key("k1")])
    before = (folder / FILE).stat()
    keys.publish(lambda: [a_key("k1")])
    assert (folder / FILE).stat().st_ino == before.st_ino
    assert keys.read().revision == 1


def test_changes_within_one_tick_are_all_seen(folder: Path) -> None:
    writer, reader = FileKeys(folder), FileKeys(folder)
    for i in range(50):
        writer.publish(partial(list, [a_key("k", f"n{i % 2}")]))
        assert reader.changed()
        assert reader.read().keys[0].name == f"n{i % 2}"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keys": 7}'])
def test_a_damaged_file_lets_nobody_in_and_throws_nobody_out(folder: Path, content: bytes) -> None:
    writer, reader = FileKeys(folder), FileKeys(folder)
    writer.publish(lambda: [a_key("k1")])
    assert reader.read().keys
    (folder / FILE).write_bytes(content)
    assert (reader.changed(), [each.id for each in reader.read().keys]) == (True, ["k1"])
    assert FileKeys(folder).read() == Published(0, True, ())
    (folder / FILE).unlink()
    assert reader.read().required


def test_publishers_take_turns(folder: Path) -> None:
    """An older look at the store never replaces a newer one: each looks while the others wait."""
    looks: list[int] = []

    def publish() -> None:
        def look() -> list[Key]:
            looks.append(len(looks))
            return [a_key(f"k{looks[-1]}")]

        FileKeys(folder).publish(look)

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each.id for each in FileKeys(folder).read().keys] == [f"k{looks[-1]}"]
