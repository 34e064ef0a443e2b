"""A window beside a reference: every kind of column, every kind of bad input, and never an exception or a NaN."""

import datetime
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.monitors.comparison.compared import ComparedColumn, Comparison
from headgate.monitors.comparison.comparison import compare, compare_summaries
from headgate.monitors.comparison.sources import ParquetSource, TableSource
from headgate.monitors.comparison.summaries import read_summary, summary_of, window_summary
from headgate.monitors.comparison.text import as_text
from headgate.monitors.standing import Standing

START = datetime.datetime(2013, 3, 1, 6, tzinfo=datetime.UTC)


def table(rows: int, seed: int, *, moved: bool = False) -> pa.Table:
    random = np.random.default_rng(seed)
    hours = random.integers(12 if moved else 6, 24, rows)
    days = random.integers(0, 360, rows)
    shares = [0.5, 0.3, 0.2] if not moved else [0.2, 0.3, 0.5]
    return pa.table(
        {
            "number": random.normal(0.5 if moved else 0.0, 1.0, rows),
            "integer": random.poisson(4 if moved else 3, rows),
            "boolean": random.random(rows) < (0.4 if moved else 0.2),
            "category": pa.array(random.choice(["a", "b", "c"], rows, p=shares)).dictionary_encode(),
            "text": [
                f"{place:06}" + "x" * int(each) for place, each in enumerate(random.poisson(30 if moved else 20, rows))
            ],
            "timestamp": [
                START.replace(hour=0) + datetime.timedelta(days=int(day), hours=int(hour), minutes=int(day))
                for day, hour in zip(days, hours, strict=True)
            ],
            "date": [START.date() + datetime.timedelta(days=int(day) - int(day) % (7 if moved else 1)) for day in days],
        }
    )


def both_ways(reference: pa.Table, current: pa.Table, kinds: dict[str, Kind] | None = None) -> list[Comparison]:
    """Exactly, and from sketches that were stored."""
    kept = read_summary(summary_of(TableSource(reference), kinds).to_bytes())
    window = read_summary(window_summary(TableSource(current), kept).to_bytes())
    found = [compare(TableSource(reference), TableSource(current), kinds=kinds), compare_summaries(kept, window)]
    for each in found:
        assert "NaN" not in json.dumps(json.loads(msgspec.json.encode(each)))
        for column in each.columns:
            assert column.reason
            assert column.standing is not Standing.BROKEN or column.adjusted_p is None
            assert column.p is None or 0 <= column.p <= 1
            figures = [column.statistic, *column.effects.values()]
            assert all(math.isfinite(figure.value) if figure.value is not None else figure.reason for figure in figures)
        assert as_text(each)
    return found


def one(before: Any, after: Any, kind: Kind | None = None) -> list[ComparedColumn]:
    kinds = None if kind is None else {"x": kind}
    return [each.named("x") for each in both_ways(pa.table({"x": before}), pa.table({"x": after}), kinds)]


def standings(before: Any, after: Any, kind: Kind | None = None) -> set[str]:
    return {each.standing.value for each in one(before, after, kind)}


def test_what_moved_is_found_whatever_its_kind_and_the_rest_is_steady() -> None:
    reference, quiet, moved = table(3000, 1), table(2000, 2), table(2000, 3, moved=True)
    for found in both_ways(reference, quiet):
        assert found.with_standing(Standing.STEADY) == tuple(sorted(reference.column_names))
    for found in both_ways(reference, moved):
        assert set(found.with_standing(Standing.ALARM)) == set(reference.column_names)
        aspects = {each.name: each.aspect for each in found.columns}
        assert aspects["text"] == "lengths in characters"
        assert (aspects["timestamp"], aspects["date"]) == ("hours of the day in UTC", "days of the week")
        sizes = [each.effects["jensen_shannon"].value or 0.0 for each in found.columns]
        assert sizes == sorted(sizes, reverse=True)


def test_figures_are_scipys_and_those_of_sketches_are_within_their_errors() -> None:
    reference, current = table(9000, 1), table(8000, 3, moved=True)
    exact, kept = (each.named("number") for each in both_ways(reference, current))
    before, after = reference["number"].to_numpy(), current["number"].to_numpy()
    expected, area = ks_2samp(before, after), wasserstein_distance(before, after)
    assert exact.statistic.value == pytest.approx(expected.statistic, abs=1e-12)
    assert exact.statistic.error == 0
    assert exact.effects["wasserstein"].value == pytest.approx(area)
    assert exact.effects["wasserstein_normed"].value == pytest.approx(area / before.std())
    assert exact.effects["mean_shift"].value == pytest.approx((after.mean() - before.mean()) / before.std())
    assert kept.statistic.value is not None
    assert 0 < kept.statistic.error < 0.001
    assert abs(kept.statistic.value - expected.statistic) <= kept.statistic.error + 1e-12
    distance = kept.effects["wasserstein"]
    assert distance.value is not None
    assert abs(distance.value - area) <= distance.error < 0.01
    for name in ("psi", "jensen_shannon", "hellinger", "l_infinity"):
        assert kept.effects[name].value == pytest.approx(exact.effects[name].value, rel=0.03)


def test_a_small_window_has_the_exact_p_value() -> None:
    random = np.random.default_rng(1)
    before, after = random.normal(size=900), random.normal(0.2, 1, size=100)
    exact = compare(TableSource(pa.table({"x": before})), TableSource(pa.table({"x": after}))).named("x")
    assert exact.p == pytest.approx(ks_2samp(before, after).pvalue)


def test_windows_that_were_added_up_are_compared_as_one() -> None:
    reference, first, second = table(3000, 1), table(500, 2), table(700, 3, moved=True)
    kept = summary_of(TableSource(reference))
    parts = [window_summary(TableSource(each), kept) for each in (first, second)]
    whole = window_summary(TableSource(pa.concat_tables([first, second], promote_options="default")), kept)
    added, together = (compare_summaries(kept, each) for each in (parts[0].merged(parts[1]), whole))
    for name in reference.column_names:
        assert added.named(name).statistic == together.named(name).statistic
        assert added.named(name).adjusted_p == together.named(name).adjusted_p


def test_constant_columns() -> None:
    assert standings([7.0] * 50, [7.0] * 40) == {"steady"}
    assert {each.reason for each in one([7.0] * 50, [7.0] * 40)} == {"every value of both is one and the same"}
    assert standings([7.0] * 50, [7.5] * 40) == {"alarm"}
    for each in one([7.0] * 50, [7.5] * 40):
        assert each.effects["wasserstein_normed"].reason == "the reference does not vary"
        moved = each.effects["wasserstein"]
        assert moved.value == pytest.approx(0.5, abs=moved.error + 1e-9)
    assert standings(["a"] * 50, ["a"] * 40) == {"steady"}
    assert standings(["a"] * 50, ["b"] * 40) == {"alarm"}
    assert standings([True] * 50, [True] * 40) == {"steady"}


def test_columns_without_values() -> None:
    nothing = pa.nulls(40, pa.float64())
    assert standings(np.arange(50.0), nothing) == {"broken"}
    assert {each.reason for each in one(np.arange(50.0), nothing)} == {"every value in the window is missing"}
    assert standings(nothing, np.arange(50.0)) == {"broken"}
    assert {each.reason for each in one(nothing, np.arange(50.0))} == {"every value in the reference is missing"}
    assert standings(pa.nulls(40), np.arange(50.0)) == {"broken"}
    assert standings(np.arange(50.0), pa.nulls(40)) == {"broken"}
    assert standings(["a"] * 50, pa.nulls(40)) == {"broken"}
    assert standings(np.arange(50.0), pa.array([], pa.float64())) == {"undecided"}
    assert standings(pa.array([], pa.float64()), np.arange(50.0)) == {"undecided"}
    assert standings(np.arange(50.0), [math.inf] * 40) == {"broken"}


def test_a_single_row_decides_nothing() -> None:
    assert standings(np.arange(50.0), [3.0]) == {"undecided"}
    assert standings([3.0], np.arange(50.0)) == {"undecided"}
    assert standings(["a", "b"] * 25, ["b"], Kind.CATEGORY) == {"undecided"}
    assert "30 are needed" in one(np.arange(50.0), [3.0])[0].reason


def test_a_reference_smaller_than_the_window() -> None:
    random = np.random.default_rng(3)
    reference, window = random.normal(size=40), random.normal(size=3000)
    assert standings(reference, window) == {"steady"}
    assert standings(reference, window + 1) == {"alarm"}
    for each in one(reference, window):
        assert each.effects["psi"].reason.startswith("PSI over 10 bins needs 100 rows on either side")
    assert standings(["a", "b"] * 20, ["a", "b"] * 1500) == {"steady"}


def test_moments_of_any_precision_and_zone() -> None:
    hours = np.random.default_rng(5).integers(0, 24, 900)
    moments = [START.replace(hour=int(each), microsecond=7) for each in hours]
    for unit in ("us", "ns"):
        for zone in (None, "UTC", "Europe/Berlin"):
            column = pa.array(moments, pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, zone))
            for each in one(column[:500], column[500:]):
                assert (each.standing, each.aspect) == (Standing.STEADY, "hours of the day in UTC")


@pytest.mark.parametrize("name", ["number", "category"])
def test_a_column_that_is_there_twice_cannot_be_measured(name: str) -> None:
    twice = pa.Table.from_arrays([table(40, 1)[name]] * 2 + [table(40, 1)["integer"]], ["x", "x", "y"])
    for found in both_ways(twice, twice):
        assert {each.standing for each in found.columns if each.name == "x"} == {Standing.BROKEN}
        assert found.named("x").reason == "2 columns have this name"
        assert found.named("y").standing is Standing.STEADY


def test_numbers_that_are_huge() -> None:
    ids = 2**62 + np.arange(500) * 3
    assert standings(ids, ids) == {"steady"}
    assert standings(ids, ids + 600) == {"alarm"}
    assert standings(pa.array([2**64 - 1] * 50, pa.uint64()), pa.array([0] * 50, pa.uint64())) == {"alarm"}
    decimals = pa.array([Decimal(10) ** 30 + each for each in range(50)])
    assert standings(decimals, decimals) == {"steady"}
    floats = np.array([-1.7e308, 1.7e308, 0.0] * 20)
    assert standings(floats, floats) == {"steady"}
    assert standings(floats, -np.abs(floats)) == {"alarm"}
    assert standings([5e-324, 0.0] * 20, [5e-324, 0.0] * 20) == {"steady"}


def test_columns_of_another_type_than_the_reference() -> None:
    for before, after in (
        (np.arange(50.0), ["a"] * 50), (["a", "b"] * 25, np.arange(50.0)), (["a"] * 50, [START] * 50),
        ([True, False] * 25, [1, 0] * 25), ([START] * 50, ["a"] * 50), ([[1.0]] * 50, [[1.0]] * 50),
    ):  # fmt: skip
        assert standings(before, after) == {"broken"}
    assert {each.reason for each in one([True, False] * 25, [1, 0] * 25)} == {
        "the reference holds booleans, and this column is of type int64"
    }
    # A column that is numbers on both sides is compared, however they are kept; so are categories.
    assert standings(np.arange(50.0), pa.array(np.arange(50), pa.int8())) == {"steady"}
    assert standings(["1", "2"] * 25, [1, 2] * 25, Kind.CATEGORY) == {"steady"}
    mixed = pa.UnionArray.from_dense(
        pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["a"])]
    )
    assert standings(mixed, mixed) == {"broken"}


@pytest.mark.parametrize("kind", [Kind.TENSOR, Kind.IMAGE])
def test_kinds_that_are_no_columns_say_so(kind: Kind) -> None:
    assert {each.reason for each in one([[1.0]] * 9, [[1.0]] * 9, kind)} == {
        f"fields of kind {kind.value} are not compared column by column"
    }


def test_columns_that_only_one_side_has() -> None:
    reference, current = (
        pa.table({"x": np.arange(50.0), "gone": [1] * 50}),
        pa.table({"x": np.arange(50.0), "new": [1] * 50}),
    )
    exact, kept = both_ways(reference, current)
    assert exact.named("new").reason == "the reference has no such column"
    assert {each.named("gone").reason for each in (exact, kept)} == {"the window has no such column"}
    assert {each.named("x").standing for each in (exact, kept)} == {Standing.STEADY}


def test_values_that_go_missing_are_a_drift() -> None:
    random = np.random.default_rng(1)
    reference, current = random.normal(size=500), random.normal(size=500)
    holes = np.where(random.random(500) < 0.2, np.nan, current)
    for each in one(reference, holes):
        assert each.standing is Standing.ALARM
        assert each.reason.startswith("missing in")
    endless = np.where(random.random(500) < 0.2, np.inf, current)
    for each in one(reference, endless):
        assert each.standing is Standing.ALARM
        assert "infinite in" in each.reason
    assert standings(["a", "b"] * 200, ["a", "b", None, None] * 100) == {"alarm"}


def test_tens_of_thousands_of_categories() -> None:
    random = np.random.default_rng(2)
    names = np.array([f"c{each}" for each in range(30_000)])
    reference, quiet = (names[random.integers(0, 30_000, 60_000)] for _ in range(2))
    fresh = np.where(random.random(60_000) < 0.3, names[random.integers(0, 100, 60_000)], quiet)
    assert standings(reference, quiet, Kind.CATEGORY) == {"steady"}
    assert standings(reference, fresh, Kind.CATEGORY) == {"alarm"}


def test_rows_in_categories_that_the_reference_never_had() -> None:
    for each in one(["a", "b"] * 50, ["a", "b", "new", "newer"] * 25):
        assert each.effects["new_categories"].value == pytest.approx(0.5)
        assert each.effects["l_infinity"].value == pytest.approx(0.25)
        assert each.standing is Standing.ALARM


def test_without_drift_windows_alarm_as_often_as_said() -> None:
    random, alarms = np.random.default_rng(11), 0
    for _ in range(25):
        reference = pa.table({f"x{each}": random.normal(size=2000) for each in range(10)})
        kept = summary_of(TableSource(reference))
        window = pa.table({f"x{each}": random.normal(size=200) for each in range(10)})
        alarms += bool(compare_summaries(kept, window_summary(TableSource(window), kept)).with_standing(Standing.ALARM))
    assert alarms / 25 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 25)


def test_a_file_is_read_column_by_column(tmp_path: Path) -> None:
    before, after = table(800, 1), table(600, 3, moved=True)
    for name, each in (("before", before), ("after", after)):
        pq.write_table(each, tmp_path / name, row_group_size=250)
    found = compare(ParquetSource(tmp_path / "before"), ParquetSource(tmp_path / "after"))
    assert found == compare(TableSource(before), TableSource(after))
    (tmp_path / "noise").write_bytes(b"no parquet")
    with pytest.raises(BadInput, match="no Parquet file"):
        ParquetSource(tmp_path / "noise")


def test_a_damaged_column_stops_no_other(tmp_path: Path) -> None:
    source = TableSource(table(300, 1))

    class Damaged(TableSource):
        def column(self, name: str) -> Any:
            if name == "number":
                raise BadInput("number", "unreadable", "a page is damaged")
            return super().column(name)

    found = compare(source, Damaged(table(300, 2)))
    assert (found.named("number").standing, found.named("number").reason) == (Standing.BROKEN, "a page is damaged")
    assert found.with_standing(Standing.BROKEN) == ("number",)
    kept = summary_of(source)
    assert compare_summaries(kept, window_summary(Damaged(table(300, 2)), kept)).with_standing(Standing.BROKEN) == (
        "number",
    )


def test_summaries_that_do_not_belong_together_are_refused() -> None:
    kept = summary_of(TableSource(pa.table({"x": [1.0]})))
    with pytest.raises(BadInput, match="columns"):
        kept.merged(summary_of(TableSource(pa.table({"y": [1.0]}))))
    with pytest.raises(BadInput, match="no summary"):
        read_summary(b"\x00")
    other = summary_of(TableSource(pa.table({"x": ["a", "a", "a"]})))
    with pytest.raises(BadInput, match="numbers"):
        kept.merged(other)
    assert compare_summaries(kept, other).named("x").standing is Standing.BROKEN
