"""Cases for people over HTTP: whose they are, and what is told where none waits."""

import pytest
from starlette.testclient import TestClient
from tests.console.test_api import Scripted
from tests.console.test_guard import SECRET, shows

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.clock import SystemClock
from headgate.console.api import control_api
from headgate.console.guard import Guard
from headgate.errors import NotFound
from headgate.testing.memory import MemoryKeys

CASES = "/v1/endpoints/late/reviews"


@pytest.fixture
def control() -> Scripted:
    return Scripted()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def client(control: Scripted, keys: MemoryKeys) -> TestClient:
    return TestClient(control_api(control, Guard(Identity(keys, SECRET, SystemClock()))))


def test_the_next_case_is_the_reviewers_who_asks(client: TestClient, control: Scripted) -> None:
    assert client.get(f"{CASES}/next?reviewer=ann").json() == {"number": 1}
    assert control.asked == [("next", "default", "late", "ann", "anybody")]
    assert client.get("/v1/projects/shop/endpoints/late/reviews/next?reviewer=ann").status_code == 200
    assert control.asked[1] == ("next", "shop", "late", "ann", "anybody")


def test_no_case_is_no_content(client: TestClient) -> None:
    reply = client.get(f"{CASES}/next?reviewer=idle")
    assert (reply.status_code, reply.content) == (204, b"")


@pytest.mark.parametrize("asked", ["", "?reviewer=", f"?reviewer={'x' * 201}"])
def test_nobody_reviews_without_a_name(client: TestClient, control: Scripted, asked: str) -> None:
    for method, path in (("GET", "next"), ("POST", "some-id/skip")):
        reply = client.request(method, f"{CASES}/{path}{asked}")
        assert (reply.status_code, reply.json()["error"]["field"]) == (422, "reviewer")
    assert control.asked == []


def test_who_shows_a_key_reviews_under_its_name(client: TestClient, control: Scripted, keys: MemoryKeys) -> None:
    shown = shows(keys, CallerRole.REVIEW)
    assert client.get(f"{CASES}/next", headers=shown).status_code == 200
    (asked,) = control.asked
    assert isinstance(asked, tuple)
    assert asked[3] == asked[4] != "anybody"
    assert client.get(f"{CASES}/next?reviewer={asked[3]}", headers=shown).status_code == 200
    assert client.get(f"{CASES}/next?reviewer=ann", headers=shown).status_code == 403, "and under no other"
    assert client.get(f"{CASES}/next?reviewer=ann").status_code == 401


@pytest.mark.parametrize("role", [CallerRole.PREDICT, CallerRole.LABEL, CallerRole.READ, CallerRole.OPERATE])
def test_cases_are_for_reviewers(client: TestClient, keys: MemoryKeys, role: CallerRole) -> None:
    shown = shows(keys, role)
    for path in ("next", "some-id/fields/photo"):
        assert client.get(f"{CASES}/{path}", headers=shown).status_code == 403
    assert client.post(f"{CASES}/some-id/skip", headers=shown).status_code == 403
    assert client.get(CASES, headers=shown).status_code == (200 if role is CallerRole.READ else 403)


def test_a_case_is_given_back(client: TestClient, control: Scripted) -> None:
    assert client.post(f"{CASES}/some-id/skip?reviewer=ann").json() == {"skipped": "some-id"}
    assert control.asked == [("skip", "default", "late", "some-id", "ann")]
    control.fails = NotFound("input", "some-id")
    assert client.post(f"{CASES}/some-id/skip?reviewer=ann").status_code == 404


def test_a_picture_comes_as_what_it_is(client: TestClient, control: Scripted) -> None:
    reply = client.get(f"{CASES}/some-id/fields/photo")
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox", "and is no page of this address"
    assert control.asked == [("picture", "default", "late", "some-id", "photo", "anybody")]
