"""Who may pass which door: the gateway's one decision about callers, made before any door opens.

The router asks `account` for every request once callers must show who they are. What was decided is remembered by
the header shown, so that a caller's second request costs two look-ups; a change of the keys forgets all of it.
"""

import asyncio
import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Final

from headgate.access.caller import Caller, permit
from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.rates import Bucket
from headgate.clock import Clock
from headgate.errors import Forbidden, Unauthenticated
from headgate.gateway.http.exchange import AUTHORIZATION, Exchange
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.room import Account
from headgate.vocabulary import Micros

LOOK_SECONDS: Final = 0.1
"""How old the keys may be: a revoked one stops within this and the moment it takes to publish."""
_KEPT: Final = 8192
"""Decisions remembered; more callers than that are decided anew, which costs a few microseconds each."""
_FOREVER: Final = Micros(2**63 - 1)
_LOG: Final = logging.getLogger(__name__)

ROLES: Final[Mapping[str, CallerRole | None]] = {
    "livez": None,
    "readyz": None,
    "v2": None,
    "predict": CallerRole.PREDICT,
    "labels": CallerRole.LABEL,
    "decisions": CallerRole.REVIEW,
    "v2/model": CallerRole.PREDICT,
    "v2/model/ready": CallerRole.PREDICT,
    "v2/infer": CallerRole.PREDICT,
}
"""The role each door asks for, by the names in `paths.py`; None is open to all. A door not listed asks for `admin`."""


class Permits:
    """Decides for one gateway process; used from its event loop."""

    def __init__(self, identity: Identity, clock: Clock, slab: Slab, *, workers: int = 1) -> None:
        """Each of `workers` gateways lets a caller have its part of the caller's rate."""
        self._identity = identity
        self._clock = clock
        self._slab = slab
        self._workers = workers
        self._decided: dict[tuple[bytes | None, str, CallerRole, str, str], tuple[Account, Micros]] = {}
        self._accounts: dict[str, Account] = {}
        self.required = identity.required
        """Whether callers must show who they are."""

    def account(self, exchange: Exchange, door: str, project: str, endpoint: str) -> Account | None:
        """Whose request it is; None at a door that is open to all.

        Raises Unauthenticated or Forbidden.
        """
        role = ROLES.get(door, CallerRole.ADMIN)
        if role is None:
            return None
        shown, certificate = exchange.head.headers.get(AUTHORIZATION), exchange.connection.certificate
        key = (shown, certificate, role, project, endpoint)
        found = self._decided.get(key)
        if found is not None and (found[1] is _FOREVER or self._clock.now() < found[1]):
            return found[0]
        try:
            caller = self._identity.identify(shown, certificate)
            permit(caller, role, project, endpoint)
        except (Unauthenticated, Forbidden) as error:
            # Refusals are not remembered: strangers could fill the memory with them.
            self._slab.values[self._slab.cell("headgate_denied_total", reason=type(error).__name__)] += 1.0
            raise
        if len(self._decided) >= _KEPT:
            self._decided.clear()
        account = self._account(caller)
        self._decided[key] = (account, _FOREVER if caller.until is None else caller.until)
        return account

    def look(self) -> None:
        """See whether the keys changed; what was decided under others is forgotten."""
        if self._identity.look():
            self._decided.clear()
            self._accounts = {name: each for name, each in self._accounts.items() if each.waiting or each.bucket}
        self.required = self._identity.required

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:  # a fault here must not end the watch: keys revoked later would go on working
                _LOG.exception("the keys could not be looked at; trying again")

    def _account(self, caller: Caller) -> Account:
        account = self._accounts.get(caller.id)
        if account is None:
            if len(self._accounts) >= _KEPT:
                self._accounts = {name: each for name, each in self._accounts.items() if each.waiting}
            account = self._accounts[caller.id] = Account(caller.name)
        rate = None if caller.rate is None else caller.rate / self._workers
        if rate is None:
            account.bucket = None
        elif account.bucket is None or account.bucket.rate != rate or account.bucket.burst != self._burst(caller):
            account.bucket = Bucket(rate, self._burst(caller), now=perf_counter())
        return account

    def _burst(self, caller: Caller) -> float:
        """Rows of one gateway's bucket: its part, and at least one, or nothing would ever pass."""
        burst = caller.burst if caller.burst is not None else caller.rate or 0.0
        return max(1.0, burst / self._workers)
