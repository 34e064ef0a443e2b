"""``grpc.health.v1``: whether this gateway wants calls, asked once or watched."""

import asyncio
from collections.abc import Callable
from typing import Final

from headgate.gateway.doors.statuses import Status
from headgate.gateway.rpc.call import Call
from headgate.gateway.rpc.messages import HEALTH, message_classes

CHECK: Final = f"/{HEALTH}.Health/Check"
WATCH: Final = f"/{HEALTH}.Health/Watch"
SERVING: Final = 1
NOT_SERVING: Final = 2
SERVICE_UNKNOWN: Final = 3

_LOOK_SECONDS: Final = 0.2
_MESSAGES: Final = message_classes(HEALTH)
_request = _MESSAGES["HealthCheckRequest"].FromString
_TOLD: Final = {
    each: _MESSAGES["HealthCheckResponse"](status=each).SerializeToString()
    for each in (SERVING, NOT_SERVING, SERVICE_UNKNOWN)
}


class Health:
    """Answers for the server, by the name "" or its own, and for each endpoint by its name, to those who may ask it."""

    def __init__(self, state_of: Callable[[Call, str], int]) -> None:
        """`state_of` knows what to tell the maker of a call of a service by its name."""
        self._state_of = state_of
        self._watching: dict[Call, tuple[str, int]] = {}
        """Who watches what, and what was said last."""
        self._looking: asyncio.TimerHandle | None = None

    def check(self, call: Call) -> None:
        """Say how it stands."""
        service = _request(call.message).service
        state = self._state_of(call, service)
        if state == SERVICE_UNKNOWN:
            call.refuse(Status.NOT_FOUND, f"service '{service[:63]}' is not served here")
        else:
            call.reply(_TOLD[state])

    def watch(self, call: Call) -> None:
        """Say how it stands, and again whenever that changes, until the caller leaves."""
        service: str = _request(call.message).service
        state = self._state_of(call, service)
        call.until(lambda: self._watching.pop(call, None) and None)
        call.say(_TOLD[state])
        self._watching[call] = service, state
        if self._looking is None:
            self._look_later()

    def close(self) -> None:
        """Tell everybody who watches that it is over."""
        if self._looking is not None:
            self._looking.cancel()
        for call in list(self._watching):
            call.refuse(Status.UNAVAILABLE, "shutting down")
        self._watching.clear()

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._looking = None
        for call, (service, said) in list(self._watching.items()):
            state = self._state_of(call, service)
            if state != said and call.say(_TOLD[state]):
                self._watching[call] = service, state
        if self._watching:
            self._look_later()
