"""A whole installation whose callers show keys: two workers, one revocation, and who did what afterwards."""

import http.client
import json
import time
from functools import partial
from pathlib import Path

import pytest

from headgate.client import Client
from headgate.errors import Forbidden, Unauthenticated
from headgate.events import first_broken
from headgate.testing.installation import Installation

ROWS = [{"f0": 0.1, "f1": 0.2}]


def asked(port: int, path: str, key: str, body: object = None) -> int:
    """The status of one request on a connection of its own, which the kernel gives to either worker."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        content = None if body is None else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, content, headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


def test_a_key_made_used_and_revoked(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        assert "everybody on this machine may predict" in installation.log
        port, predict = installation.port, "/v1/endpoints/late/predict"
        assert asked(port, predict, "", {"rows": ROWS}) == 200
        with installation.open() as hg:
            till = hg.keys.create("till", ["predict"], scopes=["late"])
            auditor = hg.keys.create("auditor", ["read"])
            ops = hg.keys.create("ops", ["operate"])

        def closed() -> bool:
            return {asked(port, predict, "", {"rows": ROWS}) for _ in range(20)} == {401}

        def heard(key: str) -> set[int]:
            return {asked(port, predict, key, {"rows": ROWS}) for _ in range(20)}

        installation.until(closed, "both workers ask who calls", 1.5)
        # The last key was made last: a worker that has read it has read the others.
        installation.until(lambda: heard(ops.text) == {403}, "both workers know all keys", 1.5)
        assert heard(till.text) == {200}
        assert heard(auditor.text) == {403}

        with Client(installation.url, key=till.text) as client:
            assert len(client.predict("late", ROWS)) == 1
            with pytest.raises(Forbidden, match="label"):
                client.label("late", [{"request_id": "r", "label": 1}])
        with Client(installation.url) as client, pytest.raises(Unauthenticated):
            client.predict("late", ROWS)

        status = "/v1/endpoints/late/status"
        statuses = [asked(installation.control_port, status, key) for key in ("", till.text, auditor.text)]
        assert statuses == [401, 403, 200]

        def all_say(status: int) -> bool:
            return {asked(port, predict, till.text, {"rows": ROWS}) for _ in range(20)} == {status}

        for what, then in (("unload", 503), ("load", 200)):
            change = f"/v2/repository/models/late/{what}"
            assert [asked(port, change, key, {}) for key in (till.text, ops.text)] == [403, 200]
            installation.until(partial(all_say, then), what)

        def noted() -> bool:
            with installation.open() as hg:
                return [each.kind.value for each in hg.events("late")][:2] == ["loaded", "unloaded"]

        installation.until(noted, "what was loaded and unloaded stands in the history")

        with installation.open() as hg:
            began = time.monotonic()
            hg.keys.revoke("till", why="lost")
        installation.until(partial(all_say, 401), "it is revoked")
        assert time.monotonic() - began < 1.5

        with installation.open() as hg:
            records = list(hg.audit())
        assert first_broken(records) is None
        told = [(each.event.kind.value, each.event.subject, each.event.why) for each in records]
        assert ("key_revoked", "till", "lost") in told
        changes = [each.event for each in records if each.event.kind in ("unloaded", "loaded")]
        assert [(each.actor, each.before, each.after) for each in changes] == [
            ("key default/ops", "in service", "out of service"),
            ("key default/ops", "out of service", "in service"),
        ]
        (read,) = [each.event for each in records if each.event.kind == "read"]
        assert (read.actor, read.subject, read.details) == ("key default/auditor", "late", {"what": "status by day"})
