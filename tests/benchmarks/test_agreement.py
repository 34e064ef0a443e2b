"""Our figures are NannyML's and Fairlearn's on the rows that NannyML ships with, each computed by the peer itself."""

from pathlib import Path

import pytest
from benchmarks.monitors import agreement

ENVIRONMENTS = Path(__file__).parent.parent.parent / "build" / "peers"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("agreement")
    return [agreement.row(each) for each in agreement.compared(folder, ENVIRONMENTS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fewest"), [("univariate drift", 20), ("CBPE", 5), ("reconstruction", 1), ("fairness", 12)]
)
def test_figures_are_those_of_the_peers(rows: list[dict[str, object]], kind: str, fewest: int) -> None:
    found = {str(each["what"]): float(str(each["relative difference"])) for each in rows if each["kind"] == kind}
    assert len(found) >= fewest
    assert {what: away for what, away in found.items() if away > agreement.TOLERANCE[kind]} == {}


def test_a_figure_that_is_another_one_or_was_not_compared_keeps_no_promise() -> None:
    same, other = (agreement.row(("CBPE", "nannyml", "f1", 0.5, ours)) for ours in (0.5 + 1e-9, 0.5001))
    assert [each["ok"] for each in agreement.gates([same], "") if each["value"] is not None] == [True]
    assert [each["ok"] for each in agreement.gates([same, other], "") if each["value"] is not None] == [False]
    missed = [each for each in agreement.gates([same], "pip install failed") if each["value"] is None]
    assert len(missed) == 3
    assert all("pip install failed" in each["says"] and not each["ok"] for each in missed)
