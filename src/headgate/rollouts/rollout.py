"""A rollout as it is kept: what was planned, where it began, and everything that moved it since."""

from typing import NamedTuple, Protocol

import msgspec

from headgate.errors import Conflict
from headgate.events import Event
from headgate.rollouts.plan import Plan
from headgate.rollouts.state import Move, State, moved, replayed
from headgate.vocabulary import Micros, readable


@readable
class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout of one endpoint; its state is what its history leads to."""

    plan: Plan
    live: str
    """The version that owned the endpoint when it began, ``model:number``."""
    started: Micros
    number: int = 0
    """Counts the rollouts of its endpoint from 1; the store gives it."""
    actor: str = ""
    thresholds: tuple[float, ...] = ()
    """Quantiles of the live version's computing time before it began, in microseconds."""
    moves: tuple[Move, ...] = ()

    @property
    def state(self) -> State:
        """Where it stands."""
        return replayed(self.plan, self.started, self.moves)

    def after(self, move: Move) -> "Rollout":
        """The rollout with `move` in its history."""
        return msgspec.structs.replace(self, moves=(*self.moves, move))

    def would_move(self, move: Move) -> bool:
        """Whether `move` means anything to it as it stands."""
        state = self.state
        return moved(self.plan, state, move) is not state


class Edit(NamedTuple):
    """What is to become of an endpoint's file, and what it said when that was decided."""

    before: str | None
    """The text that was read; None where there was none."""
    after: str


def under_way(rollout: Rollout) -> Conflict:
    """What whoever must wait for the end of `rollout` is told."""
    return Conflict(f"endpoint '{rollout.plan.endpoint}' is in rollout {rollout.number}; wait for its end, or abort it")


def edited_meanwhile(endpoint: str) -> Conflict:
    """What whoever would replace a file of `endpoint` that is another by now is told."""
    return Conflict(f"the file of endpoint '{endpoint}' was changed meanwhile; look again")


class RolloutStore(Protocol):
    """Where rollouts are kept; every call is one transaction."""

    def add_rollout(self, rollout: Rollout, event: Event, edit: Edit | None = None) -> Rollout:
        """Keep it under the next number of its endpoint, with what is to be remembered of it; returns it so numbered.

        The endpoint's file is edited with it, if that is wanted. All of it or nothing. Raises headgate.errors.Conflict
        while another rollout of the endpoint has not ended, or when the file is another by now.
        """
        ...

    def move_rollout(self, rollout: Rollout, move: Move, event: Event, edit: Edit | None = None) -> Rollout:
        """Append `move` to the history that `rollout` has, with its event and an edit of the endpoint's file if any.

        All of it or nothing. Raises headgate.errors.Conflict when somebody moved it or changed the file meanwhile.
        """
        ...

    def rollouts(self, project: str | None = None, endpoint: str | None = None) -> list[Rollout]:
        """By project, endpoint and number; of all where none is named."""
        ...

    def running(self) -> list[Rollout]:
        """Those that have not ended, of all projects."""
        ...
