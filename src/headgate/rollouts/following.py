"""A rollout that is looked at again and again: each look costs what is new, and finds what reading everything would.

Every input is counted once, in the order of event time, and its label once it is due. What is not older than LATE may
still change, by an answer or a label that comes late, so it is counted at every look anew, on top of what is counted
for good. Where a label that was counted is revised nevertheless, counting goes back to before it. Where an input or an
answer comes very late, a clock is set back, or something of the endpoint is other than it was, evidence is made anew
from the journal, from the first input on. So it is after a restart: nothing is kept but the journal.

Where all rows are needed at every look, `rejoined.py` reads them once too and joins them anew: for guards with a query,
for labels that name a key's last input or come from people, and where people decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.journal.reader import Reader
from headgate.rollouts.answers import Routed, pairs_of, routed_of
from headgate.rollouts.grown import GrownAnswers
from headgate.rollouts.judge import Evidence, Sample, Weighed, read_off, weigh
from headgate.rollouts.ledger import Ledger
from headgate.rollouts.observe import Routing, Scene, first_thresholds
from headgate.rollouts.plan import Plan
from headgate.rollouts.rejoined import Rejoined
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import SECOND, Micros, Task

LATE: Final = Micros(5 * SECOND)
"""Age from which on what was read is taken to be all there is: an answer that comes later costs reading everything."""
_Key = tuple[str, str, int]


class Followed:
    """Rollouts that are looked at again and again; for one thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: dict[_Key, Following] = {}
        self._whole: set[_Key] = set()
        """Those whose labels only all rows make sense of."""
        self._rejoined: dict[_Key, Rejoined] = {}

    def look(self, rollout: Rollout, scene: Scene, now: Micros) -> Weighed:
        """What all that was observed of `rollout` by `now` comes to. Raises what a guard or the journal raises."""
        key = _key(rollout)
        whole = rollout.plan.people or any(each.query for each in rollout.plan.guards)
        if key not in self._whole and not whole:
            # Held again only once a look has ended well: one that failed may have taken in half of what was new.
            following, found = self._looked(self._held.pop(key, None), rollout, scene, now)
            if found is not None and not following.beyond:
                self._held[key] = following
                return found
            self._whole.add(key)
        rejoined = self._rejoined.setdefault(key, Rejoined(self._reader))
        return weigh(rollout.plan, rejoined.look(rollout, scene, now))

    def keep(self, running: Iterable[Rollout]) -> None:
        """Forget what is held of all others."""
        keys = {_key(each) for each in running}
        self._held = {key: each for key, each in self._held.items() if key in keys}
        self._whole &= keys
        self._rejoined = {key: each for key, each in self._rejoined.items() if key in keys}

    def _looked(
        self, held: "Following | None", rollout: Rollout, scene: Scene, now: Micros
    ) -> "tuple[Following, Weighed | None]":
        if held is not None and held.goes_on(rollout, scene, now):
            found = held.look(rollout, scene, now)
            if found is not None or held.beyond:
                return held, found
        anew = Following(rollout, scene, self._reader)
        return anew, anew.look(rollout, scene, now)


@dataclass(frozen=True, slots=True)
class _Marks:
    """How many inputs of each kind come before some moment."""

    pairs: int = 0
    arms: int = 0
    due_pairs: int = 0
    due_arms: int = 0


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted for good, as of some look."""

    look: int
    marks: _Marks
    """The inputs whose answers are in the evidence, and those whose labels are."""
    labels_until: Micros
    """The same as a moment: labels of inputs before it are."""
    evidence: Evidence


class Following:
    """One rollout, and what was seen of it so far."""

    def __init__(self, rollout: Rollout, scene: Scene, reader: Reader) -> None:
        output = scene.output
        classes = len(output.classes) if output.task in (Task.BINARY, Task.MULTICLASS) else 0
        self._rollout = rollout
        self._scene = scene
        self._ledger = Ledger(rollout, reader, output)
        self._pairs = GrownAnswers(("live", "candidate"), classes)
        self._arms = GrownAnswers(("answers",), classes)
        self._now = self._settled = rollout.started
        """Before the latter inputs do not change any more, but for their labels."""
        self._counted = _Counted(0, _Marks(), rollout.started, Evidence())
        self._earlier: list[_Counted] = []
        """Of some looks before, to go back to where a label is revised: of old ones fewer than of young ones."""
        self._share: float | None = None
        """The candidate's, of the last input before `_settled`."""
        self._entities: set[str | None] = set()
        """Who asked before `_settled` while callers were divided, where these stick to a version."""
        self._thresholds, self._since = rollout.thresholds, 0
        """And from which moment on computing times are compared with them."""
        self._looks = 0
        self._kept = 0, 0
        """Pairs and arms of inputs before `_settled`."""

    @property
    def beyond(self) -> bool:
        """Whether there are labels that only reading everything makes sense of."""
        return self._ledger.beyond

    def goes_on(self, rollout: Rollout, scene: Scene, now: Micros) -> bool:
        """Whether what was seen so far would be seen so now."""
        same = _fixed(self._rollout) == _fixed(rollout) and _about(self._scene) == _about(scene)
        return same and now >= self._now

    def look(self, rollout: Rollout, scene: Scene, now: Micros) -> Weighed | None:
        """What all that is readable by `now` comes to; None where something changed that had settled."""
        self._now, end, due = now, scene.settled(now), scene.due(now)
        self._ledger.take(now, self._settled, self._counted.labels_until)
        if self._ledger.upset or self._ledger.beyond:
            return None
        if self._ledger.revised is not None:
            self._go_back(self._ledger.revised)
        routed = self._read(self._ledger.joined(end), rollout, scene)
        if routed is None:
            return None
        settled = self._settled_before(end)
        self._find_thresholds()
        evidence, last = self._count(settled, end, due)
        self._settle(routed, settled)
        return read_off(rollout.plan, evidence, self._sample(_Marks(), last))

    def _count(self, settled: Micros, end: Micros, due: Micros) -> tuple[Evidence, _Marks]:
        """Count for good what will not change any more, and on top of that, for this look alone, what may."""
        was, plan = self._counted, self._rollout.plan
        labels_until = max(was.labels_until, min(settled, Micros(due - LATE)))
        marks, last = self._marks(settled, labels_until), self._marks(end, due)
        self._learn(was.marks, last)
        evidence = was.evidence.after(plan, self._sample(was.marks, marks))
        self._looks += 1
        self._counted = _Counted(self._looks, marks, labels_until, evidence)
        # Of every second look the last two are kept, of every fourth the last two, and so on.
        self._earlier = [each for each in self._earlier if self._looks - each.look < 2 * (each.look & -each.look)]
        self._earlier.append(self._counted)
        return evidence.after(plan, self._sample(marks, last)), last

    def _go_back(self, moment: Micros) -> None:
        """Count the labels of inputs from `moment` on once more."""
        self._earlier = [each for each in self._earlier if each.labels_until <= moment]
        self._counted = self._earlier[-1] if self._earlier else self._uncounted()

    def _uncounted(self) -> _Counted:
        return _Counted(0, _Marks(), self._rollout.started, Evidence())

    def _read(self, table: pa.Table, rollout: Rollout, scene: Scene) -> Routed | None:
        """Have what was answered of inputs that may change; None where a column's type is not what it was."""
        versions = rollout.live, rollout.plan.candidate
        routed = routed_of(table, *versions, Routing(rollout, scene.traffic), earlier=self._share)
        counting = routed if rollout.plan.sticky_key is None else routed.firsts(self._entities)
        pairs, arms = pairs_of(table, scene.output, *versions), counting.arms(scene.output)
        if not (self._pairs.fits(pairs) and self._arms.fits(arms)):
            return None
        self._pairs.put(self._kept[0], pairs)
        self._arms.put(self._kept[1], arms)
        return routed

    def _settled_before(self, end: Micros) -> Micros:
        """Before which moment inputs will not change any more."""
        start = self._kept[1]
        if self._share is None and bool(self._arms.arms(start, len(self._arms)).answers.failed.all()):
            return self._settled  # the share of those that nobody answered is that of the first one somebody does
        return max(self._settled, Micros(end - LATE))

    def _find_thresholds(self) -> None:
        """Where there were none before the rollout: those of the first answers, as long as these may change.

        No computing time was counted for good by then: only later ones are compared with them.
        """
        if self._rollout.thresholds or (self._thresholds and self._since <= self._settled):
            return
        self._thresholds, self._since = first_thresholds(self._arms.arms(0, len(self._arms)))

    def _marks(self, before: int, due: int) -> _Marks:
        """How many inputs come before a moment, and before the one until which labels are due."""
        pairs, arms = self._pairs.at(), self._arms.at()
        return _Marks(*(int(np.searchsorted(each, until)) for until in (before, due) for each in (pairs, arms)))

    def _learn(self, first: _Marks, last: _Marks) -> None:
        """Have the truth of inputs whose labels are due."""
        for rows, start, stop in (
            (self._pairs, first.due_pairs, last.due_pairs),
            (self._arms, first.due_arms, last.due_arms),
        ):
            rows.learn(start, *self._ledger.truth(rows.numbers(start, stop)))

    def _sample(self, start: _Marks, stop: _Marks) -> Sample:
        """The inputs from one moment to another, of each kind."""
        return Sample(
            self._pairs.pairs(start.pairs, stop.pairs),
            self._arms.arms(start.arms, stop.arms),
            self._pairs.pairs(start.due_pairs, stop.due_pairs),
            self._arms.arms(start.due_arms, stop.due_arms),
            self._scene.setting(self._thresholds, self._since),
        )

    def _settle(self, routed: Routed, settled: Micros) -> None:
        """Inputs before `settled` do not change any more."""
        pairs, arms = (int(np.searchsorted(rows.at(), settled)) for rows in (self._pairs, self._arms))
        done = routed.until(settled)
        if len(done):
            self._share = float(done.shares[-1])
        if self._rollout.plan.sticky_key is not None:
            self._entities |= done.entities()
        self._ledger.let_go(settled)
        self._settled, self._kept = settled, (pairs, arms)


def _key(rollout: Rollout) -> _Key:
    return rollout.plan.project, rollout.plan.endpoint, rollout.number


def _fixed(rollout: Rollout) -> tuple[Plan, str, Micros, tuple[float, ...]]:
    """What of a rollout stays as it was when it began."""
    return rollout.plan, rollout.live, rollout.started, rollout.thresholds


def _about(scene: Scene) -> tuple[Output, float, bool, str, str | None]:
    """What of an endpoint answers were read by."""
    return scene.output, scene.maturity_s, scene.replayed, scene.traffic.salt, scene.traffic.sticky_key
