"""Programs of the peers, each in an environment of its own, and what they print. Called by the benchmarks beside it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import environment
from benchmarks.processes import ServerFailed, last_words

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 1800
_VARIABLES: Final[dict[str, dict[str, str]]] = {
    # Without it every calculation is reported to its authors.
    "nannyml": {"NML_DISABLE_USAGE_LOGGING": "1"},
}


def ask(name: str, what: str, environments: Path, *words: Path) -> dict[str, Any]:
    """What ``NAME_WHAT.py`` prints last, as JSON, with the environment of `name` and these words.

    Raises ServerFailed with its last words when the environment cannot be made or the program fails.
    """
    built = environment.make(name, environments)
    command = [built.python, str(_HERE / f"{name}_{what}.py"), *map(str, words)]
    seen = {**built.variables(environments), **_VARIABLES.get(name, {})}
    try:
        done = subprocess.run(command, env=seen, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise ServerFailed(f"{name} took longer than {_SECONDS} s") from None
    if done.returncode:
        raise ServerFailed(f"{name} failed: {last_words(done.stderr or done.stdout)}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
