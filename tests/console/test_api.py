"""The control API as a client sees it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from headgate.access.identity import Identity
from headgate.clock import SystemClock
from headgate.console.api import control_api, moment
from headgate.console.guard import Guard
from headgate.errors import BadInput, Conflict, NotFound, Unavailable
from headgate.testing.memory import MemoryKeys
from headgate.vocabulary import Micros

SECRET = b"s" * 32


class Scripted:
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.fails: Exception | None = None

    def advance(self, to: Micros, who: str) -> dict[str, dict[str, int]]:
        self.asked.append((to, who))
        if self.fails:
            raise self.fails
        return {"w0": {"default/late": 3}}

    def endpoints(self) -> list[tuple[str, str]]:
        return [("default", "late")]

    def status(self, project: str, endpoint: str, every: str, who: str) -> bytes:
        self.asked.append((project, endpoint, every, who))
        if self.fails:
            raise self.fails
        return b'{"endpoint": "late"}'

    def rollout(self, project: str, endpoint: str, who: str) -> bytes:
        return self._said("rollout", project, endpoint, who)

    def deploy(self, project: str, endpoint: str, plan: str, why: str, who: str) -> bytes:
        return self._said("deploy", project, endpoint, plan, why, who)

    def next_case(self, project: str, endpoint: str, reviewer: str, who: str) -> bytes | None:
        found = self._said("next", project, endpoint, reviewer, who)
        return None if reviewer == "idle" else found

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        self._said("skip", project, endpoint, input_id, reviewer)

    def queue(self, project: str, endpoint: str) -> bytes:
        return self._said("queue", project, endpoint)

    def picture(self, project: str, endpoint: str, input_id: str, field: str, who: str) -> tuple[bytes, str]:
        return self._said("picture", project, endpoint, input_id, field, who), "image/png"

    def move(self, project: str, endpoint: str, action: str, why: str, who: str, *, step: int | None = None) -> bytes:
        return self._said(action, project, endpoint, why, who, *([] if step is None else [str(step)]))

    def runs(self, project: str, endpoint: str) -> bytes:
        return self._said("runs", project, endpoint)

    def retrain(self, project: str, endpoint: str, action: str, *, why: str, key: str, who: str) -> bytes:
        return self._said(action, project, endpoint, why, key, who)

    def monitored(self, project: str, endpoint: str, *, last: int | None) -> bytes:
        return self._said("monitored", project, endpoint, str(last))

    def report(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        return self._said("report", project, endpoint, str(last), who)

    def page(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        return self._said("page", project, endpoint, str(last), who)

    def alerts(self, project: str, endpoint: str, *, over: bool) -> bytes:
        return self._said("alerts", project, endpoint, str(over))

    def alert(self, project: str, endpoint: str, alert_id: str) -> bytes:
        return self._said("alert", project, endpoint, alert_id)

    def acknowledge(self, project: str, endpoint: str, alert_id: str, why: str, who: str) -> bytes:
        return self._said("acknowledge", project, endpoint, alert_id, why, who)

    def silence(self, project: str, endpoint: str, lasting: str, because: str, who: str) -> bytes:
        return self._said("silence", project, endpoint, lasting, because, who)

    def _said(self, *asked: str) -> bytes:
        self.asked.append(asked)
        if self.fails:
            raise self.fails
        return b'{"number": 1}'


@pytest.fixture
def control() -> Scripted:
    return Scripted()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def guard(keys: MemoryKeys) -> Guard:
    return Guard(Identity(keys, SECRET, SystemClock()))


@pytest.fixture
def client(control: Scripted, guard: Guard) -> TestClient:
    return TestClient(control_api(control, guard))


def test_it_lives_and_describes_every_route_it_has(client: TestClient, guard: Guard) -> None:
    assert client.get("/livez").json() == {"live": True}
    paths = set(client.get("/openapi.json").json()["paths"])
    routes = {route.path for route in control_api(Scripted(), guard).routes}  # type: ignore[attr-defined]  # Starlette routes
    assert paths == routes - {"/openapi.json"}


def test_what_is_no_route_is_said_in_json_too(client: TestClient) -> None:
    reply = client.get("/v1/nothing")
    assert (reply.status_code, reply.json()) == (404, {"error": {"message": "path '/v1/nothing' does not exist"}})
    reply = client.get("/v1/replay/advance")
    assert (reply.status_code, reply.json()["error"]["message"]) == (405, "Method Not Allowed")
    assert reply.headers["allow"] == "POST"


def test_endpoints_and_status(client: TestClient, control: Scripted) -> None:
    assert client.get("/v1/endpoints").json() == {"endpoints": [{"project": "default", "endpoint": "late"}]}
    assert client.get("/v1/endpoints/late/status?every=month").json() == {"endpoint": "late"}
    assert client.get("/v1/projects/p/endpoints/late/status").status_code == 200
    assert control.asked == [("default", "late", "month", "anybody"), ("p", "late", "day", "anybody")]


def test_the_clock_is_moved_to_the_moment_named(client: TestClient, control: Scripted) -> None:
    reply = client.post("/v1/replay/advance", json={"to": "2013-03-01T01:00:00+01:00"})
    assert reply.json() == {"obeyed": {"w0": {"default/late": 3}}}
    assert control.asked == [(1362096000000000, "anybody")]


@pytest.mark.parametrize(
    ("body", "status", "field", "rule"),
    [
        (b'{"to": "yesterday"}', 422, "to", "type"),
        (b'{"to": "2013-03-01T00:00:00"}', 422, "to", "type"),
        (b'{"to": 5}', 422, "body", "type"),
        (b"{}", 422, "body", "type"),
        (b'{"to": "2013-03-01T00:00:00Z", "more": 1}', 422, "body", "type"),
        (b"{", 422, "body", "json"),
        (b'{"to": "\xff"}', 422, "body", "utf8"),
        (b'{"to": "\\ud800"}', 422, "body", "json"),
        (b'{"to":' * 50_000, 422, "body", "size"),
        (b'{"to": "9999-12-31T23:59:59-01:00"}', 422, "to", "type"),
    ],
)
def test_a_bad_body_names_field_and_rule(client: TestClient, body: bytes, status: int, field: str, rule: str) -> None:
    reply = client.post("/v1/replay/advance", content=body)
    assert (reply.status_code, reply.json()["error"]["field"], reply.json()["error"]["rule"]) == (status, field, rule)


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound("endpoint", "x"), 404), (BadInput("every", "domain", "no"), 422), (Unavailable("later"), 503)],
)
def test_errors_become_statuses(client: TestClient, control: Scripted, error: Exception, status: int) -> None:
    control.fails = error
    reply = client.get("/v1/endpoints/x/status")
    assert reply.status_code == status
    assert "message" in reply.json()["error"]


def test_a_moment_is_exact_to_the_microsecond() -> None:
    assert moment("2013-12-31T23:59:59.999999Z", "to") == 1388534399999999


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_a_moment_is_the_same_from_whichever_zone_it_is_told(naive: datetime, zone: timezone) -> None:
    there = naive.replace(tzinfo=UTC).astimezone(zone)
    micros = (naive - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert moment(there.isoformat(), "to") == micros
    assert moment(f"{naive.isoformat()}Z", "to") == micros
    with pytest.raises(BadInput, match="offset"):
        moment(naive.isoformat(), "to")


def test_a_rollout_is_begun_read_and_moved(client: TestClient, control: Scripted) -> None:
    path = "/v1/endpoints/late/rollout"
    assert client.get(path).json() == {"number": 1}
    assert client.post(path, json={"action": "deploy", "plan": "endpoint: late", "why": "new"}).status_code == 200
    assert client.post("/v1/projects/p/endpoints/late/rollout", json={"action": "abort"}).json() == {"number": 1}
    assert client.post(path, json={"action": "rollback", "why": "it rings"}).status_code == 200
    assert control.asked == [
        ("rollout", "default", "late", "anybody"),
        ("deploy", "default", "late", "endpoint: late", "new", "anybody"),
        ("abort", "p", "late", "", "anybody"),
        ("rollback", "default", "late", "it rings", "anybody"),
    ]


def test_an_order_may_say_which_step_it_is_about(client: TestClient, control: Scripted) -> None:
    path = "/v1/endpoints/late/rollout"
    assert client.post(path, json={"action": "approve", "step": 2}).status_code == 200
    control.fails = Conflict("rollout 1 is in another step by now, analysis; look again")
    again = client.post(path, json={"action": "approve", "step": 2})
    assert (again.status_code, "analysis" in again.json()["error"]["message"]) == (409, True)
    assert control.asked == [("approve", "default", "late", "", "anybody", "2")] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "jump"},
        {"action": "abort", "more": 1},
        {"action": "abort", "why": 7},
        {"action": "approve", "step": "2"},
        {"action": "deploy", "plan": "endpoint: late", "step": 0},
        {"action": "rollback", "step": 0},
    ],
)
def test_an_order_that_is_none_is_refused(client: TestClient, control: Scripted, body: dict[str, object]) -> None:
    assert client.post("/v1/endpoints/late/rollout", json=body).status_code == 422
    assert control.asked == []
