"""The windows there are to learn from, and how one is tried: on the newest rows, with a cheap model.

After a change there are few of those. Each half of them is foretold by what was learned without it, so that all of them
are judged on, and a spell of a day or two is told from another world by what the days have in common.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import moments
from headgate.retraining.datasets.choose import NAMES, Candidate, choose
from headgate.retraining.datasets.columns import feature_names
from headgate.retraining.datasets.dataset import AT, LABEL, Cut, WindowChoice
from headgate.retraining.datasets.labelled import RUNS, Labelled
from headgate.retraining.datasets.learners import Densities, losses_of
from headgate.retraining.datasets.wanted import RECENT_DAYS, Wanted
from headgate.vocabulary import DAY, Micros

JUDGED: Final = 10_000
"""Newest rows that windows are judged on at most; all since the change where these are fewer, or a quarter of all."""
LEARNED: Final = 12_000
"""Rows that a trial learns from at most: with few, a large window seems no better than a small one."""
WEIGHED: Final = 6_000
"""Rows of either time by which it is told how frequent rows are by now."""
TRIED_DAYS: Final = (90,)
"""What `recent` means where nobody says; one that is shorter than a season would forget what comes back."""
YEAR: Final = 365
SEASON: Final = 45
"""Days before and after the same day of the year before."""
NOW: Final = 10
"""Without a change one row in so many, the newest, says what rows are like by now."""
_NEEDS_CHANGE: Final = "no change is known"


@dataclass(frozen=True)
class Windows:
    """The rows of an endpoint as windows of them."""

    labelled: Labelled
    original: pa.Table | None
    """Features and label of the rows that the model was first learned from."""
    wanted: Wanted
    end: Micros
    """Before which all inputs are."""
    change: Micros | None

    @property
    def since(self) -> int:
        """How many rows are older than the change, or than what counts as now where nothing changed."""
        rows = len(self.labelled)
        return self.labelled.place(self.change, rows - max(1, rows // NOW))

    @cached_property
    def judged(self) -> tuple[range, ...]:
        """The newest rows, which windows are judged on, in parts: none is learned from where it is judged on."""
        rows = len(self.labelled)
        if self.change is None:
            return (range(rows - min(JUDGED, rows // 4), rows),)
        first = max(rows - JUDGED, self.labelled.place(self.change, 0))
        half = (first + rows) // 2
        return range(first, half), range(half, rows)

    def places(self, candidate: Candidate) -> tuple[int, int]:
        """The first row of a window, and the one behind its last."""
        rows = len(self.labelled)
        return self.labelled.place(candidate.start, 0), self.labelled.place(candidate.end, rows)

    def candidates(self) -> Iterator[Candidate]:
        """Every window that is not another one too, and why some of them cannot be tried."""
        for choice in (WindowChoice.EVERYTHING, WindowChoice.REWEIGHTED, WindowChoice.SINCE_CHANGE):
            yield self._tried(choice)
        if self.labelled.place(Micros(self.end - (YEAR - SEASON) * DAY), 0):
            yield self._tried(WindowChoice.SAME_SEASON)
        for days in TRIED_DAYS:
            if self.labelled.place(Micros(self.end - days * DAY), 0):
                yield self._tried(WindowChoice.RECENT, days)

    def _tried(self, choice: WindowChoice, days: int | None = None) -> Candidate:
        found = self.candidate(choice, days)
        short = found.short or self.labelled.short(*self.places(found), self.wanted.least)
        rows = sum(map(len, self._learned(found, self.judged[-1])))
        return Candidate(choice, found.start, found.end, rows, days, short)

    def candidate(self, choice: WindowChoice, days: int | None = None) -> Candidate:
        """The window of a choice, with all its rows."""
        start, end, short = self.wanted.start, self.end, ""
        if choice is WindowChoice.SINCE_CHANGE:
            start, short = self.change, "" if self.change is not None else _NEEDS_CHANGE
        elif choice is WindowChoice.SAME_SEASON:
            start, end = (Micros(self.end - (YEAR + each) * DAY) for each in (SEASON, -SEASON))
        elif choice is WindowChoice.RECENT:
            days = days or RECENT_DAYS
            start = Micros(self.end - days * DAY)
        if start is not None and self.wanted.start is not None:
            start = max(start, self.wanted.start)
        found = Candidate(choice, start, end, 0, days if choice is WindowChoice.RECENT else None, short)
        first, last = self.places(found)
        return Candidate(choice, start, end, last - first, found.recent_days, short)

    def chosen(self, asked: Cut) -> Cut:
        """What was asked, with the window that a back-test prefers. Raises BadInput where none can be tried."""
        parts = [(each, self.labelled.rows(each.start, each.stop)) for each in self.judged]
        kept = [(part, rows) for part, rows in parts if len(rows)]

        def judge(candidate: Candidate) -> Floats | str:
            if not kept:
                return "the newest rows have no features to judge it on"
            losses = []
            for part, rows in kept:
                found = self._judge(candidate, part, rows)
                if isinstance(found, str):
                    return found
                losses.append(found)
            return np.concatenate(losses)

        return choose(asked, list(self.candidates()), judge, np.concatenate([moments(rows[AT]) for _, rows in parts]))

    def _judge(self, candidate: Candidate, part: range, judged: pa.Table) -> Floats | str:
        """What each row of a part of the newest ones loses after learning from the others of a window."""
        learned, first = self._sample(candidate, part)
        if not len(learned):
            return "its rows have no features"
        weights = None
        if candidate.choice is WindowChoice.REWEIGHTED:
            weights = self.densities.weights(learned)
            weights[first:] = 1.0
        return losses_of(learned, weights, judged, self.wanted.contract.output, self.wanted.seed)

    def _learned(self, candidate: Candidate, part: range) -> list[range]:
        """The rows of a window without a part of the newest ones, those before now apart from those since."""
        first, last = self.places(candidate)
        if first >= last:
            return []
        edges = {first, last, *(each for each in (part.start, part.stop, self.since) if first < each < last)}
        return [range(*each) for each in pairwise(sorted(edges)) if each[0] not in part]

    def _sample(self, candidate: Candidate, part: range) -> tuple[pa.Table, int]:
        """Some rows of a window, of the original ones their share; and where those of now begin among them."""
        learned = self._learned(candidate, part)
        rows = sum(map(len, learned))

        def some(stretch: range) -> pa.Table:
            return self._read(stretch.start, stretch.stop, max(1, LEARNED * len(stretch) // rows // RUNS) * RUNS)

        before = [self.labelled.rows(0, 0), *(some(each) for each in learned if each.start < self.since)]
        if self.original is not None and is_whole(candidate.choice):
            share = len(self.original) / (len(self.original) + rows)
            before.append(self.original.take(_evenly(len(self.original), round(LEARNED * min(1.0, 2 * share)))))
        now = [some(each) for each in learned if each.start >= self.since]
        names = [*feature_names(self.labelled.schema), LABEL]
        return pa.concat_tables([each.select(names) for each in (*before, *now)]), sum(map(len, before))

    @cached_property
    def _read(self) -> Callable[[int, int, int], pa.Table]:
        """`Labelled.sample`, each read once: most rows are of several windows, and of both parts they are judged in."""
        return cache(self.labelled.sample)

    @cached_property
    def densities(self) -> Densities:
        """How frequent rows are now, by the rows before and since; no label is looked at."""
        names = feature_names(self.labelled.schema)
        earlier = self.labelled.sample(0, self.since, WEIGHED).select(names)
        if self.original is not None:
            few = self.original.take(_evenly(len(self.original), WEIGHED)).select(names)
            earlier = pa.concat_tables([few, earlier])
        now = self.labelled.sample(self.since, len(self.labelled), WEIGHED).select(names)
        return Densities.of(earlier, now, self.wanted.seed)


def is_whole(choice: WindowChoice) -> bool:
    """Whether a window has all rows, those that a model was first learned from among them."""
    return choice in (WindowChoice.EVERYTHING, WindowChoice.REWEIGHTED)


def asked_for(windows: Windows, asked: Cut) -> Cut:
    """What was asked, with the window that a person chose."""
    candidate = windows.candidate(asked.choice, asked.recent_days)
    return msgspec.structs.replace(
        asked,
        start=candidate.start,
        end=candidate.end,
        recent_days=candidate.recent_days,
        why=f"{NAMES[asked.choice]}, as asked" if not asked.why else asked.why,
    )


def _evenly(rows: int, most: int) -> pa.Array:
    return pa.array(np.linspace(0, rows - 1, min(rows, max(1, most))).astype(np.int64))
