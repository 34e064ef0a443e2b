"""``/ping``, ``/health`` and ``/version``: answered on the event loop, so a version that is loading delays none."""

from collections.abc import Callable

from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import JSON, NOBODY, send
from headgate.gateway.view import View


class HealthDoor:
    """Says whether the only endpoint, or the one named, can be asked."""

    def __init__(self, check_ready: Callable[[], None], release: str, asks_who: Callable[[], bool]) -> None:
        """`check_ready` raises what keeps requests away; `asks_who` is whether callers must show who they are.

        Where they must, strangers, who may ask too, hear of no version.
        """
        self._check_ready, self._asks_who = check_ready, asks_who
        self._release = release.encode()

    def ping(self, exchange: Exchange, view: View, _: str | None) -> None:
        """200 when it can. Raises Unavailable when it cannot."""
        self._check_ready()
        send(exchange, 200, b"\n", version=self._version(exchange, view), content_type=JSON)

    def release(self, exchange: Exchange, view: View, _: str | None) -> None:
        """Headgate's own version as text, where MLflow says its own."""
        send(exchange, 200, self._release, version=self._version(exchange, view), content_type=b"text/plain")

    def _version(self, exchange: Exchange, view: View) -> bytes:
        return NOBODY if exchange.caller is None and self._asks_who() else view.live.header
