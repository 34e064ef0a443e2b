"""Who gets which case next: nobody gets what another has, and nobody gets the same case twice."""

from headgate.review.cases import Waiting
from headgate.review.leases import Lease, offers
from headgate.vocabulary import Micros

UNTIL = Micros(100)


def case(name: str, people: int = 1, *by: str) -> Waiting:
    return Waiting(name, Micros(0), people, frozenset(by), audit=False)


def offered(cases: list[Waiting], held: list[Lease], skipped: frozenset[str] = frozenset()) -> list[tuple[str, int]]:
    return [(each.input_id, each.place) for each in offers(cases, held, skipped, "ann", UNTIL)]


def test_what_one_has_already_comes_first() -> None:
    assert offered([case("a"), case("b")], [Lease("b", 0, "ann", UNTIL)]) == [("b", 0), ("a", 0)]


def test_what_another_has_is_not_offered() -> None:
    assert offered([case("a"), case("b")], [Lease("a", 0, "bob", UNTIL)]) == [("b", 0)]


def test_a_case_for_two_has_two_places() -> None:
    assert offered([case("a", 2)], [Lease("a", 0, "bob", UNTIL)]) == [("a", 1)]
    assert offered([case("a", 2)], [Lease("a", 0, "bob", UNTIL), Lease("a", 1, "cid", UNTIL)]) == []


def test_nobody_decides_a_case_twice() -> None:
    assert offered([case("a", 2, "ann")], []) == []
    assert offered([case("a", 2, "bob")], []) == [("a", 1)]


def test_what_was_skipped_does_not_come_back() -> None:
    assert offered([case("a"), case("b")], [], frozenset({"a"})) == [("b", 0)]
