"""Pictures of the journal are measured as somebody decodes them, and what is none is counted with its reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headgate.app.pictures import compared_pictures, measured_pictures, picture_field
from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.errors import BadInput
from headgate.journal.blobs import LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.monitors.quality.picture_ranges import PicturesSeen
from headgate.monitors.quality.pictures import Picture
from headgate.monitors.standing import Shortfall

FACE = Field("face", Kind.IMAGE)


def decode(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8).reshape(8, 12)


def journal(blobs: LocalBlobs, pictures: list[bytes]) -> pa.Table:
    kept = [blobs.put(each, "image/png") for each in pictures]
    cells = [f'["blob","{each.digest}",{each.size},"image/png"]' for each in kept]
    return pa.table({"features": pa.StructArray.from_arrays([pa.array([*cells, None, "nowhere"])], names=["face"])})


def drawn(random: np.random.Generator, rows: int, light: int) -> list[bytes]:
    return [random.integers(0, light, (8, 12), np.uint8).tobytes() for _ in range(rows)]


def test_a_darker_window_and_copies_are_found(tmp_path: Path) -> None:
    random, blobs = np.random.default_rng(0), LocalBlobs(LocalDisk(tmp_path))
    before = journal(blobs, drawn(random, 220, 255))
    dark = drawn(random, 40, 60)
    now = journal(blobs, [*dark, dark[0], b"no picture"])
    found = compared_pictures(*(measured_pictures(each, FACE, blobs, decode) for each in (before, now)))
    assert isinstance(found.seen, PicturesSeen)
    assert found.seen.beyond[0].trait.value == "brightness"
    assert found.seen.beyond[0].unusual
    assert dict(found.seen.reasons) == {
        "it cannot be decoded: ValueError": 1,
        "the journal does not say where it is kept": 1,
    }
    assert found.alike.examples[0] == (40, 0)


def test_pictures_that_are_gone_and_fields_that_are_none_are_told(tmp_path: Path) -> None:
    blobs = LocalBlobs(LocalDisk(tmp_path / "other"))
    rows = journal(LocalBlobs(LocalDisk(tmp_path)), drawn(np.random.default_rng(0), 2, 255))
    gone = list(measured_pictures(rows, FACE, blobs, decode))
    assert all(isinstance(each, Shortfall) for each in gone)
    assert not any(
        isinstance(each, Picture) for each in measured_pictures(pa.table({"features": [{}]}), FACE, blobs, decode)
    )
    contract = Contract((FACE, Field("km", Kind.NUMBER), Field("own", Kind.IMAGE, sensitivity=Sensitivity.PERSONAL)))
    assert picture_field(contract, "face") is FACE
    for name, rule in (("km", "type"), ("nobody", "type"), ("own", "sensitivity")):
        with pytest.raises(BadInput) as refused:
            picture_field(contract, name)
        assert refused.value.rule == rule
