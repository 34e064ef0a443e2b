"""A rollout that is looked at again and again: each look costs what is new, and finds what reading everything would.

Every input is counted once, in the order of event time, and its label once it is due. What is not older than LATE may
still change, by an answer or a label that comes late, so it is counted at every look anew, on top of what will not
change any more. Where that changes nevertheless (a label is corrected, an answer comes very late, a clock is set back,
something of the endpoint is other than it was) the evidence is made anew from the journal, from the first input on. So
it is after a restart: nothing is kept but the journal. What needs all rows at every look is read whole as before: guards
with a query of their own, which may look across rows, and labels that name a key's last input or come from people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Output
from headgate.journal.reader import Reader
from headgate.monitors.columns import text
from headgate.rollouts.answers import PLACE, Before, arms_of, pairs_of
from headgate.rollouts.grown import GrownAnswers
from headgate.rollouts.judge import Evidence, Sample, Weighed, read_off, weigh
from headgate.rollouts.ledger import Ledger
from headgate.rollouts.measures import Setting
from headgate.rollouts.observe import Routing, Scene, first_thresholds, observe
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import SECOND, Micros, Task

LATE: Final = Micros(5 * SECOND)
"""Age from which on what was read is taken to be all there is: what comes later still costs reading everything."""
_Key = tuple[str, str, int]


class Followed:
    """Rollouts that are looked at again and again; for one thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: dict[_Key, Following] = {}
        self._whole: set[_Key] = set()
        """Those that have to be read whole."""

    def look(self, rollout: Rollout, scene: Scene, now: Micros) -> Weighed:
        """What all that was observed of `rollout` by `now` comes to. Raises what a guard or the journal raises."""
        key = _key(rollout)
        if key not in self._whole and not any(each.query for each in rollout.plan.guards):
            # Held again only once a look has ended well: one that failed may have taken in half of what was new.
            following, found = self._looked(self._held.pop(key, None), rollout, scene, now)
            if found is not None and not following.beyond:
                self._held[key] = following
                return found
            self._whole.add(key)
        return weigh(rollout.plan, observe(rollout, self._reader, scene, now))

    def keep(self, running: Iterable[Rollout]) -> None:
        """Forget what is held of all others."""
        keys = {_key(each) for each in running}
        self._held = {key: each for key, each in self._held.items() if key in keys}
        self._whole &= keys

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
        self._lasting = _Marks()
        """Inputs that will not change any more: those before `_settled`, and of their labels those before `_counted`."""
        self._evidence = Evidence()
        """Of these."""
        self._now = self._settled = self._counted = rollout.started
        self._share: float | None = None
        """The candidate's, of the last lasting input."""
        self._entities: set[str | None] = set()
        """Of lasting inputs, where callers stick to a version."""
        self._thresholds, self._from = rollout.thresholds, rollout.started
        """From which moment on inputs count."""
        self._first = _Marks()
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
        """What all that is readable by `now` comes to; None where something changed that was counted."""
        self._now, end, due = now, scene.settled(now), scene.due(now)
        self._ledger.take(now, self._settled, self._counted)
        if self._ledger.upset or self._ledger.beyond:
            return None
        table = self._ledger.joined(end)
        if not self._read(table, rollout, scene):
            return None
        settled = self._settled_before(end)
        counted = max(self._counted, min(settled, Micros(due - LATE)))
        self._find_thresholds()
        lasting, last = self._marks(settled, counted), self._marks(end, due)
        self._learn(last)
        setting, plan = scene.setting(self._thresholds), rollout.plan
        self._evidence = self._evidence.after(plan, self._sample(self._lasting, lasting, setting))
        evidence = self._evidence.after(plan, self._sample(lasting, last, setting))
        self._settle(table, settled, lasting)
        self._counted = counted
        return read_off(plan, evidence, self._sample(self._first, last, setting))

    def _read(self, table: pa.Table, rollout: Rollout, scene: Scene) -> bool:
        """Have what was answered of inputs that may change; False where a column's type is not what it was."""
        where = scene.output, rollout.live, rollout.plan.candidate
        before, sticks = Before(self._share, self._entities), rollout.plan.sticky_key is not None
        pairs = pairs_of(table, *where)
        arms = arms_of(table, *where, Routing(rollout, scene.traffic), sticks=sticks, before=before)
        if not (self._pairs.fits(pairs) and self._arms.fits(arms)):
            return False
        self._pairs.put(self._kept[0], pairs)
        self._arms.put(self._kept[1], arms)
        return True

    def _settled_before(self, end: Micros) -> Micros:
        """Before which moment inputs will not change any more."""
        start = self._kept[1]
        if self._share is None and bool(self._arms.arms(start, len(self._arms)).answers.failed.all()):
            return self._settled  # the share of those that nobody answered is that of the first one somebody does
        return max(self._settled, Micros(end - LATE))

    def _find_thresholds(self) -> None:
        """Where there were none before the rollout: those of the first answers, as long as these may change."""
        if self._rollout.thresholds or (self._thresholds and self._from <= self._settled):
            return
        found = first_thresholds(self._arms.arms(0, len(self._arms)))
        if found != (self._thresholds, self._from):
            self._thresholds, self._from = found[0], Micros(found[1])
            self._first = _Marks()
            self._first = self._lasting = self._marks(self._from, self._from)
            self._evidence = Evidence()

    def _marks(self, before: int, due: int) -> _Marks:
        """How many inputs come before a moment, and before the one until which labels are due; never less than none."""
        pairs, arms, first = self._pairs.at(), self._arms.at(), self._first
        return _Marks(
            max(first.pairs, int(np.searchsorted(pairs, before))),
            max(first.arms, int(np.searchsorted(arms, before))),
            max(first.due_pairs, int(np.searchsorted(pairs, due))),
            max(first.due_arms, int(np.searchsorted(arms, due))),
        )

    def _learn(self, last: _Marks) -> None:
        """Have the truth of inputs whose labels are due and were not counted for good."""
        lasting = self._lasting
        for rows, start, stop in (
            (self._pairs, lasting.due_pairs, last.due_pairs),
            (self._arms, lasting.due_arms, last.due_arms),
        ):
            rows.learn(start, *self._ledger.truth(rows.numbers(start, stop)))

    def _sample(self, start: _Marks, stop: _Marks, setting: Setting) -> Sample:
        """The inputs from one moment to another, of each kind."""
        return Sample(
            self._pairs.pairs(start.pairs, stop.pairs),
            self._arms.arms(start.arms, stop.arms),
            self._pairs.pairs(start.due_pairs, stop.due_pairs),
            self._arms.arms(start.due_arms, stop.due_arms),
            setting,
        )

    def _settle(self, table: pa.Table, settled: Micros, lasting: _Marks) -> None:
        """Inputs before `settled` are counted for good."""
        pairs, arms = (int(np.searchsorted(rows.at(), settled)) for rows in (self._pairs, self._arms))
        if arms > self._kept[1]:
            self._share = float(self._arms.arms(arms - 1, arms).shares[0])
            if self._rollout.plan.sticky_key is not None:
                numbers = pa.array(self._arms.numbers(self._kept[1], arms))
                theirs = table.filter(pc.is_in(table[PLACE], value_set=numbers))
                self._entities.update(text(theirs["entity"]).to_pylist())
        self._ledger.let_go(settled)
        self._lasting, self._settled, self._kept = lasting, settled, (pairs, arms)


def _key(rollout: Rollout) -> _Key:
    return rollout.plan.project, rollout.plan.endpoint, rollout.number


def _fixed(rollout: Rollout) -> tuple[Plan, str, Micros, tuple[float, ...]]:
    """What of a rollout stays as it was when it began."""
    return rollout.plan, rollout.live, rollout.started, rollout.thresholds


def _about(scene: Scene) -> tuple[Output, float, bool, str, str | None]:
    """What of an endpoint answers were read by."""
    return scene.output, scene.maturity_s, scene.replayed, scene.traffic.salt, scene.traffic.sticky_key
