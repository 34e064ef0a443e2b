"""What the clients decide without a network: waits, dates, what is refused before it is sent, and the two surfaces."""

import inspect
import json
import random
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headgate_client
from headgate.vocabulary import VERSION
from headgate_client import (
    AsyncClient,
    BadInput,
    BadReply,
    ById,
    Client,
    Decision,
    HeadgateError,
    Label,
    Retries,
    RowRefused,
    Tls,
    calls,
)
from headgate_client.attempts import Attempts, Done, Wait
from headgate_client.calls import Call, Reply, retry_after
from headgate_client.values import ByKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Clock:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    attempts=st.integers(1, 8),
    base=st.floats(0, 1),
    deadline=st.floats(0.01, 60),
    draw=st.randoms(use_true_random=False),
    asked=st.none() | st.integers(0, 90),
)
def test_no_call_is_sent_too_often_or_waits_past_its_deadline(
    attempts: int, base: float, deadline: float, draw: random.Random, asked: int | None
) -> None:
    clock, longest = Clock(), 2 * base
    made = Attempts(
        Call("GET", "/", lambda reply: reply.status),
        Retries(attempts=attempts, base=base, longest=longest),
        deadline,
        clock,
        draw.random,
    )
    busy = Reply(503, {} if asked is None else {"retry-after": str(asked)}, b"")
    waited: list[float] = []

    def ask() -> None:
        while True:
            made.begin()
            next_ = made.answered(busy)
            assert isinstance(next_, Wait)
            waited.append(next_.seconds)
            clock.now += next_.seconds

    with pytest.raises(HeadgateError) as given_up:
        ask()
    assert given_up.value.attempts == made.made <= attempts
    assert sum(waited) < deadline + 1e-9, "a clock of floats rounds"
    for attempt, seconds in enumerate(waited, start=1):
        assert (asked or 0) <= seconds <= (asked or 0) + min(longest, base * 2 ** (attempt - 1))


def test_an_answer_ends_it() -> None:
    made = Attempts(Call("GET", "/", lambda reply: reply.status), Retries(), 1.0, Clock())
    assert made.begin() is None
    assert made.answered(Reply(200, {}, b"")) == Done(200)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after(Reply(503, {"retry-after": said}, b""), NOW) == seconds


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "ftp://h",
        "http://",
        "http://h:99999999",
        "http://[::1",
        "http://u:p@h",
        "http://h?x",
        "http://.",
        "http://a..b",
        f"http://{'a' * 64}.example",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        Client(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "schlüssel"])
def test_a_key_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(BadInput) as refused:
        Client(key=key)
    assert key not in str(refused.value) or not key


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([{"a": float("nan")}], "finite"),
        ([{"a": object()}], "type"),
        ([{np.int64(1): 2}], "type"),
        ([{"a": np.timedelta64(3, "ns")}], "type"),
        ([{"a": _nested(100_000)}], "type"),
        ({"a": 1}, "type"),
        ("rows", "type"),
        (pd.DataFrame({"a": [1]}), "type"),
    ],
)
def test_what_json_does_not_have_is_refused_before_it_is_sent(rows: Any, rule: str) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(BadInput) as refused:
        client.predict("e", rows)
    assert (refused.value.rule, refused.value.status, refused.value.attempts) == (rule, None, 0)


def test_values_of_numpy_and_datetime_are_sent_as_json() -> None:
    rows = [{"a": np.int64(3), "b": np.float32(0.5), "c": np.array([1, 2]), "d": NOW}]
    call = calls.predict("default", "e", rows, request_id="r", keys=["k"], at=[NOW])
    assert call.body is not None
    assert call.body(0.25) == (
        b'{"id":"r","rows":[{"a":3,"b":0.5,"c":[1,2],"d":"2026-01-01T00:00:00+00:00"}],'
        b'"keys":["k"],"at":["2026-01-01T00:00:00+00:00"],"deadline_ms":250}'
    )
    assert call.body(1e9).endswith(b'"deadline_ms":600000}')  # the longest the server takes
    told = calls.label("p", "e", [Label(ByKey("k", NOW), True, observed_at=NOW)])
    assert told.path == "/v1/projects/p/endpoints/e/labels"
    assert told.body is not None
    assert b'"key":"k","at":"2026-01-01T00:00:00+00:00","label":true,"observed_at"' in told.body(1.0)


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (pd.NaT, b"null"),
        (np.datetime64("NaT", "ns"), b"null"),
        (np.datetime64("2024-01-31", "ns"), b'"2024-01-31T00:00:00"'),
        (np.datetime64("2024-01-31", "D"), b'"2024-01-31T00:00:00"'),
        (pd.Timestamp("2024-01-31"), b'"2024-01-31T00:00:00"'),
    ],
)
def test_moments_are_sent_as_moments_and_missing_ones_as_null(moment: object, sent: bytes) -> None:
    assert calls.encoded([moment]) == b"[%b]" % sent


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base": -1.0}, {"longest": -1.0}, {"patience": 0.0}])
def test_retries_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(BadInput):
        Retries(**wrong)


def test_a_deadline_is_more_than_nothing() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(BadInput, match="deadline"):
        client.predict("e", [{}], deadline=0.0)


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    def surface(kind: type) -> dict[str, str]:
        found = {"": str(inspect.signature(kind)).replace("connections: int = 64", "connections: int = 16")}
        for name, method in vars(kind).items():
            if not name.startswith("_"):
                found[name] = str(inspect.signature(method))
        return found

    assert surface(Client) == surface(AsyncClient)


def test_whom_to_believe_is_as_told() -> None:
    assert Tls().context().verify_mode is ssl.CERT_REQUIRED
    careless = Tls(verify=False).context()
    assert (careless.verify_mode, careless.check_hostname) == (ssl.CERT_NONE, False)


def test_the_names_are_sorted_and_the_version_is_headgates() -> None:
    assert headgate_client.__all__ == sorted(headgate_client.__all__)
    assert headgate_client.__version__ == VERSION
    assert f'version = "{VERSION}"' in (ROOT / "clients/python/pyproject.toml").read_text()


def test_the_client_needs_nothing_of_the_server() -> None:
    program = (
        "import sys; import headgate_client; "
        "print(sorted({'headgate', 'numpy', 'msgspec', 'onnxruntime'} & {n.partition('.')[0] for n in sys.modules}))"
    )
    path = str(ROOT / "clients/python/src")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def test_the_base_install_does_not_need_the_client() -> None:
    modules = (ROOT / "src" / "headgate").rglob("*.py")
    assert {path.name for path in modules if "headgate_client" in path.read_text()} == set()


def test_one_value_where_several_are_meant_is_refused() -> None:
    """A text would be taken for its characters, one key each."""

    def asked(**more: Any) -> None:
        calls.predict("default", "e", [{"a": 1}, {"a": 2}, {"a": 3}], **more)

    for field, wrong in (("keys", "abc"), ("keys", b"abc"), ("keys", 7), ("at", "now"), ("at", NOW)):
        with pytest.raises(BadInput, match="must be a list") as refused:
            asked(**{field: wrong})
        assert (refused.value.field, refused.value.rule) == (field, "type")
    for rows in (None, 7, "rows", b"rows", {"a": 1}):
        with pytest.raises(BadInput, match="a list of rows"):
            calls.predict("default", "e", rows)  # type: ignore[arg-type] # as callers without types write it
    asked(keys=("a", "b", "c"))
    asked(keys=iter("abc"))


@pytest.mark.parametrize("tell", [calls.label, calls.decide])
def test_what_is_no_label_or_decision_is_refused_by_its_place(tell: Any) -> None:
    kind: Any = Label if tell is calls.label else Decision
    refusals: dict[str, Any] = {
        "s": kind(ById("i"), 1),
        "s[0]": ["text"],
        "s[1]": [kind(ById("i"), 1), {"id": "i", "label": 1}],
        "s[0].of": [kind("i", 1)],
        "s[1].of": [kind(ById("i"), 1), kind(RowRefused("rows[0].a", "type", "is no number"), 1)],
    }
    for where, told in refusals.items():
        with pytest.raises(BadInput) as refused:
            tell("default", "e", told)
        assert refused.value.field == f"{kind.__name__.lower()}{where}"
    for name in ("", None, 7, "half \ud800"):
        with pytest.raises(BadInput, match="endpoint: must be a name"):
            tell("default", name, [kind(ById("i"), 1)])


@pytest.mark.parametrize(("tell", "kind"), [(calls.label, Label), (calls.decide, Decision)])
def test_when_a_truth_became_known_is_written_once(tell: Any, kind: Any) -> None:
    """Else the server stamps each attempt anew, and one that arrives late undoes what corrected it meanwhile."""
    before = datetime.now(UTC)
    call = tell("default", "e", [kind(ById("i"), 1), kind(ById("j"), 1, observed_at=NOW), kind(ById("k"), 1)])
    after = datetime.now(UTC)
    first, later = (json.loads(call.body(patience)) for patience in (30.0, 1.0))
    assert first == later
    (entries,) = first.values()
    moments = [datetime.fromisoformat(each["observed_at"]) for each in entries]
    assert moments == [moments[0], NOW, moments[0]]
    assert before <= moments[0] <= after
    (missing,) = json.loads(tell("default", "e", [kind(ById("i"), 1, observed_at=pd.NaT)]).body(1.0)).values()
    assert missing[0]["observed_at"] is not None


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "30", None, True])
def test_a_deadline_is_a_number_that_ends(wrong: Any) -> None:
    with pytest.raises(BadInput, match="deadline"):
        Attempts(Call("GET", "/", lambda reply: reply.status), Retries(), wrong, Clock())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_that_could_never_call_is_refused(kind: Any, tmp_path: Path) -> None:
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(BadInput, match="connections"):
            kind(connections=wrong)
    (tmp_path / "no.pem").write_text("no certificate")
    for tls in (Tls(ca=tmp_path / "missing.pem"), Tls(ca=tmp_path / "no.pem"), Tls(certificate=tmp_path / "no.pem")):
        with pytest.raises(BadInput, match="tls: its files cannot be used"):
            kind("https://127.0.0.1:1", tls=tls)


def test_a_reply_of_lists_without_end_is_told_as_one_that_is_none() -> None:
    deep = b"[" * 100_000
    for call in (
        calls.predict("default", "e", [{"a": 1}]),
        calls.label("default", "e", []),
        calls.endpoint_of("p", "e"),
    ):
        for status in (200, 500):
            with pytest.raises(BadReply):
                call.read(Reply(status, {}, deep))
