"""Any folder of pictures does in the place of drawn surfaces, and what is wrong with one is named."""

import io
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from headgate.demo.inspection.eye import SIDE
from headgate.demo.inspection.material import FEWEST, Material, drawn_material, folder_material
from headgate.errors import BadInput, NotFound


def picture(shade: int, kind: str = "PNG", size: tuple[int, int] = (90, 70)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(data, kind)
    return data.getvalue()


def folder_of(root: Path, **counts: int) -> Path:
    """A sub-folder for each class; every picture has a shade of its own."""
    shade = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            shade += 1
            (root / name / f"{number}.png").write_bytes(picture(shade))
    return root


def shades(material: Material, use: str, count: int = 60) -> set[int]:
    return {round(255 * float(each.reflects.mean())) for each in islice(getattr(material, use), count)}


def test_a_picture_has_one_use(tmp_path: Path) -> None:
    material = folder_material(folder_of(tmp_path, scuffed=30, whole=60), 1)
    uses = [shades(material, use) for use in ("archive", "aside", "line")]
    assert [len(each) for each in uses] == [30, 30, 30]
    assert len(set.union(*uses)) == 90
    assert (material.classes, material.usual) == (("scuffed", "whole"), "whole")
    assert str(tmp_path) in material.told


def test_pictures_come_again_in_another_order(tmp_path: Path) -> None:
    material = folder_material(folder_of(tmp_path, a=30, b=30), 1)
    rounds = [[float(each.reflects.mean()) for each in islice(material.line, 20)] for _ in range(2)]
    assert sorted(rounds[0]) == sorted(rounds[1])
    assert rounds[0] != rounds[1]


def test_pictures_of_any_size_and_colour_become_one_size_of_grey(tmp_path: Path) -> None:
    root = folder_of(tmp_path, a=FEWEST, b=FEWEST - 1)
    (root / "b" / "photo.JPG").write_bytes(picture(200, "JPEG", (640, 480)))
    (root / "b" / "notes.txt").write_text("no picture, and none of our business")
    material = folder_material(root, 1)
    every = [*islice(material.archive, 20), *islice(material.aside, 20), *islice(material.line, 20)]
    assert {each.reflects.shape for each in every} == {(SIDE, SIDE)}
    assert {each.truth for each in every} == {"a", "b"}
    assert {each.contrast > 0 for each in every if each.truth != material.usual} == {True}


def test_what_is_wrong_with_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="one sub-folder of pictures for each class"):
        folder_material(tmp_path / "nowhere", 1)
    root = folder_of(tmp_path / "pictures", a=FEWEST)
    with pytest.raises(BadInput, match="two sub-folders at least"):
        folder_material(root, 1)
    folder_of(root, b=FEWEST - 1)
    with pytest.raises(BadInput, match=f"b: has {FEWEST - 1} pictures"):
        folder_material(root, 1)
    (root / "b" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand nothing more")
    with pytest.raises(BadInput, match=r"broken\.png: is no picture"):
        folder_material(root, 1)


def test_drawn_surfaces_have_one_use_too() -> None:
    material = drawn_material(3)
    uses = [next(each).reflects.tobytes() for each in (material.archive, material.aside, material.line)]
    assert len(set(uses)) == 3
    assert "drawn" in material.told
