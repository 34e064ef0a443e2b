"""The acceptance suites are whole: every part of an issue has rows, and every test a row names is there."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PROBE = """
import json
from acceptance.{suite} import SUITE
print(json.dumps([[row.id, row.says, row.shown_by] for row in SUITE.rows]))
"""
JUDGED = """
import json
from pathlib import Path
from acceptance.rows import Bench, Measured, Suite, judge
suite = Suite()
suite.row("a", "a command", "make a")(lambda bench: Measured(1, 2))
suite.tests("b", "a test", "tests/b.py")
print(json.dumps([judge(row, Bench(Path("."), prepared=True)).as_json() for row in suite.rows]))
"""
ITEMS = tuple(f"{each}-" for each in range(1, 9))
PARTS = {
    "spine": (*ITEMS, "speed-", "size-", "bad-", "show-"),
    "clients": (*ITEMS, "speed-", "bad-", "show-"),
    "rollouts": (*ITEMS, "9-", "10-", "speed-", "bad-", "show-"),
    "monitors": (*ITEMS, "9-", "10-", "11-", "speed-", "bad-", "show-"),
    "loop": (*ITEMS, "9-", "speed-", "bad-", "show-"),
}
FEWEST = {"spine": 150, "clients": 80, "rollouts": 120, "monitors": 100, "loop": 100}


def told(program: str) -> Any:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(suite: str) -> list[list[str]]:
    found: list[list[str]] = told(PROBE.replace("{suite}", suite))
    return found


@pytest.mark.parametrize("suite", PARTS)
def test_every_part_has_rows_and_every_row_a_part(suite: str) -> None:
    rows = rows_of(suite)
    ids = [each[0] for each in rows]
    assert [part for part in PARTS[suite] if not any(each.startswith(part) for each in ids)] == []
    assert [each for each in ids if not each.startswith(PARTS[suite])] == []
    assert len(ids) == len(set(ids)) > FEWEST[suite]
    assert all(len(says) > 3 and shown for _, says, shown in rows)


@pytest.mark.parametrize("suite", PARTS)
def test_every_test_a_row_names_is_there(suite: str) -> None:
    missing = []
    for name, _, shown in rows_of(suite):
        for chosen in re.findall(r"tests/\S+\.py(?:::\w+)?", shown):
            path, _, function = chosen.partition("::")
            file = ROOT / path
            if not file.is_file() or (function and f"def {function}(" not in file.read_text()):
                missing.append((name, chosen))
    # A promise whose test is still to be written stays red in the suite; here it is named.
    assert missing == []


def test_a_row_in_the_file_has_exactly_the_keys_readers_expect() -> None:
    command, test = told(JUDGED)
    assert list(command) == ["id", "says", "command", "value", "limit", "ok", "seconds"]
    assert list(test) == ["id", "says", "test", "value", "limit", "ok", "seconds"]
    assert (command["value"], command["limit"], command["ok"]) == (1, "<= 2", True)
    assert test["ok"] is False, "a test that is not there is red"


def test_what_benchmarks_wrote_outlives_the_clone_they_ran_in(tmp_path: Path) -> None:
    reports = tmp_path / "clone" / "build" / "bench"
    reports.mkdir(parents=True)
    (reports / "rpc.json").write_text("{}")
    (reports / "rpc.md").write_text("|1|")
    (reports / "journal").mkdir()
    target = tmp_path / "kept"
    target.mkdir()
    (target / "arrow.md").write_text("|0|")
    done = told(
        "import json\nfrom pathlib import Path\nfrom acceptance.__main__ import keep\n"
        f"keep(Path({str(reports)!r}), Path({str(target)!r}))\n"
        f"print(json.dumps({{each.name: each.read_text() for each in Path({str(target)!r}).iterdir()}}))"
    )
    assert done == {"rpc.json": "{}", "rpc.md": "|1|", "arrow.md": "|0|"}
