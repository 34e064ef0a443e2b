"""A home is made once, completed after a crash at any point, and refused when it is too new."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate import durability
from headgate.errors import BadConfiguration, HomeInUse, IntegrityError, NewerSchema, NotFound
from headgate.settings import HOME_FORMAT
from headgate.store.home import claim, create_home, open_home, read_secret
from headgate.store.sql import SqlStore


def test_has_everything_and_keeps_its_secret(tmp_path: Path) -> None:
    home = create_home(tmp_path / "a" / "home")
    for folder in (home.packages, home.traffic, home.journal, home.blobs, home.lake, home.metrics, home.run):
        assert folder.is_dir()
    assert json.loads(home.mark.read_bytes())["format"] == HOME_FORMAT
    assert home.secret.stat().st_mode & 0o777 == 0o600
    secret = read_secret(home)
    mark = home.mark.read_bytes()
    assert create_home(home.root) == open_home(home.root) == home
    assert (read_secret(home), home.mark.read_bytes()) == (secret, mark)
    assert read_secret(create_home(tmp_path / "other")) != secret


def test_none_there(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NotFound, match="headgate up"):
            open_home(root)
    assert list(tmp_path.iterdir()) == []


class Crash(BaseException):
    """The machine stops here."""


@pytest.mark.parametrize("step", range(20))
def test_completed_after_a_crash_at_any_write(step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [step]
    real = durability.sync

    def crashing(folder: Path) -> None:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        real(folder)

    root = tmp_path / "home"
    crashed = False
    monkeypatch.setattr(durability, "sync", crashing)
    try:
        create_home(root)
    except Crash:
        crashed = True
    assert crashed == (step < 10), "a home takes ten synced names: itself, seven folders, secret, mark"
    monkeypatch.undo()
    kept = (root / "secret").read_bytes() if (root / "secret").exists() else None
    home = open_home(root) if (root / ".lock").exists() else create_home(root)
    assert kept in (None, read_secret(home))
    assert home.mark.exists()
    assert home.run.is_dir()
    assert not list(root.glob("*.tmp"))


def test_leftovers_are_swept(tmp_path: Path) -> None:
    home = create_home(tmp_path)
    (tmp_path / ".home.json.x1.tmp").write_bytes(b"{")
    home.run.rmdir()
    open_home(tmp_path)
    assert not list(tmp_path.glob(".*.tmp"))
    assert home.run.is_dir()


def test_newer_layout(tmp_path: Path) -> None:
    home = create_home(tmp_path)
    home.mark.write_text(json.dumps({"format": HOME_FORMAT + 1, "novelty": []}))
    home.run.rmdir()
    with pytest.raises(NewerSchema, match="install a newer"):
        open_home(tmp_path)
    assert not home.run.exists(), "a newer home is left as it is"


def test_newer_database(tmp_path: Path) -> None:
    home = create_home(tmp_path)
    SqlStore(home.database).close()
    open_home(tmp_path)
    connection = sqlite3.connect(home.database)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(NewerSchema, match=r"store\.sqlite"):
        open_home(tmp_path)
    with pytest.raises(NewerSchema):
        SqlStore(home.database)


def test_a_database_that_is_none(tmp_path: Path) -> None:
    home = create_home(tmp_path)
    home.database.write_bytes(b"not a database, and long enough to be looked at" * 100)
    with pytest.raises(IntegrityError, match="backup"):
        open_home(tmp_path)
    with pytest.raises(IntegrityError, match="backup"):
        SqlStore(home.database)


@settings(max_examples=30)
@given(mark=st.binary(max_size=40))
def test_a_damaged_mark_is_named(mark: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("home")
    home = create_home(root)
    home.mark.write_bytes(mark)
    with pytest.raises((IntegrityError, NewerSchema)):
        open_home(root)


@pytest.mark.parametrize("content", [None, b"", b"x" * 31, b"x" * 33])
def test_a_lost_secret_is_never_replaced(content: bytes | None, tmp_path: Path) -> None:
    home = create_home(tmp_path)
    home.secret.unlink()
    if content is not None:
        home.secret.write_bytes(content)
    with pytest.raises(IntegrityError, match="backup"):
        open_home(tmp_path)
    with pytest.raises(IntegrityError, match="backup"):
        read_secret(home)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(BadConfiguration, match="is a file"):
        create_home(tmp_path / "home")
    with pytest.raises(BadConfiguration, match="is a file"):
        create_home(tmp_path / "home" / "below")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lake").write_text("")
    with pytest.raises(BadConfiguration, match="is a file"):
        create_home(tmp_path / "other")


def test_a_read_only_disk_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = create_home(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(BadConfiguration, match="mount it for writing"):
        create_home(tmp_path)
    assert open_home(tmp_path) == home
    home.mark.unlink()
    with pytest.raises(BadConfiguration, match="mount it for writing"):
        open_home(tmp_path)
    assert not home.mark.exists(), "half a home is completed by who may write it"


def test_processes_that_make_it_at_once_agree(tmp_path: Path, together: Callable[..., list[str]]) -> None:
    secrets = together(*[["make", str(tmp_path / "home")]] * 4)
    assert set(secrets) == {read_secret(open_home(tmp_path / "home")).hex()}


def test_a_claim_holds_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "controller.lock"
    with claim(path), pytest.raises(HomeInUse, match="stop that one first"), claim(path):
        pytest.fail("two held it")
    with claim(path):
        pass


def test_a_held_home_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    with claim(path), pytest.raises(HomeInUse, match=f"process {os.getpid()} of this home"), claim(path):
        raise AssertionError
    with claim(path):
        path.write_text("")
        with pytest.raises(HomeInUse, match="another process"), claim(path):
            raise AssertionError
