"""What every Disk must do: run each check over a fresh disk of yours.

>>> from headgate.testing.disk import UnkindDisk
>>> for check in DISK_CHECKS:
...     check(UnkindDisk())
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from headgate.journal.ports import Disk


def expect(condition: bool, sentence: str) -> None:
    """Raise AssertionError with `sentence` where `condition` does not hold."""
    if not condition:
        raise AssertionError(sentence)


def expect_error(kind: type[Exception], act: Callable[[], object], sentence: str) -> None:
    """Raise AssertionError with `sentence` unless `act` raises `kind`."""
    try:
        act()
    except kind:
        return
    raise AssertionError(sentence)


def keeps_what_is_appended(disk: Disk) -> None:
    """Appends follow one another; read gives any range, and nothing beyond the end."""
    file = disk.create("a/b/file")
    file.append(b"first ")
    file.append(b"second")
    file.sync()
    file.close()
    expect(disk.read("a/b/file") == b"first second", "a file reads as it was appended")
    expect(disk.read("a/b/file", 6) == b"second", "read begins at start")
    expect(disk.read("a/b/file", 1, 3) == b"irs", "read gives at most size bytes")
    expect(disk.read("a/b/file", 6, 100) == b"second", "read stops at the end")
    expect(disk.read("a/b/file", 100) == b"", "beyond the end is nothing")
    expect(disk.read("a/b/file", 0, 0) == b"", "no bytes were asked for")


def takes_large_appends(disk: Disk) -> None:
    """One append may be many megabytes, and is written whole."""
    data = bytes(range(256)) * (5 * 4096)
    file = disk.create("a/large")
    file.append(data)
    file.close()
    expect(disk.read("a/large") == data, "a large append is written whole")


def creates_once(disk: Disk) -> None:
    """Creating what is there is refused and changes nothing."""
    file = disk.create("a/file")
    file.append(b"x")
    file.close()
    expect_error(FileExistsError, lambda: disk.create("a/file"), "a file is created once")
    expect(disk.read("a/file") == b"x", "a refused creation changes nothing")


def misses_what_is_not_there(disk: Disk) -> None:
    """Reading, reopening and renaming need the file; listing and removing do not."""
    expect_error(FileNotFoundError, lambda: disk.read("a/none"), "reading needs a file")
    expect_error(FileNotFoundError, lambda: disk.reopen("a/none"), "reopening needs a file")
    expect_error(FileNotFoundError, lambda: disk.rename("a/none", "a/new"), "renaming needs a file")
    expect(disk.files("a/none") == [], "a folder that is not there has no files")
    expect(disk.folders("a/none") == [], "a folder that is not there has no folders")
    disk.remove("a/none")


def reopens_and_truncates(disk: Disk) -> None:
    """A reopened file can be cut and grows from there."""
    file = disk.create("a/file")
    file.append(b"0123456789")
    file.close()
    file = disk.reopen("a/file")
    file.truncate(4)
    file.append(b"x")
    file.sync()
    file.close()
    file.close()
    expect(disk.read("a/file") == b"0123x", "a cut file grows from where it was cut; closing twice is fine")


def lists_sorted(disk: Disk) -> None:
    """Files come with sizes, folders without, each directly inside and sorted."""
    for path in ("a/2", "a/1", "a/c/x", "a/b/x", "z"):
        file = disk.create(path)
        file.append(path.encode())
        file.close()
    expect(disk.files("a") == [("1", 3), ("2", 3)], "files lie directly in the folder, sorted")
    expect(disk.folders("a") == ["b", "c"], "folders lie directly in the folder, sorted")


def renames_over(disk: Disk) -> None:
    """A rename replaces what had the name."""
    for path in ("a/old", "a/new"):
        file = disk.create(path)
        file.append(path.encode())
        file.close()
    disk.rename("a/old", "a/new")
    disk.sync_folder("a")
    expect(disk.files("a") == [("new", 5)], "one name is left")
    expect(disk.read("a/new") == b"a/old", "the renamed file has the name")


def reads_while_written(disk: Disk) -> None:
    """What was appended can be read before it was synced."""
    file = disk.create("a/file")
    file.append(b"fresh")
    expect(disk.read("a/file") == b"fresh", "appended bytes can be read at once")
    file.close()


def never_climbs(disk: Disk) -> None:
    """Paths that leave the disk are refused."""
    for path in ("/absolute", "../above", "a/../../above"):
        expect_error(ValueError, partial(disk.create, path), "a path never leaves the disk")


DISK_CHECKS: Final[tuple[Callable[[Disk], None], ...]] = (
    keeps_what_is_appended,
    takes_large_appends,
    creates_once,
    misses_what_is_not_there,
    reopens_and_truncates,
    lists_sorted,
    renames_over,
    reads_while_written,
    never_climbs,
)
