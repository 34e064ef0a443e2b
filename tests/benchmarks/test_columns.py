"""The benchmark of compared columns in its short form: what judges it, and that exact figures are SciPy's."""

from pathlib import Path

from benchmarks.monitors import columns


def test_columns_are_judged_by_time_memory_scipy_and_peers() -> None:
    rows = [
        {"who": "headgate, sketched", "seconds": 1.0, "MB over imports": 600.0},
        {"who": "headgate, exact", "seconds": 5.1, "MB over imports": 601.0},
        {"who": "nannyml", "seconds": 4.0},
        {"who": "evidently", "seconds": 101.0},
    ]
    oks = [each["ok"] for each in columns.gates(rows, 1e-10, {})]
    assert oks == [True, True, False, False, True, True, False, True]
    assert not next(each for each in columns.gates(rows[:2], 2e-9, {}) if "SciPy" in each["says"])["ok"]


def test_a_short_comparison_of_two_files_is_exact_where_it_says_so(tmp_path: Path) -> None:
    columns.write(tmp_path / "reference.parquet", 12_000, 5, seed=1, shift=0.0)
    columns.write(tmp_path / "current.parquet", 17_000, 5, seed=2, shift=0.05)
    paths = tmp_path / "reference.parquet", tmp_path / "current.parquet", tmp_path / "kept.sketch"
    found = columns.exact(*paths)
    figures = {each.name: (each.statistic.value, each.p, each.effects["wasserstein"].value) for each in found.columns}
    assert columns.far_from_scipy(tmp_path, figures) < 1e-9
    for each in columns.sketched_both(*paths).columns:
        true = figures[each.name][0]
        assert true is not None
        assert each.statistic.value is not None
        assert abs(each.statistic.value - true) <= each.statistic.error + 1e-12


def test_a_peer_that_could_not_be_measured_keeps_no_promise() -> None:
    rows = [{"who": f"headgate, {way}", "seconds": 0.5, "MB over imports": 1.0} for way in ("sketched", "exact")]
    missed = [each for each in columns.gates(rows, 0.0, {"nannyml": "pip install failed"}) if not each["ok"]]
    assert [(each["value"], "pip install failed" in each["says"]) for each in missed] == [(None, True)]
