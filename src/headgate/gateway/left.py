"""Rows that people decide: what is said of them instead of an answer, and what of a model's answer is held back.

Called by `answer.py` where an endpoint has people. A caller learns who decides and nothing else, unless it is to hear
the model's suggestion; what the model says is a record for evidence, under a role that says who heard it.
"""

from collections.abc import Sequence
from time import perf_counter_ns

from headgate.gateway.ask import Share
from headgate.gateway.view import View
from headgate.journal.records import Answer
from headgate.traffic.people import PeopleShare
from headgate.vocabulary import PEOPLE, Role


def leave(share: Share, reason: str) -> list[Answer]:
    """Leave the rows of `share` to people; returns the records of a model that was asked and failed for `reason`.

    Where nobody asked it the reason is empty, and there are none.
    """
    now = perf_counter_ns()
    for ask, record in zip(share.asks, share.inputs, strict=True):
        ask.outcomes[record.row] = Answer(
            record.id, PEOPLE, PEOPLE, Role.HUMAN, share.probability, None, None, 0, (now - ask.arrived) // 1000
        )
    if not reason:
        return []
    name = share.assigned.version
    return [
        Answer(record.id, name, "", Role.SHADOW, 1.0, None, None, 0, (now - ask.arrived) // 1000, reason)
        for ask, record in zip(share.asks, share.inputs, strict=True)
    ]


def hold_back(people: PeopleShare, role: Role, answers: Sequence[Answer]) -> int:
    """Give those of a share's answers that people decide the role they have there; returns how many these are."""
    held = [each for each in answers if role is Role.HUMAN or not people.is_sure(each.scores)]
    for each in held:
        each.role = Role.SUGGESTION if people.suggests else Role.SHADOW
        each.probability = 1.0
    return len(held)


def is_left(answer: Answer) -> bool:
    """Whether people decide the row that `answer` is the outcome of."""
    return answer.role in (Role.HUMAN, Role.SHADOW, Role.SUGGESTION)


def is_unasked(view: View, role: Role) -> bool:
    """Whether rows in that role are people's, and nobody waits for what the model says of them."""
    return role is Role.HUMAN and view.people is not None and not view.people.suggests
