"""Runs over HTTP: who may look at them, who may say that it is time, and what is refused."""

import pytest
from starlette.testclient import TestClient
from tests.console.test_api import Scripted
from tests.console.test_guard import SECRET, shows

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.clock import SystemClock
from headgate.console.api import control_api
from headgate.console.guard import Guard
from headgate.errors import BadInput, Conflict
from headgate.testing.memory import MemoryKeys

HERE = "/v1/endpoints/late/retraining"


@pytest.fixture
def control() -> Scripted:
    return Scripted()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def client(control: Scripted, keys: MemoryKeys) -> TestClient:
    return TestClient(control_api(control, Guard(Identity(keys, SECRET, SystemClock()))))


def test_each_word_is_handed_on_with_who_said_it(client: TestClient, control: Scripted) -> None:
    assert client.get(HERE).json() == {"number": 1}
    assert client.post(HERE, json={"action": "start", "why": "the season"}).status_code == 200
    shop = "/v1/projects/shop/endpoints/late/retraining"
    assert client.post(shop, json={"action": "data", "key": "customers-7"}).status_code == 200
    assert control.asked == [
        ("runs", "default", "late"),
        ("start", "default", "late", "the season", "", "anybody"),
        ("data", "shop", "late", "", "customers-7", "anybody"),
    ]


@pytest.mark.parametrize("body", [{}, {"action": "begin"}, {"action": "start", "plan": "x"}, {"action": 7}])
def test_another_word_is_refused(client: TestClient, control: Scripted, body: dict[str, object]) -> None:
    assert client.post(HERE, json=body).json()["error"]["field"] == "body"
    assert control.asked == []


def test_what_cannot_be_done_is_said(client: TestClient, control: Scripted) -> None:
    control.fails = Conflict("run 1 of 'late' has ended")
    assert client.post(HERE, json={"action": "cancel"}).status_code == 409
    control.fails = BadInput("action", "retraining", "add retraining")
    assert client.post(HERE, json={"action": "start"}).status_code == 422


@pytest.mark.parametrize("role", list(CallerRole))
def test_ci_needs_a_key_that_may_operate(client: TestClient, keys: MemoryKeys, role: CallerRole) -> None:
    shown = shows(keys, role)
    reads, acts = (role in (each, CallerRole.ADMIN) for each in (CallerRole.READ, CallerRole.OPERATE))
    assert client.get(HERE, headers=shown).status_code == (200 if reads else 403)
    assert client.post(HERE, headers=shown, json={"action": "message"}).status_code == (200 if acts else 403)
    assert client.post(HERE, json={"action": "message"}).status_code == 401
