"""Who gets which case next: nobody gets what another has, and nobody gets the same case twice."""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from headgate.review.cases import Waiting
from headgate.review.leases import Lease, holders, offers
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros

UNTIL = Micros(100)
WHERE: Final = ("default", "late")
PEOPLE: Final = {"a": 1, "b": 2, "c": 2}
"""How many have to decide each case."""
REVIEWERS: Final = st.sampled_from(["ann", "bob", "cid", "dot"])


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
    assert offered([case("a", 2, "bob")], []) == [("a", 0)]
    assert offered([case("a", 2, "bob")], [Lease("a", 0, "bob", UNTIL)]) == [("a", 1)]


def test_who_has_a_case_keeps_it_whoever_decides_first() -> None:
    decided = case("a", 2, "bob")
    assert offered([decided, case("b")], [Lease("a", 0, "ann", UNTIL), Lease("a", 1, "bob", UNTIL)])[0] == ("a", 0)
    assert offered([decided], [Lease("a", 0, "cid", UNTIL)]) == [], "and nobody gets it beside them"


def test_what_was_skipped_does_not_come_back() -> None:
    assert offered([case("a"), case("b")], [], frozenset({"a"})) == [("b", 0)]


class Desk(RuleBasedStateMachine):
    """Reviewers who ask, decide, skip and fall asleep in any order; some decide what was not theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.now = Micros(0)
        self.by: dict[str, set[str]] = {name: set() for name in PEOPLE}

    def cases(self) -> list[Waiting]:
        every = [case(name, people, *self.by[name]) for name, people in PEOPLE.items()]
        return [each for each in every if len(each.by) < each.people]

    def had_by(self, reviewer: str) -> set[str]:
        """The cases a reviewer has, of those that wait for them."""
        mine = {each.input_id for each in self.store.leases(*WHERE, self.now) if each.reviewer == reviewer}
        return mine & {each.input_id for each in self.cases() if reviewer not in each.by}

    @rule(reviewer=REVIEWERS)
    def asks(self, reviewer: str) -> None:
        before, held = self.had_by(reviewer), self.store.leases(*WHERE, self.now)
        skipped, until = self.store.skipped(*WHERE, reviewer), Micros(self.now + 5)
        offer = next(iter(offers(self.cases(), held, skipped, reviewer, until)), None)
        if offer is None:
            assert not before, "who has a case keeps it"
            return
        assert self.store.take_case(*WHERE, offer, self.now), "what is offered is free"
        assert not before or offer.input_id in before, "and has it before any other"
        (given,) = [each for each in self.cases() if each.input_id == offer.input_id]
        theirs = [each for each in self.store.leases(*WHERE, self.now) if each.input_id == offer.input_id]
        assert before or len(given.by | holders(given, theirs)) <= given.people, "nobody is one too many"

    @rule(reviewer=REVIEWERS, name=st.sampled_from(sorted(PEOPLE)))
    def decides(self, reviewer: str, name: str) -> None:
        self.by[name].add(reviewer)

    @rule(reviewer=REVIEWERS, name=st.sampled_from(sorted(PEOPLE)))
    def skips(self, reviewer: str, name: str) -> None:
        self.store.skip_case(*WHERE, name, reviewer)

    @rule(later=st.integers(1, 6))
    def time_passes(self, later: int) -> None:
        self.now = Micros(self.now + later)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
