"""The plans that the page about rollouts shows: each is one, and its query gives each answer its loss."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from tests.rollouts.tables import CANDIDATE, LIVE, answer, joined, name

from headgate.contracts.contract import Kind, Output
from headgate.journal.labels import ask_locked
from headgate.rollouts.answers import COLUMNS
from headgate.rollouts.guards import Measure
from headgate.rollouts.plan import Plan
from headgate.rollouts.planfile import Facts, read_plan
from headgate.vocabulary import Role, Task

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "rollouts.md"
FIELDS = {"amount": Kind.NUMBER, "visits": Kind.INTEGER, "member": Kind.INTEGER}
FACTS = Facts(Output(Task.BINARY, classes=(False, True), probability=True), maturity_s=1.0, fields=FIELDS)
PLANS = dict(re.findall(r"^cat > (\S+) <<'YAML'\n(.*?)^YAML$", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def plan_of(file: str) -> Plan:
    return read_plan(PLANS[file], file).plan(FACTS, "returns:2")


def test_every_kind_of_guard_is_shown() -> None:
    guards = [guard for file in PLANS for guard in plan_of(file).guards]
    assert {Measure.ERRORS, Measure.ACCURACY, Measure.VALUE, Measure.SQL} <= {each.metric for each in guards}
    assert any(each.by for each in guards)
    assert any(each.column for each in guards)


@pytest.mark.parametrize(
    ("said", "label", "amount", "lost"),
    [("yes", "no", 30.0, 30.0), ("yes", "no", 900.0, 500.0), ("yes", "yes", 30.0, 0.0), (None, "no", 30.0, 30.0)],
)
def test_the_query_gives_each_answer_its_loss(said: str | None, label: str, amount: float, lost: float) -> None:
    (guard,) = (each for each in plan_of("query.yaml").guards if each.query)
    rows = [answer(1, Role.LIVE, label, label), answer(1, Role.SHADOW, said, label), answer(2, Role.LIVE, "no")]
    kept = pa.table({"input_id": [name(1), name(2)], "features": [{"amount": amount}, {"amount": amount}]})
    found = ask_locked(guard.query or "", {"joined": joined(rows).select(COLUMNS), "features": kept}).to_pylist()
    assert {each["version"]: each["loss"] for each in found} == {LIVE: 0.0, CANDIDATE: lost}
    assert {each["input_id"] for each in found} == {name(1)}, "what has no label yet says nothing"
