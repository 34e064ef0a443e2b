"""A key that is good elsewhere, a token that is bad anywhere: refused at every door in the words of its protocol."""

from typing import Any

import pytest
from tests.access.test_tokens import FORGED
from tests.gateway.test_permits import CHOSEN, DOORS, a_key, asking_for_tokens, bearer, serving
from tests.gateway.test_rpc_calls import M, line, refusal

from headgate.access.keys import Key
from headgate.gateway.permits import ROLES
from headgate.gateway.rpc.door import SERVICE
from headgate.gateway.rpc.health import CHECK

CLOSED = sorted(door for door, role in ROLES.items() if role is not None)
OPEN_CALLS = {"ServerLive", "ServerReady", "ServerMetadata"}
CALLS: dict[str, dict[str, Any]] = {
    "ServerLive": {},
    "ServerReady": {},
    "ServerMetadata": {},
    "ModelReady": {"name": "e"},
    "ModelMetadata": {"name": "e"},
    "ModelConfig": {"name": "e"},
    "ModelStatistics": {"name": "e"},
    "ModelInfer": {"model_name": "e"},
    "RepositoryIndex": {},
    "RepositoryModelUnload": {"model_name": "e"},
    "RepositoryModelLoad": {"model_name": "e"},
}


BAD_TOKENS = {name: made for name, made in FORGED.items() if name not in ("nothing", "huge")}
"""All that a header may carry, by a name."""


def elsewhere() -> tuple[Key, str]:
    return a_key("admin", scopes=("default/other", "shop/*"))


@pytest.mark.parametrize("door", CLOSED)
def test_over_http(play: Any, door: str) -> None:
    key, text = elsewhere()
    method, path, body = DOORS[door]

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask(method, path, body, bearer(text))
        assert reply.status == 403
        said = reply.json
        first = door.partition("/")[0]
        if first == "invocations":
            assert (list(said), said["error_code"]) == (["error_code", "message"], "PERMISSION_DENIED")
            says = said["message"]
        elif first in ("predict", "labels", "decisions", "openapi"):
            assert (said["error"]["field"], said["error"]["rule"]) == ("authorization", "forbidden")
            says = said["error"]["message"]
        else:
            assert list(said) == ["error"]
            says = said["error"]
        assert "on endpoint 'e'" in says
        assert text not in reply.body.decode()
        assert town.journal.blocks == []
        assert (await caller.ask(method, path, body)).status == 401

    play(serving(key), scene, chosen=CHOSEN)


def test_over_grpc(play_rpc: Any) -> None:
    key, text = elsewhere()
    good, other = a_key("admin", name="good")

    async def scene(town: Any) -> None:
        methods = {each.rpartition("/")[2] for each in town.gateway._rpc[1].methods if SERVICE in each}
        assert methods == CALLS.keys()
        async with line(town) as channel:
            for name, fields in CALLS.items():
                call = channel.unary_unary(f"/{SERVICE}/{name}")
                message = M[f"{name}Request"](**fields).SerializeToString()
                shown = (("authorization", f"Bearer {text}"),)
                if name in OPEN_CALLS:
                    await call(message)
                    continue
                assert (await refusal(call(message))).code().name == "UNAUTHENTICATED"
                forbidden = await refusal(call(message, metadata=shown))
                assert forbidden.code().name == "PERMISSION_DENIED"
                assert "on endpoint 'e'" in forbidden.details()
                twice = (*shown, ("authorization", f"Bearer {other}"))
                assert (await refusal(call(message, metadata=twice))).code().name == "UNAUTHENTICATED"
                if name != "ModelInfer":
                    await call(message, metadata=(("authorization", f"Bearer {other}"),))
            await channel.unary_unary(CHECK)(b"")
        assert town.journal.blocks == []

    play_rpc(serving(key, good), scene)


def test_a_bad_token_opens_no_door(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for name, made in BAD_TOKENS.items():
            text = made()
            for door in CLOSED:
                method, path, body = DOORS[door]
                reply = await caller.ask(method, path, body, bearer(text))
                assert (name, door, reply.status) == (name, door, 401)
                assert text not in reply.body.decode()
        assert town.journal.blocks == []

    play(asking_for_tokens, scene, chosen=CHOSEN)


def test_a_bad_token_opens_no_door_of_grpc(play_rpc: Any) -> None:
    async def scene(town: Any) -> None:
        async with line(town) as channel:
            for name in CALLS.keys() - OPEN_CALLS:
                call = channel.unary_unary(f"/{SERVICE}/{name}")
                message = M[f"{name}Request"](**CALLS[name]).SerializeToString()
                for bad in BAD_TOKENS.values():
                    shown = (("authorization", f"Bearer {bad()}"),)
                    assert (await refusal(call(message, metadata=shown))).code().name == "UNAUTHENTICATED"
        assert town.journal.blocks == []

    play_rpc(asking_for_tokens, scene)
