"""Reconstruction drift against the same steps made of scikit-learn's parts, and what it sees."""

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from headgate.monitors.outliers.reconstruction import Rebuilt, Reconstruction, rebuilt, reconstruction
from headgate.monitors.standing import Shortfall, Standing


def rows(count: int, draw: np.random.Generator, turned: bool = False) -> pd.DataFrame:
    one, other = draw.normal(size=count), draw.normal(size=count)
    frame = pd.DataFrame(
        {
            "a": one,
            "b": (-one if turned else one) + 0.3 * draw.normal(size=count),
            "c": other,
            "d": other * 5 + draw.normal(size=count),
            "e": draw.exponential(size=count),
            "carrier": draw.choice(["AA", "UA", "DL"], count, p=[0.5, 0.3, 0.2]),
        }
    )
    frame.loc[draw.random(count) < 0.1, "c"] = np.nan
    frame.loc[draw.random(count) < 0.05, "carrier"] = None
    return frame


class Pipeline:
    """NannyML's published steps, by the libraries it uses; frequencies stand for its count encoder."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.numbers = [name for name in frame if name != "carrier"]
        self.mean = SimpleImputer(strategy="mean").fit(frame[self.numbers])
        self.mode = frame["carrier"].mode()[0]
        self.frequency = frame["carrier"].fillna(self.mode).value_counts(normalize=True)
        self.scaler = StandardScaler().fit(self.coded(frame))
        self.pca = PCA(n_components=0.65, random_state=16).fit(self.scaler.transform(self.coded(frame)))

    def coded(self, frame: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        names = frame["carrier"].fillna(self.mode).map(self.frequency).fillna(0.0)
        return np.column_stack([self.mean.transform(frame[self.numbers]), names])

    def errors(self, frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        scaled = self.scaler.transform(self.coded(frame))
        back = self.pca.inverse_transform(self.pca.transform(scaled))
        return np.asarray(np.linalg.norm(scaled - back, axis=1))


def table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def window(fitted: Reconstruction, frame: pd.DataFrame) -> Rebuilt:
    found = rebuilt(fitted, table(frame))
    assert isinstance(found, Rebuilt)
    return found


@pytest.fixture(scope="module")
def fitted() -> Reconstruction:
    made = reconstruction(table(rows(3000, np.random.default_rng(91))))
    assert isinstance(made, Reconstruction)
    return made


def test_every_figure_is_that_of_the_published_steps(fitted: Reconstruction) -> None:
    reference = rows(3000, np.random.default_rng(91))
    theirs = Pipeline(reference)
    assert len(fitted.components) == theirs.pca.n_components_
    own = theirs.errors(reference)
    chunks = np.array([each.mean() for each in np.array_split(own, 10)])
    assert fitted.spread == pytest.approx(own.std(ddof=1))
    assert fitted.band is not None
    assert (fitted.band.low, fitted.band.high) == pytest.approx(
        (chunks.mean() - 3 * chunks.std(), chunks.mean() + 3 * chunks.std())
    )
    later = rows(800, np.random.default_rng(92))
    later.loc[:40, "carrier"] = "never seen"
    found = window(fitted, later)
    assert found.error.value == pytest.approx(theirs.errors(later).mean())
    assert found.sampling_error == pytest.approx(own.std(ddof=1) / np.sqrt(800))


def test_fields_that_no_longer_go_together_leave_the_band(fitted: Reconstruction) -> None:
    draw = np.random.default_rng(93)
    assert window(fitted, rows(300, draw)).outside is False
    assert window(fitted, rows(300, draw, turned=True)).outside is True


def test_less_error_than_ever_leaves_the_band_too(fitted: Reconstruction) -> None:
    calm = rows(300, np.random.default_rng(94))
    calm[["a", "b", "c", "d", "e"]] = [0.0, 0.0, 0.0, 0.0, 1.0]
    calm["carrier"] = "AA"
    found = window(fitted, calm)
    assert found.outside is True
    assert fitted.band is not None
    assert found.error.value is not None
    assert found.error.value < fitted.band.low


def test_it_survives_being_kept(fitted: Reconstruction) -> None:
    again = msgspec.json.decode(msgspec.json.encode(fitted), type=Reconstruction)
    later = rows(100, np.random.default_rng(95))
    assert window(again, later) == window(fitted, later)


def test_a_window_of_one_row_and_one_of_none(fitted: Reconstruction) -> None:
    one = window(fitted, rows(1, np.random.default_rng(96)))
    assert one.error.low is not None
    assert np.isfinite(one.sampling_error)
    empty = rebuilt(fitted, table(rows(10, np.random.default_rng(96))).slice(0, 0))
    assert empty == Shortfall(Standing.UNDECIDED, "the window has no rows")


def test_columns_that_are_gone_or_of_another_type_count_as_missing(fitted: Reconstruction) -> None:
    later = table(rows(100, np.random.default_rng(97)))
    for changed in (later.drop_columns(["a"]), later.set_column(0, "a", pa.array(["text"] * 100))):
        found = rebuilt(fitted, changed)
        assert isinstance(found, Rebuilt)
        assert found.error.value is not None


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (pa.table({"a": [1.0] * 5}), "the reference has 5 rows; 10 are needed"),
        (pa.table({"a": [1.0] * 50, "b": pa.nulls(50, pa.float64())}), "every field of the reference is constant"),
        (pa.table({"a": [[1.0]] * 50}), "no field is a number, a moment, a truth value or a text"),
        (pa.table({"a": [1e300, -1e300] * 25}), "the reference has numbers too large to be squared"),
    ],
)
def test_references_it_cannot_be_fitted_on(reference: pa.Table, reason: str) -> None:
    found = reconstruction(reference)
    assert isinstance(found, Shortfall)
    assert found.reason == reason


def test_numbers_too_large_to_square_are_broken(fitted: Reconstruction) -> None:
    frame = rows(50, np.random.default_rng(98))
    frame["a"] = 1e300
    found = rebuilt(fitted, table(frame))
    assert found == Shortfall(Standing.BROKEN, "the window has numbers too large to be squared")
