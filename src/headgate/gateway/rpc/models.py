"""What the server and its models say of themselves over gRPC, and the repository; their meaning is in `doors/v2`."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from headgate.access.grants import ANY
from headgate.errors import BadInput, Unavailable
from headgate.gateway.doors.statuses import Status
from headgate.gateway.doors.v2 import about
from headgate.gateway.doors.v2.repository import CONFIGURED, Repository
from headgate.gateway.doors.v2.statistics import Names, Totals, stats
from headgate.gateway.http.replies import NOBODY
from headgate.gateway.permits import Known
from headgate.gateway.room import Account
from headgate.gateway.rpc.call import Call
from headgate.gateway.rpc.speaking import MESSAGES, fail, say, trailers
from headgate.vocabulary import DEFAULT_PROJECT, VERSION

Opened = Callable[[Call, Known | None], None]
"""Answers a call whose maker is known, or where nobody is asked."""
Admit = Callable[[Known | None, str, str], Account | None]
"""On whose account a call is, at a door by the name HTTP has for it, and an endpoint; raises what keeps it out."""

DATA_TYPES: Final = {
    "TYPE_BOOL": 1,
    "TYPE_UINT8": 2,
    "TYPE_UINT16": 3,
    "TYPE_UINT32": 4,
    "TYPE_UINT64": 5,
    "TYPE_INT8": 6,
    "TYPE_INT16": 7,
    "TYPE_INT32": 8,
    "TYPE_INT64": 9,
    "TYPE_FP16": 10,
    "TYPE_FP32": 11,
    "TYPE_FP64": 12,
    "TYPE_STRING": 13,
    "TYPE_BF16": 14,
}
"""The numbers that the protocol has for datatypes in a configuration."""


class Models:
    """Answers every call but the inference itself."""

    def __init__(self, repository: Repository, admit: Admit, unready: Callable[[], str]) -> None:
        """`unready` says why this gateway should get no requests, "" when it should."""
        self._repository, self._admit, self._unready = repository, admit, unready
        self.open_calls: dict[str, Callable[[Call], None]] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ServerMetadata": self._server_metadata,
        }
        """Those that anybody may make."""
        self.calls: dict[str, Opened] = {
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "ModelConfig": self._model_config,
            "ModelStatistics": self._statistics,
            "RepositoryIndex": self._index,
            "RepositoryModelLoad": partial(self._change, "RepositoryModelLoad", True),
            "RepositoryModelUnload": partial(self._change, "RepositoryModelUnload", False),
        }

    def _server_live(self, call: Call) -> None:
        say(call, "ServerLiveResponse", live=True)

    def _server_ready(self, call: Call) -> None:
        say(call, "ServerReadyResponse", ready=not self._unready())

    def _server_metadata(self, call: Call) -> None:
        say(call, "ServerMetadataResponse", **about.server(VERSION))

    def _model_ready(self, call: Call, known: Known | None) -> None:
        """Raises NotFound for no such model; one that is there and cannot answer is told by a false `ready`."""
        request = MESSAGES["ModelReadyRequest"].FromString(call.message)
        self._admit(known, "v2/model/ready", request.name)
        view = self._repository.find(DEFAULT_PROJECT, request.name)
        try:
            self._repository.check_open(view)
            self._repository.check_ready()
            seat = view.named(request.version or None)
        except Unavailable:
            say(call, "ModelReadyResponse", ready=False)
        else:
            say(call, "ModelReadyResponse", speaker=seat.header, ready=True)

    def _model_metadata(self, call: Call, known: Known | None) -> None:
        request = MESSAGES["ModelMetadataRequest"].FromString(call.message)
        self._admit(known, "v2/model", request.name)
        view = self._repository.find(DEFAULT_PROJECT, request.name)
        seat, said = about.model(view, request.version or None)
        say(call, "ModelMetadataResponse", speaker=seat.header, **said)

    def _model_config(self, call: Call, known: Known | None) -> None:
        request = MESSAGES["ModelConfigRequest"].FromString(call.message)
        self._admit(known, "v2/model/config", request.name)
        view = self._repository.find(DEFAULT_PROJECT, request.name)
        seat, said = about.configured(view, request.version or None)
        said["version_policy"] = {"specific": {"versions": [_number(each) for each in about.entitled(view)]}}
        for each in (*said["input"], *said["output"]):
            each["data_type"] = DATA_TYPES[each["data_type"]]
        say(call, "ModelConfigResponse", speaker=seat.header, config=said)

    def _statistics(self, call: Call, known: Known | None) -> None:
        request = MESSAGES["ModelStatisticsRequest"].FromString(call.message)
        if request.name:
            self._admit(known, "v2/model/stats", request.name)
            view = self._repository.find(DEFAULT_PROJECT, request.name)
            versions = about.versions_of(view, request.version or None)
            names, speaker = {request.name: versions}, view.live.header
        else:
            self._admit(known, "v2/stats", self._scope())
            names, speaker = {name: about.entitled(view) for name, view in self._repository.own()}, NOBODY
        self._repository.totals().add_done_callback(partial(_counted, call, names, speaker))

    def _index(self, call: Call, known: Known | None) -> None:
        self._admit(known, "v2/index", self._scope())
        request = MESSAGES["RepositoryIndexRequest"].FromString(call.message)
        say(call, "RepositoryIndexResponse", models=self._repository.states(ready=request.ready))

    def _change(self, kind: str, into_service: bool, call: Call, known: Known | None) -> None:
        request = MESSAGES[f"{kind}Request"].FromString(call.message)
        caller = self._admit(known, "v2/load" if into_service else "v2/unload", request.model_name)
        view = self._repository.find(DEFAULT_PROJECT, request.model_name)
        if into_service and request.parameters:
            raise BadInput("parameters", "unsupported", CONFIGURED)
        changing = self._repository.change(view, caller, into_service=into_service)
        changing.add_done_callback(partial(_changed, call, kind, view.live.header))

    def _scope(self) -> str:
        """Where a caller must have the right to what belongs to no endpoint: at the only one, or everywhere."""
        views = self._repository.views
        return next(iter(views))[1] if len(views) == 1 else ANY


def _counted(call: Call, names: Names, speaker: bytes, reading: "asyncio.Future[Totals]") -> None:
    if reading.exception() is not None:
        call.refuse(Status.INTERNAL, "the metrics of this home cannot be read", trailers(b"", speaker))
        return
    told = [{name: each[name] for name in _TOLD} for each in stats(reading.result(), names)]
    say(call, "ModelStatisticsResponse", speaker=speaker, model_stats=told)


def _changed(call: Call, kind: str, speaker: bytes, changing: "asyncio.Future[None]") -> None:
    if (problem := changing.exception()) is None:
        say(call, f"{kind}Response", speaker=speaker)
    else:
        fail(call, problem)


_TOLD: Final = tuple(MESSAGES["ModelStatistics"].DESCRIPTOR.fields_by_name)


def _number(version: str) -> int:
    """A version as protobuf has it."""
    return int(version.rpartition(":")[2])
