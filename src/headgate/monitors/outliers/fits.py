"""Detectors of outliers, fitted on one half of a reference, their thresholds set by the other."""

import math
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.encoder import Encoder
from headgate.monitors.matrices import encoder_of, matrix
from headgate.monitors.outliers.screen import Detector, threshold
from headgate.monitors.outliers.shapes import Copula, EmbeddingShape, TabularShape, scorer
from headgate.monitors.solvers import clusters
from headgate.monitors.standing import Shortfall, broken, undecided

LEAST: Final = 200
"""Reference rows below which nothing is fitted."""
LARGEST: Final = 1e150
"""A number beyond it has no square, and is left out of what is fitted; it is judged all the same."""
FLAG: Final = 0.01
SHRINKAGE: Final = 0.1
"""How far correlations are drawn to 0, so that columns that repeat each other have an inverse."""
CENTRES: Final = 16
PER_CENTRE: Final = 20
"""Vectors a centre needs."""
PARTS: Final = np.array([0.002, 0.01, 0.03, *np.linspace(0.05, 0.95, 19), 0.97, 0.99, 0.998])
"""Quantiles at which a column's ranks become normal scores."""
_NORMAL: Final = np.array([NormalDist().inv_cdf(float(each)) for each in PARTS])
"""Their normal scores."""
_SEED: Final = 17


def tabular_detector(reference: pa.Table, *, flag: float = FLAG, reject: float | None = None) -> Detector | Shortfall:
    """A detector for rows of this table; fields that are no column of numbers or texts are not looked at.

    `flag` and `reject` are rates of false alarms.

    >>> from headgate.monitors.outliers.screen import OutlierScreen
    >>> draw = np.random.default_rng(0)
    >>> made = tabular_detector(pa.table({"a": draw.normal(size=2000), "b": draw.normal(size=2000)}))
    >>> screen = OutlierScreen(made)
    >>> [screen.judge(made.shape.encoder.row(each)).mark.value for each in ([0.1, 0.2], [9.0, 0.0])]
    ['ordinary', 'flag']
    """
    encoder = encoder_of(reference)
    if not encoder.fields:
        return undecided("no field is a number, a moment, a truth value or a text")
    if reference.num_rows < LEAST:
        return undecided(f"the reference has {reference.num_rows:,} rows; {LEAST} are needed")
    rows = matrix(encoder, reference)
    fitted, held_out = _halves(len(rows))
    mine = np.where(np.abs(rows[fitted]) > LARGEST, np.nan, rows[fitted])
    return _with_thresholds(_copula(encoder, mine), rows[held_out], flag, reject)


def embedding_detector(
    vectors: Floats, *, flag: float = FLAG, reject: float | None = None, field: str = ""
) -> Detector | Shortfall:
    """A detector for vectors like these, (rows, dimensions): k-means of one half, distances to the nearest centre.

    `field` is of which field they are.
    """
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        return broken("embeddings must be (rows, dimensions), with at least one dimension")
    if len(vectors) < LEAST:
        return undecided(f"the reference has {len(vectors):,} vectors; {LEAST} are needed")
    if not bool((np.abs(vectors) < LARGEST).all()):
        return broken("the reference has vectors with numbers that are not finite, or too large to be squared")
    fitted, held_out = _halves(len(vectors))
    mine = vectors[fitted].astype(np.float64)
    count = max(1, min(CENTRES, len(mine) // PER_CENTRE, len(np.unique(mine, axis=0))))
    found = clusters(mine, count, _SEED)
    apart = np.square(mine - found.cluster_centers_[found.labels_]).sum(axis=1)
    own = np.bincount(found.labels_, minlength=count)
    radii = np.sqrt(np.bincount(found.labels_, weights=apart, minlength=count) / np.maximum(own, 1))
    # A centre whose vectors are all alike has no radius of its own.
    least = max(1e-12, 1e-3 * float(radii.max()))
    shape = EmbeddingShape(
        centres=_rows(found.cluster_centers_), radii=tuple(np.maximum(radii, least).tolist()), field=field
    )
    return _with_thresholds(shape, vectors[held_out].astype(np.float64), flag, reject)


def rows_needed(rate: float) -> int:
    """Rows that a reference needs for a rate of false alarms: half are fitted on, the others set the threshold.

    >>> rows_needed(0.01), rows_needed(0.001)
    (200, 1997)
    """
    held_out = math.ceil(round(1 / rate, 9)) - 1
    return max(LEAST, 2 * held_out - 1)


def _with_thresholds(
    shape: TabularShape | EmbeddingShape, held_out: Floats, flag: float, reject: float | None
) -> Detector | Shortfall:
    scores = scorer(shape).of(held_out)
    flagging = threshold(scores, flag)
    refusing = None if reject is None else threshold(scores, reject)
    if isinstance(flagging, Shortfall):
        return flagging
    if isinstance(refusing, Shortfall):
        return refusing
    return Detector(shape=shape, flag=flagging, reject=refusing)


def held_out_of(rows: int) -> int:
    """How many rows of a reference set the thresholds.

    >>> held_out_of(401)
    201
    """
    return rows - rows // 2


def _halves(rows: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = np.random.default_rng(_SEED).permutation(rows)
    return order[: rows // 2], order[rows // 2 :]


def _rows(array: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(each) for each in array.tolist())


def _copula(encoder: Encoder, rows: Floats) -> TabularShape:
    """The copula of these rows: each column by itself, then how their scores go together."""
    present = [column[~np.isnan(column)] for column in rows.T]
    knots = [_knots(each) for each in present]
    alone = TabularShape(
        encoder=encoder,
        knots=_rows(np.column_stack([places for places, _ in knots])),
        normal=_rows(np.column_stack([scores for _, scores in knots])),
        surprise=tuple(
            () if field.categories is None else _surprise(len(field.categories), codes)
            for field, codes in zip(encoder.fields, present, strict=True)
        ),
        holes=tuple((-2 * np.log((np.isnan(rows).sum(axis=0) + 1) / (len(rows) + 1))).tolist()),
        whitening=_rows(np.eye(len(encoder.fields))),
    )
    return msgspec.structs.replace(alone, whitening=_rows(_whitening(Copula(alone).columns(rows))))


def _knots(values: Floats) -> tuple[Floats, Floats]:
    """A column's quantiles, each once, and their normal scores; as many knots for every column.

    Values that share a quantile share the mean of its scores. Missing knots go on as the last piece does.
    """
    if len(values) == 0:
        values = np.zeros(1)
    distinct, places, counts = np.unique(np.quantile(values, PARTS), return_inverse=True, return_counts=True)
    scores = np.bincount(places, weights=_NORMAL) / counts
    if len(distinct) == 1:
        # A constant: whatever differs by a thousandth of it is far away.
        step = 1e-3 * max(1.0, abs(float(distinct[0])))
        distinct, scores = distinct[0] + np.array([-step, 0.0, step]), np.array([-4.0, 0.0, 4.0])
    # Neighbouring floats lie farther apart beyond a power of two: a step must reach the next one, or knots coincide.
    piece = max(distinct[-1] - distinct[-2], 2 * np.spacing(np.abs(distinct[-1])))
    more = np.arange(1, len(PARTS) - len(distinct) + 1)
    knots = np.append(distinct, distinct[-1] + more * piece)
    return knots, np.append(scores, scores[-1] + more * (scores[-1] - scores[-2]))


def _surprise(categories: int, codes: Floats) -> tuple[float, ...]:
    """-ln of how frequent each category is, and an unseen one, in standard deviations from its mean."""
    counts = np.bincount(codes.astype(np.intp), minlength=categories).astype(np.float64)
    surprises = -np.log(np.append(counts + 1, 1.0) / (len(codes) + 1))
    weights = np.append(counts, 0.0) / max(1.0, counts.sum())
    mean = float((weights * surprises).sum())
    deviation = np.sqrt(float((weights * (surprises - mean) ** 2).sum()))
    return tuple(((surprises - mean) / max(0.5, deviation)).tolist())


def _whitening(scores: Floats) -> Floats:
    """What turns these scores into uncorrelated ones of variance 1."""
    spread = scores.T @ scores / len(scores)
    own = np.diag(np.maximum(np.diag(spread), 1e-6))
    variances, vectors = np.linalg.eigh((1 - SHRINKAGE) * spread + SHRINKAGE * own)
    whitening: Floats = (vectors / np.sqrt(np.maximum(variances, 1e-6))).T
    return whitening
