"""Scores of rows, each compared with a reference and with what came since: what `drift` watches inputs and outputs by.

Each score is a member with an alarm of its own, a conformal test of `evidence.conformal`. Its stated rate holds while
rows are exchangeable: in any order equally likely. Where they come and go with the hour a `Season` makes them so; where
neighbours are alike nothing does, and a monitor warns that they are.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evidence.conformal import ConformalTest, Lane
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints, Reference
from headgate.evidence.serial import ALPHA, Serial, serial_within
from headgate.monitors.alarms.alarms import Clock, Measurement, Standing, check_moments, steps
from headgate.monitors.alarms.seasons import Season, check_zone
from headgate.vocabulary import Micros

LEAST: Final = 200
"""Rows a reference needs: with fewer a change is found only after it has become most of what there is to compare."""
MOST_FITTED: Final = 1000
"""Rows of a reference, at most, on which scores and bins are fitted; a quarter of them where they are few."""
THIN: Final = 20
"""Rows of a season below which a warning says that a change of it is found late."""
_ALIKE_NOW: Final = "rows that follow each other are alike: a change begins, or alarms may come more often than stated"
_ALIKE: Final = (
    "rows of the reference that follow each other are alike, so that alarms may come more often than stated; compare "
    "within a season, or hand over one row of each subject"
)


class Terms(msgspec.Struct, frozen=True):
    """What a person decides about a monitor of drift."""

    policy: FalseAlarms
    part: float = 1.0
    """Of the budget of false alarms, for all members of the monitor together; each gets as much of it."""
    season: Season = Season.NONE
    zone: str = "UTC"
    """On whose clocks seasons are."""
    seed: int = 0
    """Of what is drawn: which rows are fitted on, and how ties are broken."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor of scores, fixed before it begins."""

    name: str
    members: tuple[str, ...]
    terms: Terms
    references: tuple[Reference, ...] = ()
    reason: str = ""
    """Why nothing can be watched; empty where it can."""
    warnings: tuple[tuple[str, ...], ...] = ()
    """What the reference says against the stated rate, of each member."""

    @property
    def limit(self) -> float:
        """Where the level of a member raises an alarm."""
        return self.terms.policy.limit(self.terms.part / len(self.members))

    def start(self, began: Micros) -> "ScoresState":
        """Nothing speaks for a change; time counts from `began`, the moment from which rows are handed over."""
        lanes = ConformalTest(self.references).start()
        return ScoresState(Clock.at(began), lanes, (Serial(),) * len(lanes))


class ScoresState(msgspec.Struct, frozen=True):
    """How far a monitor of scores has come, as a value: keep it, go on from it; nothing else is the state."""

    clock: Clock
    lanes: tuple[Lane, ...]
    serial: tuple[Serial, ...]


Observed = tuple[ScoresState, tuple[Measurement, ...]]
"""The state after a look, and what was found of each member."""


def compared(
    name: str, members: tuple[str, ...], scores: tuple[Floats, Floats], terms: Terms, at: Ints | None
) -> Scores:
    """The monitor that compares with a reference's scores: (rows, members) to fit bins on, and others to compare with.

    `at` are moments of the latter, needed for seasons and to see whether neighbours are alike. Raises BadInput where a
    score is no number, the zone is unknown or the part is none.
    """
    check_zone(terms.zone)
    terms.policy.limit(terms.part)
    fitting, rest = scores
    found = Scores(name=name, members=members, terms=terms)
    if not len(fitting):
        return msgspec.structs.replace(found, reason=f"the reference has fewer than {LEAST} rows")
    if at is None and terms.season is not Season.NONE:
        raise BadInput("at", "missing", "a season needs the moment of each row of the reference")
    seasons = None if at is None else terms.season.of(at, terms.zone)
    references = tuple(
        Reference.of(
            fitting[:, place],
            rest[:, place],
            at=seasons,
            seasons=terms.season.size,
            seed=_seed(terms.seed, name, member),
        )
        for place, member in enumerate(members)
    )
    warnings = _warnings(references, rest, at, seasons)
    return msgspec.structs.replace(found, references=references, warnings=warnings)


def divided(rows: int, seed: int) -> tuple[Ints, Ints]:
    """Places of a reference's rows to fit on, and of those to compare with, each in order; none where rows are too few.

    >>> [len(each) for each in divided(3000, 0)], [len(each) for each in divided(100, 0)]
    ([750, 2250], [0, 0])
    """
    if rows < LEAST:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    fitted = min(rows // 4, MOST_FITTED)
    order = np.random.default_rng(seed).permutation(rows)
    return np.sort(order[:fitted]), np.sort(order[fitted:])


def observe(monitor: Scores, state: ScoresState, at: Ints, scores: Floats) -> Observed:
    """After `scores`, (rows, members), in the order in which rows came, at the moments `at`, and what each member says.

    Scores that are no numbers leave the state as it is and are told as ``broken``. Raises BadInput where moments are
    none, or not one per row.
    """
    check_moments(at, len(scores))
    if monitor.reason:
        return state, unmeasured(monitor, Standing.UNDECIDED, monitor.reason)
    test, lanes = ConformalTest(monitor.references), state.lanes
    seasons = monitor.terms.season.of(at, monitor.terms.zone)
    limits = np.full(len(lanes), monitor.limit)
    alarms: list[tuple[int, int]] = []
    p_values = []
    for rows, joins, is_new in steps(monitor.terms.policy, state.clock, at, lanes[0].seen):
        if is_new:
            lanes = tuple(each.renewed() for each in lanes)
        try:
            found = test.update(lanes, scores[rows], joins, limits, seasons[rows])
        except BadInput as error:
            return state, unmeasured(monitor, Standing.BROKEN, str(error))
        lanes = found.lanes
        alarms.extend((rows.start + row, lane) for row, lane in found.alarms)
        p_values.append(found.p_values)
    serial = _neighbours(state.serial, np.concatenate(p_values), alarms)
    state = ScoresState(state.clock.moved(at), lanes, serial)
    return state, tuple(_said(monitor, state, place, at, alarms) for place in range(len(lanes)))


def unmeasured(monitor: Scores, standing: Standing, reason: str) -> tuple[Measurement, ...]:
    """What each member says that could not be looked at."""
    return tuple(
        Measurement(monitor=monitor.name, member=each, standing=standing, reason=reason, limit=monitor.limit)
        for each in monitor.members
    )


def _said(monitor: Scores, state: ScoresState, place: int, at: Ints, alarms: Sequence[tuple[int, int]]) -> Measurement:
    mine = tuple(Micros(int(at[row])) for row, lane in alarms if lane == place)
    alike = state.serial[place].warns(ALPHA / len(monitor.members))
    return Measurement(
        monitor=monitor.name,
        member=monitor.members[place],
        standing=Standing.ALARM if mine else Standing.STEADY,
        alarms=mine,
        level=state.lanes[place].held,
        limit=monitor.limit,
        observations=len(at),
        warnings=(*monitor.warnings[place], *((_ALIKE_NOW,) if alike else ())),
    )


def _neighbours(serial: Sequence[Serial], p_values: Floats, alarms: Sequence[tuple[int, int]]) -> tuple[Serial, ...]:
    """What speaks for neighbours being alike, from each member's last alarm on: a change makes them so as well."""
    since = {lane: row + 1 for row, lane in alarms}
    return tuple(
        (Serial() if lane in since else each).moved(p_values[since.get(lane, 0) :, lane])
        for lane, each in enumerate(serial)
    )


def _warnings(
    references: Sequence[Reference], scores: Floats, at: Ints | None, seasons: Ints | None
) -> tuple[tuple[str, ...], ...]:
    """What the reference says against the stated rate, of each member."""
    if at is None or seasons is None:
        return ((),) * len(references)
    count = references[0].seasons
    thin = int((np.bincount(seasons, minlength=count) < THIN).sum())
    few = f"the reference has fewer than {THIN} rows in {thin} of {count} seasons; a change of these is found late"
    order = np.argsort(at, kind="stable")
    found = []
    for place, reference in enumerate(references):
        alike = serial_within(reference, scores[order, place], seasons[order]).warns(ALPHA / len(references))
        found.append((*((few,) if thin else ()), *((_ALIKE,) if alike else ())))
    return tuple(found)


def _seed(seed: int, name: str, member: str) -> int:
    """Of a member's draws, so that no two members break ties alike."""
    return int.from_bytes(blake2b(f"{seed}\0{name}\0{member}".encode(), digest_size=8).digest())
