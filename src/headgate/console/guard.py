"""Who may use the control API: the same callers, roles and decision as at the gateways."""

import threading

from headgate.access.caller import ANYBODY, Caller, permit
from headgate.access.grants import ANY, CallerRole
from headgate.access.identity import Identity
from headgate.errors import Forbidden

OPEN: Caller = Caller(ANYBODY, ANYBODY, ())
"""Who calls where nobody is asked."""


class Guard:
    """Decides about requests; safe to share between threads."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._lock = threading.Lock()

    def caller(self, authorization: str | None, *roles: CallerRole, project: str = ANY, endpoint: str = ANY) -> Caller:
        """Who calls, once it is sure that they have one of `roles` there. Raises Unauthenticated or Forbidden."""
        with self._lock:
            self._identity.look()
        if not self._identity.required:
            return OPEN
        caller = self._identity.identify(None if authorization is None else authorization.encode("latin-1"))
        refused: Forbidden | None = None
        for role in roles:
            try:
                permit(caller, role, project, endpoint)
            except Forbidden as error:
                refused = refused or error
            else:
                return caller
        raise refused or Forbidden(f"{caller.name} may not do this")
