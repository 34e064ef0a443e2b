"""Large values by content address: images, tensors and long texts, kept beside the frames that name them.

A gateway puts a blob off its loop and writes the returned reference where the value would have stood; readers
get the bytes back by digest. What `put` returned survives every crash.
"""

import hashlib
import secrets
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from headgate.errors import IntegrityError, NotFound
from headgate.journal.ports import Disk
from headgate.vocabulary import Digest

FOLDER: Final = "blobs"
INLINE_BYTES: Final = 64 * 1024
"""Values larger than this, and all images and tensors, are blobs."""

_PART: Final = ".part"
_PREFIX: Final = "sha256:"


class BlobRef(msgspec.Struct, array_like=True, frozen=True, tag="blob"):
    """A value kept elsewhere: it stands in a record as ``["blob", digest, size, media type]``."""

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


class LocalBlobs:
    """The BlobStore port over a disk: ``blobs/{first two digits}/{64 digits}``.

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
        digits = hashlib.sha256(data).hexdigest()
        folder = f"{FOLDER}/{digits[:2]}"
        path = f"{folder}/{digits}"
        if not self._holds(path, data):
            self._write(path, data)
        # Also where the file was there: its writer may be another process that has not synced the folder yet.
        self._disk.sync_folder(folder)
        return BlobRef(Digest(_PREFIX + digits), len(data), media_type)

    def get(self, digest: Digest) -> bytes:
        """The bytes of that digest; NotFound, or IntegrityError if they are not what was put."""
        try:
            data = self._disk.read(_path(digest))
        except FileNotFoundError:
            raise NotFound("blob", digest, "It may have passed its retention.") from None
        if _PREFIX + hashlib.sha256(data).hexdigest() != digest:
            raise IntegrityError(f"the blob {digest} is damaged: restore it from a backup or remove it")
        return data

    def remove(self, digest: Digest) -> None:
        """Forget a blob; no error if it is gone already."""
        path = _path(digest)
        self._disk.remove(path)
        with suppress(FileNotFoundError):  # no folder, no blob
            self._disk.sync_folder(path.rpartition("/")[0])

    def sweep(self) -> None:
        """Remove what interrupted writers left; call it only while nobody puts."""
        for folder in self._disk.folders(FOLDER):
            for name, _ in self._disk.files(f"{FOLDER}/{folder}"):
                if name.endswith(_PART):
                    self._disk.remove(f"{FOLDER}/{folder}/{name}")

    def _holds(self, path: str, data: bytes) -> bool:
        try:
            return self._disk.read(path) == data
        except FileNotFoundError:
            return False

    def _write(self, path: str, data: bytes) -> None:
        """Bytes first, name second: a name that is there has all its bytes."""
        part = f"{path}.{secrets.token_hex(8)}{_PART}"
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


def _path(digest: Digest) -> str:
    digits = digest.removeprefix(_PREFIX)
    if len(digits) != 64 or not digest.startswith(_PREFIX) or set(digits) - set("0123456789abcdef"):
        raise NotFound("blob", "of this name", "A digest is spelled sha256: and 64 hexadecimal digits.")
    return f"{FOLDER}/{digits[:2]}/{digits}"
