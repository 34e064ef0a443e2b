"""How a reference becomes a monitor of scores: divided in two, put into bins, and looked at for what breaks the rate.

What scores consist of (centres, medians, bins) is fitted on some rows of the reference and compared with the others, so
that the latter and what comes are scored by something that knows neither; see `evidence.ranks`. What a reference lacks
is said by the monitor at every look, not raised: one that cannot watch stops no other.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import numpy as np

from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints, Reference
from headgate.evidence.serial import ALPHA, serial_within
from headgate.monitors.alarms.alarms import ALIKE, faulty
from headgate.monitors.alarms.scores import Scores
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Shortfall, broken, undecided

LEAST: Final = 200
"""Rows a reference needs: with fewer a change is found only after it has become most of what there is to compare."""
MOST_FITTED: Final = 1000
"""Rows of a reference, at most, on which scores and bins are fitted; a quarter of them where they are few."""
THIN: Final = 20
"""Rows of a season below which a warning says that a change of it is found late."""


def divided(rows: int, at: Ints | None, seed: int) -> tuple[Ints, Ints] | Shortfall:
    """Places of a reference's rows to fit on, and of those to compare with, each in order; why not, where that fails.

    >>> [len(each) for each in divided(3000, None, 0)], divided(100, None, 0).standing.value
    ([750, 2250], 'undecided')
    """
    if rows < LEAST:
        return undecided(f"the reference has {rows:,} rows; at least {LEAST:,} are needed")
    if at is not None and (why := faulty(at, rows)):
        return broken(f"in the reference {why}")
    fitted = min(rows // 4, MOST_FITTED)
    order = np.random.default_rng(seed).permutation(rows)
    return np.sort(order[:fitted]), np.sort(order[fitted:])


def nothing(name: str, terms: Terms, members: tuple[str, ...], why: Shortfall) -> Scores:
    """The monitor that says of each of its members why it is not watched."""
    return Scores(name=name, terms=terms, unwatched=dict.fromkeys(members, why))


def compared(
    name: str,
    terms: Terms,
    members: tuple[str, ...],
    scores: tuple[Floats, Floats],
    *,
    at: Ints | None,
    lacking: Mapping[str, Shortfall],
) -> Scores:
    """The monitor that compares with a reference's scores: (rows, members) to fit bins on, and others to compare with.

    `at` are moments of the latter, needed for seasons and to see whether neighbours are alike. A member that is
    `lacking`, or a score of which is no number, is not watched.
    """
    fitting, rest = scores
    unknown = np.flatnonzero(np.isnan(np.concatenate((fitting, rest))).any(axis=0)).tolist()
    unwatched = {members[place]: broken("the reference has scores that are no numbers") for place in unknown}
    kept = [each not in unwatched and each not in lacking for each in members]
    watched = tuple(each for each, is_kept in zip(members, kept, strict=True) if is_kept)
    fitting, rest = fitting[:, kept], rest[:, kept]
    seasons = None if at is None else terms.seasons_of(at)
    references = tuple(
        Reference.of(
            fitting[:, place],
            rest[:, place],
            at=seasons,
            seasons=terms.season.size,
            seed=_seed(terms.seed, name, member),
        )
        for place, member in enumerate(watched)
    )
    return Scores(
        name=name,
        terms=terms,
        members=watched,
        references=references,
        warnings=_warnings(references, rest, at, seasons),
        unwatched=unwatched | dict(lacking),
    )


def _warnings(
    references: tuple[Reference, ...], scores: Floats, at: Ints | None, seasons: Ints | None
) -> tuple[tuple[str, ...], ...]:
    """What the reference says against the stated rate, of each member."""
    if at is None or seasons is None or not references:
        return ((),) * len(references)
    count = references[0].seasons
    thin = int((np.bincount(seasons, minlength=count) < THIN).sum())
    few = f"the reference has fewer than {THIN} rows in {thin} of {count} seasons; a change of these is found late"
    order = np.argsort(at, kind="stable")
    found = []
    for place, reference in enumerate(references):
        alike = serial_within(reference, scores[order, place], seasons[order]).warns(ALPHA / len(references))
        found.append((*((few,) if thin else ()), *((ALIKE,) if alike else ())))
    return tuple(found)


def _seed(seed: int, name: str, member: str) -> int:
    """Of a member's draws, so that no two members break ties alike."""
    return int.from_bytes(blake2b(f"{seed}\0{name}\0{member}".encode(), digest_size=8).digest())
