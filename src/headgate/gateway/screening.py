"""One detector on the rows of one contract: which columns it looks at, and how a row says what was found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import Violation
from headgate.evaluation.estimate import Floats
from headgate.gateway.columns import Columns, Matrix, Table
from headgate.gateway.reading import Reading
from headgate.monitors.encoder import Encoder
from headgate.monitors.outliers.screen import OutlierScreen, Threshold
from headgate.monitors.outliers.shapes import EmbeddingShape
from headgate.vocabulary import OUTLIER, OUTLIER_FLAG

_SAID: Final = (
    "the row as a whole is unlike those the model was fitted on: {score:.3g} is beyond {limit:.3g}, which 1 in "
    "{count:,} of those exceeds; mend the values, their units or their combination, or ask somebody else"
)
Row = Sequence[Any]


class TableRows:
    """Rows as the detector of a table reads them."""

    def __init__(self, encoder: Encoder, places: Sequence[int]) -> None:
        """`places` are those of the encoder's fields in a row."""
        self._encoder = encoder
        self._places = list(places)

    def each(self, rows: Sequence[Row]) -> Floats:
        """(rows, fields), NaN where a value is missing or no finite number."""
        found = np.empty((len(rows), len(self._places)))
        for at, row in enumerate(rows):
            found[at] = self._encoder.row([row[place] for place in self._places])
        return found

    def whole(self, columns: Table) -> Floats:
        """The same of rows that came as columns of numbers."""
        found: Floats
        if isinstance(columns, Matrix):
            found = columns.values[:, self._places].astype(np.float64)
        else:
            found = np.empty((len(columns), len(self._places)))
            for at, place in enumerate(self._places):
                column = columns.fields[place]
                found[:, at] = column.values
                if column.nulls is not None:
                    found[column.nulls, at] = np.nan
        found[~np.isfinite(found)] = np.nan
        return found


class VectorRows:
    """Rows of which one field is the vector that a detector of embeddings reads."""

    def __init__(self, place: int, width: int) -> None:
        """`place` is that of the field in a row, `width` how many numbers it has."""
        self._place = place
        self._width = width

    def each(self, rows: Sequence[Row]) -> Floats:
        """(rows, dimensions), NaN where there is no vector."""
        found = np.full((len(rows), self._width), np.nan)
        for at, row in enumerate(rows):
            if row[self._place] is not None:
                found[at] = np.asarray(row[self._place], np.float64).ravel()
        return found

    def whole(self, columns: Table) -> Floats:
        """The same of rows that came as columns."""
        return self.each(columns.rows())


class RowScreen:
    """Marks rows in the order of one contract."""

    def __init__(self, screen: OutlierScreen, rows: TableRows | VectorRows) -> None:
        self._screen = screen
        self._rows = rows
        detector = screen.detector
        self._reject = detector.reject
        self._flag = detector.flag.score
        self._least = self._flag if detector.reject is None else min(self._flag, detector.reject.score)

    def mark(self, readings: Sequence[Reading]) -> tuple[int, int]:
        """Flag and refuse what is unlike the reference; how many rows were flagged and how many refused.

        Rows that are refused already are not looked at. Nothing is marked where this raises.
        """
        read = [(each, *self._matrix(each)) for each in readings]
        looked_at = [rows for _, rows, places in read if places]
        if not looked_at:
            return 0, 0
        scores = self._screen.scores(np.concatenate(looked_at))
        if not (scores > self._least).any():
            return 0, 0
        flagged = refused = start = 0
        for reading, _, places in read:
            own = scores[start : start + len(places)]
            start += len(places)
            if (own > self._least).any():
                flags, refusals = self._mark(reading, own, places)
                flagged, refused = flagged + flags, refused + refusals
        return flagged, refused

    def _matrix(self, reading: Reading) -> tuple[Floats, Sequence[int]]:
        """The rows that may be looked at as the detector reads them, and their places in the request."""
        places: Sequence[int] = range(len(reading.rows))
        if reading.columns is not None:
            return self._rows.whole(reading.columns), places
        if reading.clean:
            return self._rows.each(reading.rows), places  # type: ignore[arg-type] # clean: no Violation
        rows = [(place, row) for place, row in enumerate(reading.rows) if not isinstance(row, Violation)]
        return self._rows.each([row for _, row in rows]), [place for place, _ in rows]

    def _mark(self, reading: Reading, scores: Floats, places: Sequence[int]) -> tuple[int, int]:
        """How many rows were flagged and how many refused."""
        refused = np.zeros(len(scores), np.bool_) if self._reject is None else scores > self._reject.score
        flagged = (scores > self._flag) & ~refused
        flags: list[tuple[str, ...]] = [()] * len(reading.rows) if reading.flags is None else list(reading.flags)
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
    wanted = [shape.field] if isinstance(shape, EmbeddingShape) else [each.name for each in shape.encoder.fields]
    if any(each not in names for each in wanted):
        return None
    places = [names.index(each) for each in wanted]
    if isinstance(shape, EmbeddingShape):
        return RowScreen(screen, VectorRows(places[0], len(shape.centres[0])))
    return RowScreen(screen, TableRows(shape.encoder, places))


def _violation(place: int, score: float, limit: Threshold) -> Violation:
    said = _SAID.format(score=score, limit=limit.score, count=round(1 / limit.rate))
    return Violation(f"rows[{place}]", OUTLIER, said)


def _flagged(columns: Table, flags: Sequence[tuple[str, ...]]) -> Columns | None:
    """The columns with these flags; None, and then rows are read one by one, where they can have none."""
    if isinstance(columns, Matrix):
        return None
    sets = {each: place for place, each in enumerate(dict.fromkeys(flags))}
    which = np.array([sets[each] for each in flags], np.intp)
    return replace(columns, flag_sets=tuple(sets), flagged=which)
