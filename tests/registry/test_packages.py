"""Packages are complete or absent, and nothing in one can change unnoticed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.text import to_document
from headgate.errors import BadInput, IntegrityError, NewerSchema, NotFound
from headgate.registry.package import Engine, Manifest, Signature
from headgate.registry.packages import MANIFEST, PackageStore, open_package
from headgate.vocabulary import Digest

FILES = ("contract.json", "model.onnx", "reference.parquet", "examples/rows.parquet", "card.md")


def build(folder: Path, model: bytes = b"the model", *, number: int = 1) -> Manifest:
    contract = Contract((Field("a", Kind.NUMBER),))
    (folder / "contract.json").write_bytes(msgspec.json.encode(to_document(contract)))
    (folder / "model.onnx").write_bytes(model)
    (folder / "reference.parquet").write_bytes(b"rows")
    (folder / "examples").mkdir()
    (folder / "examples/rows.parquet").write_bytes(b"more rows")
    (folder / "card.md").write_text("a card")
    return Manifest(number, Engine.ONNX, "model.onnx", Signature([], []), {}, {"python": "3"})


@pytest.fixture
def store(tmp_path: Path) -> PackageStore:
    return PackageStore(tmp_path / "packages")


def test_what_was_put_is_what_is_opened(store: PackageStore) -> None:
    digest = store.put(build)
    package = store.open(digest)
    assert package.digest == digest
    assert package.contract.names == ("a",)
    assert set(package.manifest.files) == set(FILES)
    assert store.digests() == [digest]
    assert open_package(store.path(digest)).digest == digest


def test_same_content_ends_in_the_same_directory(store: PackageStore) -> None:
    assert store.put(build) == store.put(build)
    assert store.put(lambda folder: build(folder, b"another")) != store.put(build)
    assert len(list(store.root.iterdir())) == 2


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_changed_file_is_named(store: PackageStore, name: str) -> None:
    digest = store.put(build)
    target = store.path(digest) / name
    raw = bytearray(target.read_bytes())
    raw[len(raw) // 2] ^= 1
    target.write_bytes(raw)
    with pytest.raises(IntegrityError, match=f"{name} changed after registration"):
        store.open(digest)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_single_byte_can_change(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    store = PackageStore(tmp_path_factory.mktemp("packages"))
    digest = store.put(build)
    target = store.path(digest) / data.draw(st.sampled_from([*FILES, MANIFEST]))
    raw = bytearray(target.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    target.write_bytes(raw)
    with pytest.raises(IntegrityError):
        store.open(digest)


def test_a_manifest_that_is_no_text_is_named_even_where_nobody_knows_its_digest(store: PackageStore) -> None:
    digest = store.put(build)
    target = store.path(digest) / MANIFEST
    whole = target.read_bytes()
    for place in range(len(whole)):
        target.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with pytest.raises(IntegrityError):
            open_package(store.path(digest))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(store: PackageStore, name: str) -> None:
    digest = store.put(build)
    (store.path(digest) / name).unlink()
    with pytest.raises(IntegrityError, match=name):
        store.open(digest)


def test_a_file_added_later_is_refused(store: PackageStore) -> None:
    digest = store.put(build)
    (store.path(digest) / "helper.py").write_text("print()")
    with pytest.raises(IntegrityError, match=r"helper\.py was added"):
        store.open(digest)


def test_a_link_does_not_stand_for_a_file(store: PackageStore, tmp_path: Path) -> None:
    digest = store.put(build)
    model = store.path(digest) / "model.onnx"
    model.rename(tmp_path / "elsewhere")
    model.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=r"model\.onnx"):
        store.open(digest)


def test_a_manifest_cannot_reach_outside(store: PackageStore) -> None:
    path = store.path(store.put(build))
    document = json.loads((path / MANIFEST).read_bytes())
    document["files"]["../../secret"] = "0" * 64
    (path / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="manifest"):
        open_package(path)


def test_data_may_be_buried_and_the_package_stays_whole(store: PackageStore) -> None:
    digest = store.put(build)
    store.bury(digest, "reference.parquet", "erasure")
    store.bury(digest, "examples/rows.parquet", "erasure")
    package = store.open(digest)
    assert not (package.path / "reference.parquet").exists()
    assert b"erasure" in (package.path / "reference.parquet.tombstone").read_bytes()
    with pytest.raises(BadInput, match=r"only reference\.parquet"):
        store.bury(digest, "model.onnx", "no")
    with pytest.raises(NotFound):
        store.bury(digest, "examples/none.parquet", "no")
    (package.path / "model.onnx").unlink()
    (package.path / "model.onnx.tombstone").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"model\.onnx"):
        store.open(digest)


def test_a_newer_package_says_so(store: PackageStore) -> None:
    with pytest.raises(NewerSchema):
        store.put(lambda folder: build(folder, number=99))
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("digest", ["../../etc", "sha256:xyz", "", "sha256:" + "A" * 64])
def test_only_digests_are_paths(store: PackageStore, digest: str) -> None:
    with pytest.raises(BadInput):
        store.open(Digest(digest))


def test_registering_again_heals_a_damaged_package(store: PackageStore) -> None:
    digest = store.put(build)
    (store.path(digest) / "model.onnx").write_bytes(b"rotten")
    assert store.put(build) == digest
    assert store.open(digest).manifest.engine is Engine.ONNX
    assert store.sweep() == 1


CALLS = ("fsync", "mkdir", "rename", "open", "close")


def failing(monkeypatch: pytest.MonkeyPatch, which: str, at: int) -> Callable[[], int]:
    """Makes the `at`-th call of ``os.<which>`` fail, and tells how often it was called."""
    real, calls = getattr(os, which), [0]

    def call(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == at:
            raise OSError(28, "No space left on device")
        return real(*given, **named)

    monkeypatch.setattr(os, which, call)
    return lambda: calls[0]


@pytest.mark.parametrize("which", CALLS)
def test_a_fault_at_any_call_leaves_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    at = 0
    while True:
        at += 1
        store = PackageStore(tmp_path / f"{which}-{at}")
        store.root.mkdir()
        with monkeypatch.context() as patch:
            called = failing(patch, which, at)
            try:
                store.put(build)
                failed = False
            except OSError:
                failed = True
            count = called()
        if count < at:
            assert not failed
            break
        for digest in store.digests():
            store.open(digest)
        assert len(store.digests()) == 0 or not failed or which in ("fsync", "open", "close")
        again = store.put(build)
        assert store.open(again).digest == again
    assert at > 1, f"os.{which} is never called, so this test shows nothing"


def test_what_a_killed_process_left_is_never_a_package(store: PackageStore) -> None:
    store.root.mkdir()
    leftover = store.root / ".unfinished-0123"
    leftover.mkdir()
    build(leftover)
    assert store.digests() == []
    digest = store.put(build)
    assert store.digests() == [digest]
    assert store.sweep() == 1
    assert store.open(digest).digest == digest


def test_a_gateway_opens_packages_with_next_to_nothing() -> None:
    heavy = ("pyarrow", "pandas", "sklearn", "onnx", "scipy", "polars", "yaml", "numpy")
    rooms = "headgate.registry.packages, headgate.registry.ports"
    code = f"import sys, {rooms}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
