"""``pipeline.yaml``: every complaint names the line, the key and the rule."""

from pathlib import Path

import pytest
from tests.pipelines.worlds import FLIGHTS

from headgate.errors import BadConfiguration, NotFound
from headgate.pipelines.pipelinefile import open_pipeline, read_pipeline

WHERE = Path("pipeline.yaml")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("pipeline: late", "pipeline: Late!"), "pipeline.yaml line 1: pipeline: must match"),
        (("task: binary", "task: tensor"), "line 3: task: must be binary, multiclass or regression"),
        (("task: binary", "task: guess"), "line 3: task: invalid enum value 'guess'"),
        (("    csv:", "    cvs:"), "line 7: sources.flights: object contains unknown field `cvs`"),
        (("    csv: flights/*.csv\n", ""), "sources.flights: must have exactly one of csv, parquet"),
        (("    csv: flights/*.csv", "    csv: a.csv\n    delta: b"), "sources.flights: must have exactly one of"),
        (("    csv: flights/*.csv", "    sql: SELECT 1"), "sources.flights.sql: needs url:"),
        (("    csv: flights/*.csv", "    csv: a.csv\n    url: sqlite://"), "url: means nothing for csv:"),
        (("  flights:", "  rows:"), "sources.rows: is no name for a table"),
        (("    key: [id]", "    overlap: 1h"), "sources.flights.overlap: reads rows again, so it needs a watermark:"),
        (("    key: [id]", "    overlap: soon"), "sources.flights.overlap: is no duration"),
        (("    key: [id]", "    fresh: 1h"), "sources.flights.fresh: needs the watermark:"),
        (("    key: [id]", "    quarantine: 120%"), "sources.flights.quarantine: must be a share"),
        (("    key: [id]", "    quarantine: few"), "sources.flights.quarantine: must be a share"),
        (("  serving: true", "  python: a.py:b"), r"transforms\[0\]: must have either sql or python"),
        (
            ("- sql: SELECT *, distance / 500 AS hours FROM rows", "- python: a.py"),
            r"transforms\[0\].python: must be a",
        ),
        (("  serving: true", "  serving: true\n- sql: SELECT 1"), r"transforms\[1\]: stands after one with serving"),
        (("transforms:", "recipe: {}\ntransforms:"), "line 15: recipe: learns for nobody"),
        (("transforms:", "rollout: {}\ntransforms:"), "rollout: needs a recipe: that learns and an endpoint"),
        (("transforms:", "gates: [auc >= 0.6]\ntransforms:"), "gates: judge nothing; name a recipe:"),
        (("transforms:", "endpoint: a\nrecipe: {}\ngates: [nice]\ntransforms:"), r"gates\[0\]: "),
        (("transforms:", "endpoint: a\nrecipe: {}\nheld_out: 100%\ntransforms:"), "held_out: must lie between"),
        (("transforms:", "endpoint: a\nrecipe: {python: train}\ntransforms:"), "recipe.python: must be a file and"),
        (("transforms:", "schedule: daily\ntransforms:"), "schedule: "),
        (("kind: number", "kind: numeral"), r"sources.flights.contract: fields\[0\].kind"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(change: tuple[str, str], says: str) -> None:
    assert change[0] in FLIGHTS
    with pytest.raises(BadConfiguration, match=says):
        read_pipeline(FLIGHTS.replace(*change, 1), WHERE)


def test_several_sources_need_a_select_that_joins_them() -> None:
    text = FLIGHTS.replace("  flights:", "  weather: {csv: weather.csv}\n  flights:")
    with pytest.raises(BadConfiguration, match="transforms: must begin with sql: that says how several sources"):
        read_pipeline(text, WHERE)


def test_a_contract_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    text = "pipeline: late\nlabel: late\ntask: binary\nsources:\n  f: {csv: f.csv, contract: f.yaml}\n"
    with pytest.raises(NotFound, match=r"f.yaml' does not exist. pipeline.yaml: sources.f.contract names it"):
        read_pipeline(text, tmp_path / "pipeline.yaml")
    (tmp_path / "f.yaml").write_text("fields:\n- {name: distance, kind: number}\n")
    assert read_pipeline(text, tmp_path / "pipeline.yaml").contracts["f"].names == ("distance",)


def test_a_file_that_is_not_there_or_no_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="it names pipeline:, sources: and label:"):
        open_pipeline(tmp_path / "pipeline.yaml")
    with pytest.raises(BadConfiguration, match="holds no mapping of keys"):
        read_pipeline("- a\n", WHERE)
