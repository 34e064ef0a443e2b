import errno
import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from headgate.errors import IntegrityError, NotFound
from headgate.journal.blobs import BlobRef, LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.journal.records import Input
from headgate.testing.disk import CRASH, UnkindDisk
from headgate.vocabulary import Digest

DATA = b"a large tensor" * 1000
DIGITS = hashlib.sha256(DATA).hexdigest()
DIGEST = Digest("sha256:" + DIGITS)


def test_a_blob_is_named_by_its_content(tmp_path: Path) -> None:
    blobs = LocalBlobs(LocalDisk(tmp_path))
    kept = blobs.put(DATA, "application/octet-stream")
    assert kept == BlobRef(DIGEST, len(DATA), "application/octet-stream")
    assert blobs.get(kept.digest) == DATA
    assert (tmp_path / "blobs" / DIGITS[:2] / DIGITS).read_bytes() == DATA


def test_the_same_bytes_are_kept_once() -> None:
    disk = UnkindDisk()
    blobs = LocalBlobs(disk)
    assert blobs.put(DATA, "image/png") == blobs.put(DATA, "image/png")
    assert disk.files(f"blobs/{DIGITS[:2]}") == [(DIGITS, len(DATA))]
    assert sum(call.name == "create" for call in disk.calls) == 1


def test_what_was_returned_survives_a_power_loss() -> None:
    disk = UnkindDisk()
    kept = LocalBlobs(disk).put(DATA, "image/png")
    disk.power_loss()
    assert LocalBlobs(disk).get(kept.digest) == DATA


def test_a_second_put_does_not_trust_an_unsynced_name() -> None:
    disk = UnkindDisk()
    blobs = LocalBlobs(disk)
    disk.faults = {5: errno.EIO}  # read, create, append, sync, rename, sync_folder
    with pytest.raises(OSError, match="Input"):
        blobs.put(DATA, "image/png")
    blobs.put(DATA, "image/png")
    disk.power_loss()
    assert blobs.get(DIGEST) == DATA


@pytest.mark.parametrize("fault", [CRASH, errno.ENOSPC, errno.EIO])
def test_a_fault_at_every_call_leaves_the_blob_whole_or_absent(fault: int) -> None:
    calm = UnkindDisk()
    LocalBlobs(calm).put(DATA, "image/png")
    for number in range(len(calm.calls)):
        disk = UnkindDisk({number: fault})
        blobs = LocalBlobs(disk)
        with pytest.raises(OSError):  # noqa: PT011  # whichever the disk was told to raise
            blobs.put(DATA, "image/png")
        disk.power_loss(surviving=lambda unsynced: unsynced // 2)
        with suppress(NotFound):
            assert blobs.get(DIGEST) == DATA
        assert blobs.put(DATA, "image/png").digest == DIGEST
        disk.power_loss()
        assert (DIGITS, len(DATA)) in disk.files(f"blobs/{DIGITS[:2]}")


def test_a_failed_put_leaves_nothing_behind() -> None:
    disk = UnkindDisk({2: errno.ENOSPC})
    with pytest.raises(OSError, match="No space"):
        LocalBlobs(disk).put(DATA, "image/png")
    assert disk.files(f"blobs/{DIGITS[:2]}") == []


def test_damage_is_noticed_and_repaired_by_the_next_put(tmp_path: Path) -> None:
    blobs = LocalBlobs(LocalDisk(tmp_path))
    blobs.put(DATA, "image/png")
    (tmp_path / "blobs" / DIGITS[:2] / DIGITS).write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match=DIGITS):
        blobs.get(DIGEST)
    blobs.put(DATA, "image/png")
    assert blobs.get(DIGEST) == DATA


def test_removed_blobs_are_gone_for_good() -> None:
    disk = UnkindDisk()
    blobs = LocalBlobs(disk)
    blobs.put(DATA, "image/png")
    blobs.remove(DIGEST)
    blobs.remove(DIGEST)
    disk.power_loss()
    with pytest.raises(NotFound):
        blobs.get(DIGEST)


def test_removing_what_never_was_is_no_error(tmp_path: Path) -> None:
    LocalBlobs(LocalDisk(tmp_path)).remove(DIGEST)


@pytest.mark.parametrize("name", ["", "sha256:", "sha256:../../etc/passwd", DIGITS, "sha256:" + "G" * 64])
def test_a_name_that_is_no_digest_reaches_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        LocalBlobs(LocalDisk(tmp_path)).get(Digest(name))


def test_a_record_names_the_blob() -> None:
    record = Input(bytes(16), 0, (BlobRef(DIGEST, 3, "image/png"),), "r", 0)
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Input)
    assert read.features is not None
    assert msgspec.convert(read.features[0], BlobRef) == BlobRef(DIGEST, 3, "image/png")
