"""Who has which case: a case is leased to one reviewer after the other, and comes back by itself."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headgate.review.cases import Waiting
from headgate.vocabulary import Micros


class Lease(msgspec.Struct, frozen=True):
    """A case that somebody has."""

    input_id: str
    place: int
    """Of the people who are to decide it, the how-manieth, from 0."""
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

    >>> case = Waiting("a", Micros(0), 1, frozenset(), audit=False)
    >>> offers([case], [], frozenset(), "ann", Micros(9))
    [Lease(input_id='a', place=0, reviewer='ann', until=9)]
    >>> offers([case], [Lease("a", 0, "bob", Micros(5))], frozenset(), "ann", Micros(9))
    []
    """
    taken = {(each.input_id, each.place): each.reviewer for each in held}
    mine = {each.input_id for each in held if each.reviewer == reviewer}
    found: list[Lease] = []
    for case in sorted(cases, key=lambda each: each.input_id not in mine):
        if reviewer in case.by or case.input_id in skipped:
            continue
        places = range(len(case.by), case.people)
        own = [place for place in places if taken.get((case.input_id, place)) == reviewer]
        free = [place for place in places if (case.input_id, place) not in taken]
        found.extend(Lease(case.input_id, place, reviewer, until) for place in (own or free)[:1])
    return found
