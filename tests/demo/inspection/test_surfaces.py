"""Drawn surfaces: the same for the same seed, each defect as it should look, and dust that is none."""

from itertools import islice

import numpy as np
import pytest

from headgate.demo.inspection.eye import SIDE
from headgate.demo.inspection.surfaces import CLASSES, CONTRASTS, DENT, OK, SCRATCH, SHARES, STAIN, Surface, draw, drawn


def some(truth: str, count: int = 20, *, contrast: float = 0.3, dust: int = 0) -> list[Surface]:
    chance = np.random.default_rng(3)
    return [draw(truth, chance, contrast=contrast, dust=dust) for _ in range(count)]


def marks(surface: Surface) -> tuple[int, int]:
    """How many points are much brighter than the surface's middle shade, and how many much darker."""
    apart = surface.reflects / np.median(surface.reflects) - 1
    return int((apart > 0.12).sum()), int((apart < -0.12).sum())


def test_a_seed_draws_the_same_surfaces_and_another_one_others() -> None:
    first, again, other = (list(islice(drawn(seed), 5)) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        assert (one.truth, one.contrast, one.dust) == (two.truth, two.contrast, two.dust)
        assert np.array_equal(one.reflects, two.reflects)
    assert not np.array_equal(first[0].reflects, other[0].reflects)


def test_every_class_comes_along_as_often_as_it_says() -> None:
    seen = [each.truth for each in islice(drawn(1), 2000)]
    for name, share in zip(CLASSES, SHARES, strict=True):
        assert seen.count(name) / 2000 == pytest.approx(share, abs=0.04), name  # 4 standard errors


def test_surfaces_are_shares_of_the_light_and_flawless_ones_have_no_contrast() -> None:
    for each in islice(drawn(4), 200):
        assert each.reflects.shape == (SIDE, SIDE)
        assert 0.0 <= each.reflects.min() <= each.reflects.max() <= 1.0
        assert each.contrast == 0.0 if each.truth == OK else CONTRASTS[0] <= each.contrast <= CONTRASTS[1]


def test_each_defect_leaves_marks_of_its_own_kind() -> None:
    assert [marks(each) for each in some(OK)] == [(0, 0)] * 20
    for bright, dark in map(marks, some(SCRATCH)):
        assert bright > 15
        assert dark == 0
    for bright, dark in map(marks, some(STAIN)):
        assert bright == 0
        assert dark > 80
    for bright, dark in map(marks, some(DENT)):
        assert bright > 15
        assert dark > 15


def test_a_defect_of_more_contrast_leaves_more_marks() -> None:
    for truth in (SCRATCH, STAIN, DENT):
        faint, plain = (np.mean([sum(marks(each)) for each in some(truth, contrast=it)]) for it in (0.1, 0.4))
        assert plain > faint + 10, truth


def test_dust_leaves_bright_points_and_changes_no_truth() -> None:
    for each in some(OK, dust=6):
        bright, dark = marks(each)
        assert bright > 0
        assert bright < 40, "specks, no lines"
        assert dark == 0
        assert (each.truth, each.contrast, each.dust) == (OK, 0.0, 6)
    by_truth = {truth: [each.dust for each in islice(drawn(5), 3000) if each.truth == truth] for truth in CLASSES}
    for truth, dust in by_truth.items():
        assert np.mean(dust) == pytest.approx(3.0, abs=0.4), f"dust says nothing of a defect: {truth}"
