"""Who calls, once that is known, and the one decision what they may do."""

from typing import Final

import msgspec

from headgate.access.grants import ANY, CallerRole, Grant
from headgate.errors import Forbidden
from headgate.vocabulary import Micros

ANYBODY: Final = "anybody"
"""Who calls where nobody is asked."""


class Caller(msgspec.Struct, frozen=True):
    """Somebody who showed who they are."""

    id: str
    """One caller's own, the same for as long as its key or token has this name; rates are counted by it."""
    name: str
    """As the audit trail writes it: ``key shop/till`` or ``token alice``."""
    grants: tuple[Grant, ...]
    until: Micros | None = None
    """When what they showed stops being good."""
    rate: float | None = None
    burst: float | None = None


def permit(caller: Caller, role: CallerRole, project: str = ANY, endpoint: str = ANY) -> None:
    """Return when `caller` has `role` at an endpoint; Forbidden otherwise. Nothing else in Headgate decides this."""
    if not any(each.allows(role, project, endpoint) for each in caller.grants):
        where = "this installation" if endpoint == ANY else f"endpoint '{endpoint[:63]}' of project '{project[:63]}'"
        raise Forbidden(f"{caller.name} lacks the role '{role}' on {where}; ask an administrator for it")
