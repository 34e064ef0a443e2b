"""Whether a challenger bears what the world will send it: values missing, unknown, or a little off.

`disturbances` makes the rows, `ask` has them answered, `robust` judges: a version must answer them all, and lose no
more than it may beside the champion on the very same rows.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.errors import BadInput
from headgate.evaluation.estimate import Undefined
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import Answers
from headgate.evaluation.rows import Column, Rows, labelled
from headgate.evaluation.table import digits
from headgate.retraining.proof.compared import Compared
from headgate.retraining.proof.rails import Contest
from headgate.retraining.proof.rivals import beside, told
from headgate.retraining.proof.values import Check

MOST: Final = 2000
"""Rows that are disturbed; each disturbance is a table of them for every version."""
FIELDS: Final = 40
"""Fields that are disturbed one by one, the first ones of the contract."""
JITTER: Final = 0.05
"""How far numbers are moved, as a share of their standard deviation."""
STRANGE: Final = "(never seen)"
"""A category no model was fitted on."""
SEED: Final = 20_130_301


def disturbances(contract: Contract, table: pa.Table) -> dict[str, pa.Table]:
    """The rows with fields missing that may be, with categories unknown that are answered, and with all numbers off.

    What a gateway would refuse is left out: no version is asked that.

    >>> contract = Contract((Field("a", Kind.NUMBER, nullable=True), Field("b", Kind.NUMBER)))
    >>> made = disturbances(contract, pa.table({"a": [1.0, 2.0], "b": [3.0, 5.0]}))
    >>> list(made), made["without a"]["a"].null_count
    (['without a', 'numbers a little off'], 2)
    """
    made = {}
    for each in contract.fields[:FIELDS]:
        column = table[each.name]
        if each.nullable:
            made[f"without {each.name}"] = _with(table, each.name, pa.nulls(len(table), column.type))
        if each.kind is Kind.CATEGORY and each.on_domain is OnBreak.FLAG:
            strange = pa.array([STRANGE] * len(table), pa.string())
            made[f"{each.name} unknown"] = _with(table, each.name, strange)
    off, random = table, np.random.default_rng(SEED)
    for each in contract.fields:
        if each.kind is Kind.NUMBER and not pa.types.is_null(table[each.name].type):
            off = _with(off, each.name, _jittered(table[each.name], each, random))
    if off is not table:
        made["numbers a little off"] = off
    return made


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _jittered(column: pa.ChunkedArray, field: Field, random: np.random.Generator) -> pa.Array:
    numbers = column.cast(pa.float64(), safe=False)
    spread = pc.stddev(numbers).as_py() or 0.0
    moved = pc.add(numbers, pa.array(random.normal(0.0, JITTER * spread, len(column))))
    if field.on_range is OnBreak.REJECT:
        moved = pc.min_element_wise(moved, field.maximum) if field.maximum is not None else moved
        moved = pc.max_element_wise(moved, field.minimum) if field.minimum is not None else moved
        moved = pc.if_else(pc.is_valid(numbers), moved, None)
    return moved


def robust(answers: Compared, contest: Contest | None, labels: Column) -> Check | None:
    """The worst of all disturbances; None where no row was disturbed. `labels` are those of the disturbed rows."""
    asked: Mapping[str, Answers | str] = answers.challenger.disturbed
    if not asked:
        return None
    rows: dict[str, Rows] = {}
    for name, said in asked.items():
        found = said if isinstance(said, str) else _rows(answers, said, labels)
        if isinstance(found, str):
            return Check(name="robust", outcome=Outcome.FAILED, sentence=f"{name}: {found}")
        rows[name] = found
    if contest is None or answers.champion is None:
        return Check(name="robust", outcome=Outcome.PASSED, sentence=f"answered all of {len(rows)} disturbances")
    judged = []
    for name, ours in rows.items():
        other = answers.champion.disturbed.get(name, "was not asked")
        theirs = other if isinstance(other, str) else _rows(answers, other, labels)
        if not isinstance(theirs, str):  # what the champion cannot answer either is no harm
            judged.append(_judged(name, contest, ours, theirs, contest.alpha / len(rows)))
    if not judged:
        return Check(name="robust", outcome=Outcome.PASSED, sentence="the champion answers none of it")
    return max(judged, key=_excess)


def _rows(answers: Compared, said: Answers, labels: Column) -> Rows | str:
    """What was said of the disturbed rows, or why that cannot be used."""
    try:
        found = labelled(answers.task, labels, said.predictions, said.scores, answers.classes)[0]
    except BadInput as wrong:
        return wrong.message
    for part in (found.scores, found.predicted):
        if part is not None and part.dtype.kind == "f" and not bool(np.isfinite(part).all()):
            return "some answers are no finite numbers"
    return found


def _judged(name: str, contest: Contest, ours: Rows, theirs: Rows, alpha: float) -> Check:
    found = beside(contest.metric, ours, theirs, share=contest.terms.disturbed_share)
    if isinstance(found, Undefined):
        return Check(name="robust", outcome=Outcome.UNDECIDED, sentence=f"{name}: {found.reason}", decides=False)
    allowed = contest.terms.disturbed_share * found.theirs
    low, high = found.allowed.bounds(alpha) or (found.allowed.value, found.allowed.value)
    limit = contest.terms.margin + allowed
    return Check(
        name="robust",
        outcome=Outcome.FAILED if low + allowed > limit else Outcome.PASSED,
        sentence=f"worst {name}: {told(contest.metric, found, contest.version)}; it may lose {digits(limit)} more",
        value=found.plain.value,
        low=low + allowed,
        high=high + allowed,
        limit=limit,
    )


def _excess(check: Check) -> tuple[bool, float]:
    """What is worse comes last: failures, then how far beyond the limit."""
    return check.outcome is Outcome.FAILED, -np.inf if check.low is None else check.low - (check.limit or 0.0)
