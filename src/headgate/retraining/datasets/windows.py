"""The windows there are to learn from, and how one is tried: on the newest rows, with a cheap model."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Floats
from headgate.retraining.datasets.choose import NAMES, Candidate, choose
from headgate.retraining.datasets.columns import feature_names
from headgate.retraining.datasets.dataset import LABEL, Cut, WindowChoice
from headgate.retraining.datasets.labelled import Labelled
from headgate.retraining.datasets.learners import Densities, losses_of
from headgate.retraining.datasets.wanted import RECENT_DAYS, Wanted
from headgate.vocabulary import DAY, Micros

JUDGED: Final = 10_000
"""Newest rows that windows are judged on at most; a quarter of those since the change where these are fewer."""
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
    def judged_from(self) -> int:
        """From which row on the newest rows are that windows are judged on."""
        rows = len(self.labelled)
        return rows - min(JUDGED, (rows - self.labelled.place(self.change, 0)) // 4)

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
        first, last = self.places(found)
        last = min(last, self.judged_from)
        short = found.short or self.labelled.short(first, last, self.wanted.least)
        return Candidate(choice, found.start, found.end, max(0, last - first), days, short)

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
        judged = self.labelled.rows(self.judged_from, len(self.labelled))
        return choose(asked, list(self.candidates()), lambda each: self._judge(each, judged))

    def _judge(self, candidate: Candidate, judged: pa.Table) -> Floats | str:
        if not len(judged):
            return "the newest rows have no features to judge it on"
        learned, first = self._sample(candidate)
        if not len(learned):
            return "its rows have no features"
        weights = None
        if candidate.choice is WindowChoice.REWEIGHTED:
            weights = self.densities.weights(learned)
            weights[first:] = 1.0
        return losses_of(learned, weights, judged, self.wanted.contract.output, self.wanted.seed)

    def _sample(self, candidate: Candidate) -> tuple[pa.Table, int]:
        """Some rows of a window, of the original ones their share; and where those of now begin among them."""
        first, last = self.places(candidate)
        last = min(last, self.judged_from)
        pieces = []
        if self.original is not None and is_whole(candidate.choice):
            share = len(self.original) / (len(self.original) + last - first)
            few = self.original.take(_evenly(len(self.original), round(LEARNED * min(1.0, 2 * share))))
            pieces.append(few)
        old = min(self.since, last) if candidate.choice is WindowChoice.REWEIGHTED else last
        for begin, stop in ((first, old), (old, last)):
            most = round(LEARNED * (stop - begin) / max(1, last - first))
            pieces.append(self.labelled.sample(begin, stop, max(1, most)))
        names = [*feature_names(self.labelled.schema), LABEL]
        now = len(pieces[-1])
        whole = pa.concat_tables([each.select(names) for each in pieces])
        return whole, len(whole) - now

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
