"""SQLite where this user may not write is read whatever state its owner left it in, and nothing of it is changed."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.errors import BadConfiguration, NewerSchema, NotFound, Unavailable
from headgate.store import engines, onlooker
from headgate.store.sql import SqlStore
from headgate.testing.conformance_store import a_version

LOOK = """
import json, sys
from headgate.errors import HeadgateError
from headgate.store.sql import SqlStore
from headgate.testing.conformance_store import a_version

def said(call):
    try:
        return call()
    except HeadgateError as error:
        return f"{type(error).__name__}: {error}"

def look():
    store = SqlStore(sys.argv[1])
    for _ in sys.stdin:
        numbers = [each.number for each in store.versions("default", "delay")]
        wrote = said(lambda: store.add_version(a_version(digest="sha256:mine")).number)
        print(json.dumps([numbers, wrote]), flush=True)
    return "done"

print(json.dumps(said(look)))
"""


class Looker:
    """A process that may read the store of a folder and not write it; it looks once per `look`."""

    def __init__(self, path: Path, modes_hold: Callable[[], None]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-c", LOOK, str(path)],
            preexec_fn=modes_hold,  # noqa: PLW1509 - two calls of the kernel, no locks
            **pipes,
        )

    def look(self) -> object:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it could not be opened: the line it left says why
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.communicate(timeout=60)[0].strip() in ("", '"done"')
        assert self.process.returncode == 0


@contextlib.contextmanager
def protected(folder: Path) -> Iterator[None]:
    """Nobody may write `folder` or what is in it, and nothing in it changes meanwhile."""
    there = [folder, *folder.iterdir()]
    before = {each: each.stat().st_mode for each in there}
    content = {each.name: each.read_bytes() for each in folder.iterdir()}
    for each, mode in before.items():
        each.chmod(mode & 0o555)
    try:
        yield
        assert {each.name: each.read_bytes() for each in folder.iterdir()} == content
    finally:
        for each, mode in before.items():
            each.chmod(mode)


def looked(path: Path, modes_hold: Callable[[], None]) -> object:
    looker = Looker(path, modes_hold)
    try:
        return looker.look()
    finally:
        looker.end()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of two versions, closed by its owner."""
    (tmp_path / "home").mkdir()
    found = tmp_path / "home" / "store.sqlite"
    store = SqlStore(found)
    for each in ("a", "b"):
        store.add_version(a_version(digest=f"sha256:{each}"))
    store.close()
    return found


def numbers_and_refusal(told: object) -> list[int]:
    """The versions that were seen; the write beside them was refused in words that help."""
    assert isinstance(told, list), told
    numbers, wrote = told
    assert wrote.startswith("BadConfiguration: store: ")
    assert "run as its owner" in wrote
    return list(numbers)


def test_a_store_its_owner_closed(path: Path, modes_hold: Callable[[], None]) -> None:
    with protected(path.parent):
        assert numbers_and_refusal(looked(path, modes_hold)) == [1, 2]


def test_a_store_whose_owner_was_killed(path: Path, modes_hold: Callable[[], None], tmp_path: Path) -> None:
    owner = SqlStore(path)
    owner.add_version(a_version(digest="sha256:c"))
    left = shutil.copytree(path.parent, tmp_path / "left")
    owner.close()
    assert (left / "store.sqlite-wal").stat().st_size > 0
    with protected(left):
        assert numbers_and_refusal(looked(left / path.name, modes_hold)) == [1, 2, 3]
    (left / "store.sqlite-shm").unlink()
    with protected(left):
        assert "where it can be written" in str(looked(left / path.name, modes_hold))


def test_a_store_its_owner_goes_on_writing(path: Path, modes_hold: Callable[[], None]) -> None:
    path.parent.chmod(0o555)
    looker = Looker(path, modes_hold)
    assert numbers_and_refusal(looker.look()) == [1, 2]
    path.parent.chmod(0o755)
    owner = SqlStore(path)
    owner.add_version(a_version(digest="sha256:c"))
    path.parent.chmod(0o555)
    assert numbers_and_refusal(looker.look()) == [1, 2, 3], "what the owner wrote since"
    owner.add_version(a_version(digest="sha256:d"))
    assert numbers_and_refusal(looker.look()) == [1, 2, 3, 4], "while the owner holds it"
    path.parent.chmod(0o755)
    owner.close()
    path.parent.chmod(0o555)
    assert numbers_and_refusal(looker.look()) == [1, 2, 3, 4], "and after the owner closed it"
    looker.end()
    path.parent.chmod(0o755)


def test_a_database_alone_may_be_protected_too(path: Path, modes_hold: Callable[[], None]) -> None:
    path.chmod(0o444)
    assert numbers_and_refusal(looked(path, modes_hold)) == [1, 2]


def test_one_that_may_not_be_read_is_named(path: Path, modes_hold: Callable[[], None]) -> None:
    path.chmod(0)
    assert "cannot be read by this user" in str(looked(path, modes_hold))


def looking(path: Path) -> sa.Engine:
    return onlooker.onlooker(sa.URL.create("sqlite", database=str(path)), path, 1.0)


@pytest.mark.parametrize("then", ["SELECT 1", "SELECT * FROM what_looks_like_damage"])
def test_what_changed_under_a_reader_is_not_believed(path: Path, then: str) -> None:
    engine = looking(path)

    def read_while_the_owner_writes() -> None:
        with engines.reading(engine) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM version").scalar() == 2
            owner = SqlStore(path)
            owner.add_version(a_version(digest="sha256:c"))
            owner.close()
            connection.exec_driver_sql(then)

    with pytest.raises(Unavailable, match="ask again"):
        read_while_the_owner_writes()
    with engines.reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM version").scalar() == 3


def test_none_there_or_of_another_schema(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onlooker, "may_write", lambda _path: False)
    with pytest.raises(NotFound, match="--store names another"):
        SqlStore(path.with_name("other.sqlite"))
    assert not path.with_name("other.sqlite").exists()
    for revision, error in (("9999", NewerSchema), (None, BadConfiguration)):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM alembic_version")
            if revision is not None:
                connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
            connection.commit()
        with pytest.raises(error):
            SqlStore(path)


def test_who_may_write(path: Path) -> None:
    assert onlooker.may_write(path)
    assert onlooker.may_write(path.with_name("none yet"))
    assert not onlooker.may_write(path.parent / "nowhere" / "store.sqlite")
