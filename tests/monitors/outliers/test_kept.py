"""Detectors as bytes: whole or refused, and as many reference rows as are said to be needed."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from headgate.errors import IntegrityError, NewerSchema
from headgate.monitors.outliers.fits import held_out_of, rows_needed, tabular_detector
from headgate.monitors.outliers.kept import packed, unpacked
from headgate.monitors.outliers.screen import Detector, OutlierScreen
from headgate.monitors.standing import Shortfall

TABLE = pa.table({"a": np.random.default_rng(1).normal(size=400), "b": np.tile(["x", "y"], 200)})


@pytest.fixture(scope="module")
def detector() -> Detector:
    made = tabular_detector(TABLE)
    assert isinstance(made, Detector)
    return made


def test_bytes_there_and_back_are_the_same_detector(detector: Detector) -> None:
    assert unpacked(packed(detector)) == detector


def test_bytes_that_were_changed_are_refused(detector: Detector) -> None:
    data = packed(detector)
    with pytest.raises(IntegrityError, match="not those that were fitted"):
        unpacked(data.replace(b'"rate":0.01', b'"rate":0.02'))
    for torn in (b"", data[:-1], b"[]", b"\xff" + data, b'{"format":1}'):
        with pytest.raises(IntegrityError, match="holds no detector"):
            unpacked(torn)


def test_one_of_a_newer_headgate_is_told_as_such(detector: Detector) -> None:
    document = msgspec.json.decode(packed(detector))
    with pytest.raises(NewerSchema, match="newer Headgate"):
        unpacked(msgspec.json.encode(document | {"format": 2, "more": 1}))


@pytest.mark.parametrize("rate", [0.5, 0.01, 1 / 150, 1 / 1000])
def test_as_many_rows_as_are_said_to_be_needed_are_enough_and_one_less_is_not(rate: float) -> None:
    needed = rows_needed(rate)
    draw = np.random.default_rng(2)
    values = draw.normal(size=needed)
    made = tabular_detector(pa.table({"a": values}), flag=rate)
    assert isinstance(made, Detector)
    assert made.flag.rows == held_out_of(needed)
    assert isinstance(tabular_detector(pa.table({"a": values[1:]}), flag=rate), Shortfall)


def test_awkward_references_give_detectors_that_judge() -> None:
    draw = np.random.default_rng(3)
    table = pa.table(
        {
            "constant": np.full(3000, 7),
            "nothing": pa.nulls(3000, pa.float64()),
            "no text": pa.nulls(3000, pa.string()),
            "huge": pa.array(draw.integers(2**62, 2**63 - 1, 3000)),
            "each another": [f"id-{place}" for place in range(3000)],
            "usual": draw.normal(size=3000),
        }
    )
    made = tabular_detector(table, flag=0.01)
    assert isinstance(made, Detector)
    screen = OutlierScreen(made)
    rows = np.array([[7, np.nan, np.nan, 7e18, -1, 0.0], [8, np.nan, np.nan, 7e18, -1, 0.0], [np.nan] * 6, [0.0] * 6])
    scores = screen.scores(rows)
    assert np.isfinite(scores).all()
    assert scores[0] <= made.flag.score < scores[1], "a constant that changed is seen beside a field that always does"


def test_one_row_is_no_reference() -> None:
    assert isinstance(tabular_detector(TABLE.slice(0, 1)), Shortfall)
    assert isinstance(tabular_detector(TABLE.slice(0, 0)), Shortfall)
