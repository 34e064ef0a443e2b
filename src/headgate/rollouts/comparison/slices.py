"""Where two disagree most: a slice per category, truth value and quarter of a number. `compare` is the only caller.

Many slices are looked at, and some look bad by chance. Their intervals share one error rate (Bonferroni), and they
are ranked by what is certain of them, so that none is called bad for being small.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Field, Kind
from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Column
from headgate.evaluation.slices import groups
from headgate.monitors.columns import Ints, floats
from headgate.rollouts.comparison.agreement import mean_estimate
from headgate.rollouts.comparison.differences import numbers_of
from headgate.rollouts.comparison.features import public_features
from headgate.rollouts.comparison.judgement import losses
from headgate.rollouts.comparison.pairs import Pairs
from headgate.rollouts.comparison.values import Slice, Slices

SLICED = frozenset({Kind.CATEGORY, Kind.BOOLEAN, Kind.NUMBER, Kind.INTEGER})


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    field: str
    value: str
    rows: Ints
    """Places among the inputs that both answered."""
    labelled: Ints
    """Those whose truth is known."""


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """What is averaged, an entry per input that both answered."""

    same: Floats
    lost: Floats
    """It means something where the truth is known."""
    shift: Floats | None


def slices(
    both: Pairs, contract: Contract, features: pa.Table | None, same: Floats, *, alpha: float, smallest: int
) -> Slices:
    """Every slice of at least `smallest` inputs; `same` is 1 where both said the same, 0 elsewhere."""
    if not len(same):
        return Slices(smallest=smallest)
    found = list(_parts(both, contract.fields, features))
    large = [each for each in found if len(each.rows) >= smallest]
    # The whole is one of them: a slice stands out by its interval lying apart from that of all inputs.
    judged = sum(len(each.labelled) >= smallest for each in large)
    intervals = 1 + len(large) + judged
    whole = mean_estimate("agreement", same, low=0.0, high=1.0, alpha=alpha / intervals, without="")
    numbers = numbers_of(both)
    values = _Values(same, _lost(both), None if numbers is None else numbers[2] - numbers[1])
    told = [_slice(each, values, smallest=smallest, least=whole.low or 0.0, alpha=alpha / intervals) for each in large]
    return Slices(
        worst=tuple(sorted(told, key=_rank)),
        intervals=intervals,
        smallest=smallest,
        left_out=len(found) - len(large),
    )


def _parts(both: Pairs, fields: Iterable[Field], features: pa.Table | None) -> Iterator[_Part]:
    sliced = [each for each in fields if each.kind in SLICED]
    places, table = public_features(features, sliced, both.ids)
    for field in table.column_names:
        cut = groups(_values(table[field]))
        occur = np.unique(cut.codes)
        for code in occur if len(occur) > 1 else ():  # a field with one value cuts nothing
            rows = places[cut.codes == code]
            yield _Part(field, cut.names[code], rows, rows[both.labelled[rows]])


def _values(column: pa.ChunkedArray) -> Column:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return floats(column)
    return np.array(column.to_pylist(), np.object_)


def _lost(both: Pairs) -> Floats:
    lost = np.zeros(len(both))
    lost[both.labelled] = losses(both.take(both.labelled))
    return lost


def _slice(part: _Part, values: _Values, *, smallest: int, least: float, alpha: float) -> Slice:
    same, lost = values.same[part.rows], values.lost[part.labelled]
    agreement = mean_estimate("agreement", same, low=0.0, high=1.0, alpha=alpha, without="")
    shift = np.zeros(0) if values.shift is None else values.shift[part.rows]
    shift = shift[np.isfinite(shift)]
    judged = len(lost) >= smallest
    return Slice(
        field=part.field,
        value=part.value,
        inputs=len(same),
        agreement=agreement,
        stands_out=agreement.high is not None and agreement.high < least,
        shift=float(shift.mean()) if len(shift) else None,
        labelled=len(lost),
        loss=mean_estimate("loss", lost, low=-1.0, high=1.0, alpha=alpha, without="") if judged else None,
    )


def _rank(each: Slice) -> tuple[float, float, str, str]:
    high, value = each.agreement.high, each.agreement.value
    return (1.0 if high is None else high, 1.0 if value is None else value, each.field, each.value)
