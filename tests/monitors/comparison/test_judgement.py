"""How many columns stand keeps its error rate and is said in words, for a terminal as well."""

import numpy as np
import pyarrow as pa
import pytest

from headgate.contracts.contract import Kind
from headgate.errors import BadInput
from headgate.monitors.comparison.compared import ComparedColumn, Comparison, Present, unmeasured
from headgate.monitors.comparison.comparison import compare
from headgate.monitors.comparison.judgement import FEWEST, judged
from headgate.monitors.comparison.sources import TableSource
from headgate.monitors.comparison.text import as_text
from headgate.monitors.standing import Standing, broken


def column_of(name: str, p: float, rows: int = 100) -> ComparedColumn:
    return ComparedColumn(name=name, p=p, reference=Present(1000), current=Present(rows))


def found() -> Comparison:
    random = np.random.default_rng(2)
    reference = {"far": random.normal(size=2000), "near": random.normal(size=2000), "kind": ["a", "b"] * 1000}
    window = {"far": random.normal(0.6, 1, 1500), "near": random.normal(size=1500), "kind": ["a", "a", "b"] * 500}
    tables = (TableSource(pa.table(each)) for each in (reference, window))
    return compare(*tables, kinds={"kind": Kind.CATEGORY})


def test_a_p_value_counts_among_all_columns() -> None:
    assert judged([column_of("a", 0.03)]).with_standing(Standing.ALARM) == ("a",)
    many = [column_of("a", 0.03), *(column_of(f"b{each}", 0.9) for each in range(9))]
    assert judged(many).with_standing(Standing.ALARM) == ()
    assert judged(many, alpha=0.4).with_standing(Standing.ALARM) == ("a",)
    assert judged([*many, unmeasured("c", broken("gone"))]).named("a").adjusted_p == pytest.approx(0.3)
    with pytest.raises(BadInput, match="alpha"):
        judged(many, alpha=0.0)


def test_few_values_find_a_drift_and_never_that_there_is_none() -> None:
    assert judged([column_of("a", 0.5, FEWEST)]).named("a").standing is Standing.STEADY
    assert judged([column_of("a", 0.5, FEWEST - 1)]).named("a").standing is Standing.UNDECIDED
    assert judged([column_of("a", 0.01, FEWEST - 1)]).named("a").standing is Standing.ALARM


def test_a_drift_is_told_with_its_bins_its_conventions_and_what_chance_makes() -> None:
    far = found().named("far")
    psi, critical = far.effects["psi"].value, far.effects["psi_critical"].value
    assert psi is not None
    assert critical is not None
    assert f"PSI {psi:.4f} over 10 bins at the reference's deciles (large; chance makes {critical:.5f}" in far.reason
    assert "Jensen-Shannon" in far.reason
    assert "as Evidently has it" in far.reason
    assert "as TFDV has it" in far.reason
    assert far.reason.startswith("values differ, Kolmogorov-Smirnov")
    assert found().named("kind").bins == "2 categories"
    assert "over 2 categories" in found().named("kind").reason


def test_what_is_missing_is_told_where_that_is_what_differs() -> None:
    rows = Present(900), Present(600, missing=200, infinite=100)
    gone = ComparedColumn(name="a", p=2e-9, absent_p=1e-9, reference=rows[0], current=rows[1])
    reason = judged([gone]).named("a").reason
    assert reason.startswith("missing in 22.22% of the rows, in the reference in 0.00%; infinite in 100 rows")
    both = ComparedColumn(name="a", aspect="values", p=2e-9, absent_p=1e-3, reference=rows[0], current=rows[1])
    assert judged([both]).named("a").reason.startswith("values differ")


def test_the_largest_comes_first_and_the_text_has_a_line_for_each() -> None:
    comparison = found()
    assert [each.name for each in comparison.columns] == ["far", "kind", "near"]
    lines = as_text(comparison).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["far", "kind", "near"]
    assert [line.partition(":")[0] for line in lines[5:]] == ["far", "kind", "near"]


def test_a_name_cannot_write_to_the_terminal() -> None:
    text = as_text(Comparison((unmeasured("\x1b[2Jx", broken("gone\x07")),), 0.05))
    assert {each for each in text if not each.isprintable()} == {"\n"}
