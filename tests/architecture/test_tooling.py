"""The tools that judge are judged: a red row is red, a failing page fails."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _judged(rows: ModuleType, body: Any, clone: Path) -> Any:
    return rows.judge(rows.Row("id", "says", "command", body), rows.Bench(clone))


def test_a_row_is_red_unless_it_shows_otherwise(rows: ModuleType, tmp_path: Path) -> None:
    def judged(body: Any) -> tuple[bool, object, object]:
        result = _judged(rows, body, tmp_path)
        return result.ok, result.value, result.limit

    assert judged(lambda bench: rows.Measured(1, 1)) == (True, 1, "<= 1")
    assert judged(lambda bench: rows.Measured(2, 1)) == (False, 2, "<= 1")
    assert judged(lambda bench: rows.Measured(2, 1, at_least=True)) == (True, 2, ">= 1")
    assert judged(lambda bench: rows.Measured(0, 1, at_least=True)) == (False, 0, ">= 1")
    assert judged(lambda bench: rows.Measured(float("nan"), 1))[0] is False
    assert judged(lambda bench: 1 / 0) == (False, "ZeroDivisionError: division by zero", None)
    assert judged(lambda bench: None if bench.run("true") == "" else 1 / 0)[0] is True
    assert judged(lambda bench: bench.run("false"))[1] == "Red: ended with 1: "
    assert judged(lambda bench: bench.run("no-such-program-here"))[0] is False
    assert judged(lambda bench: bench.run("sleep", "9", timeout=0.05))[1] == "Red: took longer than 0.05 s"


def test_a_result_has_what_readers_expect(rows: ModuleType, tmp_path: Path) -> None:
    result = _judged(rows, lambda bench: None, tmp_path).as_json()
    assert set(result) >= {"id", "says", "command", "value", "limit", "ok"}


def test_two_rows_cannot_share_a_name(rows: ModuleType) -> None:
    suite = rows.Suite()
    suite.row("a", "says", "command")(lambda bench: None)
    with pytest.raises(ValueError, match="two rows"):
        suite.row("a", "says", "command")(lambda bench: None)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("```bash\nX=1\n```\nthen\n```bash\n[ $X = 1 ]\nsleep 60 &\n```\n", True),
        ("```bash\nfalse\ntrue\n```\n", False),
        ("```bash\necho 1 > made\n```\n```python\nassert open('made').read() == '1\\n'\n```\n", True),
        ("```python\n>>> 1 + 1\n2\n```\n", True),
        ("```python\n>>> 1 + 1\n3\n```\n", False),
        ("```console\n$ false\n```\n", True),
    ],
)
def test_pages_are_run(text: str, runs: bool, rundocs: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert rundocs.run(page) is runs
