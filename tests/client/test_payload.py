"""What the client refuses before anything is sent, and what it makes of other libraries' values."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headgate.client import Client, connect
from headgate.errors import BadConfiguration, BadInput, HeadgateError, NotFound, Unavailable


class Caught(Client):
    """Remembers what it would have sent."""

    sent: Any = None

    def _post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        from headgate.client import _payload

        self.sent = _payload(body)
        return 200, {"predictions": []}


@pytest.mark.parametrize("url", ["foo", "ftp://h", "http://", "http://127.0.0.1:99999999", "http://[::1"])
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
        ([{"a": object()}], "type"),
        ({"a": 1}, "type"),
        (pd.DataFrame({"a": [1]}), "type"),
    ],
)
def test_what_json_does_not_have_is_refused_by_rule(rows: Any, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        Caught("http://127.0.0.1:1").predict("late", rows)
    assert refused.value.rule == rule


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
