"""Errors say who must act, whatever the other side does."""

import socket
from pathlib import Path

import pytest
from tests.tracking.replies import Replies

from headgate.errors import BadConfiguration, BadInput, Conflict, HeadgateError, NotFound, Unavailable
from headgate.tracking.exchange import Exchange
from headgate.tracking.models import find, read_uri


def said(code: str) -> dict[str, str]:
    return {"error_code": code, "message": f"it was {code}"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, said("RESOURCE_DOES_NOT_EXIST"), NotFound),
        (400, said("RESOURCE_ALREADY_EXISTS"), Conflict),
        (400, said("INVALID_PARAMETER_VALUE"), BadInput),
        (401, b"", BadConfiguration),
        (403, said("PERMISSION_DENIED"), BadConfiguration),
        (429, b"", Unavailable),
        (500, b"<html>", Unavailable),
        (503, said("TEMPORARILY_UNAVAILABLE"), Unavailable),
        (302, b"", BadInput),
        (200, b"<html>", Unavailable),
        (200, b"[]", Unavailable),
        (404, b'{"message": 3', NotFound),
    ],
)
def test_each_refusal_has_its_error(status: int, body: object, kind: type[HeadgateError]) -> None:
    with Replies(status, body) as server, pytest.raises(kind):
        Exchange(server.url).get("experiments/get", name="a b")


def test_it_asks_below_the_address_it_is_given_and_shows_who_it_is() -> None:
    with Replies(200, {"ok": True}) as server:
        assert Exchange(server.url, lambda: "Bearer t").get("experiments/get", name="a b&c") == {"ok": True}
        Exchange(server.url).post("runs/create", {"a": 1})
    (method, path, headers), (posted, _, without) = server.asked
    assert (method, path) == ("GET", "/under/api/2.0/mlflow/experiments/get?name=a+b%26c")
    assert (headers["Authorization"], posted) == ("Bearer t", "POST")
    assert "Authorization" not in without


def test_nobody_there_and_nobody_speaking_are_nobodys_fault() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(Unavailable, match="refused"):
            Exchange(url).get("experiments/get")
        listening.listen()
        with pytest.raises(Unavailable, match=r"within 0\.2 s"):
            Exchange(url, seconds=0.2).get("experiments/get")


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    with Replies(500, b"half") as server, pytest.raises(Unavailable):
        Exchange(server.url).fetch("/file", {}, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    with Replies(200, b"x" * 3_000_000) as server:
        Exchange(server.url).fetch("/file", {"path": "a"}, tmp_path / "model")
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("model", 3_000_000)]


def test_an_alias_that_is_not_there_is_not_found() -> None:
    with Replies(400, said("INVALID_PARAMETER_VALUE")) as server, pytest.raises(NotFound, match="late@next"):
        find(Exchange(server.url), read_uri("models:/late@next"))


def test_a_model_without_a_version_is_not_found() -> None:
    with Replies(200, {"registered_model": {"name": "late"}}) as server, pytest.raises(NotFound):
        find(Exchange(server.url), read_uri("models:/late"))
