"""Every monitor says in the same words what its measurement is worth, and nobody has words of their own for it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import headgate.monitors
from headgate.monitors.standing import BY_URGENCY, Shortfall, Standing, broken, undecided

FILES = sorted(Path(headgate.monitors.__path__[0]).rglob("*.py"))
WORDS = {"Standing", "Shortfall", "undecided", "broken"}


def test_a_measurement_is_worth_one_of_five_things() -> None:
    assert [str(each) for each in Standing] == ["measured", "steady", "alarm", "undecided", "broken"]
    assert (sorted(BY_URGENCY), BY_URGENCY[0]) == (sorted(Standing), Standing.ALARM)


@pytest.mark.parametrize(("said", "standing"), [(undecided, Standing.UNDECIDED), (broken, Standing.BROKEN)])
def test_what_is_not_measured_says_why(said: Callable[[str], Shortfall], standing: Standing) -> None:
    assert said("no rows") == Shortfall(standing, "no rows")


def test_the_words_are_defined_once() -> None:
    definers = {path.name for path in FILES for name in defined(path) if name in WORDS}
    assert definers == {"standing.py"}


def defined(path: Path) -> set[str]:
    kinds = (ast.ClassDef, ast.FunctionDef)
    return {each.name for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, kinds)}
