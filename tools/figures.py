"""Puts the tables that benchmarks left under ``build/bench`` into the documentation: ``python tools/figures.py``.

Each stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. Where a benchmark
was not run, its table stays as it is.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "docs" / "performance.md", ROOT / "docs" / "decisions-benchmark.md")
TABLES = {
    "bench": ("serving",),
    "bench-peers": ("peers",),
    "bench-forms": ("binary", "arrow", "rpc"),
    "bench-pressure": ("workers", "overload", "swap"),
    "bench-rollouts": ("shadow", "rollback"),
    "bench-journal": ("journal", "join", "windows"),
    "bench-decisions": ("decisions",),
}
"""The reports between each pair of marks."""


def placed(page: str, name: str, content: str) -> str:
    r"""`page` with `content` between the marks of `name`.

    >>> placed("a\n<!-- begin x -->\nold\n<!-- end x -->\nb", "x", "new")
    'a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nb'
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    found = re.compile(rf"{begin}.*?{end}", re.DOTALL)
    return found.sub(lambda _: f"{begin}\n\n{content.strip()}\n\n{end}", page)


def main(folder: Path) -> int:
    """Rewrite the pages from the reports in `folder`; 1 when there is none."""
    written: list[str] = []
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        for name, reports in TABLES.items():
            found = [folder / f"{each}.md" for each in reports]
            if f"<!-- begin {name} -->" in page and all(each.is_file() for each in found):
                tables = [each.read_text(encoding="utf-8").strip() for each in found]
                page = placed(page, name, "\n\n".join(tables))
                written += reports
        path.write_text(page, encoding="utf-8")
    print(f"{', '.join(written) or 'nothing'} written")
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "bench"))
