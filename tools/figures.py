"""Puts the tables that benchmarks left under ``build/bench`` into the documentation: ``python tools/figures.py``.

Each stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; where several reports do, each behind a mark of
its own, ``<!-- REPORT -->``. Where a benchmark was not run, its table stays as it is.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = tuple(
    ROOT / "docs" / each
    for each in (
        "performance.md",
        "decisions-benchmark.md",
        "monitoring/alarms.md",
        "monitoring/comparison.md",
        "monitoring/diagnosis.md",
        "retraining/flights.md",
    )
)
TABLES = {
    "bench": ("serving",),
    "bench-peers": ("peers",),
    "bench-forms": ("binary", "arrow", "rpc"),
    "bench-pressure": ("workers", "overload", "swap"),
    "bench-rollouts": ("shadow", "rollback"),
    "bench-journal": ("journal", "join", "windows"),
    "bench-decisions": ("decisions",),
    "false-alarms": ("false_alarms",),
    "bench-diagnosis": ("diagnosis",),
    "bench-calibration": ("calibration",),
    "loop-flights": ("loop_flights",),
    "loop-streams": ("loop_streams",),
    "bench-monitors": ("columns", "estimates", "agreement", "ticks"),
}
"""The reports between each pair of marks."""


def placed(page: str, name: str, content: str) -> str:
    r"""`page` with `content` between the marks of `name`.

    >>> placed("a\n<!-- begin x -->\nold\n<!-- end x -->\nb", "x", "new")
    'a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nb'
    """
    return _between(name).sub(lambda _: f"<!-- begin {name} -->\n\n{content.strip()}\n\n<!-- end {name} -->", page)


def kept(page: str, name: str, reports: tuple[str, ...]) -> dict[str, str]:
    r"""The tables of several `reports` that stand between the marks of `name`, by the report.

    >>> kept("<!-- begin x -->\n\n<!-- a -->\n\n|1|\n\n<!-- b -->\n\n|2|\n\n<!-- end x -->", "x", ("a", "b"))
    {'a': '|1|', 'b': '|2|'}
    """
    found = _between(name).search(page)
    if found is None:
        return {}
    _, *marked = re.split(rf"<!-- ({'|'.join(reports)}) -->", found[1])
    return {report: table.strip() for report, table in zip(marked[::2], marked[1::2], strict=True)}


def joined(tables: dict[str, str], reports: tuple[str, ...]) -> str:
    """The tables of `reports`, in their order; where there may be several, each behind its mark."""
    if len(reports) == 1:
        return tables[reports[0]]
    return "\n\n".join(f"<!-- {each} -->\n\n{tables[each]}" for each in reports if each in tables)


def main(folder: Path) -> int:
    """Rewrite the pages from the reports in `folder`; 1 when there is none."""
    written: list[str] = []
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        for name, reports in TABLES.items():
            found = {each: folder / f"{each}.md" for each in reports if (folder / f"{each}.md").is_file()}
            if found and f"<!-- begin {name} -->" in page:
                new = {report: file.read_text(encoding="utf-8").strip() for report, file in found.items()}
                page = placed(page, name, joined(kept(page, name, reports) | new, reports))
                written += found
        path.write_text(page, encoding="utf-8")
    print(f"{', '.join(written) or 'nothing'} written")
    return 0 if written else 1


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- begin {name} -->(.*?)<!-- end {name} -->", re.DOTALL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "bench"))
