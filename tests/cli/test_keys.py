"""``headgate key`` and ``headgate audit`` as an operator uses them."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from headgate.cli import main as command_line


class Run:
    """Runs commands in the same process: (exit code, what was printed, what was said beside it)."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["headgate", *words, "--home", "h"])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    return Run(capsys, monkeypatch)


def test_a_key_is_shown_once(run: Run) -> None:
    code, out, err = run("key", "create", "till", "--role", "predict", "--role", "label", "--why", "a new shop")
    assert (code, out.startswith("hg_"), "only time" in err) == (0, True, True)
    secret = out.strip().split("_", 2)[2]
    for words in (("key", "list"), ("key", "list", "--json"), ("audit", "list"), ("audit", "list", "--json")):
        code, listed, _ = run(*words)
        assert (code, "till" in listed, secret in listed) == (0, True, False)
    kept = b"".join(path.read_bytes() for path in Path("h").rglob("*") if path.is_file())
    assert secret.encode() not in kept


def test_a_key_for_programs(run: Run) -> None:
    words = ("--role", "predict", "--scope", "late", "--expires", "90d", "--rate", "100", "--burst", "500", "--json")
    _, out, _ = run("key", "create", "till", *words)
    made = json.loads(out)
    assert made["key"].startswith(f"hg_{made['id']}_")
    assert (made["scopes"], made["rate"], made["burst"]) == (["default/late"], 100.0, 500.0)
    assert made["expires_at"] - made["created_at"] == 90 * 86400 * 1_000_000
    rotated = json.loads(run("key", "rotate", "till", "--overlap", "1d", "--json")[1])
    assert rotated["id"] != made["id"]
    ended = json.loads(run("key", "revoke", "till", "--json")[1])
    assert {each["id"] for each in ended} == {made["id"], rotated["id"]}
    listed = json.loads(run("key", "list", "--json")[1])
    assert [bool(each["revoked_at"]) for each in listed] == [True, True]
    assert "revoked" in run("key", "list")[1]


def test_mistakes_have_their_exit_codes(run: Run) -> None:
    assert run("key", "list")[1] == "no keys yet\n"
    run("key", "create", "till", "--role", "predict")
    assert run("key", "create", "till", "--role", "predict")[0] == 5
    assert run("key", "create", "Till", "--role", "predict")[0] == 3
    assert run("key", "create", "other", "--role", "root")[0] == 2
    assert run("key", "create", "other")[0] == 2
    assert run("key", "revoke", "other")[0] == 4
    assert run("key", "rotate", "other")[0] == 4


def test_the_audit_trail_is_read_and_verified(run: Run) -> None:
    assert run("audit", "list")[1] == "nothing happened yet\n"
    assert run("audit", "verify")[0] == 0
    run("key", "create", "till", "--role", "predict", "--why", "a new shop")
    head = json.loads(run("audit", "verify", "--json")[1])["head"]
    run("key", "revoke", "till")
    code, out, _ = run("audit", "list")
    assert [line.split()[3] for line in out.splitlines()] == ["key_revoked", "key_created"]
    assert "(a new shop)" in out
    assert run("audit", "verify", "--head", head)[0] == 0
    store = sqlite3.connect("h/store.sqlite")
    with store:
        store.execute("UPDATE event SET actor = 'nobody' WHERE id = 1")
    store.close()
    code, _, err = run("audit", "verify")
    assert (code, "record 1 " in err) == (10, True)
    code, out, _ = run("doctor")
    assert (code, "record 1 of the history is broken" in out) == (6, True)


def test_a_history_cut_at_its_end_is_noticed_by_its_head(run: Run) -> None:
    run("key", "create", "till", "--role", "predict")
    run("key", "revoke", "till")
    head = json.loads(run("audit", "verify", "--json")[1])["head"]
    store = sqlite3.connect("h/store.sqlite")
    with store:
        store.execute("DELETE FROM event WHERE id = 2")
    store.close()
    assert run("audit", "verify")[0] == 0
    code, _, err = run("audit", "verify", "--head", head)
    assert (code, "--head" in err) == (10, True)


@pytest.mark.parametrize("verb", ["gateway", "controller"])
def test_an_exposed_port_needs_a_key_or_a_word(run: Run, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from headgate.cli import controller, gateway

    began: list[bool] = []
    monkeypatch.setattr(gateway, "run_gateway", lambda settings, _index: began.append(settings.insecure))
    monkeypatch.setattr(controller, "run_controller", lambda settings, **_: began.append(settings.insecure))
    exposed = (verb, "--host", "0.0.0.0")  # noqa: S104 - never listened on
    code, _, err = run(*exposed)
    assert (code, "headgate key create" in err, began) == (9, True, [])
    assert run(*exposed, "--insecure")[0] == 0
    run("key", "create", "till", "--role", "predict")
    assert run(*exposed)[0] == 0
    run("key", "revoke", "till")
    assert run(*exposed)[0] == 0
    assert began == [True, False, False]
