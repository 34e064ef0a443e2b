"""Whose an input is where people decide: an exact share, the same everywhere, that only ever falls to the model."""

from hypothesis import given
from hypothesis import strategies as st

from headgate.traffic.assignment import draw
from headgate.traffic.people import people_share
from headgate.traffic.traffic import People

KEYS = st.binary(min_size=1, max_size=40)
SHARES = st.floats(-1, 2)


@given(key=KEYS, share=SHARES)
def test_it_is_the_draw_that_is_written_down(key: bytes, share: float) -> None:
    threshold = int(min(max(share, 0.0), 1.0) * 2**64)
    assert people_share("salt", People(share)).takes(key) == (draw("salt", "human", key) < threshold or share >= 1)


@given(key=KEYS, shares=st.tuples(SHARES, SHARES))
def test_what_the_model_has_it_keeps_when_people_have_less(key: bytes, shares: tuple[float, float]) -> None:
    less, more = sorted(shares)
    if people_share("salt", People(less)).takes(key):
        assert people_share("salt", People(more)).takes(key)


def test_the_share_is_what_it_says() -> None:
    people = people_share("salt", People(0.3))
    taken = sum(people.takes(str(each).encode()) for each in range(20_000))
    assert abs(taken / 20_000 - 0.3) < 0.01


def test_the_model_decides_where_it_is_sure() -> None:
    people = people_share("salt", People(0.0, 0.9))
    assert [people.is_sure(scores) for scores in ([0.95, 0.05], [0.1, 0.9], [0.5, 0.5], None)] == [
        True,
        True,
        False,
        False,
    ]
    assert people_share("salt", People(0.0)).is_sure(None), "where any confidence will do, none is needed"
