"""What moves in a field is seen in some column of the basis, and what does not move hardly ever seems to."""

import math

import numpy as np
import pytest
from tests.monitors.attribution.windows_of import CURRENT, ROWS, normal

from headgate.monitors.attribution.basis import JOINT, PAIRED, basis, moved
from headgate.monitors.attribution.pooled import Field


def surely_moved(*fields: Field) -> list[str]:
    return [each.field for each in moved(basis(fields), CURRENT) if each.log_p < math.log(0.01)]


def test_whatever_moves_in_a_field_is_seen() -> None:
    choice = np.random.default_rng(1).random(2 * ROWS)
    colours = np.where(choice < np.where(CURRENT, 0.35, 0.25), "red", "blue")
    holes = np.where(np.random.default_rng(2).random(2 * ROWS) < np.where(CURRENT, 0.1, 0.03), np.nan, normal(5))
    fields = {
        "mean": Field("mean", normal(1, shift=0.25)),
        "spread": Field("spread", normal(2, spread=1.3)),
        "colour": Field("colour", colours),
        "holes": Field("holes", holes),
        "still": Field("still", normal(3)),
    }
    assert sorted(surely_moved(*fields.values())) == ["colour", "holes", "mean", "spread"]


def test_fields_that_go_together_otherwise_are_seen_jointly() -> None:
    x = normal(1)
    y = np.where(CURRENT, -x, x) + normal(2)
    assert surely_moved(Field("x", x), Field("y", y)) == [JOINT]


def test_fields_that_did_not_move_hardly_ever_seem_to() -> None:
    seen = 0
    for seed in range(200):
        random = np.random.default_rng([7, seed])
        names = np.array(["a", "b", "c"])[random.integers(3, size=2 * ROWS)]
        numbers = (Field(str(place), random.normal(size=2 * ROWS)) for place in range(3))
        seen += bool(surely_moved(Field("names", names), *numbers))
    assert seen / 200 <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 200)


def test_numbers_are_seen_by_rank_alone() -> None:
    values = normal(1, shift=0.3)
    plain, bent = basis([Field("a", values)]), basis([Field("a", np.exp(3 * values))])
    assert plain.matrix == pytest.approx(bent.matrix)


def test_many_columns_are_cut_to_those_that_moved_most() -> None:
    fields = [Field(str(place), normal(place, shift=0.5 * (place == 40))) for place in range(41)]
    made = basis(fields)
    assert made.matrix.shape[1] == 41 * 4
    widest = made.widest(CURRENT, 10)
    apart = np.abs(made.distances(CURRENT))
    kept = np.abs(widest[CURRENT].mean(axis=0) - widest[~CURRENT].mean(axis=0))
    assert sorted(kept) == pytest.approx(sorted(apart)[-10:])


def test_pairs_of_numbers_are_columns_while_they_are_few() -> None:
    few = [Field(str(place), normal(place)) for place in range(PAIRED)]
    many = [*few, Field("more", normal(PAIRED))]
    assert (basis(few).owners == PAIRED).sum() == PAIRED * (PAIRED - 1) / 2
    assert (basis(few, jointly=False).owners < PAIRED).all()
    assert (basis(many).owners <= PAIRED).all()
