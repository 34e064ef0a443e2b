"""Large values by content address: images, tensors and long texts, kept beside the frames that name them.

A gateway puts a blob off its loop and writes the returned reference where the value would have stood; readers
get the bytes back by digest. What `put` returned survives every crash.

What no record names any more is set aside in its own folder, and removed later, by `orphans.py`::

    blobs/{first two digits}/{64 digits}                    a blob
                             {64 digits}.{token}.part       one being written
                             {either}.{moment}.aside        set aside at that moment, in microseconds

Within one folder a rename is durable as a whole or not at all, whoever syncs the folder and whenever.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from headgate.errors import IntegrityError, NotFound
from headgate.journal.ports import Disk
from headgate.vocabulary import Digest, Micros, readable

FOLDER: Final = "blobs"
INLINE_BYTES: Final = 64 * 1024
"""Values larger than this, and all images and tensors, are blobs."""

_PREFIX: Final = "sha256:"
_NAME: Final = re.compile(
    r"(?P<digits>[0-9a-f]{64})(?P<part>\.[0-9a-f]+\.part)?(?:\.(?P<aside_since>[0-9]+)\.aside)?", re.ASCII
)


@readable
class BlobRef(msgspec.Struct, array_like=True, frozen=True, tag="blob"):
    """A value kept elsewhere: it stands in a record as ``["blob", digest, size, media type]``.

    Only features of inputs are kept elsewhere; `orphans.py` looks for references nowhere else in the lake.
    """

    digest: Digest
    size: int
    """In bytes."""
    media_type: str


class BlobStore(Protocol):
    """Where large values are kept."""

    def put(self, data: bytes, media_type: str) -> BlobRef:
        """Keep `data` and return once it is on stable storage; the same bytes are kept once. OSError otherwise."""
        ...

    def get(self, digest: Digest) -> bytes:
        """The bytes of that digest; NotFound, or IntegrityError if they are not what was put."""
        ...

    def remove(self, digest: Digest) -> None:
        """Forget a blob; no error if it is gone already."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of the blob store."""

    folder: str
    digits: str
    """The SHA-256 of the bytes it holds, or will hold once it is whole."""
    part: str
    """The ending of one whose writer has not finished; empty for a blob."""
    aside_since: Micros | None
    """When it was set aside; None for one in its place."""
    size: int
    """In bytes."""

    @property
    def digest(self) -> Digest:
        """Its name among records."""
        return Digest(_PREFIX + self.digits)

    @property
    def place(self) -> str:
        """Its path while it is not set aside."""
        return f"{self.folder}/{self.digits}{self.part}"

    @property
    def path(self) -> str:
        """Its path as it was found."""
        return self.place if self.aside_since is None else self.aside(self.aside_since)

    def aside(self, moment: Micros) -> str:
        """Its path when it is set aside at `moment`."""
        return f"{self.place}.{moment}.aside"


def kept(disk: Disk, folder: str) -> Iterator[Kept]:
    """What lies in one of the store's folders; files of other names are nobody's business."""
    for name, size in disk.files(folder):
        if found := _NAME.fullmatch(name):
            since = found["aside_since"]
            moment = None if since is None else Micros(int(since))
            yield Kept(folder, found["digits"], found["part"] or "", moment, size)


def folders(disk: Disk) -> list[str]:
    """The store's folders, sorted; none before the first `put`."""
    return [f"{FOLDER}/{each}" for each in disk.folders(FOLDER)]


class LocalBlobs:
    """The BlobStore port over a disk.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from headgate.journal.disk import LocalDisk
    >>> with tempfile.TemporaryDirectory() as root:
    ...     blobs = LocalBlobs(LocalDisk(Path(root)))
    ...     kept = blobs.put(b"a picture", "image/png")
    ...     kept.size, kept.media_type, blobs.get(kept.digest)
    (9, 'image/png', b'a picture')
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def put(self, data: bytes, media_type: str) -> BlobRef:
        """Keep `data` and return once it is on stable storage; the same bytes are kept once. OSError otherwise."""
        digest = digest_of(data)
        path = _path(digest)
        if not self._holds(path, data):
            try:
                self._write(path, data)
            except FileNotFoundError:
                # Its part was set aside as if a dead writer had left it; the next one who may do that comes much later.
                self._write(path, data)
        # Also where the file was there: its writer may be another process that has not synced the folder yet.
        self._disk.sync_folder(path.rpartition("/")[0])
        return BlobRef(digest, len(data), media_type)

    def get(self, digest: Digest) -> bytes:
        """The bytes of that digest; NotFound, or IntegrityError if they are not what was put."""
        found = False
        for path in self._places(_path(digest)):
            with suppress(FileNotFoundError):  # not there, or just brought elsewhere: the next place has it
                data = self._disk.read(path)
                found = True
                if digest_of(data) == digest:
                    return data
        if found:
            raise IntegrityError(f"the blob {digest} is damaged: restore it from a backup or remove it")
        raise NotFound("blob", digest, "It may have passed its retention.")

    def remove(self, digest: Digest) -> None:
        """Forget a blob; no error if it is gone already."""
        path = _path(digest)
        for each in (path, *self._aside(path)):
            self._disk.remove(each)
        with suppress(FileNotFoundError):  # no folder, no blob
            self._disk.sync_folder(path.rpartition("/")[0])

    def _places(self, path: str) -> Iterator[str]:
        """Where a blob may be, in the order in which to look."""
        yield path
        yield from self._aside(path)
        yield path  # it may have been brought back between the two looks

    def _aside(self, path: str) -> list[str]:
        """Where copies of the blob at `path` were set aside."""
        there = kept(self._disk, path.rpartition("/")[0])
        return [each.path for each in there if each.place == path and each.aside_since is not None]

    def _holds(self, path: str, data: bytes) -> bool:
        try:
            return self._disk.read(path) == data
        except FileNotFoundError:
            return False

    def _write(self, path: str, data: bytes) -> None:
        """Bytes first, name second: a name that is there has all its bytes."""
        part = f"{path}.{secrets.token_hex(8)}.part"
        file = self._disk.create(part)
        try:
            try:
                file.append(data)
                file.sync()
            finally:
                file.close()
            self._disk.rename(part, path)
        except OSError:
            self._disk.remove(part)
            raise


def digest_of(data: bytes) -> Digest:
    """The name of these bytes.

    >>> digest_of(b"a picture")[:15]
    'sha256:92b2fa58'
    """
    return Digest(_PREFIX + hashlib.sha256(data).hexdigest())


def _path(digest: Digest) -> str:
    digits = digest.removeprefix(_PREFIX)
    if len(digits) != 64 or not digest.startswith(_PREFIX) or set(digits) - set("0123456789abcdef"):
        raise NotFound("blob", "of this name", "A digest is spelled sha256: and 64 hexadecimal digits.")
    return f"{FOLDER}/{digits[:2]}/{digits}"
