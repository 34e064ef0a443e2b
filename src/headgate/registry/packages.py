"""Packages on disk: complete or absent, and checked byte by byte every time one is opened.

The registry puts packages here; gateways, runtime hosts and ``doctor`` open them. The standard library, msgspec
and the contract are all it needs, so that a gateway can open what it serves.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from headgate import durability
from headgate.contracts.contract import Contract
from headgate.contracts.text import from_document
from headgate.errors import BadInput, IntegrityError, NewerSchema, NotFound
from headgate.registry.package import Manifest
from headgate.vocabulary import Digest, readable

FORMAT: Final = 1
"""The layout of a package; a larger number on disk means a newer Headgate wrote it."""
MANIFEST: Final = "manifest.json"
CONTRACT: Final = "contract.json"
REFERENCE: Final = "reference.parquet"
"""The reference sample: data, so it may be buried."""
EXAMPLES: Final = "examples"
"""Folder of further rows: data, so each file may be buried."""
BESIDE: Final = f"{EXAMPLES}/beside-jumps.parquet"
"""Rows beside the jumps of the model's answer."""
SAID: Final = f"{EXAMPLES}/said.parquet"
"""What the model itself said of the reference sample, and then of the rows beside its jumps."""
PARITY: Final = "parity.json"
CARD: Final = "card.md"
EVALUATED: Final = ".evaluated.parquet"
"""Behind the digits of a digest: rows the package was evaluated with, beside its directory."""
TOMBSTONE: Final = ".tombstone"
"""Added to the name of a data file that was taken away on purpose."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_UNFINISHED: Final = ".unfinished-"
_CHUNK: Final = 1 << 20


class Tombstone(msgspec.Struct, frozen=True):
    """What is left of a data file that was taken away."""

    sha256: str
    why: str


@dataclass(frozen=True, slots=True)
class Package:
    """A package whose bytes were just checked."""

    path: Path
    manifest: Manifest
    contract: Contract
    digest: Digest


class PackageStore:
    """The packages of an installation, one directory each, named by the hexadecimal part of its digest.

    Opening what nobody registered says so:

    >>> import tempfile
    >>> store = PackageStore(Path(tempfile.mkdtemp()))
    >>> store.open(Digest("sha256:" + "0" * 64))
    Traceback (most recent call last):
    headgate.errors.NotFound: package 'sha256:000000000000' does not exist. Register the model again on this home
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Where the package of that digest lies, or would lie. Raises BadInput if it is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise BadInput("digest", "type", "must be 'sha256:' and 64 hexadecimal digits")
        return self.root / digest.removeprefix("sha256:")

    def evaluated(self, digest: Digest) -> Path:
        """Where rows that the package of that digest was evaluated with are kept, or would be; no part of it.

        Raises BadInput if it is no digest.
        """
        return self.path(digest).with_suffix(EVALUATED)

    def keep_evaluated(self, digest: Digest, data: bytes) -> None:
        """Keep what the package of that digest was evaluated with, in place of what was there; all or nothing."""
        draft = self.root / f"{_UNFINISHED}{secrets.token_hex(8)}"
        _write(draft, data)
        draft.replace(self.evaluated(digest))
        durability.sync(self.root)

    def put(self, build: Callable[[Path], Manifest]) -> Digest:
        """Keep what `build` writes into the empty directory it is given, and return its digest.

        `build` returns the manifest; its ``files`` are filled in here. The package appears under its final name
        in one rename, after all of it is on stable storage: whatever fails, it is there whole or not at all. The
        same content ends in the same directory.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        unfinished = self.root / f"{_UNFINISHED}{secrets.token_hex(8)}"
        unfinished.mkdir()
        try:
            manifest = msgspec.structs.replace(build(unfinished), files=directory_digests(unfinished))
            digest = write_manifest(unfinished, manifest)
            open_package(unfinished, digest)
            _sync_tree(unfinished)
            self._publish(unfinished, digest)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return digest

    def open(self, digest: Digest) -> Package:
        """The package of that digest, every byte of it checked.

        Raises NotFound, or IntegrityError naming the file that changed.
        """
        path = self.path(digest)
        if not path.is_dir():
            raise NotFound("package", short(digest), "Register the model again on this home")
        return open_package(path, digest)

    def bury(self, digest: Digest, name: str, why: str) -> None:
        """Take a data file away for good and leave a tombstone; the package stays whole without it.

        Raises BadInput for a file that is not data, NotFound for one the package never had.
        """
        package = self.open(digest)
        if not is_data(name):
            raise BadInput("name", "domain", f"only {REFERENCE} and files in {EXAMPLES}/ may be taken away")
        if name not in package.manifest.files:
            raise NotFound("file", name, f"The package has {', '.join(filter(is_data, package.manifest.files))}")
        target = package.path / name
        stone = target.with_name(target.name + TOMBSTONE)
        draft = self.root / f"{_UNFINISHED}{secrets.token_hex(8)}"
        _write(draft, msgspec.json.encode(Tombstone(package.manifest.files[name], why)))
        draft.replace(stone)  # the stone stands before the data goes: at every moment one of them is there
        target.unlink(missing_ok=True)
        durability.sync(target.parent)

    def digests(self) -> list[Digest]:
        """Every package here, sorted."""
        if not self.root.is_dir():
            return []
        names = (Digest(f"sha256:{each.name}") for each in self.root.iterdir())
        return sorted(each for each in names if _DIGEST.fullmatch(each))

    def sweep(self) -> int:
        """Remove what interrupted calls of `put` left behind; only while nobody registers. Returns how many."""
        leftovers = list(self.root.glob(f"{_UNFINISHED}*"))
        for each in leftovers:
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()
        return len(leftovers)

    def _publish(self, unfinished: Path, digest: Digest) -> None:
        target = self.path(digest)
        if target.exists():
            try:
                open_package(target, digest)
                return
            except IntegrityError:  # registering again is how a damaged package is healed
                target.rename(self.root / f"{_UNFINISHED}{secrets.token_hex(8)}")
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():  # else somebody registered the same content a moment ago
                raise
        durability.sync(self.root)


def open_package(path: Path, digest: Digest | None = None) -> Package:
    """The package in directory `path`, every byte of it checked, against `digest` if it is known.

    Raises IntegrityError naming the file that changed, NewerSchema for a package of a newer Headgate.
    """
    raw = _read(path, MANIFEST)
    found = Digest(f"sha256:{hashlib.sha256(raw).hexdigest()}")
    if digest is not None and found != digest:
        raise IntegrityError(_changed(path, MANIFEST))
    manifest = _decode(path, raw)
    if CONTRACT not in manifest.files or manifest.artefact not in manifest.files:
        raise IntegrityError(_changed(path, MANIFEST))
    for name, expected in manifest.files.items():
        _verify(path, name, expected)
    surplus = set(_names(path)) - set(manifest.files) - {MANIFEST}
    if surplus - {f"{name}{TOMBSTONE}" for name in manifest.files if is_data(name)}:
        raise IntegrityError(f"package {path.name[:12]}: {min(surplus)} was added after registration; remove it")
    contract = from_document(msgspec.json.decode(_read(path, CONTRACT)), f"package {path.name[:12]}: {CONTRACT}")
    return Package(path, manifest, contract, found)


def write_manifest(path: Path, manifest: Manifest) -> Digest:
    """Write `manifest` into `path` as the bytes that are hashed, and return the digest they make."""
    raw = msgspec.json.encode(manifest, order="sorted")
    _write(path / MANIFEST, raw)
    return Digest(f"sha256:{hashlib.sha256(raw).hexdigest()}")


def directory_digests(path: Path) -> dict[str, str]:
    """SHA-256 of every file below `path` but the manifest, by relative path."""
    return {name: _hash(path / name) for name in _names(path) if name != MANIFEST}


def is_data(name: str) -> bool:
    """Whether a package stays whole when this file is replaced by a tombstone.

    >>> is_data("reference.parquet"), is_data("examples/rows.parquet"), is_data("model.onnx")
    (True, True, False)
    """
    return name == REFERENCE or PurePosixPath(name).parts[:-1] == (EXAMPLES,)


def short(digest: str) -> str:
    """A digest as people read it: the first twelve digits."""
    return digest[: len("sha256:") + 12]


def _decode(path: Path, raw: bytes) -> Manifest:
    try:
        stated = msgspec.json.decode(raw, type=_Format).format
        if stated > FORMAT:
            raise NewerSchema(f"package {path.name[:12]} has format {stated}, this Headgate reads up to {FORMAT}")
        return msgspec.json.decode(raw, type=Manifest)
    except ValueError as error:  # text that is no UTF-8 is not msgspec's own error
        raise IntegrityError(_changed(path, MANIFEST)) from error


@readable
class _Format(msgspec.Struct):
    format: int


def _verify(path: Path, name: str, expected: str) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise IntegrityError(_changed(path, MANIFEST))
    target = path / name
    stone = target.with_name(target.name + TOMBSTONE)
    if is_data(name) and not target.exists() and stone.exists():
        return
    try:
        changed = target.is_symlink() or _hash(target) != expected
    except OSError as error:
        raise IntegrityError(f"package {path.name[:12]}: {name} is missing or unreadable; register again") from error
    if changed:
        raise IntegrityError(_changed(path, name))


def _changed(path: Path, name: str) -> str:
    return f"package {path.name[:12]}: {name} changed after registration; restore it or register the model again"


def _read(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except OSError as error:
        raise IntegrityError(f"package {path.name[:12]}: {name} is missing or unreadable; register again") from error


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _names(path: Path) -> list[str]:
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir())


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_tree(path: Path) -> None:
    for name in _names(path):
        durability.sync(path / name)
    for folder in sorted((each for each in path.rglob("*") if each.is_dir()), reverse=True):
        durability.sync(folder)
    durability.sync(path)
