"""The home directory: made once, completed when a crash left it half-made, refused when it is too new.

The composition root opens it before anything else. This file needs nothing beyond the base install.
"""

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headgate import durability
from headgate.clock import SystemClock
from headgate.errors import BadConfiguration, HomeInUse, IntegrityError, NewerSchema, NotFound
from headgate.settings import HOME_FORMAT, Home
from headgate.store import atomic
from headgate.store.revisions import is_known

SECRET_BYTES: Final = 32


def create_home(root: Path) -> Home:
    """The home at `root`, made if it was not there; calling it again changes nothing.

    Raises NewerSchema when a newer Headgate made it, IntegrityError when it lost its secret or its
    mark is unreadable, BadConfiguration when this user cannot write the directory.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     home = create_home(Path(folder) / "home")
    ...     (len(read_secret(home)), home.packages.is_dir(), create_home(home.root) == home)
    (32, True, True)
    """
    home = Home(root)
    with _writable(root):
        if root.is_dir():
            require_writable(home)
        durability.make_folder(root)
        with atomic.locked(root / ".lock"):
            atomic.sweep(root)
            _check_format(home)
            _complete(home)
    _check_database(home)
    return home


def open_home(root: Path) -> Home:
    """The home that is at `root`: completed when its making was interrupted, as it is where this user may only read.

    Raises NotFound when there is none, otherwise as `create_home`.
    """
    home = Home(root)
    begun = (home.mark, home.secret, root / ".lock")
    with _readable(root):
        if not any(each.exists() for each in begun):
            raise NotFound("home", str(root), "`headgate up` makes one; --home names another directory")
        if may_write(home) or not home.mark.exists():  # the mark is written last: without one something is missing
            return create_home(root)
        _check_format(home)
    _check_database(home)
    return home


def may_write(home: Home) -> bool:
    """Whether this user may change the home: False for another user's and on a read-only disk."""
    return os.access(home.root, os.W_OK | os.X_OK)


def require_writable(home: Home) -> None:
    """Nothing, or BadConfiguration saying what a user who may not change the home can do."""
    if may_write(home):
        return
    if os.statvfs(home.root).f_flag & os.ST_RDONLY:
        raise BadConfiguration("home", f"{home.root} is on a read-only disk; mount it for writing, or use another home")
    raise BadConfiguration("home", f"{home.root} cannot be written by this user; run as its owner, or use another home")


def read_secret(home: Home) -> bytes:
    """The 32 bytes that key identifiers and subjects of this home.

    Raises IntegrityError when they are missing or of another length.
    """
    try:
        secret = home.secret.read_bytes()
    except FileNotFoundError:
        secret = b""
    except PermissionError as error:
        raise BadConfiguration("home", "the file 'secret' belongs to another user; run as the owner") from error
    if len(secret) != SECRET_BYTES:
        raise IntegrityError(
            f"the home's file 'secret' must hold {SECRET_BYTES} bytes; restore it from a backup, "
            "without it no identifier handed out so far can be recognised"
        )
    return secret


def _complete(home: Home) -> None:
    """Make what is missing, the mark last: a home with a mark once had everything."""
    for folder in (home.packages, home.traffic, home.journal, home.blobs, home.lake, home.metrics, home.run):
        durability.make_folder(folder)
    if home.mark.exists():
        read_secret(home)
        return
    if not home.secret.exists():
        atomic.write_file(home.secret, secrets.token_bytes(SECRET_BYTES), mode=0o600)
    mark = {"format": HOME_FORMAT, "made_at": SystemClock().now()}
    atomic.write_file(home.mark, json.dumps(mark).encode() + b"\n")


def _check_format(home: Home) -> None:
    try:
        number = json.loads(home.mark.read_bytes())["format"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError("home.json is not a mark Headgate wrote; restore it from a backup") from error
    if not isinstance(number, int) or number < 1:
        raise IntegrityError("home.json: format must be a whole number from 1 on; restore it from a backup")
    if number > HOME_FORMAT:
        raise NewerSchema(
            f"this home has layout {number}, this Headgate reads up to {HOME_FORMAT}; install a newer Headgate"
        )


def _check_database(home: Home) -> None:
    """Look at the schema's revision before anything opens the database for writing."""
    if not home.database.exists():
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{home.database.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError:
        return  # no such table yet, or its first writer is at work: the store itself looks again under its lock
    except sqlite3.DatabaseError as error:
        raise IntegrityError("store.sqlite is not a database; restore it from a backup") from error
    for (revision,) in rows:
        if not is_known(str(revision)):
            raise NewerSchema("store.sqlite was migrated by a newer Headgate; install that version or newer")


@contextlib.contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise BadConfiguration("home", f"{error.filename or root} is a file where a directory is needed") from error
    except PermissionError as error:
        raise BadConfiguration(
            "home", f"{error.filename or root} cannot be written by this user; run as its owner, or use another home"
        ) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "input/output error"
        raise BadConfiguration("home", f"{root} cannot be written: {reason.lower()}") from error


@contextlib.contextmanager
def _readable(root: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise BadConfiguration(
            "home", f"{error.filename or root} cannot be read by this user; run as its owner"
        ) from error


@contextlib.contextmanager
def claim(path: Path) -> Iterator[None]:
    """Hold `path` for as long as the context lasts, or raise HomeInUse naming the process that does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, claim(Path(folder) / "controller.lock"):  # doctest: +ELLIPSIS
    ...     with claim(Path(folder) / "controller.lock"):
    ...         pass
    Traceback (most recent call last):
    headgate.errors.HomeInUse: controller.lock is held by process ... of this home; stop that one first
    """
    with atomic.attempted(path) as free:
        if not free:
            raise HomeInUse(f"{path.name} is held by {_holder(path)} of this home; stop that one first")
        with contextlib.suppress(OSError):  # a courtesy to the next one; a full disk must not keep this one out
            path.write_text(f"{os.getpid()}\n")
        yield


def held_by(path: Path) -> str | None:
    """Who holds the lock file at `path`, such as ``process 7``; None when nobody does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, claim(Path(folder) / "up.lock"):
    ...     (held_by(Path(folder) / "up.lock") == f"process {os.getpid()}", held_by(Path(folder) / "other.lock"))
    (True, None)
    """
    if not path.exists():
        return None
    with atomic.attempted(path) as free:
        return None if free else _holder(path)


def _holder(path: Path) -> str:
    """Who wrote its process id into the lock file, as far as that can be read."""
    try:
        return f"process {int(path.read_text())}"
    except (OSError, ValueError):
        return "another process"
