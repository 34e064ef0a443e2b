"""What `losses.py` may watch: of which rows something is counted, and in which words it is told."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headgate.alerts.finding import Severity
from headgate.evaluation.estimate import Floats
from headgate.monitors.columns import Bools, Columns
from headgate.monitors.watch.monitor import Reads

Counted = Callable[[Columns], tuple[Bools, Bools]]
"""Of which rows it speaks, and of which of them it is true."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that may be true of a row, and should be seldom."""

    name: str
    counted: Counted
    rows: str
    """What the rows are that it speaks of."""
    happens: str
    """What happens to some of them."""
    cause: str
    advice: str
    severity: Severity = Severity.WARNING
    reads: Reads = Reads.ANSWERS


def errors() -> Aspect:
    """Inputs that nobody answered although no caller did anything wrong."""
    return Aspect(
        name="errors",
        counted=lambda rows: (np.ones(len(rows), np.bool_), rows.failed),
        rows="inputs",
        happens="end in an error",
        cause="the model or the process it runs in fails; the log of `headgate up` names the exception",
        advice="roll back if it began with a version; otherwise see `headgate doctor`",
        severity=Severity.CRITICAL,
    )


def refusals() -> Aspect:
    """Inputs that broke a rule of the contract."""
    return Aspect(
        name="refusals",
        counted=lambda rows: (np.ones(len(rows), np.bool_), (rows.refused >= 0) & ~rows.failed),
        rows="inputs",
        happens="are refused",
        cause="a caller has changed what it sends, or the world is not what the contract says any more",
        advice="`quality` names their rules and fields: mend the caller, or widen the contract of the endpoint",
    )


def fallbacks() -> Aspect:
    """Answers that another version gave, since the assigned one failed or was late."""
    return Aspect(
        name="fallbacks",
        counted=lambda rows: (rows.answered >= 0, rows.fell_back),
        rows="answers",
        happens="come from another version than was assigned",
        cause="the assigned version fails, or is later than the deadline",
        advice="abort the rollout of that version, or give it more time or memory",
    )


def slow(limit_ms: float) -> Aspect:
    """Answers that took longer than the objective says 99 of 100 do."""
    return Aspect(
        name="latency",
        counted=lambda rows: (
            (rows.answered >= 0) & ~np.isnan(rows.latency_ms),
            np.nan_to_num(rows.latency_ms) > limit_ms,
        ),
        rows="answers",
        happens=f"take longer than the {limit_ms:g} ms of the objective",
        cause="the model has become slower, or there is more to do than the machine bears",
        advice="compare versions in `headgate monitor`; `headgate size` says what the load needs",
    )


def wrong(version: str) -> Aspect:
    """Answers of a version with another class than turned out to be true."""

    def counted(rows: Columns) -> tuple[Bools, Bools]:
        own = rows.versions.index(version) if version in rows.versions else len(rows.versions)
        known = rows.judged & rows.labelled & (rows.answered == own)
        return known, known & (rows.predicted != rows.truth)

    return Aspect(
        name="risk",
        counted=counted,
        rows=f"labelled answers of {version}",
        happens="are wrong",
        cause="what comes in has changed, or what it means",
        advice="look at what else was found of the endpoint since; learn again on newer rows, or roll back",
        severity=Severity.CRITICAL,
        reads=Reads.LABELS,
    )


def share(count: int, total: int) -> str:
    """A count with its share in per cent.

    >>> share(212, 4180), share(0, 0)
    ('212 of 4,180 (5.07 %)', '0 of 0')
    """
    return f"{count:,} of {total:,}" + (f" ({count / total * 100:.3g} %)" if total else "")


def as_losses(chosen: Bools) -> Floats:
    """1 where it is true."""
    return chosen.astype(np.float64)
