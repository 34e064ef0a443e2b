"""Drift of all fields together by reconstruction: rows of another shape come back less whole.

NannyML's published algorithm: missing values replaced by the mean or the most frequent category, categories by how
frequent they are, every column standardised, principal components up to 65 % of the variance, all of that fitted on the
reference; a row's error is its distance from what the components give back.
"""

import math
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Estimate, Floats, quantile_of
from headgate.evaluation.metrics import CONFIDENCE
from headgate.monitors.bands import Band, band
from headgate.monitors.encoder import Encoder
from headgate.monitors.matrices import encoder_of, matrix
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import readable

KEPT: Final = 0.65
"""Share of the variance that the components keep, at least."""
CHUNKS: Final = 10
"""Parts of the reference whose mean errors make the band."""
LEAST: Final = 10
"""Reference rows below which nothing is fitted."""

Row = tuple[float, ...]


@readable
class Reconstruction(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted once on a reference; a value that can be kept as JSON. One entry per field of `encoder`."""

    encoder: Encoder
    frequencies: tuple[Row, ...]
    """How frequent each category is among the reference's rows; empty for a number."""
    fill: Row
    """What a missing value counts as."""
    means: Row
    scales: Row
    """Standard deviations; 1 for a column without any."""
    components: tuple[Row, ...]
    """Unit vectors, the one of most variance first."""
    spread: float
    """Standard deviation of the reference's row errors."""
    band: Band | None
    """Where the mean error of a chunk of the reference lies; None with fewer than three chunks."""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """How far a window's rows lie from what the reference's components give back."""

    error: Estimate
    """Mean distance in standard deviations; its interval is that of chance on so many rows."""
    sampling_error: float
    band: Band | None

    @property
    def outside(self) -> bool | None:
        """Whether the mean error lies outside the band, to either side; None without one."""
        return None if self.band is None or self.error.value is None else not self.band.holds(self.error.value)


def reconstruction(reference: pa.Table, *, chunks: int = CHUNKS) -> Reconstruction | Shortfall:
    """What is needed to tell whether later rows have the reference's shape, or why it cannot be fitted.

    >>> draw = np.random.default_rng(0)
    >>> one = draw.normal(size=500)
    >>> fitted = reconstruction(pa.table({"a": one, "b": one + 0.1 * draw.normal(size=500)}))
    >>> other = draw.normal(size=500)
    >>> rebuilt(fitted, pa.table({"a": other, "b": -other})).outside
    True
    """
    encoder = encoder_of(reference)
    if not encoder.fields:
        return undecided("no field is a number, a moment, a truth value or a text")
    if reference.num_rows < LEAST:
        return undecided(f"the reference has {reference.num_rows:,} rows; {LEAST} are needed")
    coded = matrix(encoder, reference)
    frequencies, fill = _frequencies(encoder, coded)
    numbers = _filled(encoder, coded, frequencies, fill)
    with np.errstate(over="ignore", invalid="ignore"):
        means, deviations = numbers.mean(axis=0), numbers.std(axis=0)
    if not bool(np.isfinite(deviations).all()):
        return broken("the reference has numbers too large to be squared")
    # A column of equal numbers has a deviation of rounding errors.
    scales = np.where(deviations > 1e-12 * (1 + np.abs(means)), deviations, 1.0)
    components = _components((numbers - means) / scales)
    if len(components) == 0:
        return undecided("every field of the reference is constant")
    fitted = Reconstruction(
        encoder=encoder,
        frequencies=frequencies,
        fill=tuple(fill.tolist()),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        components=tuple(tuple(each) for each in components.tolist()),
        spread=0.0,
        band=None,
    )
    errors = _errors(fitted, coded)
    parts = [float(each.mean()) for each in np.array_split(errors, max(1, chunks)) if len(each)]
    return msgspec.structs.replace(fitted, spread=float(errors.std(ddof=1)), band=band(parts))


def rebuilt(fitted: Reconstruction, window: pa.Table, *, confidence: float = CONFIDENCE) -> Rebuilt | Shortfall:
    """The window's mean reconstruction error beside the reference's band, or why there is none."""
    if window.num_rows == 0:
        return undecided("the window has no rows")
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(row_errors(fitted, window).mean())
    if not math.isfinite(mean):
        return broken("the window has numbers too large to be squared")
    sampling = fitted.spread / math.sqrt(window.num_rows)
    reach = quantile_of(confidence) * sampling
    error = Estimate("reconstruction_error", mean, max(0.0, mean - reach), mean + reach, window.num_rows)
    return Rebuilt(error=error, sampling_error=sampling, band=fitted.band)


def row_errors(fitted: Reconstruction, rows: pa.Table) -> Floats:
    """How far each row lies from what the reference's components give back, in standard deviations.

    Not finite where numbers are too large to be squared.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _errors(fitted, matrix(fitted.encoder, rows))


def _frequencies(encoder: Encoder, coded: Floats) -> tuple[tuple[Row, ...], Floats]:
    """How frequent categories are once missing ones count as the most frequent, and what a missing value counts as."""
    frequencies: list[Row] = []
    fill = np.zeros(len(encoder.fields))
    for place, field in enumerate(encoder.fields):
        column = coded[:, place]
        present = column[~np.isnan(column)]
        if field.categories is None:
            with np.errstate(over="ignore"):
                fill[place] = present.mean() if len(present) else 0.0
            frequencies.append(())
            continue
        counts = np.bincount(present.astype(np.intp), minlength=max(1, len(field.categories))).astype(np.float64)
        counts[0] += len(column) - len(present)
        frequencies.append(tuple((counts / len(column)).tolist()))
        fill[place] = counts[0] / len(column)
    return tuple(frequencies), fill


def _filled(encoder: Encoder, coded: Floats, frequencies: tuple[Row, ...], fill: Floats) -> Floats:
    """Numbers where categories were; one the reference does not have has the frequency 0."""
    numbers = coded.copy()
    for place, shares in enumerate(frequencies):
        if encoder.fields[place].categories is not None:
            column = coded[:, place]
            known = np.append(np.array(shares), 0.0)
            codes = np.nan_to_num(column, nan=-1.0).astype(np.intp)
            numbers[:, place] = np.where(np.isnan(column), np.nan, known[codes])
    return np.where(np.isnan(numbers), fill, numbers)


def _components(standard: Floats) -> Floats:
    """The fewest principal components that keep more than `KEPT` of the variance; none where there is no variance."""
    variances, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    total = float(variances.sum())
    if total <= 1e-12:
        return np.zeros((0, standard.shape[1]))
    shares = np.cumsum(variances[::-1]) / total
    count = int(np.searchsorted(shares, KEPT, side="right")) + 1
    components: Floats = vectors[:, ::-1].T[:count]
    return components


def _errors(fitted: Reconstruction, coded: Floats) -> Floats:
    numbers = _filled(fitted.encoder, coded, fitted.frequencies, np.array(fitted.fill))
    standard = (numbers - np.array(fitted.means)) / np.array(fitted.scales)
    components = np.array(fitted.components)
    lost = standard - (standard @ components.T) @ components
    distances: Floats = np.sqrt(np.square(lost).sum(axis=1))
    return distances
