"""How endpoints stand over HTTP: who may ask, what is handed on, and what is refused."""

import pytest
from starlette.testclient import TestClient
from tests.console.test_api import Scripted
from tests.console.test_guard import SECRET, shows

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.clock import SystemClock
from headgate.console.api import control_api
from headgate.console.guard import Guard
from headgate.errors import Conflict, NotFound
from headgate.testing.memory import MemoryKeys

HERE = "/v1/endpoints/late"
READS = ("monitor", "report", "report.html", "alerts", "alerts/95b7f341ce7e-1")


@pytest.fixture
def control() -> Scripted:
    return Scripted()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def client(control: Scripted, keys: MemoryKeys) -> TestClient:
    return TestClient(control_api(control, Guard(Identity(keys, SECRET, SystemClock()))))


def test_each_is_asked_with_project_endpoint_and_days(client: TestClient, control: Scripted) -> None:
    for path in ("monitor?last=3", "report", "report.html?last=400", "alerts?all=true", "alerts/x-1"):
        assert client.get(f"{HERE}/{path}").status_code == 200
    assert client.get("/v1/projects/shop/endpoints/late/monitor").json() == {"number": 1}
    assert control.asked == [
        ("monitored", "default", "late", "3"),
        ("report", "default", "late", "None", "anybody"),
        ("page", "default", "late", "400", "anybody"),
        ("alerts", "default", "late", "True"),
        ("alert", "default", "late", "x-1"),
        ("monitored", "shop", "late", "None"),
    ]


def test_a_page_is_a_page_that_may_do_nothing(client: TestClient) -> None:
    reply = client.get(f"{HERE}/report.html")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("last", ["0", "-1", "1001", "99999", "x", "", "1.5", "٣"])
def test_days_are_a_number_within_bounds(client: TestClient, control: Scripted, last: str) -> None:
    for path in ("monitor", "report", "report.html"):
        reply = client.get(f"{HERE}/{path}", params={"last": last})
        assert (reply.status_code, reply.json()["error"]["field"], reply.json()["error"]["rule"]) == (
            422,
            "last",
            "range",
        )
    assert client.get(f"{HERE}/alerts?all=perhaps").json()["error"]["field"] == "all"
    assert control.asked == []


def test_an_alert_is_taken_on_and_an_endpoint_silenced(client: TestClient, control: Scripted) -> None:
    assert client.post(f"{HERE}/alerts/x-1/acknowledge", json={"why": "on it"}).status_code == 200
    assert client.post(f"{HERE}/silence", json={"for": "2h", "because": "a migration"}).status_code == 200
    assert control.asked == [
        ("acknowledge", "default", "late", "x-1", "on it", "anybody"),
        ("silence", "default", "late", "2h", "a migration", "anybody"),
    ]
    control.fails = Conflict("alert x-1 is over already")
    assert client.post(f"{HERE}/alerts/x-1/acknowledge", json={}).status_code == 409
    control.fails = NotFound("alert", "x-1")
    assert client.get(f"{HERE}/alerts/x-1").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("alerts/x-1/acknowledge", {"why": 7}),
        ("alerts/x-1/acknowledge", {"because": "x"}),
        ("silence", {"for": "2h"}),
        ("silence", {"because": "x"}),
        ("silence", {"for": "2h", "because": "x", "until": "never"}),
    ],
)
def test_an_order_that_is_none_is_refused(
    client: TestClient, control: Scripted, path: str, body: dict[str, object]
) -> None:
    assert client.post(f"{HERE}/{path}", json=body).json()["error"]["field"] == "body"
    assert control.asked == []


@pytest.mark.parametrize("role", list(CallerRole))
def test_reading_asks_for_read_and_acting_for_operate(client: TestClient, keys: MemoryKeys, role: CallerRole) -> None:
    shown = shows(keys, role)
    reads, acts = (role in (each, CallerRole.ADMIN) for each in (CallerRole.READ, CallerRole.OPERATE))
    for path in READS:
        assert client.get(f"{HERE}/{path}", headers=shown).status_code == (200 if reads else 403)
    for path, body in (("alerts/x-1/acknowledge", {}), ("silence", {"for": "1h", "because": "x"})):
        assert client.post(f"{HERE}/{path}", headers=shown, json=body).status_code == (200 if acts else 403)
        assert client.post(f"{HERE}/{path}", json=body).status_code == 401
