"""The layers hold, and the architecture page says the same as the contracts."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LINT = Path(sys.executable).parent / "lint-imports"


def _layers(project: dict[str, Any]) -> list[str]:
    contracts = project["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(each["layers"] for each in contracts if each["type"] == "layers")
    return layers


def _rooms(project: dict[str, Any]) -> set[str]:
    return {room.strip() for line in _layers(project) for room in line.split("|")}


def test_contracts_hold(root: Path) -> None:
    done = subprocess.run([LINT, "--no-cache"], cwd=root, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_nothing_is_exempt(project: dict[str, Any]) -> None:
    for contract in project["tool"]["importlinter"]["contracts"]:
        assert "ignore_imports" not in contract
        assert contract["type"] != "layers" or contract["exhaustive"]


def test_the_page_draws_the_same_layers(root: Path, project: dict[str, Any]) -> None:
    page = (root / "docs" / "architecture.md").read_text()
    drawn = re.search(r"```text\n(cli .*?)```", page, re.DOTALL)
    assert drawn is not None
    assert drawn[1].strip().splitlines() == _layers(project)


def test_the_page_says_each_contract(root: Path, project: dict[str, Any]) -> None:
    page = " ".join((root / "docs" / "architecture.md").read_text().split())
    for contract in project["tool"]["importlinter"]["contracts"]:
        assert contract["name"] in page


def test_every_room_has_a_paragraph(root: Path, project: dict[str, Any]) -> None:
    page = (root / "docs" / "architecture.md").read_text()
    described = set(re.findall(r"^\*\*`([a-z_]+)`\*\* \S.{40,}", page, re.MULTILINE))
    assert described == _rooms(project)


def test_every_room_says_what_it_is(root: Path) -> None:
    import ast

    for init in (root / "src" / "headgate").glob("*/__init__.py"):
        said = ast.get_docstring(ast.parse(init.read_text()))
        assert said, f"{init.parent.name} has no paragraph"
        assert said.split("\n")[0].endswith("."), f"{init.parent.name} begins without a sentence"
