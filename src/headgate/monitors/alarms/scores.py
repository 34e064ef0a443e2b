"""Scores of rows, each compared with a reference and with what came since: what `drift` watches inputs and outputs by.

Each score is a member with an alarm of its own, a conformal test of `evidence.conformal`. Its stated rate holds while
rows are exchangeable: in any order equally likely. Where they come and go with the hour a `Season` makes them so; where
neighbours are alike nothing does, and a monitor warns that they are. `references` makes the monitors.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from headgate.evidence.conformal import ConformalTest, Lane
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints, Reference
from headgate.evidence.serial import ALPHA, Serial
from headgate.monitors.alarms.alarms import Clock, Measurement, faulty, steps, unwatched
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Shortfall, Standing, broken
from headgate.vocabulary import Micros, readable

_ALIKE: Final = "rows that follow each other were alike: a change began, or alarms may come more often than stated"
_FOREIGN: Final = "the state is of another monitor; start this one anew"


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor of scores, fixed before it begins."""

    name: str
    terms: Terms
    members: tuple[str, ...] = ()
    """What is watched."""
    references: tuple[Reference, ...] = ()
    """Of each member."""
    warnings: tuple[tuple[str, ...], ...] = ()
    """What the reference says against the stated rate, of each member."""
    unwatched: dict[str, Shortfall] = {}
    """What would be members, and why they are none."""

    @property
    def limit(self) -> float:
        """Where the level of a member raises an alarm; 0 where nothing is watched."""
        return self.terms.budget.limit(self.name, len(self.members)) if self.members else 0.0

    def start(self, began: Micros) -> "ScoresState":
        """Nothing speaks for a change; time counts from `began`, the moment from which rows are handed over."""
        lanes = ConformalTest(self.references).start()
        return ScoresState(Clock.at(began), lanes, (Serial(),) * len(lanes))

    def observe(self, state: "ScoresState", at: Ints, scores: Floats, faults: Mapping[str, str]) -> "Observed":
        """After `scores`, (rows, members), in the order in which rows came, at the moments `at`, and what each says.

        A member that is among the `faults`, or a score of which is no number, is ``broken`` and stays as it was; the
        others go on. Without moments that can be relied upon all are.
        """
        wrong = faulty(at, len(scores)) or self._foreign(state)
        bad = dict.fromkeys(self.members, wrong) if wrong else {**_missing(self.members, scores), **faults}
        watched = [place for place, each in enumerate(self.members) if each not in bad]
        alarms: list[tuple[int, int]] = []
        if watched and len(at):
            state, alarms = _moved(self, state, at, scores, watched)
        found = [
            unwatched(self.name, each, broken(bad[each]))
            if each in bad
            else _said(self, state, place, at, tuple(row for row, lane in alarms if lane == place))
            for place, each in enumerate(self.members)
        ]
        return state, (*found, *(unwatched(self.name, each, why) for each, why in self.unwatched.items()))

    def _foreign(self, state: "ScoresState") -> str:
        sizes = [len(each.counts) for each in self.references]
        return "" if [len(each.counts) for each in state.lanes] == sizes else _FOREIGN


@readable
class ScoresState(msgspec.Struct, frozen=True):
    """How far a monitor of scores has come, as a value: keep it, go on from it; nothing else is the state."""

    clock: Clock
    lanes: tuple[Lane, ...]
    serial: tuple[Serial, ...]


Observed = tuple[ScoresState, tuple[Measurement, ...]]
"""The state after a look, and what was found of each member."""


def _missing(members: Sequence[str], scores: Floats) -> dict[str, str]:
    """The members of which a score is no number, and in how many rows."""
    counts = zip(members, np.isnan(scores).sum(axis=0).tolist(), strict=True)
    return {each: f"{count:,} of {len(scores):,} scores are no numbers" for each, count in counts if count}


def _moved(
    monitor: Scores, state: ScoresState, at: Ints, scores: Floats, watched: list[int]
) -> tuple[ScoresState, list[tuple[int, int]]]:
    """The state after a look at the members at these places, and the (row, place) of each alarm in order."""
    test = ConformalTest(tuple(monitor.references[each] for each in watched))
    seasons, limits = monitor.terms.seasons_of(at), np.full(len(watched), monitor.limit)
    lanes = list(state.lanes)
    alarms: list[tuple[int, int]] = []
    p_values: list[Floats] = []
    for rows, joins, is_new in steps(monitor.terms.budget.policy, state.clock, at):
        if is_new:
            # Those that are not watched this time as well: what they hold is the last period's.
            lanes = [each.renewed() for each in lanes]
        found = test.update([lanes[each] for each in watched], scores[rows][:, watched], joins, limits, seasons[rows])
        for place, lane in zip(watched, found.lanes, strict=True):
            lanes[place] = lane
        alarms += [(rows.start + row, watched[lane]) for row, lane in found.alarms]
        p_values.append(found.p_values)
    serial = list(state.serial)
    for place, column in zip(watched, np.concatenate(p_values).T, strict=True):
        serial[place] = _moved_on(serial[place], column, [row + 1 for row, lane in alarms if lane == place])
    return ScoresState(state.clock.moved(at), tuple(lanes), tuple(serial)), alarms


def _moved_on(serial: Serial, p_values: Floats, starts: Sequence[int]) -> Serial:
    """What speaks for neighbours being alike, which begins anew with the row after each alarm."""
    first, *others = np.split(p_values, starts)
    found = serial.moved(first)
    for each in others:
        found = found.renewed().moved(each)
    return found


def _said(monitor: Scores, state: ScoresState, place: int, at: Ints, alarms: tuple[int, ...]) -> Measurement:
    alike = state.serial[place].warns(ALPHA / len(monitor.members))
    return Measurement(
        monitor=monitor.name,
        member=monitor.members[place],
        standing=Standing.ALARM if alarms else Standing.STEADY,
        alarms=tuple(Micros(int(at[row])) for row in alarms),
        level=state.lanes[place].held,
        limit=monitor.limit,
        joined=state.clock.joined(monitor.terms.budget.policy),
        observations=len(at),
        warnings=(*monitor.warnings[place], *((_ALIKE,) if alike else ())),
    )
