"""How strange an embedding is: far from all of the reference, or more of one kind than before."""

import re
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

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
    found, _ = embedding.scored(20.0 * np.eye(3, 6))
    assert found[:, 1].tolist() == [2.0, 0.0, 1.0]
    assert (found[:, 0] < 1.0).all()


def test_what_is_far_from_all_is_strange() -> None:
    embedding = Embedding.of(clouds([200, 200], 2))
    near, far = (embedding.scored(clouds(each, 3))[0][:, 0] for each in ([50, 50], [0, 0, 50]))
    assert near.max() < far.min()


def test_the_same_rows_have_the_same_centres() -> None:
    rows = clouds([100, 100], 4)
    assert Embedding.of(rows, seed=3) == Embedding.of(rows, seed=3)
    kept = Embedding.of(rows)
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Embedding) == kept


def test_rows_that_are_all_the_same_have_one_centre() -> None:
    embedding = Embedding.of(np.ones((50, 3)))
    assert embedding.centres == ((1.0, 1.0, 1.0),)
    assert embedding.scored(np.ones((2, 3)))[0].tolist() == [[0.0, 0.0]] * 2


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64])
def test_vectors_of_any_kind_of_numbers_will_do(kind: type[np.generic]) -> None:
    rows = np.round(clouds([50, 50], 5))
    assert Embedding.of(rows.astype(kind)) == Embedding.of(rows)


NO_VECTORS = [
    (np.ones(3), "not one vector per row"),
    (np.ones((2, 0)), "not one vector per row"),
    (np.array([["a", "b"]]), "not of numbers"),
    (np.array([[np.nan, 1.0], [1.0, 1.0]]), "1 of 2 vectors have parts that are no numbers"),
    (np.array([[np.inf, 1.0]]), "1 of 1 vectors"),
    (np.array([[1e200, 1.0]]), "beyond 1e\\+100"),
]


@pytest.mark.parametrize(("rows", "reason"), [*NO_VECTORS, (np.ones((0, 3)), "must be one to fit on")])
def test_there_is_nothing_to_fit_on_where_there_are_no_vectors(rows: NDArray[Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        Embedding.of(rows)


@pytest.mark.parametrize(("rows", "reason"), [*NO_VECTORS, (np.ones((5, 3)), "as long as the reference's")])
def test_where_there_are_no_vectors_every_score_is_at_fault(rows: NDArray[Any], reason: str) -> None:
    found, faults = Embedding.of(np.ones((5, 2))).scored(rows)
    assert (found.shape, bool(np.isnan(found).all())) == ((len(rows), 2), True)
    assert set(faults) == {"distance", "kind"}
    assert all(re.search(reason, each) for each in faults.values())


def test_no_vector_at_all_has_no_score_and_no_fault() -> None:
    found, faults = Embedding.of(np.ones((5, 2))).scored(np.ones((0, 2)))
    assert (found.shape, faults) == ((0, 2), {})
