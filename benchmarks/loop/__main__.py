"""`make bench-loop`: what the closed loop promises: `python -m benchmarks.loop [--quick] [--only NAME]`.

The flights demo beside a judge of its own; streams with and without a change; the built-in search; a training set of
ten million rows. Each part leaves ``NAME.json`` and ``NAME.md`` under ``build/bench``; ``loop.json`` and ``loop.md``
gather every promise and say how long all of it took. Exit code 1 when one was missed or a part failed.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import Gates, Part, reports_itself, suite

WINDOWS: Final = ("everything", "auto")
"""The two sets that are cut of ten million rows."""


def beside_the_demo(out: Path, quick: bool) -> list[str]:
    """The words of the judge, which runs the demo first."""
    return [*reports_itself(out, quick), "--demo"]


def set_rows(said: str) -> tuple[list[dict[str, Any]], Gates]:
    """The figures of `benchmarks.training_set`, each with its limit."""
    found = json.loads(said)
    rows = [{"window": each, **found[each]} for each in WINDOWS]
    gates = [
        {"says": f"{name} of a set of {found['journalled']:,} rows, at most: {each}", "value": found[each][name]}
        | {"limit": limit, "ok": found[each][name] <= limit}
        for each in WINDOWS
        for name, limit in found["limits"].items()
    ]
    return rows, gates


PARTS: Final = (
    Part("loop_flights", beside_the_demo, module="loop.reference"),
    Part("loop_streams", reports_itself, module="loop.streams"),
    Part("automl", reports_itself),
    Part("training_set", lambda _, quick: ["--quick"] if quick else [], set_rows),
)

if __name__ == "__main__":
    sys.exit(suite("loop", PARTS, __doc__))
