"""``python -m acceptance SUITE``: clone, build by the Makefile alone, run the rows, keep ``build/accept``.

``--only=speed-*`` runs the rows of those names; ``--here`` runs them in this working tree with the environment it
has, which is quick and proves nothing: neither writes the file others read. What benchmarks wrote down in the clone is
kept beside it, in ``build/accept/SUITE-bench``: ``python tools/figures.py build/accept/SUITE-bench`` puts it into the
documentation.
"""

import fnmatch
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from acceptance.rows import Bench, Result, Suite, judge

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent
NO_SUITES = ("__init__", "__main__", "figures", "rows")
SUITES = sorted(
    {each.stem for each in FOLDER.glob("*.py") if each.stem not in NO_SUITES}
    | {each.parent.name for each in FOLDER.glob("*/__init__.py")}
)


def main(arguments: list[str]) -> int:
    """0 when every row is green, 1 when one is red, 2 when there is no such suite."""
    names = [each for each in arguments if not each.startswith("--")]
    only = [each.removeprefix("--only=") for each in arguments if each.startswith("--only=")]
    here = "--here" in arguments
    if len(names) != 1 or names[0] not in SUITES:
        print(f"usage: python -m acceptance SUITE [--only=ROW ...]; suites: {', '.join(SUITES)}", file=sys.stderr)
        return 2
    suite: Suite = importlib.import_module(f"acceptance.{names[0]}").SUITE
    chosen = [row for row in suite.rows if not only or any(fnmatch.fnmatch(row.id, each) for each in only)]
    with tempfile.TemporaryDirectory(prefix="headgate-accept-") as folder:
        bench = Bench(ROOT, prepared=True) if here else Bench(clone(Path(folder) / "clone"), source=ROOT)
        bench.gather(test for row in chosen for test in row.shares)
        results = []
        for row in chosen:
            results.append(judge(row, bench))
            print(line(results[-1]), flush=True)
        if not here:
            keep(bench.clone / "build" / "bench", ROOT / "build" / "accept" / f"{names[0]}-bench")
    # Rows left out are no proof: only a whole run on a clone writes the file others read.
    if not only and not here:
        target = ROOT / "build" / "accept" / f"{names[0]}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps([each.as_json() for each in results], indent=2) + "\n")
    red = [each.id for each in results if not each.ok]
    print(f"{len(results)} rows, {len(red)} red{': ' + ', '.join(red) if red else ''}")
    return 0 if results and not red else 1


def clone(target: Path) -> Path:
    """A fresh clone of what is committed; changes not committed are named, for they are not in it."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)], check=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True, text=True)
    if changed.stdout.strip():
        print(f"not in the clone: {len(changed.stdout.splitlines())} files with changes that are not committed")
    return target


def keep(reports: Path, target: Path) -> None:
    """The reports benchmarks left in `reports`, kept in `target` when their clone is gone; others there stay."""
    for report in (*reports.glob("*.json"), *reports.glob("*.md")):
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(report, target / report.name)


def line(result: Result) -> str:
    """One row of the table."""
    seen = f"{result.value:g}" if isinstance(result.value, float | int) else (result.value or "")
    mark = "green" if result.ok else "RED  "
    figure = f"  [{seen}{' ' + result.limit if result.limit else ''}]" if seen else ""
    return f"{mark} {result.id:20} {result.seconds:7.1f} s  {result.says}{figure}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
