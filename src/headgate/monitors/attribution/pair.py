"""Everything of two windows that no metric is needed for, worked out once for all of them; for `attribute`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Rows
from headgate.monitors.attribution.basis import Basis, Moved, basis, moved
from headgate.monitors.attribution.faults import Fault, faults
from headgate.monitors.attribution.gaps import Gap, gaps, telling
from headgate.monitors.attribution.overlap import Overlap, overlap
from headgate.monitors.attribution.pooled import Field, pooled
from headgate.monitors.attribution.ranking import Ratios
from headgate.monitors.attribution.samples import Sample
from headgate.vocabulary import Task

ERROR_RATE: Final = 0.01
"""How often a change of the inputs, and how often one of the relation, may be named where there is none."""
SCORES: Final = 8
"""Classes up to which the score of each is a column, beside the class that was said."""
MOST: Final = 150
"""Columns a fit is given: all of the model's answers, and of the fields those that differ most."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Everything of two windows that no metric is needed for."""

    reference: Sample
    current: Sample
    fields: tuple[Field, ...]
    ratios: Ratios
    """How frequent rows are by now, by the columns of some fields alone."""
    moved: tuple[Moved, ...]
    """Fields whose distribution changed beyond chance, surest first."""
    faults: tuple[Fault, ...]
    matrix: Floats
    """Columns of the fields and of the model's answers."""
    shared: Overlap
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    """What was left out, and which fields alone tell the windows apart."""


def compare(reference: Sample, current: Sample, seed: int) -> Pair:
    """Two windows beside each other: what moved, what is broken, what they share."""
    is_current = np.repeat([False, True], [len(reference.rows), len(current.rows)])
    fields = pooled(reference.fields, current.fields)
    columns = basis(fields)
    broken = faults(fields, is_current)
    matrix = _shown(columns, _answers(reference.rows, current.rows), is_current)
    shared = overlap(matrix, is_current, seed)
    apart = telling([each for each in fields if each.name not in {fault.field for fault in broken}], is_current)
    return Pair(
        reference,
        current,
        fields,
        Ratios(columns, is_current),
        tuple(each for each in moved(columns, is_current) if each.log_p <= math.log(ERROR_RATE)),
        broken,
        matrix,
        shared,
        gaps(fields, shared),
        _notes(reference, current, apart),
    )


def _shown(columns: Basis, answers: Sequence[Field], is_current: NDArray[np.bool_]) -> Floats:
    """At most `MOST` columns; how answers go together is not looked at."""
    if not answers:
        return columns.widest(is_current, MOST)
    said = basis(answers, jointly=False).matrix
    return np.column_stack((columns.widest(is_current, MOST - said.shape[1]), said))


def _notes(reference: Sample, current: Sample, apart: Sequence[str]) -> tuple[str, ...]:
    differing = sorted(set(reference.fields) ^ set(current.fields))
    left_out = (f"only one window has {', '.join(differing[:5])}; not compared",) if differing else ()
    clocks = (f"{each} alone tells the windows apart; leave it out if it counts or is a clock" for each in apart)
    return (*left_out, *clocks)


def _answers(reference: Rows, current: Rows) -> tuple[Field, ...]:
    """What the model said, as fields: a loss depends on that more than on anything else."""
    found: list[Field] = []
    if reference.scores is not None and current.scores is not None:
        scores = np.concatenate((reference.scores, current.scores))
        # Of two classes one says it all.
        places = (1,) if reference.task is Task.BINARY else range(min(scores.shape[1], SCORES))
        found.extend(Field(f"(score {place})", scores[:, place]) for place in places)
    if reference.predicted is not None and current.predicted is not None:
        said = np.concatenate((reference.predicted, current.predicted))
        found.append(Field("(answer)", said.astype(np.float64 if reference.task is Task.REGRESSION else str)))
    return tuple(found)
