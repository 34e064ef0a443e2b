"""The door that hands descriptions out: made when they are first asked for, an endpoint's again when it changes."""

import msgspec

from headgate.gateway.doors.openapi.document import of_endpoint, of_server
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import send
from headgate.gateway.view import View

_encode = msgspec.json.Encoder().encode


class Described:
    """Answers requests for a description."""

    def __init__(self, release: str) -> None:
        self._release = release
        self._server = b""
        self._endpoints: dict[tuple[str, str], tuple[View, bytes]] = {}

    def all_of_it(self, exchange: Exchange) -> None:
        """``GET /openapi.json``: every path, whatever the endpoint."""
        self._server = self._server or _encode(of_server(self._release))
        send(exchange, 200, self._server)

    def endpoint(self, exchange: Exchange, view: View, _: str | None) -> None:
        """``GET …/endpoints/{endpoint}/openapi.json``: one endpoint's paths, with its rows as its contract has them."""
        key = (view.traffic.project, view.traffic.endpoint)
        made = self._endpoints.get(key)
        if made is None or made[0] is not view:
            made = self._endpoints[key] = (view, _encode(of_endpoint(self._release, view)))
        send(exchange, 200, made[1], version=view.live.header)
