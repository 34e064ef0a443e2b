"""A rollout whose guards need all rows at every look: its rows are read once, and joined anew from memory.

Called by `following.py` where counting each input once is not enough; a look reads what is new, as there.
"""

from headgate.journal.gathered import Gathered
from headgate.journal.reader import Reader
from headgate.rollouts.answers import COLUMNS
from headgate.rollouts.judge import Sample
from headgate.rollouts.observe import Scene, needs_features, roles_of, sample_of
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import Micros


class Rejoined:
    """One rollout, and all that was read of it so far."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._gathered: Gathered | None = None
        self._gathered_for: tuple[Plan, Micros] | None = None

    def look(self, rollout: Rollout, scene: Scene, now: Micros) -> Sample:
        """What `observe` says of `rollout`. Raises what a guard or the journal raises."""
        rows, end = self._rows(rollout), scene.settled(now)
        table = rows.joined(roles_of(rollout.plan), rollout.started, end, now, COLUMNS)
        features = rows.features(rollout.started, end) if needs_features(rollout.plan) else None
        return sample_of(rollout, table, features, scene, now)

    def _rows(self, rollout: Rollout) -> Gathered:
        """All that is readable by now, begun anew where what was gathered is not a part of it."""
        plan, wanted = rollout.plan, (rollout.plan, rollout.started)
        gathered, self._gathered = self._gathered, None  # held again only once all that is new was taken in
        if gathered is None or self._gathered_for != wanted or not _goes_on(gathered):
            where = plan.project, plan.endpoint, rollout.started
            gathered = Gathered(self._reader, *where, features=needs_features(plan))
            gathered.take()
        self._gathered, self._gathered_for = gathered, wanted
        return gathered


def _goes_on(gathered: Gathered) -> bool:
    """Take what is new; whether nothing was taken back of what was there."""
    gathered.take()
    return not gathered.cut
