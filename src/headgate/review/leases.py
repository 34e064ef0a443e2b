"""Who has which case: a case is leased to one reviewer after the other, and comes back by itself."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from headgate.review.cases import Waiting
from headgate.vocabulary import Micros


class Lease(msgspec.Struct, frozen=True):
    """A case that somebody has."""

    input_id: str
    place: int
    """One of as many as people are to decide it, from 0; nobody else has it meanwhile."""
    reviewer: str
    until: Micros


class LeaseStore(Protocol):
    """Where leases are kept; every call is one transaction."""

    def take_case(self, project: str, endpoint: str, lease: Lease, now: Micros) -> bool:
        """Give the case to the lease's reviewer, unless another has its place and keeps it beyond `now`."""
        ...

    def leases(self, project: str, endpoint: str, now: Micros) -> list[Lease]:
        """Those that are in force at `now`."""
        ...

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        """Never offer the case to that reviewer again, and take it back."""
        ...

    def skipped(self, project: str, endpoint: str, reviewer: str) -> frozenset[str]:
        """The inputs that reviewer skipped."""
        ...


def offers(
    cases: Sequence[Waiting], held: Sequence[Lease], skipped: frozenset[str], reviewer: str, until: Micros
) -> list[Lease]:
    """The leases that may be tried for `reviewer`, best first: what that reviewer has already, then the oldest free.

    Who has a case keeps it; it is free while those who decided it and those who have it are fewer than it needs.

    >>> case = Waiting("a", Micros(0), 1, frozenset(), audit=False)
    >>> offers([case], [], frozenset(), "ann", Micros(9))
    [Lease(input_id='a', place=0, reviewer='ann', until=9)]
    >>> offers([case], [Lease("a", 0, "bob", Micros(5))], frozenset(), "ann", Micros(9))
    []
    """
    leases = by_input(held)
    own: list[Lease] = []
    free: list[Lease] = []
    for case in cases:
        if reviewer in case.by or case.input_id in skipped:
            continue
        theirs = leases.get(case.input_id, [])
        mine = [each.place for each in theirs if each.reviewer == reviewer]
        if mine:
            own.append(Lease(case.input_id, mine[0], reviewer, until))
        elif len(case.by) + len(holders(case, theirs)) < case.people:
            places = set(range(case.people)) - {each.place for each in theirs}
            free.extend(Lease(case.input_id, place, reviewer, until) for place in sorted(places)[:1])
    return own + free


def by_input(held: Iterable[Lease]) -> dict[str, list[Lease]]:
    """The leases of each case."""
    found: dict[str, list[Lease]] = {}
    for each in held:
        found.setdefault(each.input_id, []).append(each)
    return found


def holders(case: Waiting, theirs: Iterable[Lease]) -> frozenset[str]:
    """Who, of the leases of a case, has it and has not decided it.

    >>> theirs = [Lease("a", 0, "ann", Micros(5)), Lease("a", 1, "bob", Micros(5))]
    >>> holders(Waiting("a", Micros(0), 2, frozenset({"ann"}), audit=False), theirs)
    frozenset({'bob'})
    """
    return frozenset(each.reviewer for each in theirs) - case.by
