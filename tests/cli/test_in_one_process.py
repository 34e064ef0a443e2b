"""The verbs one after the other on one home: what people read, what programs read, and the codes they end with."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from tests.cli.in_process import Run

from headgate.cli.main import headgate_command
from headgate.client import Client

SOURCE = "class Sign:\n    def predict(self, table): return [int(each > 0) for each in table['x'].to_pylist()]\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_HOME", "h")
    values = [each / 10 for each in range(-30, 30)]
    pd.DataFrame({"x": values, "y": [int(each > 0) for each in values]}).to_parquet("rows.parquet")
    Path("mine.py").write_text(SOURCE)
    return Run(capsys, monkeypatch)


REGISTER = ("register", "sign", "mine.py:Sign", "--reference", "rows.parquet", "--label", "y", "--trust")


def test_a_person_reads_what_happened_and_what_comes_next(run: Run, tmp_path: Path) -> None:
    assert "no endpoint yet" in run("status").out
    assert run(*REGISTER[:-1]).code == 8
    first = run(*REGISTER)
    assert (first.code, first.out.splitlines()[0]) == (0, "sign:1  registered")
    assert "headgate evaluate sign:1" in first.out
    assert run(*REGISTER).out.splitlines()[0] == "sign:1  was registered before"
    assert "no aliases yet" in run("alias", "sign").out
    unproved = run("evaluate", "sign:1", "rows.parquet")
    assert (unproved.code, "nothing is proved" in unproved.err) == (6, True)
    failed = run("evaluate", "sign:1", "rows.parquet", "--gate", "accuracy >= 1.01")
    assert (failed.code, "takes no traffic" in failed.err) == (6, True)
    rivalled = run("evaluate", "sign:1", "rows.parquet", "--gate", "accuracy not worse than champion by 0.1")
    assert (rivalled.code, "no champion to be compared with" in rivalled.err) == (6, True)
    proved = run("evaluate", "sign:1", "rows.parquet", "--gate", "accuracy >= 0.5", "--slice", "x")
    assert (proved.code, "accuracy" in proved.out, proved.err) == (0, True, "")
    assert "sign@champion is sign:1 now" in run("alias", "sign:1", "champion").out
    assert "sign@champion  version 1" in run("alias", "sign").out
    assert run("init", "rows.parquet", "--endpoint", "late", "--model", "sign@champion", "--label", "y").code == 0
    assert run("apply").out == "endpoint late is at revision 1: sign:1 100%\n"
    assert run("status").out == "late\n"
    assert "late" in run("status", "late").out
    scored = run("score", "sign:1", "rows.parquet", "out.csv")
    assert scored.out == "60 rows: 60 answered, 0 refused; wrote out.csv\n"
    assert run("score", "sign:1", "rows.parquet", "out.csv").code == 5
    assert run("doctor").code == 0
    history = run("audit", "list").out
    assert "sign:1" in history
    assert "records are whole" in run("audit", "verify").out


def test_a_program_reads_json(run: Run) -> None:
    first = run(*REGISTER, "--json").told
    assert (first["version"], first["new"], first["parity"]["exact"]) == ("sign:1", True, True)
    again = run(*REGISTER, "--json").told
    assert again | {"new": True} == first
    report = run("evaluate", "sign:1", "rows.parquet", "--gate", "accuracy >= 0.5", "--json").told
    assert (report["verdict"], report["rows"]) == ("passed", 60)
    assert run("alias", "sign:1", "champion", "--json").told == {"champion": 1}
    assert run("alias", "sign", "--json").told == {"champion": 1}
    run("init", "rows.parquet", "--endpoint", "late", "--model", "sign@champion", "--label", "y")
    applied = run("apply", "--json").told
    assert applied == {
        "project": "default",
        "endpoint": "late",
        "revision": 1,
        "live": "sign:1",
        "weights": {"sign:1": 1.0},
    }
    assert run("status", "--json").told == {"endpoints": ["late"]}
    assert run("status", "late", "--last", "1", "--json").told["endpoint"] == "late"
    scored = run("score", "sign:1", "rows.parquet", "out.parquet", "--json").told
    assert scored == {"rows": 60, "answered": 60, "refused": 0, "resumed_at": 0}
    events = run("audit", "list", "--json").told
    assert [each["kind"] for each in reversed(events)][:3] == ["registered", "evaluated", "aliased"]
    assert run("audit", "list", "--subject", "late", "--last", "1", "--json").told[0]["subject"] == "late"
    assert run("audit", "verify", "--json").told["records"] == len(events)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """In place of a gateway: the rows it was asked; a row without `x` is refused."""
    asked: list[Any] = []

    def predict(_: Client, endpoint: str, rows: Sequence[Any], **_more: Any) -> list[dict[str, Any]]:
        asked.append((endpoint, list(rows)))
        good = {"id": "i", "version": "sign:1", "prediction": "später"}
        return [good if "x" in each else {"error": {"field": "x", "rule": "missing"}} for each in rows]

    monkeypatch.setattr(Client, "predict", predict)
    return asked


@pytest.mark.parametrize(
    ("rows", "asked", "code"),
    [('{"x": 1}', [{"x": 1}], 0), (' [{"x": 1}, {}]', [{"x": 1}, {}], 3), ("in.json", [{"x": 2}], 0), ("[]", [], 0)],
)
def test_rows_come_as_words_or_as_a_file_and_a_refused_one_is_in_the_code(
    run: Run, gateway: list[Any], *, rows: str, asked: list[Any], code: int
) -> None:
    Path("in.json").write_text('{"x": 2}')
    done = run("predict", "late", rows, "--url", "http://127.0.0.1:1")
    assert gateway == [("late", asked)]
    assert done.code == code
    lines = [json.loads(each) for each in done.out.splitlines()]
    assert len(lines) == len(asked)
    assert "später" in done.out or not any("x" in each for each in asked), "text is shown as text"


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (click.Abort(), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "h/x"), 1, "headgate: h/x: No space left on device"),
        (OSError("odd"), 1, "headgate: OSError"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), 4, "headgate: x: No such file"),
    ],
)
def test_what_no_verb_foresaw_still_ends_in_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, *, raised: BaseException, code: int, says: str
) -> None:
    def fail(**_: object) -> None:
        raise raised

    verb = headgate_command.get_command(click.Context(headgate_command), "status")
    assert verb is not None
    monkeypatch.setattr(verb, "callback", fail)
    done = run("status")
    assert done.code == code
    assert done.err.strip().startswith(says)
    assert done.err.strip().count("\n") == 0


def test_who_reads_no_further_is_no_mistake(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "headgate.cli.main", "metrics", "--help"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, timeout=60, check=False, cwd=tmp_path)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b""), "click leaves quietly"
