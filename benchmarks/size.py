"""How much a base install takes: `python -m benchmarks.size`.

Installs the package without extras, at the pinned versions, into an environment of its own, and counts the bytes of the
files that came with it; what an empty environment holds is not counted. The bytecode Python keeps beside its sources
is a cache that any interpreter may drop or rebuild, so it is reported apart and not held against the limit. Writes
``size.json`` and ``size.md``; exit code 1 above the limit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

LIMIT_MB: Final = 160.0
_ROOT: Final = Path(__file__).parent.parent


CACHE: Final = "(bytecode cache)"


def packages(site: Path) -> dict[str, int]:
    """Bytes of the files below `site`, by what lies directly in it; a file with two names counts once."""
    seen: set[tuple[int, int]] = set()
    found: dict[str, int] = {}
    for folder, _, files in os.walk(site):
        for name in files:
            path = Path(folder) / name
            facts = path.lstat()
            if (facts.st_dev, facts.st_ino) not in seen:
                seen.add((facts.st_dev, facts.st_ino))
                top = CACHE if name.endswith(".pyc") else path.relative_to(site).parts[0]
                found[top] = found.get(top, 0) + facts.st_size
    return found


def installed(folder: Path) -> dict[str, int]:
    """Bytes each thing of a base install takes."""
    _run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    site = next((folder / "lib").glob("python*/site-packages"))
    before = packages(site)
    words = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run(python, *words, "--constraint", str(_ROOT / "constraints.txt"), str(_ROOT))
    _run(python, "-m", "headgate.cli.main", "--help")
    came = {name: size for name, size in packages(site).items() if name not in before}
    return came | {CACHE: packages(site).get(CACHE, 0) - before.get(CACHE, 0)}


def main() -> int:
    """Install, count, write both reports, and say by the exit code whether the limit was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="no difference; every benchmark takes it")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        found = installed(Path(name) / "base")
    cache = round(found.pop(CACHE) / 1e6, 1)
    total = round(sum(found.values()) / 1e6, 1)
    ok = total <= LIMIT_MB
    distributions = sum(each.endswith(".dist-info") for each in found)
    gate = {"says": f"MB of a base install ({distributions} packages), at most"}
    largest = sorted(found.items(), key=lambda each: -each[1])
    rows = [{"what": what, "mb": round(size / 1e6, 2)} for what, size in largest]
    whole = {"rows": rows, "gates": [{**gate, "value": total, "limit": LIMIT_MB, "ok": ok}]}
    whole["rows"].append({"what": CACHE, "mb": cache})
    lines = ["| what | MB |", "|---|--:|", *(f"| {row['what']} | {row['mb']} |" for row in rows[:12])]
    lines += ["", f"A base install is {distributions} packages and {total} MB, limit {LIMIT_MB:.0f} "]
    lines[-1] += f"(and {cache} MB of bytecode cache): "
    lines[-1] += "ok" if ok else "MISSED"
    (chosen.out / "size.json").write_text(json.dumps(whole, indent=1) + "\n")
    (chosen.out / "size.md").write_text("\n".join(lines) + "\n")
    print(lines[-1])
    return 0 if ok else 1


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-1000:]}")


if __name__ == "__main__":
    sys.exit(main())
