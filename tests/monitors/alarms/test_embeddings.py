"""How strange an embedding is: far from all of the reference, or more of one kind than before."""

import msgspec
import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.monitors.alarms.embeddings import Embedding


def clouds(counts: list[int], seed: int) -> Floats:
    """As many points around each of some places far from each other."""
    random = np.random.default_rng(seed)
    places = 20.0 * np.eye(len(counts), 6)
    return np.concatenate([place + random.normal(size=(count, 6)) for place, count in zip(places, counts, strict=True)])


def test_centres_are_those_of_the_clouds_the_largest_first() -> None:
    embedding = Embedding.of(clouds([50, 300, 100], 1), centres=3)
    found = embedding.scores(20.0 * np.eye(3, 6))
    assert found[:, 1].tolist() == [2.0, 0.0, 1.0]
    assert (found[:, 0] < 1.0).all()


def test_what_is_far_from_all_is_strange() -> None:
    embedding = Embedding.of(clouds([200, 200], 2))
    near, far = embedding.scores(clouds([50, 50], 3))[:, 0], embedding.scores(clouds([0, 0, 50], 3))[:, 0]
    assert near.max() < far.min()


def test_the_same_rows_have_the_same_centres() -> None:
    rows = clouds([100, 100], 4)
    assert Embedding.of(rows, seed=3) == Embedding.of(rows, seed=3)
    kept = Embedding.of(rows)
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Embedding) == kept


def test_rows_that_are_all_the_same_have_one_centre() -> None:
    embedding = Embedding.of(np.ones((50, 3)))
    assert embedding.centres == ((1.0, 1.0, 1.0),)
    assert embedding.scores(np.ones((2, 3))).tolist() == [[0.0, 0.0]] * 2


@pytest.mark.parametrize("rows", [np.ones(3), np.ones((0, 3)), np.array([[np.nan, 1.0]]), np.array([[np.inf, 1.0]])])
def test_what_are_no_vectors_is_refused(rows: Floats) -> None:
    with pytest.raises(BadInput, match="vectors"):
        Embedding.of(rows)


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(BadInput, match="as long as the reference's"):
        Embedding.of(np.ones((5, 3))).scores(np.ones((5, 2)))
