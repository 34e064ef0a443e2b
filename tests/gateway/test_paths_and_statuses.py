"""Every path means one thing and every error has one status at each door."""

import inspect

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate import errors
from headgate.errors import (
    BadInput,
    BodyRefused,
    CallerError,
    Conflict,
    ContractViolation,
    DeadlineExceeded,
    Forbidden,
    HeadgateError,
    MissingExtra,
    NotFound,
    OperatorError,
    Overloaded,
    PassingError,
    RateExceeded,
    Unauthenticated,
    Violation,
)
from headgate.gateway.doors.errors import error_body
from headgate.gateway.doors.paths import Route, chosen_routes, dialect_of, find_route
from headgate.gateway.doors.statuses import NATIVE, V2, retry_after, status_of

READ, WRITE = frozenset({b"GET", b"HEAD"}), frozenset({b"POST"})


@pytest.mark.parametrize(
    ("target", "door", "endpoint", "version"),
    [
        (b"/livez", "livez", None, None),
        (b"/readyz?verbose=1", "readyz", None, None),
        (b"/v1/endpoints/delays/predict", "predict", "delays", None),
        (b"/v1/endpoints/delays/labels", "labels", "delays", None),
        (b"/v1/endpoints/delays/decisions?x=/a/b", "decisions", "delays", None),
        (b"/v1/endpoints/%64elays/predict", "predict", "delays", None),
        (b"/v1/endpoints/a%2Fb/predict", "predict", "a/b", None),
        (b"/v2", "v2", None, None),
        (b"/v2/", "v2", None, None),
        (b"/v2/health/live", "livez", None, None),
        (b"/v2/health/ready", "readyz", None, None),
        (b"/v2/models/delays", "v2/model", "delays", None),
        (b"/v2/models/delays/", "v2/model", "delays", None),
        (b"/v2/models/delays/ready", "v2/model/ready", "delays", None),
        (b"/v2/models/delays/infer", "v2/infer", "delays", None),
        (b"/v2/models/delays/versions/3", "v2/model", "delays", "3"),
        (b"/v2/models/delays/versions/m%3A3/ready", "v2/model/ready", "delays", "m:3"),
        (b"/v2/models/delays/versions/3/infer", "v2/infer", "delays", "3"),
        (b"/v2/models/versions/versions/3/infer", "v2/infer", "versions", "3"),
    ],
)
def test_a_path_means_one_thing(target: bytes, door: str, endpoint: str | None, version: str | None) -> None:
    route = find_route(target)
    assert route is not None
    assert (route.door, route.endpoint, route.version, route.project) == (door, endpoint, version, "default")
    assert route.methods == (WRITE if door in ("predict", "labels", "decisions", "v2/infer") else READ)
    assert route.dialect == ("v2" if target.startswith(b"/v2") else "native")


def test_a_project_is_named_in_the_path() -> None:
    assert find_route(b"/v1/projects/shop/endpoints/price/labels") == Route(
        "labels", WRITE, project="shop", endpoint="price"
    )


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"",
        b"*",
        b"/livez/",
        b"//livez",
        b"/LIVEZ",
        b"/v1",
        b"/v1/models",
        b"/v1/models?limit=1",
        b"/v1/models/delays/versions",
        b"endpoints/delays",
        b"endpoints/delays:443",
        b"/endpoints",
        b"/endpoints/delays",
        b"/v1/endpoints/delays",
        b"/v1/endpoints/delays/predict/",
        b"/v1/endpoints/delays/explain",
        b"/v1/endpoints/a/b/predict",
        b"/v1/projects/shop/endpoints/price",
        b"/v2/health",
        b"/v2/health/dead",
        b"/v2/models",
        b"/v2/models/delays/versions",
        b"/v2/models/delays/metadata",
        b"/v2/models/delays/versions/3/explain",
        b"/v2/models/delays/versions/3/infer/now",
        b"http://elsewhere/dead",
        b"http://elsewhere",
        b"ftp://elsewhere/livez",
        b"/http://elsewhere/livez",
        b"/\xff\xfe",
    ],
)
def test_anything_else_means_nothing(target: bytes) -> None:
    assert find_route(target) is None


SPOKEN = """v1 v2 models endpoints projects versions labels metadata repository index load health live ready invocations
ping predict openapi.json e :predict e:predict %2F %zz .. http: * \x00 é"""
WORDS = st.sampled_from(SPOKEN.split()) | st.text(max_size=4)
TARGETS = st.one_of(
    st.binary(max_size=40),
    st.lists(WORDS, max_size=8).map(lambda parts: "/".join(parts).encode()),
    st.lists(WORDS, max_size=8).map(lambda parts: "/".join(["", *parts]).encode()),
)
CHOSEN = chosen_routes(health="/v1/models", predict="/predict/")


@given(TARGETS, st.sampled_from([None, CHOSEN]))
@example(b"/v1/models", None)
@example(b"endpoints/e", None)
@example(b"endpoints/e", CHOSEN)
def test_no_target_is_more_than_can_be_read(target: bytes, chosen: dict[str, Route] | None) -> None:
    """Whoever sends it is not known yet, so that a fault here is anybody's to cause."""
    route = find_route(target, chosen)
    assert route is None or route.methods in (READ, WRITE)
    assert dialect_of(target) in ("native", "v2", "tensorflow")


def test_a_route_a_platform_chose_is_found_behind_an_endpoint_however_it_is_written() -> None:
    chosen = chosen_routes(health="/h", predict="/a/b%20c")
    for target in (b"/endpoints/e/a/b%20c", b"/%65ndpoints/e/a/b%20c"):
        assert find_route(target, chosen) == Route("vertex", WRITE, "vertex", endpoint="e")
    assert find_route(b"/endpoints/e/a", chosen) is None


def leaves(kind: type[HeadgateError]) -> list[type[HeadgateError]]:
    return [kind, *(leaf for each in kind.__subclasses__() for leaf in leaves(each))]


def made(kind: type[HeadgateError]) -> HeadgateError:
    words = inspect.signature(kind.__init__).parameters
    texts = [each for each in words.values() if each.name != "self" and each.default is each.empty]
    return kind(
        *(each.name for each in texts if each.kind is not each.VAR_KEYWORD and each.kind is not each.VAR_POSITIONAL)
    )


STATUSES = [
    (NotFound, 404, 404),
    (BodyRefused, 400, 400),
    (ContractViolation, 422, 400),
    (BadInput, 422, 400),
    (Conflict, 409, 400),
    (Unauthenticated, 401, 401),
    (Forbidden, 403, 403),
    (MissingExtra, 501, 400),
    (CallerError, 400, 400),
    (DeadlineExceeded, 504, 504),
    (RateExceeded, 429, 429),
    (PassingError, 503, 503),
    (OperatorError, 500, 500),
    (HeadgateError, 500, 500),
]


@pytest.mark.parametrize("kind", leaves(HeadgateError))
def test_every_error_has_the_status_of_its_nearest_kin(kind: type[HeadgateError]) -> None:
    native, v2 = next((native, v2) for kin, native, v2 in STATUSES if issubclass(kind, kin))
    error = made(kind)
    assert (status_of(error, NATIVE), status_of(error, V2)) == (native, v2)


def test_a_body_too_large_says_so_at_every_door() -> None:
    large = BodyRefused("body", "size", "is too large")
    assert status_of(large, NATIVE) == status_of(large, V2) == 413
    assert status_of(BadInput("rows", "size", "too many"), NATIVE) == 422


@pytest.mark.parametrize("kind", leaves(HeadgateError))
def test_only_what_passes_says_when_to_come_back(kind: type[HeadgateError]) -> None:
    comes_back = issubclass(kind, PassingError) and not issubclass(kind, DeadlineExceeded)
    assert bool(retry_after(made(kind))) == comes_back


@pytest.mark.parametrize(("seconds", "said"), [(0.0, 1), (0.4, 1), (1.0, 1), (2.6, 3), (60.0, 60)])
def test_whole_seconds_and_at_least_one(seconds: float, said: int) -> None:
    assert retry_after(Overloaded("full", seconds)) == b"Retry-After: %d\r\n" % said


@pytest.mark.parametrize(
    ("error", "field", "rule", "message"),
    [
        (BadInput("rows[1].a", "type", "expected a number"), "rows[1].a", "type", "expected a number"),
        (Violation("rows[1].a", "type", "expected a number"), "rows[1].a", "type", "expected a number"),
        (NotFound("endpoint", "x", "Look"), "endpoint", "unknown", "endpoint 'x' does not exist. Look"),
        (Overloaded("full"), "request", "overloaded", "full"),
        (DeadlineExceeded("late"), "request", "deadline", "late"),
        (errors.JournalUnavailable("full"), "request", "journal", "full"),
        (errors.RuntimeFailed("fell"), "request", "runtime", "fell"),
        (errors.Unavailable("soon"), "request", "unavailable", "soon"),
        (HeadgateError("ours"), "request", "internal", "ours"),
    ],
)
def test_a_caller_reads_field_rule_and_message(
    error: HeadgateError | Violation, field: str, rule: str, message: str
) -> None:
    body = error_body(error)
    assert (body.field, body.rule, body.message) == (field, rule, message)
