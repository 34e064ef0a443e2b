"""Whether a converted model says what the model itself says: on reference rows, and where its answer jumps.

`register` decides with it between ONNX with float32 inputs, ONNX with float64 inputs and the native model;
``doctor`` runs `recheck` on the serving machine.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet

from headgate.registry.native import Array
from headgate.registry.packages import BESIDE, REFERENCE, SAID, Package
from headgate.registry.ports import Predicted, Runner
from headgate.vocabulary import Task, readable

TOLERANCE: Final = 1e-5
"""Largest difference of a score that still counts as the same answer."""
RELATIVE: Final = 1e-4
"""Largest difference of a number, as a share of the larger of the answer and the typical answer."""
SPOTS: Final = 10
"""Worst rows a report names."""


class Spot(msgspec.Struct, frozen=True):
    """A row where two models differ."""

    row: int
    """Position in the reference sample."""
    field: str | None
    """The field that was moved to where the model's answer jumps; None: the reference row as it is."""
    difference: float
    flipped: bool
    """Whether the label differs."""


class Parity(msgspec.Struct, frozen=True):
    """How far a candidate's answers lie from the model's own."""

    rows: int
    """Rows compared: reference rows, then rows beside a jump."""
    max_difference: float
    """Of scores, absolute; of numbers, relative as `RELATIVE` says; of labels alone, 0."""
    label_flips: int
    ties: int
    """Labels that differ where the model's own two best scores are closer than twice the tolerance."""
    where: tuple[Spot, ...]
    """The worst rows, worst first."""
    exact: bool
    """Whether the candidate may stand for the model."""
    reason: str


class Origin(msgspec.Struct, frozen=True):
    """Where a row compared comes from."""

    row: int
    field: str | None = None


class Attempt(msgspec.Struct, frozen=True):
    """What became of one candidate."""

    candidate: str
    parity: Parity | None
    """None when it could not be made or did not run."""
    reason: str


@readable
class ParityReport(msgspec.Struct, frozen=True):
    """Every candidate tried, in order of preference; the last one was chosen. Kept as ``parity.json``."""

    chosen: str
    reason: str
    attempts: tuple[Attempt, ...]


def compare_outputs(
    native: Predicted,
    candidate: Predicted,
    classes: Sequence[str | int | bool],
    *,
    origins: Sequence[Origin] | None = None,
) -> Parity:
    """How far `candidate` lies from `native`, row by row.

    Exact means: no label flips except at ties, and no score more than 1e-5 away (no number more than 1e-4
    relative). `origins` say where rows come from; by default row i is reference row i.

    >>> one = Predicted(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> two = Predicted(np.array([0, 0]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> said = compare_outputs(one, two, (0, 1))
    >>> said.label_flips, round(said.max_difference, 3), said.exact, said.where[0].row
    (1, 0.4, False, 1)
    """
    rows = len(native.prediction)
    if len(candidate.prediction) != rows:
        return Parity(rows, float("inf"), 0, 0, (), False, f"{len(candidate.prediction)} answers for {rows} rows")
    if classes and (native.scores is None) != (candidate.scores is None):
        return Parity(rows, float("inf"), 0, 0, (), False, "one gives scores, the other does not")
    differences, limit = _differences(native, candidate, bool(classes))
    flipped, tied = _flips(native, candidate) if classes else (np.zeros(rows, bool), np.zeros(rows, bool))
    flipped &= ~tied
    worst = float(differences.max(initial=0.0))
    flips = int(flipped.sum())
    known = origins if origins is not None else [Origin(row) for row in range(rows)]
    order = np.lexsort((-differences, ~flipped))[:SPOTS]
    where = tuple(
        Spot(known[row].row, known[row].field, float(differences[row]), bool(flipped[row]))
        for row in order
        if flipped[row] or differences[row] > limit
    )
    exact = flips == 0 and worst <= limit
    return Parity(rows, worst, flips, int(tied.sum()), where, exact, _words(rows, worst, flips, limit, where))


def recheck(package: Package, runner: Runner) -> Parity | None:
    """Parity between what the model said when it was registered and what its package says here and now.

    None when the rows it was held on were taken away. Raises RuntimeFailed when it does not run here.
    """
    names = list(package.contract.names)
    if not all((package.path / name).is_file() for name in (REFERENCE, BESIDE, SAID)):
        return None
    sample = pa.parquet.read_table(package.path / REFERENCE).select(names)
    beside = pa.parquet.read_table(package.path / BESIDE).select(names)
    rows = pa.concat_tables([sample, beside.cast(sample.schema)])
    said = runner(package.path).predict(rows)
    if package.contract.output.task is Task.TENSOR:
        return Parity(rows.num_rows, 0.0, 0, 0, (), True, f"it runs on all {rows.num_rows} rows")
    then = answers_in(pa.parquet.read_table(package.path / SAID))
    origins = [Origin(row) for row in range(sample.num_rows)] + [Origin(row, "?") for row in range(beside.num_rows)]
    return compare_outputs(then, said, package.contract.output.classes, origins=origins)


def table_of(said: Predicted) -> pa.Table:
    """Answers as a table to keep: ``prediction`` and one column per score."""
    columns = {"prediction": pa.array(said.prediction.tolist())}
    if said.scores is not None:
        columns |= {f"score_{place}": pa.array(each) for place, each in enumerate(said.scores.T)}
    return pa.table(columns)


def answers_in(table: pa.Table) -> Predicted:
    """The answers `table_of` made a table of."""
    names = [each for each in table.column_names if each.startswith("score_")]
    scores = np.column_stack([table.column(each).to_numpy() for each in names]) if names else None
    prediction = np.array(table.column("prediction").to_pylist())
    return Predicted(prediction, scores)


def _differences(native: Predicted, candidate: Predicted, classifier: bool) -> tuple[npt.NDArray[np.float64], float]:
    if native.scores is not None and candidate.scores is not None:
        if native.scores.shape != candidate.scores.shape:
            return np.full(len(native.prediction), np.inf), TOLERANCE
        return _apart(native.scores, candidate.scores).max(axis=1, initial=0.0), TOLERANCE
    if classifier:
        return np.zeros(len(native.prediction)), TOLERANCE
    ours = np.asarray(native.prediction, np.float64)
    with np.errstate(over="ignore"):  # the middle of two huge numbers is infinite, and then nothing is divided by it
        typical = float(np.nanmedian(np.abs(ours))) if np.isfinite(ours).any() else 1.0
    scale = np.maximum(np.abs(ours), typical or 1.0)
    return _apart(ours, np.asarray(candidate.prediction, np.float64)) / np.where(np.isfinite(scale), scale, 1), RELATIVE


def _apart(ours: Array, theirs: Array) -> npt.NDArray[np.float64]:
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(ours - theirs)
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def _flips(native: Predicted, candidate: Predicted) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    pairs = zip(native.prediction.tolist(), candidate.prediction.tolist(), strict=True)
    flipped = np.array([ours != theirs for ours, theirs in pairs], bool)
    if native.scores is None or native.scores.shape[1] < 2:
        return flipped, np.zeros(len(flipped), bool)
    best = np.sort(native.scores, axis=1)
    return flipped, flipped & (best[:, -1] - best[:, -2] <= 2 * TOLERANCE)


def _words(rows: int, worst: float, flips: int, limit: float, where: Sequence[Spot]) -> str:
    if not where:
        return f"the same on all {rows} rows (largest difference {worst:.2g}, allowed {limit:.0e})"
    fields = sorted({each.field for each in where if each.field is not None})
    near = f", near where its answer jumps in {', '.join(fields)}" if fields else ""
    labels = f"{flips} labels flip and " if flips else ""
    return f"{labels}answers differ by up to {worst:.2g}{near} (allowed {limit:.0e})"
