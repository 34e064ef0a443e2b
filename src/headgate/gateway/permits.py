"""Who may pass which door: the gateway's one decision about callers, made before any door opens.

The router asks for every request once callers must show who they are. What was decided is remembered by the header
shown and by the very head it came in, which clients repeat, so that a caller's second request costs one look-up; a
change of the keys forgets all of it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final

from headgate.access.caller import Caller, permit
from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.rates import Bucket
from headgate.clock import Clock
from headgate.errors import Forbidden, Unauthenticated
from headgate.gateway.doors.paths import Route
from headgate.gateway.http.exchange import AUTHORIZATION, Exchange, Head
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.room import Account
from headgate.vocabulary import Micros

LOOK_SECONDS: Final = 0.1
"""How old the keys may be: a revoked one stops within this and the moment it takes to publish."""
_KEPT: Final = 2048
"""Decisions remembered; more callers than that are decided anew, which costs a few microseconds each."""
_LONGEST_KEPT: Final = 4096
"""Bytes of a header that is remembered: a caller could make any number of long ones out of one key."""
_FOREVER: Final = Micros(2**63 - 1)
Shown = tuple[bytes | None, str]
"""What a caller shows of itself: its authorization, and the name in its certificate."""
Known = tuple[Caller, Account]
"""Who calls, and on whose account."""
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
    "v2/model/config": CallerRole.PREDICT,
    "v2/model/stats": CallerRole.OPERATE,
    "v2/infer": CallerRole.PREDICT,
    "v2/stats": CallerRole.OPERATE,
    "v2/index": CallerRole.OPERATE,
    "v2/load": CallerRole.OPERATE,
    "v2/unload": CallerRole.OPERATE,
    "openapi": None,
    "openapi/endpoint": CallerRole.PREDICT,
    "tensorflow": CallerRole.PREDICT,
    "tensorflow/status": CallerRole.PREDICT,
    "tensorflow/metadata": CallerRole.PREDICT,
    "invocations": CallerRole.PREDICT,
    "vertex": CallerRole.PREDICT,
    "ping": None,
    "version": None,
}
"""The role each door asks for, by the names in `paths.py`; None is open to all where the path names no endpoint.

A door not listed asks for `admin`.
"""


class Permits:
    """Decides for one gateway process; used from its event loop."""

    def __init__(self, identity: Identity, clock: Clock, slab: Slab, *, workers: int = 1) -> None:
        """Each of `workers` gateways lets a caller have its part of the caller's rate."""
        self._identity = identity
        self._clock = clock
        self._slab = slab
        self._workers = workers
        self._callers: dict[Shown, Known] = {}
        self._heads: dict[int, tuple[Head, Account, Micros]] = {}
        """By the identity of a head; the head stands beside it, so that no other can have that identity."""
        self._accounts: dict[str, Account] = {}
        self.required = identity.required
        """Whether callers must show who they are."""

    def knows(self, exchange: Exchange) -> bool:
        """Whether the caller of this very head may pass, as was decided before; `exchange` is on its account then."""
        found = self._heads.get(id(exchange.head))
        if found is None or exchange.connection.certificate:
            return False
        if found[2] is not _FOREVER and self._clock.now() >= found[2]:
            return False
        exchange.caller = found[1]
        return True

    def admit(self, exchange: Exchange, route: Route, project: str, endpoint: str) -> None:
        """Put `exchange` on its caller's account, if they may pass the door of `route` at that endpoint.

        Raises Unauthenticated or Forbidden.
        """
        role = ROLES.get(route.door, CallerRole.ADMIN)
        if role is None and route.endpoint is not None:
            role = CallerRole.PREDICT  # strangers may ask how the server is, not which endpoints it has
        if role is None:
            return
        caller, account = self._identified((exchange.head.headers.get(AUTHORIZATION), exchange.connection.certificate))
        self._permit(caller, role, project, endpoint)
        exchange.caller = account
        if route.endpoint is not None and len(exchange.head.target) <= _LONGEST_KEPT:
            self._remember(exchange, caller, account)

    def identify(self, shown: Callable[[], Shown]) -> Known | None:
        """Who makes a call that is no HTTP exchange; None where nobody is asked who they are.

        Asked before its message is decoded; `shown` is asked where that matters alone. Raises Unauthenticated.
        """
        return self._identified(shown()) if self.required else None

    def admit_call(self, known: Known | None, door: str, project: str, endpoint: str) -> Account | None:
        """The account of a caller who may pass that door of an endpoint; None where nobody is asked who they are.

        Raises Forbidden.
        """
        role = ROLES.get(door, CallerRole.ADMIN)
        if role is None or known is None:
            return None
        self._permit(known[0], role, project, endpoint)
        return known[1]

    def allows(self, shown: Callable[[], Shown], door: str, project: str, endpoint: str) -> bool:
        """Whether whoever shows that may pass; where a door only says less to others, nobody is refused by it."""
        role = ROLES.get(door, CallerRole.ADMIN)
        if role is None or not self.required:
            return True
        try:
            permit(self._caller(shown())[0], role, project, endpoint)
        except (Unauthenticated, Forbidden):
            return False
        return True

    def look(self) -> None:
        """See whether the keys changed; what was decided under others is forgotten."""
        if self._identity.look():
            self._callers.clear()
            self._heads.clear()
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

    def _identified(self, shown: Shown) -> Known:
        try:
            return self._caller(shown)
        except Unauthenticated as error:
            self._count(error)
            raise

    def _permit(self, caller: Caller, role: CallerRole, project: str, endpoint: str) -> None:
        try:
            permit(caller, role, project, endpoint)
        except Forbidden as error:
            self._count(error)
            raise

    def _count(self, error: Unauthenticated | Forbidden) -> None:
        self._slab.values[self._slab.cell("headgate_denied_total", reason=type(error).__name__)] += 1.0

    def _caller(self, shown: Shown) -> Known:
        """Who calls. Strangers are not remembered: they could fill the memory with what they show."""
        found = self._callers.get(shown)
        if found is None or (found[0].until is not None and self._clock.now() >= found[0].until):
            caller = self._identity.identify(*shown)
            found = caller, self._account(caller)
            if len(shown[0] or b"") <= _LONGEST_KEPT:
                if len(self._callers) >= _KEPT:
                    self._callers.clear()
                self._callers[shown] = found
        return found

    def _remember(self, exchange: Exchange, caller: Caller, account: Account) -> None:
        shown = exchange.head.headers.get(AUTHORIZATION)
        if shown is None or len(shown) > _LONGEST_KEPT:
            return
        if len(self._heads) >= _KEPT:
            self._heads.clear()
        self._heads[id(exchange.head)] = (exchange.head, account, _FOREVER if caller.until is None else caller.until)

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
