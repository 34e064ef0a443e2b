"""What the client refuses before anything is sent, and what it makes of other libraries' values."""

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headgate.client import Client, connect
from headgate.errors import BadConfiguration, BadInput, HeadgateError, NotFound, Unavailable


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Caught(Client):
    """Remembers what it would have sent."""

    sent: Any = None

    def _post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        from headgate.client import _payload

        self.sent = _payload(body)
        return 200, {"predictions": []}


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "ftp://h",
        "http://",
        "http://127.0.0.1:99999999",
        "http://[::1",
        "http://a b",
        "http://.",
        f"http://{'a' * 64}.example",
        "http://127.0.0.1:8080/a b",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadConfiguration, match="not an address"):
        connect(url)


def test_a_project_that_is_no_name_is_refused() -> None:
    with pytest.raises(BadInput, match="project"):
        connect(project="../other")


def test_values_of_numpy_and_datetime_are_sent_as_json() -> None:
    client = Caught("http://127.0.0.1:1")
    moment = datetime.datetime(2024, 1, 31, tzinfo=datetime.UTC)
    client.predict("late", [{"a": np.int64(3), "b": np.float32(0.5), "c": np.array([1, 2]), "d": moment}])
    assert client.sent == b'{"rows": [{"a": 3, "b": 0.5, "c": [1, 2], "d": "2024-01-31T00:00:00+00:00"}]}'


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([{"a": float("nan")}], "finite"),
        ([{"a": np.float32("inf")}], "finite"),
        ([{"a": object()}], "type"),
        ([{("a", 1): 2}], "type"),
        ([{np.int64(1): 2}], "type"),
        ([{"a": np.timedelta64(3, "ns")}], "type"),
        ([{"a": datetime.datetime}], "type"),
        ([{"a": _nested(100_000)}], "type"),
        ({"a": 1}, "type"),
        (pd.DataFrame({"a": [1]}), "type"),
    ],
)
def test_what_json_does_not_have_is_refused_by_rule(rows: Any, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        Caught("http://127.0.0.1:1").predict("late", rows)
    assert refused.value.rule == rule


@pytest.mark.parametrize("missing", [None, pd.NaT, np.datetime64("NaT", "ns")])
def test_a_time_that_is_missing_is_sent_as_null(missing: object) -> None:
    client = Caught("http://127.0.0.1:1")
    client.predict("late", [{"a": missing}])
    assert client.sent == b'{"rows": [{"a": null}]}'


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_a_moment_is_the_same_in_whichever_unit_numpy_holds_it(unit: str) -> None:
    client = Caught("http://127.0.0.1:1")
    client.predict("late", [{"a": np.array("2024-01-31", f"M8[{unit}]")}])
    (row,) = json.loads(client.sent)["rows"]
    assert datetime.datetime.fromisoformat(row["a"]) == datetime.datetime(2024, 1, 31)


@pytest.mark.parametrize("key", ["hg_secret\n", "hg secret", "ключ", "", "hg\x7f"])
def test_a_key_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^key") as refused:
        connect(key=key)
    assert not key or key.strip() not in str(refused.value)


class Answered(Client):
    """Gets one reply to everything."""

    def __init__(self, status: int, reply: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1")
        self.answer = status, reply

    def _post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        return self.answer


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadInput), (422, BadInput), (413, BadInput), (404, NotFound), (500, Unavailable), (503, Unavailable)],
)
def test_only_what_the_caller_did_wrong_is_bad_input(status: int, kind: type[HeadgateError]) -> None:
    client = Answered(status, {"error": {"field": "request", "rule": "journal", "message": "free space"}})
    for call in (lambda: client.predict("late", [{}]), lambda: client.label("late", [{}])):
        with pytest.raises(kind) as refused:
            call()
        assert "free space" in str(refused.value) or kind is NotFound
