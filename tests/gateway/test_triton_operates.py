"""Triton's own clients with an operator's key and without one: only the first changes what is served."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import tritonclient.grpc
import tritonclient.http
from tests.gateway.test_permits import a_key, serving
from tritonclient.utils import InferenceServerException

from headgate.events import Event, EventKind

CLIENTS: dict[str, Callable[[Any], Any]] = {
    "http": lambda town: tritonclient.http.InferenceServerClient(f"127.0.0.1:{town.port}"),
    "grpc": lambda town: tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{town.gateway.grpc_port}"),
}


def shown(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_stock_client_operates_with_an_operators_key_alone(play_rpc: Any, kind: str) -> None:
    predicts, callers = a_key("predict", name="till")
    operates, operators = a_key("operate", "predict", name="desk")
    noted: list[Event] = []

    def run(town: Any) -> None:
        client = CLIENTS[kind](town)
        try:
            for headers in (None, shown(callers)):
                for change in (client.unload_model, client.load_model):
                    with pytest.raises(InferenceServerException):
                        change("e", headers=headers)
            assert client.is_model_ready("e", headers=shown(callers))
            assert noted == []
            client.unload_model("e", headers=shown(operators))
            assert not client.is_model_ready("e", headers=shown(callers))
            client.load_model("e", headers=shown(operators))
            assert client.is_model_ready("e", headers=shown(callers))
        finally:
            client.close()

    async def scene(town: Any) -> None:
        await asyncio.to_thread(run, town)
        assert [(each.kind, each.subject, each.actor) for each in noted] == [
            (EventKind.UNLOADED, "e", "key default/desk"),
            (EventKind.LOADED, "e", "key default/desk"),
        ]

    play_rpc(serving(predicts, operates), scene, note=noted.append)
