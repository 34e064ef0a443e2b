"""The record of one evaluation: every figure, the slices, the gates and the verdict.

The registry keeps it as JSON beside the version; `evaluate` makes it; monitors show its figures beside theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.figures import Contest, Figures, contest, figures
from headgate.evaluation.gates import Gate, GateResult, Outcome, judge, parse_gate, verdict
from headgate.evaluation.metrics import CONFIDENCE, for_task, names_for
from headgate.evaluation.rows import Class, Column, labelled
from headgate.evaluation.slices import SMALLEST, Slice, groups, worst_first
from headgate.evaluation.table import digits, table
from headgate.vocabulary import Task, readable

SHOWN: Final = ("auc", "accuracy", "f1", "log_loss", "mae", "rmse", "r2")
"""Metrics of the slices table, as many of the task's as fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a rival model answered to the same rows in the same order."""

    predictions: Column | None
    scores: Column | None = None


@readable
class Report(Figures, frozen=True, kw_only=True):
    """One evaluation of one model on one set of rows."""

    task: Task
    confidence: float
    """Coverage of every interval in here, such as 0.95."""
    unlabelled: int = 0
    """Rows left out because their label is missing."""
    slices: tuple[Slice, ...] = ()
    """Worst first."""
    gates: tuple[GateResult, ...] = ()
    verdict: Outcome = Outcome.UNDECIDED
    """Passed only when there are gates and all of them passed."""

    @property
    def passed(self) -> bool:
        """Whether the version may take traffic as far as this evaluation goes."""
        return self.verdict is Outcome.PASSED

    @property
    def overall(self) -> Figures:
        """The figures of all rows."""
        return self


def evaluate(
    task: Task,
    labels: Column,
    predictions: Column | None,
    scores: Column | None,
    classes: Sequence[Class] = (),
    *,
    slices: Mapping[str, Column] | None = None,
    champion: Answers | None = None,
    gates: Iterable[Gate | str] = (),
    confidence: float = CONFIDENCE,
    smallest_slice: int = SMALLEST,
) -> Report:
    """The model measured against a dummy and the champion on the same rows, per slice, with its gates judged.

    `slices` are columns by field name, one value per label. Raises headgate.errors.BadInput for what
    `headgate.evaluation.metrics.measure` refuses, a gate that cannot be read, a gate on a metric of another
    task or on slices that were not given, and a ``tensor`` task, which has no metrics.

    >>> labels, said, scores = [0, 1] * 50, [0, 1, 1, 1] * 25, [0.2, 0.8, 0.6, 0.7] * 25
    >>> report = evaluate(Task.BINARY, labels, said, scores, (0, 1), gates=["auc >= 0.65", "brier better than dummy"])
    >>> report.verdict.value, report.gates[0].sentence
    ('passed', 'auc is 1.000 (0.9287 to 1.000), asked was >= 0.65')
    """
    if task is Task.TENSOR:
        raise BadInput("task", "task", "a tensor model has no metrics; nothing but volume and latency is measured")
    asked = tuple(each if isinstance(each, Gate) else parse_gate(each) for each in gates)
    columns = dict(slices or {})
    for gate in asked:
        for_task(task, [gate.metric])
        if gate.slices and gate.slices not in columns:
            raise BadInput("gate", "slices", f"there are no slices of '{gate.slices}' here; give that field as slices")
    metrics = for_task(task, [*names_for(task), *(each.metric for each in asked)])
    ours, known = labelled(task, labels, predictions, scores, classes)
    theirs = None if champion is None else labelled(task, labels, champion.predictions, champion.scores, classes)[0]
    match_up = contest(ours, metrics, theirs)
    parts: list[Slice] = []
    for field, column in columns.items():
        if len(column) != len(labels):
            raise BadInput(f"slices.{field}", "shape", f"there are {len(column)} values for {len(labels)} labels")
        cut = groups(column)
        codes = cut.codes[known]
        for code, value in enumerate(cut.names):
            part = _slice(
                match_up, codes == code, field=field, value=value, confidence=confidence, smallest=smallest_slice
            )
            if part is not None:
                parts.append(part)
    whole = figures(match_up, confidence)
    draft = Report(
        rows=whole.rows,
        estimates=whole.estimates,
        baseline=whole.baseline,
        over_baseline=whole.over_baseline,
        champion=whole.champion,
        over_champion=whole.over_champion,
        task=task,
        confidence=confidence,
        unlabelled=int((~known).sum()),
        slices=worst_first(task, parts),
    )
    results = judge(asked, draft)
    return msgspec.structs.replace(draft, gates=results, verdict=verdict(results))


def _slice(
    match_up: Contest, chosen: NDArray[np.bool_], *, field: str, value: str, confidence: float, smallest: int
) -> Slice | None:
    count = int(chosen.sum())
    if count == 0:
        return None
    if count < smallest:
        return Slice(field=field, value=value, rows=count, estimates={})
    part = figures(match_up.take(chosen), confidence)
    return Slice(
        field=field,
        value=value,
        rows=count,
        estimates=part.estimates,
        baseline=part.baseline,
        over_baseline=part.over_baseline,
        champion=part.champion,
        over_champion=part.over_champion,
    )


def to_json(report: Report) -> bytes:
    """The report as JSON, as the registry keeps it."""
    return msgspec.json.encode(report)


def from_json(data: bytes) -> Report:
    """The report back from `to_json`; headgate.errors.BadInput when it is none.

    >>> report = evaluate(Task.REGRESSION, [1.0, 2.0, 4.0], [1.5, 2.0, 3.0], None)
    >>> from_json(to_json(report)) == report
    True
    """
    try:
        return msgspec.json.decode(data, type=Report)
    except ValueError as wrong:  # text that is no UTF-8 is not msgspec's own error
        raise BadInput("report", "form", "this is no evaluation report of this version") from wrong


def as_text(report: Report, *, slices: int = 8) -> str:
    """The report for a terminal: figures, the worst `slices` slices, gates, verdict.

    >>> print(as_text(evaluate(Task.REGRESSION, [1.0, 2.0, 4.0], [1.5, 2.0, 3.0], None, gates=["mae <= 1"])))
    regression, 3 labelled rows, 95 % intervals
    <BLANKLINE>
    metric    value          interval   dummy
    mae      0.5000        0 to 1.066   1.000
    rmse     0.6455   0.3184 to 1.309   1.247
    r2       0.7321  0.4826 to 0.8613       0
    pinball  0.2500       0 to 0.5329  0.5000
    <BLANKLINE>
    passed: mae <= 1
      mae is 0.5000 (0 to 1.066), asked was <= 1
    <BLANKLINE>
    verdict: passed
    """
    left_out = f" ({report.unlabelled} more without a label left out)" if report.unlabelled else ""
    lines = [f"{report.task}, {report.rows} labelled rows{left_out}, {report.confidence * 100:g} % intervals", ""]
    lines.append(_figures_table(report))
    lines.extend(f"{each.name} has no value: {each.reason}" for each in report.estimates.values() if not each.known)
    if report.slices:
        lines.extend(["", _slices_table(report, slices)])
    lines.append("")
    for gate in report.gates:
        lines.extend([f"{gate.outcome}: {gate.gate}", f"  {gate.sentence}"])
    lines.extend([""] if report.gates else [])
    lines.append(f"verdict: {report.verdict}" + ("" if report.gates else " (no gates were given)"))
    return "\n".join(lines)


def _figures_table(report: Report) -> str:
    head = ["metric", "value", "interval", "dummy"]
    rows = [
        [name, _value(each), _interval(each), _value(report.baseline.get(name))]
        for name, each in report.estimates.items()
        if each.known
    ]
    if report.champion:
        head += ["champion", "difference", "interval"]
        for row in rows:
            gap = report.over_champion[row[0]]
            row.extend([_value(report.champion[row[0]]), _value(gap, sign="+"), _interval(gap, sign="+")])
    return table(head, rows)


def _slices_table(report: Report, most: int) -> str:
    measured = [each for each in report.slices if each.measured]
    names = [name for name in SHOWN if name in report.estimates][:4]
    rows = [
        [f"{each.field} = {each.value}", str(each.rows), *(_value(each.estimates.get(name)) for name in names)]
        for each in measured[:most]
    ]
    rest = []
    if len(measured) > most:
        rest.append(f"and {len(measured) - most} better than these")
    if len(measured) < len(report.slices):
        rest.append(f"and {len(report.slices) - len(measured)} with too few rows to be measured")
    return "\n".join([table(["slice, worst first", "rows", *names], rows), *rest])


def _value(figure: Estimate | None, sign: str = "") -> str:
    return "-" if figure is None or figure.value is None else digits(figure.value, sign)


def _interval(figure: Estimate, sign: str = "") -> str:
    if figure.low is None or figure.high is None:
        return "-"
    return f"{digits(figure.low, sign)} to {digits(figure.high, sign)}"
