"""The repository extension: which models there are, and whether each is in service.

Which version answers is the traffic's business, so ``unload`` takes an endpoint out of service on every gateway of
the home, and ``load`` brings it back; neither changes what is loaded or who may take traffic.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from headgate.access.caller import ANYBODY
from headgate.contracts.decode import parse_json
from headgate.errors import BadInput, Forbidden, NotFound, Unavailable
from headgate.gateway.doors.v2.about import READY, entitled, index, versions_of
from headgate.gateway.doors.v2.statistics import Names, Totals, document, totals
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import NOBODY, send
from headgate.gateway.room import Account
from headgate.gateway.view import View, Views
from headgate.traffic.ports import Closures
from headgate.vocabulary import DEFAULT_PROJECT

Key = tuple[str, str]
"""Project and endpoint."""
MayOperate = Callable[[], bool]
"""Whether callers may change what others are answered, where no keys say who may."""
Note = Callable[[Key, str, bool], None]
"""Writes down, before it happens, that somebody takes an endpoint into service or out of it; raises OSError.

Called on a thread.
"""
_REFUSED: Final = "only an operator may load or unload; the caller has no such right here"
CONFIGURED: Final = "a version comes from the registry, with its configuration; send none"
_encode = msgspec.json.Encoder().encode


class OwnClosures:
    """Closures of one gateway alone, where it has no home to share them in."""

    def __init__(self) -> None:
        self._closed: set[Key] = set()

    def read(self) -> frozenset[Key]:
        """Those out of service."""
        return frozenset(self._closed)

    def close(self, key: Key) -> None:
        """Take it out of service."""
        self._closed.add(key)

    def open(self, key: Key) -> None:
        """Bring it back."""
        self._closed.discard(key)


class Repository:
    """Answers for the models of the default project, which are all that V2's paths can name."""

    def __init__(
        self,
        views: Views,
        closures: Closures,
        *,
        may_operate: MayOperate,
        metrics: Path,
        note: Note,
        unready: Callable[[], str],
    ) -> None:
        """`metrics` is the folder of the workers' slabs; `unready` says why this gateway should get no requests."""
        self.views, self._unready = views, unready
        self._closures = closures
        self._may_operate = may_operate
        self._metrics = metrics
        self._note = note
        # One thread of its own: changes are made one after the other, and wait for no picture or version.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="changes")
        self.closed: frozenset[Key] = closures.read()
        """The endpoints out of service; the router looks here."""

    def find(self, project: str, endpoint: str) -> View:
        """The view of an endpoint, in service or not. Raises NotFound."""
        view = self.views.get((project, endpoint))
        if view is None:
            raise NotFound("endpoint", endpoint[:63], "`headgate status` lists those there are")
        return view

    def check_open(self, view: View) -> View:
        """`view` again. Raises Unavailable while its endpoint is out of service."""
        if self.closed and view.key in self.closed:
            raise Unavailable("the endpoint was taken out of service by unload; load it again")
        return view

    def check_ready(self) -> None:
        """Nothing, or Unavailable while this gateway should get no requests."""
        why = self._unready()
        if why:
            raise Unavailable(why)

    def refresh(self) -> None:
        """Notice what another gateway of this home was told."""
        self.closed = self._closures.read()

    def states(self, *, ready: bool) -> list[dict[str, str]]:
        """Every version with its state and, where it cannot answer, why; or the ready ones alone."""
        found = [each for _, view in self.own() for each in index(view, self._why_not(view.key))]
        return [each for each in found if each["state"] == READY] if ready else found

    def index(self, exchange: Exchange) -> None:
        """List every version with its state."""
        send(exchange, 200, _encode(self.states(ready=_body(exchange).get("ready") is True)))

    def load(self, exchange: Exchange, view: View) -> "asyncio.Future[None]":
        """Bring the endpoint back into service, as `change` does. Raises BadInput and Forbidden."""
        parameters = _body(exchange).get("parameters") or {}
        if not isinstance(parameters, dict) or parameters:
            raise BadInput("parameters", "unsupported", CONFIGURED)
        return self.change(view, exchange.caller, into_service=True)

    def unload(self, exchange: Exchange, view: View) -> "asyncio.Future[None]":
        """Take the endpoint out of service until it is loaded, as `change` does. Raises BadInput and Forbidden."""
        _body(exchange)
        return self.change(view, exchange.caller, into_service=False)

    def change(self, view: View, caller: Account | None, *, into_service: bool) -> "asyncio.Future[None]":
        """Take the endpoint into service or out of it, on the word of `caller`; done once the note of it is on disk.

        Raises Forbidden at once. The future's error is Unavailable where the change cannot be written down.
        """
        if not self._may_operate():
            raise Forbidden(_REFUSED)
        who = ANYBODY if caller is None else caller.name
        return asyncio.ensure_future(self._carry_out(view.key, who, into_service=into_service))

    def statistics_of(self, exchange: Exchange, view: View, version: str | None) -> None:
        """What was counted of one endpoint, or of one of its versions."""
        versions = versions_of(view, version)
        self._tell(exchange, {view.traffic.endpoint: versions}, view.live.header)

    def statistics(self, exchange: Exchange) -> None:
        """What was counted of every endpoint."""
        self._tell(exchange, {name: entitled(view) for name, view in self.own()}, NOBODY)

    def totals(self) -> "asyncio.Future[Totals]":
        """What was counted of the default project's endpoints, on every worker."""
        return asyncio.get_running_loop().run_in_executor(None, totals, self._metrics, DEFAULT_PROJECT)

    def own(self) -> list[tuple[str, View]]:
        """The default project's endpoints and their views, by name."""
        return [(name, view) for (project, name), view in sorted(self.views.items()) if project == DEFAULT_PROJECT]

    def _why_not(self, key: Key) -> str:
        return "unloaded" if key in self.closed else self._unready()

    async def _carry_out(self, key: Key, who: str, *, into_service: bool) -> None:
        write = partial(self._write_down, key, who, into_service=into_service)
        await asyncio.get_running_loop().run_in_executor(self._writer, write)
        self.refresh()

    def _write_down(self, key: Key, who: str, *, into_service: bool) -> None:
        """On the thread: a note is synced, and the loop must not wait for a disk."""
        try:
            if (key not in self._closures.read()) == into_service:
                return  # stock clients load whatever they ask, and what changes nothing is no history
            self._note(key, who, into_service)
            (self._closures.open if into_service else self._closures.close)(key)
        except OSError as error:
            raise Unavailable(f"the change cannot be written down: {error.strerror}") from error

    def _tell(self, exchange: Exchange, names: Names, version: bytes) -> None:
        """Read the slabs beside the loop: a megabyte each."""
        reading = self.totals()
        reading.add_done_callback(partial(_told, exchange, names, version))


def _told(exchange: Exchange, names: Names, version: bytes, reading: "asyncio.Future[Totals]") -> None:
    if reading.exception() is None:
        send(exchange, 200, document(reading.result(), names), version=version)
    else:
        send(exchange, 500, b'{"error":"the metrics of this home cannot be read"}', version=version)


def _body(exchange: Exchange) -> dict[str, Any]:
    """What a request says; nothing where it has no body. Raises BadInput for anything but an object."""
    if not exchange.body:
        return {}
    said = parse_json(exchange.body, "body")
    if not isinstance(said, dict):
        raise BadInput("body", "type", "expected an object")
    return said
