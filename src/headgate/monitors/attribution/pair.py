"""Everything of two windows that no metric is needed for, worked out once for all of them; for `attribute`."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import Rows
from headgate.monitors.attribution.basis import Basis, Moved, basis, moved
from headgate.monitors.attribution.faults import Fault, faults
from headgate.monitors.attribution.overlap import Overlap, overlap
from headgate.monitors.attribution.pooled import Field, pooled
from headgate.monitors.attribution.samples import Sample
from headgate.vocabulary import Task

ERROR_RATE: Final = 0.01
"""How often a change of the inputs, and how often one of the relation, may be named where there is none."""
SCORES: Final = 8
"""Classes up to which the score of each is a column, beside the class that was said."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Everything of two windows that no metric is needed for."""

    reference: Sample
    current: Sample
    fields: tuple[Field, ...]
    columns: Basis
    moved: tuple[Moved, ...]
    faults: tuple[Fault, ...]
    matrix: Floats
    """Columns of the fields and of the model's answers."""
    shared: Overlap
    notes: tuple[str, ...]


def compare(reference: Sample, current: Sample, seed: int) -> Pair:
    """Two windows beside each other: what moved, what is broken, what they share."""
    is_current = np.repeat([False, True], [len(reference.rows), len(current.rows)])
    fields = pooled(reference.fields, current.fields)
    columns = basis(fields)
    matrix = basis((*fields, *_answers(reference.rows, current.rows))).widest(is_current)
    differing = sorted(set(reference.fields) ^ set(current.fields))
    notes = (f"only one window has {', '.join(differing[:5])}; not compared",) if differing else ()
    surely = tuple(each for each in moved(columns, is_current) if each.log_p <= math.log(ERROR_RATE))
    return Pair(
        reference,
        current,
        fields,
        columns,
        surely,
        faults(fields, is_current),
        matrix,
        overlap(matrix, is_current, seed),
        notes,
    )


def _answers(reference: Rows, current: Rows) -> tuple[Field, ...]:
    """What the model said, as fields: a loss depends on that more than on anything else."""
    found: list[Field] = []
    if reference.scores is not None and current.scores is not None:
        scores = np.concatenate((reference.scores, current.scores))
        # Of two classes one says it all.
        places = (1,) if reference.task is Task.BINARY else range(min(scores.shape[1], SCORES))
        found.extend(Field(f"(score {place})", scores[:, place]) for place in places)
    if reference.predicted is not None and current.predicted is not None:
        said = np.concatenate((reference.predicted, current.predicted)).astype(np.float64)
        found.append(Field("(answer)", said))
    return tuple(found)
