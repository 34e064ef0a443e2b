"""Who may pass which door, asked of a gateway on a real socket in each door's own words."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.access.issuer import RULES, key_set, token

from headgate.access.grants import CallerRole
from headgate.access.keys import Key, digest_of, new_key
from headgate.access.oidc import load_rules
from headgate.access.tokens import Tokens
from headgate.clock import HeldClock, SystemClock
from headgate.gateway.doors import paths
from headgate.gateway.permits import ROLES
from headgate.gateway.server import Gateway
from headgate.journal.identifiers import Mint
from headgate.vocabulary import Micros

ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
PREDICT = "/v1/endpoints/e/predict"
NATIVE = json.dumps({"rows": [ROW]}).encode()
V2 = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [0.1, 0.2, 0.3]}]}).encode()
SECRET = b"s" * 32
DOORS = {
    "predict": ("POST", PREDICT, NATIVE),
    "labels": ("POST", "/v1/endpoints/e/labels", b'{"labels": [{"request_id": "r", "label": 1}]}'),
    "decisions": ("POST", "/v1/endpoints/e/decisions", b'{"decisions": [{"request_id": "r", "decision": 1}]}'),
    "v2/model": ("GET", "/v2/models/e", b""),
    "v2/model/ready": ("GET", "/v2/models/e/ready", b""),
    "v2/infer": ("POST", "/v2/models/e/infer", V2),
    "livez": ("GET", "/livez", b""),
    "readyz": ("GET", "/readyz", b""),
    "v2": ("GET", "/v2", b""),
    "v2/index": ("POST", "/v2/repository/index", b"{}"),
    "v2/unload": ("POST", "/v2/repository/models/e/unload", b"{}"),
    "v2/load": ("POST", "/v2/repository/models/e/load", b"{}"),  # what was closed is open to those below
    "v2/stats": ("GET", "/v2/models/stats", b""),
    "v2/model/stats": ("GET", "/v2/models/e/stats", b""),
    "v2/model/config": ("GET", "/v2/models/e/config", b""),
    "openapi": ("GET", "/openapi.json", b""),
    "openapi/endpoint": ("GET", "/v1/endpoints/e/openapi.json", b""),
    "tensorflow": ("POST", "/v1/models/e:predict", json.dumps({"instances": [ROW]}).encode()),
    "tensorflow/status": ("GET", "/v1/models/e", b""),
    "tensorflow/metadata": ("GET", "/v1/models/e/metadata", b""),
    "invocations": ("POST", "/invocations", json.dumps({"dataframe_records": [ROW]}).encode()),
    "ping": ("GET", "/ping", b""),
    "version": ("GET", "/version", b""),
    "vertex": ("POST", "/vertex", json.dumps({"instances": [ROW]}).encode()),
}
"""One good request at every door."""
CHOSEN = paths.chosen_routes(health=None, predict="/vertex")


def a_key(*roles: str, scopes: tuple[str, ...] = ("default/e",), name: str = "till", **more: Any) -> tuple[Key, str]:
    id_, text = new_key()
    words = tuple(CallerRole(each) for each in roles)
    return Key(id_, "default", name, digest_of(text, SECRET), words, scopes, Micros(0), **more), text


def serving(*keys: Key) -> Callable[[Any], None]:
    def prepare(town: Any) -> None:
        town.serve_one()
        town.keys.publish(keys)

    return prepare


def bearer(text: str) -> str:
    return f"Authorization: Bearer {text}"


async def wait_for(town: Any, rows: int) -> None:
    """Wait until so many rows are admitted and not answered."""
    view = town.gateway._router.views["default", "e"]
    async with asyncio.timeout(5.0):
        while view.waiting != rows:
            await asyncio.sleep(0.001)


async def soon(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is true, at most a second: what the documentation promises of revoked keys."""
    async with asyncio.timeout(1.0):
        while not await true():
            await asyncio.sleep(0.01)


def test_every_door_asks_for_a_role_or_says_it_is_open(play: Any) -> None:
    async def scene(town: Any) -> None:
        router = town.gateway._router
        assert ROLES.keys() == router._of_server.keys() | router._of_endpoints.keys() | router._of_operators.keys()

    play(lambda town: town.serve_one(), scene)
    assert DOORS.keys() == ROLES.keys()
    for door, (_, path, _) in DOORS.items():
        route = paths.find_route(path.encode(), CHOSEN)
        assert route is not None
        assert route.door == door


@pytest.mark.parametrize("role", list(CallerRole))
def test_a_role_opens_its_doors_and_no_other(play: Any, role: CallerRole) -> None:
    key, text = a_key(role)

    async def scene(town: Any) -> None:
        caller = await town.call()
        for door, (method, path, body) in DOORS.items():
            wanted = ROLES[door]
            reply = await caller.ask(method, path, body, bearer(text))
            expected = 200 if wanted in (None, role) or role is CallerRole.ADMIN else 403
            assert (door, reply.status) == (door, expected)
            without = await caller.ask(method, path, body)
            assert (door, without.status) == (door, 200 if wanted is None else 401)

    play(serving(key), scene, chosen=CHOSEN)


def test_who_shows_a_key_decides_under_its_name(play: Any) -> None:
    """Cases are held under that name, so one key is one opinion, and whoever has a case ends it."""
    key, text = a_key("review", name="ann")

    async def scene(town: Any) -> None:
        caller = await town.call()

        async def decide(*actors: str | None) -> Any:
            entries = [{"request_id": "r", "decision": 1} | ({"actor": each} if each else {}) for each in actors]
            body = json.dumps({"decisions": entries}).encode()
            return await caller.ask("POST", "/v1/endpoints/e/decisions", body, bearer(text))

        assert (await decide(None, "key default/ann")).json == {"accepted": 2}
        assert [each.actor for each in town.journal.labels] == ["key default/ann"] * 2
        refused = await decide(None, "bob")
        assert (refused.status, refused.json["error"]["field"]) == (422, "decisions[1].actor")
        assert refused.json["error"]["rule"] == "actor"
        assert "key default/ann" in refused.json["error"]["message"]
        assert len(town.journal.labels) == 2, "nothing of it is kept"

    play(serving(key), scene)


def test_labels_have_no_actor_whoever_sends_them(play: Any) -> None:
    key, text = a_key("label", name="ann")

    async def scene(town: Any) -> None:
        caller = await town.call()
        method, path, body = DOORS["labels"]
        assert (await caller.ask(method, path, body, bearer(text))).json == {"accepted": 1}
        assert [each.actor for each in town.journal.labels] == [""]

    play(serving(key), scene)


def test_each_door_refuses_in_its_own_words(play: Any) -> None:
    key, text = a_key("label")

    async def scene(town: Any) -> None:
        caller = await town.call()
        native = await caller.ask("POST", PREDICT, NATIVE)
        assert (native.status, native.headers["www-authenticate"]) == (401, 'Bearer realm="headgate"')
        assert (native.json["error"]["field"], native.json["error"]["rule"]) == ("authorization", "unauthenticated")
        v2 = await caller.ask("POST", "/v2/models/e/infer", V2)
        assert (v2.status, v2.headers["www-authenticate"]) == (401, 'Bearer realm="headgate"')
        assert v2.json == {"error": native.json["error"]["message"]}
        native = await caller.ask("POST", PREDICT, NATIVE, bearer(text))
        assert (native.status, native.json["error"]["rule"]) == (403, "forbidden")
        assert "lacks the role 'predict' on endpoint 'e'" in native.json["error"]["message"]
        assert "www-authenticate" not in native.headers
        v2 = await caller.ask("POST", "/v2/models/e/infer", V2, bearer(text))
        assert (v2.status, v2.json["error"]) == (403, native.json["error"]["message"])
        assert town.journal.blocks == []

    play(serving(key), scene)


@pytest.mark.parametrize(
    "path", ["/v1/endpoints/other/predict", "/v1/projects/shop/endpoints/e/predict", "/v1/endpoints/E%2f/predict"]
)
def test_a_scope_ends_at_its_endpoint_and_does_not_tell_what_exists(play: Any, path: str) -> None:
    key, text = a_key("admin")
    everything, all_of_it = a_key("admin", scopes=("*/*",), name="root")

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", path, NATIVE)).status == 401
        assert (await caller.ask("POST", path, NATIVE, bearer(text))).status == 403
        assert (await caller.ask("POST", path, NATIVE, bearer(all_of_it))).status == 404

    play(serving(key, everything), scene)


def test_a_path_that_means_nothing_tells_nobody_anything(play: Any) -> None:
    async def scene(town: Any) -> None:
        assert (await (await town.call()).ask("GET", "/nothing")).status == 404

    play(serving(a_key("admin")[0]), scene)


def test_strangers_learn_neither_which_endpoints_there_are_nor_what_is_live(play: Any) -> None:
    key, text = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await town.call()
        for path in ("/ping", "/health", "/version", "/healthy"):
            bare = await caller.ask("GET", path)
            assert (path, bare.status, bare.headers["headgate-version"]) == (path, 200, "none")
            for name in ("e", "nobody"):
                for method in ("GET", "POST"):
                    assert (await caller.ask(method, f"/endpoints/{name}{path}")).status == 401
            mine = await caller.ask("GET", f"/endpoints/e{path}", b"", bearer(text))
            assert (mine.status, mine.headers["headgate-version"]) == (200, "m:1")
            assert (await caller.ask("GET", f"/endpoints/nobody{path}", b"", bearer(text))).status == 403

    play(serving(key), scene, chosen=paths.chosen_routes(health="/healthy", predict=None))


def test_open_until_the_first_key_and_closed_ever_after(play: Any) -> None:
    key, text = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", PREDICT, NATIVE)).status == 200
        town.keys.publish([key])

        async def closed() -> bool:
            return bool((await caller.ask("POST", PREDICT, NATIVE)).status == 401)

        await soon(closed)
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200
        town.keys.publish([])

        async def revoked() -> bool:
            return bool((await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 401)

        await soon(revoked)
        assert (await caller.ask("POST", PREDICT, NATIVE)).status == 401

    play(lambda town: town.serve_one(), scene)


def test_a_remembered_decision_ends_with_its_key(play: Any) -> None:
    clock = HeldClock(SystemClock().now())
    key, text = a_key("predict", expires_at=Micros(clock.now() + 1_000_000))

    async def scene(town: Any) -> None:
        caller = await town.call()
        for _ in range(3):
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200
        clock.move_to(Micros(clock.now() + 1_000_000))
        reply = await caller.ask("POST", PREDICT, NATIVE, bearer(text))
        assert (reply.status, "expired" in reply.json["error"]["message"]) == (401, True)

    play(serving(key), scene, clock=clock)


def test_a_change_of_roles_is_obeyed_although_the_header_is_known(play: Any) -> None:
    key, text = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200
        other = Key(key.id, key.project, key.name, key.digest, (CallerRole.LABEL,), key.scopes, key.created_at)
        town.keys.publish([other])

        async def forbidden() -> bool:
            return bool((await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 403)

        await soon(forbidden)

    play(serving(key), scene)


def test_two_callers_on_one_connection_are_told_apart(play: Any) -> None:
    may, text = a_key("predict")
    may_not, other = a_key("label", name="other")

    async def scene(town: Any) -> None:
        caller = await town.call()
        for _ in range(20):
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(other))).status == 403
            assert (await caller.ask("POST", PREDICT, NATIVE)).status == 401
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text), bearer(other))).status == 401

    play(serving(may, may_not), scene)


def test_strangers_get_nothing_unfolded(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from headgate.gateway.doors import unfold

    def unfolded(*_: object) -> bytes:
        raise AssertionError("a stranger's body was opened")

    monkeypatch.setattr(unfold, "decoded", unfolded)

    async def scene(town: Any) -> None:
        body = gzip.compress(NATIVE)
        assert (await (await town.call()).ask("POST", PREDICT, body, "Content-Encoding: gzip")).status == 401

    play(serving(a_key("predict")[0]), scene)


class Rules:
    """Which tokens are good, and that never changes."""

    def changed(self) -> bool:
        return False

    def read(self) -> Tokens:
        return Tokens(load_rules(RULES, "oidc.yaml"), key_set())


def asking_for_tokens(town: Any) -> None:
    town.serve_one()
    town.tokens = Rules()


def test_tokens_open_the_same_doors(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", PREDICT, NATIVE)).status == 401
        for _ in range(2):
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(token()))).status == 200
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(token(groups=["readers"])))).status == 403
        for bad in (token(aud="other"), token("stranger", kid="rsa"), token(exp=1)):
            assert (await caller.ask("POST", PREDICT, NATIVE, bearer(bad))).status == 401

    play(asking_for_tokens, scene)


@pytest.mark.parametrize(("path", "body"), [(PREDICT, NATIVE), ("/v2/models/e/infer", V2), DOORS["labels"][1:]])
def test_who_sends_too_fast_is_told_when_to_come_back(play: Any, path: str, body: bytes) -> None:
    slow, text = a_key("predict", "label", rate=0.5, burst=3.0)
    quick, other = a_key("predict", "label", name="quick")

    async def scene(town: Any) -> None:
        caller = await town.call()
        statuses = [(await caller.ask("POST", path, body, bearer(text))).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        reply = await caller.ask("POST", path, body, bearer(text))
        assert int(reply.headers["retry-after"]) in (1, 2)
        assert (await caller.ask("POST", path, body, bearer(other))).status == 200

    play(serving(slow, quick), scene)


@pytest.mark.parametrize(
    ("path", "body"),
    [(PREDICT, b'{"rows": 1}'), (PREDICT, b"{"), ("/v2/models/e/infer", b'{"inputs": []}'), ("/invocations", b"{}")],
)
def test_what_is_refused_as_a_whole_is_not_free(play: Any, path: str, body: bytes) -> None:
    slow, text = a_key("predict", rate=0.1, burst=2.0)
    quick, other = a_key("predict", name="quick")

    async def scene(town: Any) -> None:
        caller = await town.call()
        statuses = [(await caller.ask("POST", path, body, bearer(text))).status for _ in range(4)]
        assert statuses[2:] == [429, 429]
        assert set(statuses[:2]) <= {400, 422}
        assert len(town.journal.inputs) == 2, "and what comes too fast leaves no record"
        assert (await caller.ask("POST", path, body, bearer(other))).status == statuses[0]

    play(serving(slow, quick), scene)


def test_what_is_refused_as_a_whole_counts_as_its_rows(play: Any) -> None:
    slow, text = a_key("predict", rate=0.1, burst=3.0)
    one_is_bad = json.dumps({"instances": [[1, 2, 3], [1, 2, "x"], [1, 2, 3]]}).encode()

    async def scene(town: Any) -> None:
        caller = await town.call()
        statuses = [(await caller.ask("POST", "/invocations", one_is_bad, bearer(text))).status for _ in range(2)]
        assert statuses == [400, 429]

    play(serving(slow), scene)


def test_gateways_share_a_rate(play: Any) -> None:
    slow, text = a_key("predict", rate=4.0, burst=8.0)

    async def scene(town: Any) -> None:
        caller = await town.call()
        statuses = [(await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status for _ in range(4)]
        assert statuses == [200, 200, 429, 429], "a quarter of eight"

    play(serving(slow), scene, workers=4)


def test_a_flood_does_not_keep_others_out(play: Any) -> None:
    flood, text = a_key("predict", name="flood")
    till, other = a_key("predict")
    four = json.dumps({"rows": [ROW] * 4}).encode()

    async def scene(town: Any) -> None:
        town.journal.held = True
        flooding, calm = await town.call(), await town.call()
        for _ in range(3):  # twelve rows where ten have room
            flooding.send("POST", PREDICT, four, bearer(text))
        await wait_for(town, 8)
        calm.send("POST", PREDICT, four, bearer(other))
        await wait_for(town, 12)
        flooding.send("POST", PREDICT, NATIVE, bearer(text))
        await asyncio.sleep(0.05)
        town.journal.release()
        assert [(await flooding.reply()).status for _ in range(4)] == [200, 200, 503, 503]
        assert (await calm.reply()).status == 200

    play(serving(flood, till), scene, queue_rows=10)


def test_refusals_of_callers_are_counted(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        key, text = a_key("label")
        town.keys.publish([key])
        await caller.ask("POST", PREDICT, NATIVE)
        town.gateway._permits.look()
        await caller.ask("POST", PREDICT, NATIVE)
        await caller.ask("POST", PREDICT, NATIVE, bearer(text))
        values = town.slab.values
        for reason, count in (("Unauthenticated", 1.0), ("Forbidden", 1.0)):
            assert values[town.slab.cell("headgate_denied_total", reason=reason)] == count

    play(lambda town: town.serve_one(), scene)


def test_a_gateway_cannot_be_made_without_permits() -> None:
    with pytest.raises(TypeError, match="permits"):
        Gateway(mint=Mint(bytes(32), SystemClock(), 0))  # type: ignore[call-arg]
