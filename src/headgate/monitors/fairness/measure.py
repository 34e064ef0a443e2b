"""How groups are treated in one window, field by field and where fields cross."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.evaluation.metrics import CONFIDENCE, improbable
from headgate.evaluation.rows import Column
from headgate.evaluation.slices import SMALLEST
from headgate.monitors.answered import Answered
from headgate.monitors.fairness.gaps import Gap, Method, gaps
from headgate.monitors.fairness.groups import Decided, Treated, crossed, treated
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Task


class Fairness(msgspec.Struct, frozen=True, kw_only=True):
    """One field, or several crossed, in one window."""

    field: str
    """A field, or ``sex and region`` for those crossed."""
    treated: Treated
    gaps: dict[str, Gap]
    """By Fairlearn's names."""


def fairness(
    said: Answered,
    truth: NDArray[Any] | None,
    sensitive: Mapping[str, Column],
    *,
    positive: int | None = None,
    smallest: int = SMALLEST,
    method: Method = Method.BETWEEN_GROUPS,
    confidence: float = CONFIDENCE,
) -> tuple[Fairness, ...] | Shortfall:
    """Each field of `sensitive`, and all of them crossed where there are several.

    `sensitive` has a value per answer and field; numbers are cut into four ranges of about as many rows. `truth` has
    class codes, negative where the label is not known; None where none is. `positive` is the code of the class that
    counts as selected, a binary task's second one by default; a multiclass task must say which.

    Raises headgate.errors.BadInput for columns of another length than the answers, for no such class, and for a
    confidence outside 0 to 1.

    >>> said = Answered(Task.BINARY, np.tile([1, 0, 0, 0], 50), None, ("no", "yes"))
    >>> [found] = fairness(said, None, {"sex": ["f", "m"] * 100})
    >>> found.gaps["demographic_parity_difference"].estimate.value
    0.5
    """
    if said.task not in (Task.BINARY, Task.MULTICLASS):
        return undecided("groups are compared by how often they are given a class, and this model gives none")
    if said.predicted is None:
        return broken("the model gives no predictions")
    if len(said) == 0:
        return undecided("the window has no answered rows")
    if not sensitive:
        return undecided("no field says which group a row belongs to")
    code = _positive(said, positive)
    _check(said, truth, sensitive)
    decided = _decided(said, truth, code)
    wanted = [{field: column} for field, column in sensitive.items()]
    if len(sensitive) > 1:
        wanted.append(dict(sensitive))
    made = []
    for fields in wanted:
        found = treated(crossed(fields), decided, smallest=smallest, confidence=confidence)
        apart = gaps(found, method=method, confidence=confidence)
        made.append(Fairness(field=" and ".join(fields), treated=found, gaps=apart))
    return tuple(made)


def _decided(said: Answered, truth: NDArray[Any] | None, code: int) -> Decided:
    nobody = np.zeros(len(said), dtype=np.bool_)
    return Decided(
        called=np.asarray(said.predicted == code),
        truth=nobody if truth is None else truth == code,
        known=nobody if truth is None else truth >= 0,
        chance=_stated(said, code),
    )


def _stated(said: Answered, code: int) -> Floats | str:
    """The stated chance of the class, NaN where a row has none; or why there is none at all."""
    if said.scores is None:
        return "the model gives no scores"
    whole = np.isfinite(said.scores).all(axis=1)
    chance: Floats = np.where(whole, said.scores[:, code], np.nan)
    return improbable(said.scores[whole]) or chance


def _positive(said: Answered, positive: int | None) -> int:
    if positive is None and said.task is Task.BINARY:
        return 1
    if positive is None or not 0 <= positive < len(said.classes):
        raise BadInput("positive", "range", f"say which of the {len(said.classes)} classes counts as selected, from 0")
    return positive


def _check(said: Answered, truth: NDArray[Any] | None, sensitive: Mapping[str, Column]) -> None:
    columns: Mapping[str, Column] = sensitive if truth is None else {**sensitive, "truth": truth}
    for name, column in columns.items():
        if len(column) != len(said):
            raise BadInput(
                name, "shape", f"there are {len(column):,} values for {len(said):,} answers; give one per answer"
            )
