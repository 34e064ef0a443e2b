"""Very many names, each with a place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headgate.journal.places import NOWHERE, Places, keys_of


@given(st.lists(st.lists(st.integers(0, 500)), max_size=12), st.lists(st.integers(0, 500)))
def test_it_says_what_a_dictionary_would(batches: list[list[int]], asked: list[int]) -> None:
    places = Places()
    known: dict[int, int] = {}
    for batch in batches:
        new = [each for each in dict.fromkeys(batch) if each not in known]
        stand = np.arange(len(known), len(known) + len(new))
        known.update(zip(new, stand.tolist(), strict=True))
        places.add(keys_of(new), stand)
    assert places.find(keys_of(asked)).tolist() == [known.get(each, NOWHERE) for each in asked]


def test_names_of_any_kind_have_keys_of_their_own() -> None:
    names = ["r1", ("r1", 0), ("r1", 1), ("r1", None), None]
    assert len(set(keys_of(names).tolist())) == len(names)
    assert np.array_equal(keys_of(names), keys_of(list(names)))


@given(st.lists(st.lists(st.integers(0, 500)), max_size=12), st.lists(st.integers(0, 500)))
def test_without_places_it_says_what_a_set_would(batches: list[list[int]], asked: list[int]) -> None:
    names = Places()
    known: set[int] = set()
    for batch in batches:
        new = [each for each in dict.fromkeys(batch) if each not in known]
        known.update(new)
        names.add(keys_of(new))
    assert (names.find(keys_of(asked)) != NOWHERE).tolist() == [each in known for each in asked]


def test_names_with_and_without_places_lie_beside_each_other() -> None:
    places = Places()
    places.add(keys_of([1, 2, 3]), np.array([7, 8, 9]))
    places.add(keys_of([4, 5]))
    assert places.find(keys_of([1, 4, 6])).tolist() == [7, 0, NOWHERE]
