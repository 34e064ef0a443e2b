"""What is to be done for an endpoint that follows an alias: a pure function of what was done and what is there now."""

from enum import StrEnum

import msgspec

from headgate.tracking.models import Found
from headgate.vocabulary import Micros, readable


@readable
class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far an endpoint has come with the version that its alias pointed at last."""

    name: str
    version: str
    """On the server."""
    at: Micros
    became: str = ""
    """``model:number`` here; empty where it could not be registered."""
    done: bool = False
    """Whether nothing is left to do for it: it is rolled out, or was refused."""
    said: str = ""
    """What became of it."""


class Step(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    """The alias points where it did, and that is done."""
    WAIT = "wait"
    """A rollout of the endpoint has to end first."""
    TAKE = "take"
    """Fetch, register, prove and roll out; each of them again where it was cut short."""


def decide(reached: Reached | None, found: Found, *, rolling: bool) -> Step:
    """What is to be done, where the alias points at `found` and a rollout is under way or not.

    >>> decide(None, Found("flights", "3"), rolling=False)
    <Step.TAKE: 'take'>
    >>> decide(Reached(name="flights", version="3", at=Micros(0), done=True), Found("flights", "3"), rolling=False)
    <Step.NOTHING: 'nothing'>
    """
    if reached is not None and (reached.name, reached.version) == (found.name, found.version) and reached.done:
        return Step.NOTHING
    return Step.WAIT if rolling else Step.TAKE
