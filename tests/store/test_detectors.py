"""Detectors on disk: whole or not there, and damage is told as damage."""

from pathlib import Path

import pytest

from headgate.errors import BadInput, IntegrityError, NotFound
from headgate.monitors.outliers.screen import Detector, Threshold
from headgate.monitors.outliers.shapes import EmbeddingShape
from headgate.store.detectors import FileDetectors

MADE = Detector(shape=EmbeddingShape(centres=((0.0, 1.0),), radii=(1.0,)), flag=Threshold(0.01, 3.0, 1000))
NAME = "0123456789abcdef" * 4


def test_what_one_keeps_another_opens(tmp_path: Path) -> None:
    FileDetectors(tmp_path / "detectors").keep(NAME, MADE)
    other = FileDetectors(tmp_path / "detectors")
    assert other.has(NAME)
    assert other.open(NAME) == MADE
    assert [each.name for each in (tmp_path / "detectors").iterdir()] == [f"{NAME}.json"]


def test_one_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="headgate apply"):
        FileDetectors(tmp_path).open(NAME)


def test_damage_is_told_as_damage(tmp_path: Path) -> None:
    kept = FileDetectors(tmp_path)
    (tmp_path / f"{NAME}.json").write_bytes(b"\x00")
    with pytest.raises(IntegrityError, match="holds no detector"):
        kept.open(NAME)
    (tmp_path / f"{NAME}.json").unlink()
    (tmp_path / f"{NAME}.json").mkdir()
    assert not kept.has(NAME)
    with pytest.raises(IntegrityError, match="cannot be read: is a directory"):
        kept.open(NAME)


@pytest.mark.parametrize("name", ["", "../secret", NAME[:-1], NAME.upper()])
def test_a_name_that_is_none_reaches_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="64 hexadecimal digits"):
        FileDetectors(tmp_path).has(name)
