"""Who may use the control API, and that reading the journal is a right of its own."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.console.test_api import Scripted

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.keys import Key, digest_of, new_key
from headgate.clock import SystemClock
from headgate.console.api import control_api
from headgate.console.guard import Guard
from headgate.testing.memory import MemoryKeys
from headgate.vocabulary import Micros

SECRET = b"s" * 32
STATUS = "/v1/endpoints/late/status"


class Control(Scripted):
    """Two endpoints in two projects; remembers who read, and who ordered."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, str, str]] = []
        self.ordered: list[tuple[str, str, str]] = []

    def advance(self, to: Micros, who: str) -> dict[str, dict[str, int]]:
        return {}

    def endpoints(self) -> list[tuple[str, str]]:
        return [("default", "late"), ("shop", "late")]

    def status(self, project: str, endpoint: str, every: str, who: str) -> bytes:
        self.read.append((project, endpoint, who))
        return b"{}"

    def rollout(self, project: str, endpoint: str, who: str) -> bytes:
        return self.status(project, endpoint, "", who)

    def deploy(self, project: str, endpoint: str, plan: str, why: str, who: str) -> bytes:
        self.ordered.append((project, endpoint, who))
        return b"{}"

    def next_case(self, project: str, endpoint: str, reviewer: str, who: str) -> bytes | None:
        return self.status(project, endpoint, "", who)

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        self.ordered.append((project, endpoint, reviewer))

    def queue(self, project: str, endpoint: str) -> bytes:
        return b"{}"

    def picture(self, project: str, endpoint: str, input_id: str, field: str, who: str) -> tuple[bytes, str]:
        return self.status(project, endpoint, "", who), "image/png"

    def move(self, project: str, endpoint: str, action: str, why: str, who: str, *, step: int | None = None) -> bytes:
        return self.deploy(project, endpoint, "", why, who)

    def monitored(self, project: str, endpoint: str, *, last: int | None) -> bytes:
        return b"{}"

    def report(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        return self.status(project, endpoint, "", who)

    def page(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        return self.status(project, endpoint, "", who)

    def alerts(self, project: str, endpoint: str, *, over: bool) -> bytes:
        return b"{}"

    def alert(self, project: str, endpoint: str, alert_id: str) -> bytes:
        return b"{}"

    def acknowledge(self, project: str, endpoint: str, alert_id: str, why: str, who: str) -> bytes:
        return self.deploy(project, endpoint, "", why, who)

    def silence(self, project: str, endpoint: str, lasting: str, because: str, who: str) -> bytes:
        return self.deploy(project, endpoint, "", because, who)


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def client(control: Control, keys: MemoryKeys) -> TestClient:
    return TestClient(control_api(control, Guard(Identity(keys, SECRET, SystemClock()))))


def shows(keys: MemoryKeys, *roles: CallerRole, scopes: tuple[str, ...] = ("default/*",)) -> dict[str, str]:
    id_, text = new_key()
    keys.publish([Key(id_, "default", "ops", digest_of(text, SECRET), roles, scopes, Micros(0))])
    return {"Authorization": f"Bearer {text}"}


def test_it_is_open_until_there_are_keys_and_asks_from_then_on(client: TestClient, keys: MemoryKeys) -> None:
    assert client.get(STATUS).status_code == 200
    shown = shows(keys, CallerRole.READ)
    reply: Any = client.get(STATUS)
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="headgate"')
    assert client.get(STATUS, headers=shown).status_code == 200
    keys.publish([])
    assert client.get(STATUS, headers=shown).status_code == 401
    assert client.get("/livez").status_code == client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (CallerRole.PREDICT, (403, 403, 403)),
        (CallerRole.LABEL, (403, 403, 403)),
        (CallerRole.REVIEW, (403, 403, 403)),
        (CallerRole.READ, (200, 200, 403)),
        (CallerRole.OPERATE, (200, 403, 200)),
        (CallerRole.ADMIN, (200, 200, 200)),
    ],
)
def test_roles(client: TestClient, keys: MemoryKeys, role: CallerRole, statuses: tuple[int, int, int]) -> None:
    shown = shows(keys, role, scopes=("*/*",))
    body = {"to": "2013-03-01T00:00:00Z"}
    replies = (
        client.get("/v1/endpoints", headers=shown),
        client.get(STATUS, headers=shown),
        client.post("/v1/replay/advance", json=body, headers=shown),
    )
    assert tuple(each.status_code for each in replies) == statuses


def test_scopes(client: TestClient, keys: MemoryKeys, control: Control) -> None:
    shown = shows(keys, CallerRole.READ, CallerRole.OPERATE, scopes=("shop/late",))
    assert client.get(STATUS, headers=shown).status_code == 403
    assert client.get("/v1/endpoints", headers=shown).json() == {"endpoints": [{"project": "shop", "endpoint": "late"}]}
    assert client.get("/v1/projects/shop/endpoints/late/status", headers=shown).status_code == 200
    assert client.post("/v1/replay/advance", json={"to": "2013-03-01T00:00:00Z"}, headers=shown).status_code == 403
    assert control.read == [("shop", "late", "key default/ops")], "who read is handed on, a refusal reads nothing"


@pytest.mark.parametrize(("role", "status"), [(CallerRole.OPERATE, 200), (CallerRole.READ, 403)])
def test_that_there_is_no_endpoint_yet_is_for_operators(
    client: TestClient, control: Control, keys: MemoryKeys, *, role: CallerRole, status: int
) -> None:
    control.endpoints = list  # type: ignore[method-assign]  # none at all
    assert client.get("/v1/endpoints", headers=shows(keys, role, scopes=("*/*",))).status_code == status


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (CallerRole.PREDICT, (403, 403)),
        (CallerRole.READ, (200, 403)),
        (CallerRole.OPERATE, (403, 200)),
        (CallerRole.ADMIN, (200, 200)),
    ],
)
def test_a_rollout_is_read_by_readers_and_moved_by_operators(
    client: TestClient, keys: MemoryKeys, control: Control, *, role: CallerRole, statuses: tuple[int, int]
) -> None:
    shown, path = shows(keys, role), "/v1/endpoints/late/rollout"
    replies = client.get(path, headers=shown), client.post(path, json={"action": "abort"}, headers=shown)
    assert tuple(each.status_code for each in replies) == statuses
    assert [who for *_, who in control.ordered] == ["key default/ops"] * (statuses[1] == 200)
    assert (
        client.post("/v1/projects/shop/endpoints/late/rollout", json={"action": "abort"}, headers=shown).status_code
        == 403
    )
