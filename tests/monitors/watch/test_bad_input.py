"""Whatever a day brings, every monitor says how it stands in plain words, and no trouble of one stops another.

It goes over all monitors of the roster, whatever they are: a class of `headgate.monitors.watch` that fits the port and
is on no roster fails `test_every_monitor_there_is_is_on_a_roster`.
"""

import importlib
import pkgutil
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from tests.monitors.watch.bad_days import MONDAY, SOURCE, VERSION, World, world
from tests.monitors.watch.bad_rows import BAD

from headgate.alerts.finding import Finding, checked
from headgate.contracts.contract import Output
from headgate.errors import HeadgateError
from headgate.monitors import watch
from headgate.monitors.standing import Standing
from headgate.monitors.watch.estimate import ESTIMATE
from headgate.monitors.watch.fairness import FAIRNESS
from headgate.monitors.watch.monitor import AnyMonitor, Monitor, Portion, Says, Told
from headgate.monitors.watch.running import Running, takes
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import begun
from headgate.vocabulary import DAY, HOUR, Micros, Task

NO_WORDS = re.compile(r"\b(?:(?i:nan|inf)|None|Traceback)\b")
CASES = [
    pytest.param(name, task, marks=() if task is Task.BINARY else pytest.mark.full)
    for name, bad in BAD.items()
    for task in sorted(bad.tasks)
]
"""Two classes in every run of the tests, other tasks where there is more time."""
PORT = {"name", "mark", "reads", "daily", "kind", "start", "take", "says"}
SLOW = {ESTIMATE, FAIRNESS}
"""Monitors to which a few days say nothing yet."""


def lived(monitor: AnyMonitor, portions: Sequence[Portion]) -> tuple[Any, list[Told], str]:
    """What a monitor knows after all portions, what it told, and why it could not take the last one, if so."""
    state, told, trouble = monitor.start(MONDAY), list[Told](), ""
    for portion in portions:
        if takes(monitor, portion):
            try:
                state, said = monitor.take(state, portion)
                told, trouble = [*told, *said], ""
            except HeadgateError as error:
                trouble = str(error)
    return state, told, trouble


def assert_plain(says: Says, told: Sequence[Told], trouble: str) -> None:
    """There are words, none of them is a figure that is none, and whatever was found can be told."""
    assert says.standing in set(Standing)
    assert len(says.what.split()) > 2
    text = msgspec.json.encode((says, told, trouble)).decode()
    assert not NO_WORDS.search(text), text
    assert all(checked(each) is each for each in (*told, *says.findings) if isinstance(each, Finding))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_monitor_says_how_it_stands_in_plain_words(name: str, task: Task) -> None:
    made = world(task, BAD[name])
    for monitor in made.monitors:
        state, told, trouble = lived(monitor, made.portions)
        says = monitor.says(state)
        assert_plain(says, told, trouble)
        assert msgspec.json.decode(msgspec.json.encode(state), type=monitor.kind) == state, "no figure in it is none"
        if monitor.name in BAD[name].blind:
            assert says.standing in (Standing.UNDECIDED, Standing.BROKEN), (monitor.name, says.what)
        if name == "nothing is wrong":
            expected = Standing.UNDECIDED if monitor.name in SLOW else Standing.STEADY
            assert (trouble, says.standing) == ("", expected), (monitor.name, says.what)


@pytest.mark.parametrize("task", [Task.BINARY, pytest.param(Task.REGRESSION, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", ["nothing is wrong", "no rows", "all missing", "mixed types", "everything refused"])
def test_who_judges_days_says_the_same_however_many_hours_come_together(name: str, task: Task) -> None:
    together, apart = (world(task, BAD[name], days=2, every=each) for each in (DAY, HOUR))
    for monitor in together.monitors:
        if monitor.daily:
            assert lived(monitor, together.portions) == lived(monitor, apart.portions), monitor.name


@pytest.mark.parametrize("what", ["the share is nan today", "it is inf, no less", "too short", "None of it was found"])
def test_what_is_no_plain_word_is_seen(what: str) -> None:
    with pytest.raises(AssertionError):
        assert_plain(Says(standing=Standing.STEADY, what=what), (), "")


class Falls:
    """A monitor that fails at every portion."""

    def __init__(self, of: AnyMonitor) -> None:
        self.reads, self.daily, self.kind, self.mark = of.reads, of.daily, of.kind, "falls"
        self.name = f"falls beside {of.name}"
        self._of = of

    def start(self, began: Micros) -> Any:
        return self._of.start(began)

    def take(self, state: Any, portion: Portion) -> Any:
        raise ZeroDivisionError

    def says(self, state: Any) -> Says:
        raise AssertionError("nobody asks what has never measured")


@pytest.mark.parametrize("task", list(Task))
def test_a_monitor_that_fails_stops_no_other(task: Task) -> None:
    made = world(task, BAD["huge integers"], days=2)
    alone = together(made, made.monitors)
    failing: list[AnyMonitor] = [Falls(each) for each in made.monitors]
    beside = together(made, [*failing, *made.monitors])
    assert {name: each for name, each in beside.items() if name in alone} == alone
    assert {each.broken for name, each in beside.items() if name not in alone} == {
        "it failed with ZeroDivisionError; the controller's log says more"
    }


def together(made: World, monitors: Sequence[AnyMonitor]) -> dict[str, Any]:
    """What is kept of monitors that are handed portions side by side."""
    scene = Scene(SOURCE, VERSION, Output(Task.TENSOR), monitors=tuple(monitors))
    running = Running(scene, msgspec.structs.replace(begun("default", "odd", MONDAY), until=MONDAY, matured=MONDAY))
    for portion in made.portions:
        running.hand_over(portion)
    return running.kept()


def test_every_monitor_there_is_is_on_a_roster() -> None:
    known = {type(each) for task in Task for each in world(task, BAD["nothing is wrong"], days=1).monitors}
    found = set()
    for module in pkgutil.iter_modules(watch.__path__, f"{watch.__name__}."):
        inside = vars(importlib.import_module(module.name)).values()
        found |= {each for each in inside if isinstance(each, type) and set(dir(each)) >= PORT}
    assert found - {Monitor} == known
