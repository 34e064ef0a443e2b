"""One detector on the rows of one contract: which columns it looks at, and how a row says what was found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headgate.contracts.contract import Contract
from headgate.errors import Violation
from headgate.evaluation.estimate import Floats
from headgate.gateway.columns import Columns, Matrix, Table
from headgate.gateway.reading import Reading
from headgate.monitors.encoder import Encoder
from headgate.monitors.outliers.screen import OutlierScreen, Threshold
from headgate.monitors.outliers.shapes import TabularShape
from headgate.vocabulary import OUTLIER, OUTLIER_FLAG

_FIGURES: Final = "the row as a whole is unlike those the model was fitted on: {score:.3g} is beyond {limit:.3g}, which 1 "
_WHAT: Final = "in {count:,} of those exceeds; mend the values, their units or their combination, or ask somebody else"


class RowScreen:
    """Marks rows in the order of one contract."""

    def __init__(self, screen: OutlierScreen, encoder: Encoder, places: Sequence[int]) -> None:
        """`places` are those of the encoder's fields in a row."""
        self._screen = screen
        self._encoder = encoder
        self._places = list(places)
        detector = screen.detector
        self._reject = detector.reject
        self._flag = detector.flag.score
        self._least = self._flag if detector.reject is None else min(self._flag, detector.reject.score)

    def mark(self, readings: Sequence[Reading]) -> tuple[int, int]:
        """Flag and refuse what is unlike the reference; how many rows were flagged and how many refused.

        Rows that are refused already are not looked at.
        """
        read = [(each, *self._matrix(each)) for each in readings]
        scores = self._screen.scores(np.concatenate([rows for _, rows, _ in read]))
        if not (scores > self._least).any():
            return 0, 0
        flagged = refused = start = 0
        for reading, rows, places in read:
            own = scores[start : start + len(rows)]
            start += len(rows)
            if (own > self._least).any():
                flags, refusals = self._mark(reading, own, places)
                flagged, refused = flagged + flags, refused + refusals
        return flagged, refused

    def _matrix(self, reading: Reading) -> tuple[Floats, Sequence[int]]:
        """The rows that may be looked at as the detector reads them, and their places in the request."""
        if reading.columns is not None:
            return _numbers(reading.columns, self._places), range(len(reading.rows))
        places: Sequence[int] = range(len(reading.rows))
        if not reading.clean:
            places = [place for place in places if not isinstance(reading.rows[place], Violation)]
        found = np.empty((len(places), len(self._places)))
        for at, place in enumerate(places):
            row: Any = reading.rows[place]
            found[at] = self._encoder.row([row[each] for each in self._places])
        return found, places

    def _mark(self, reading: Reading, scores: Floats, places: Sequence[int]) -> tuple[int, int]:
        """How many rows were flagged and how many refused."""
        refused = np.zeros(len(scores), np.bool_) if self._reject is None else scores > self._reject.score
        flagged = (scores > self._flag) & ~refused
        flags = [()] * len(reading.rows) if reading.flags is None else list(reading.flags)
        for at in np.flatnonzero(flagged).tolist():
            flags[places[at]] = (*flags[places[at]], OUTLIER_FLAG)
        if flagged.any():
            reading.flags = flags
        if self._reject is not None and refused.any():
            rows = list(reading.rows)
            for at in np.flatnonzero(refused).tolist():
                rows[places[at]] = _violation(places[at], float(scores[at]), self._reject)
            reading.rows, reading.columns = rows, None
        elif reading.columns is not None:
            reading.columns = _flagged(reading.columns, flags)
        reading.clean = False
        return int(flagged.sum()), int(refused.sum())


def row_screen(screen: OutlierScreen, contract: Contract) -> RowScreen | None:
    """The screen for rows of `contract`; None where it lacks a field that the detector looks at."""
    shape, names = screen.detector.shape, contract.names
    if not isinstance(shape, TabularShape) or any(each.name not in names for each in shape.encoder.fields):
        return None
    return RowScreen(screen, shape.encoder, [names.index(each.name) for each in shape.encoder.fields])


def _violation(place: int, score: float, limit: Threshold) -> Violation:
    said = (_FIGURES + _WHAT).format(score=score, limit=limit.score, count=round(1 / limit.rate))
    return Violation(f"rows[{place}]", OUTLIER, said)


def _numbers(columns: Table, places: Sequence[int]) -> Floats:
    """These columns as floats, NaN where a value is missing or not finite."""
    found: npt.NDArray[Any]
    if isinstance(columns, Matrix):
        found = columns.values[:, places].astype(np.float64)
    else:
        found = np.empty((len(columns), len(places)))
        for at, place in enumerate(places):
            column = columns.fields[place]
            found[:, at] = column.values
            if column.nulls is not None:
                found[column.nulls, at] = np.nan
    found[~np.isfinite(found)] = np.nan
    return found


def _flagged(columns: Table, flags: Sequence[tuple[str, ...]]) -> Columns | None:
    """The columns with these flags; None, and then rows are read one by one, where they can have none."""
    if isinstance(columns, Matrix):
        return None
    sets = {each: place for place, each in enumerate(dict.fromkeys(flags))}
    which = np.array([sets[each] for each in flags], np.intp)
    return replace(columns, flag_sets=tuple(sets), flagged=which)
