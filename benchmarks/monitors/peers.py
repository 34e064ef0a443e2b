"""Evidently and NannyML on the files of `columns.py`, each as its documentation says, in an environment of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import environment
from benchmarks.processes import ServerFailed, last_words

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 1800
PEERS: Final[dict[str, dict[str, str]]] = {
    "evidently": {},
    # Without it every calculation is reported to its authors.
    "nannyml": {"NML_DISABLE_USAGE_LOGGING": "1"},
}


def measured(folder: Path, environments: Path) -> list[dict[str, Any]]:
    """A row for each peer; ServerFailed with its last words when one fails."""
    rows = []
    for name, variables in PEERS.items():
        built = environment.make(name, environments)
        command = [built.python, str(_HERE / f"{name}_columns.py")]
        files = [str(folder / f"{side}.parquet") for side in ("reference", "current")]
        seen = {**built.variables(folder), **variables}
        for side in files:
            subprocess.run(["cat", side], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(
            [*command, *files], env=seen, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
        if done.returncode:
            raise ServerFailed(f"{name} failed: {last_words(done.stderr or done.stdout)}")
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            {
                "who": name,
                "seconds": round(found["seconds"], 3),
                "CPU seconds": round(found["cpu"], 3),
                "MB over imports": round(found["peak_mb"], 1),
                "KS error at most": "not said",
                "Wasserstein/sd error at most": "not said",
            }
        )
    return rows
