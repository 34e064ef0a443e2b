"""`make bench-monitors`: what monitors promise: `python -m benchmarks.monitors [--quick] [--only NAME]`.

Speed and memory beside Evidently and NannyML, each from an environment of its own under ``build/peers``; the figures of
peers beside ours; how often rules and monitors alarm without a change, and how soon with one; whether the right kind of
drift is named; what watching costs. Each part leaves ``NAME.json`` and ``NAME.md`` under ``build/bench``;
``monitors.json`` and ``monitors.md`` gather every promise and say how long all of it took. Exit code 1 when one was
missed or a part failed. Half an hour on a quiet machine once the environments are there; with ``--quick`` two minutes,
without the peers.
"""

import sys
from pathlib import Path
from typing import Final

from benchmarks.__main__ import Part, reports_itself, suite


def beside_peers(out: Path, quick: bool) -> list[str]:
    """The words of a part that measures peers too; the short form leaves them out."""
    return [*reports_itself(out, quick), *([] if quick else ["--peers"])]


PARTS: Final = (
    Part("columns", beside_peers, module="monitors.columns"),
    Part("estimates", beside_peers, module="monitors.estimates"),
    Part("agreement", lambda out, _: ["--out", str(out)], module="monitors.agreement"),
    Part("calibration", reports_itself, module="monitors.calibration"),
    Part("false_alarms", reports_itself, module="monitors.false_alarms"),
    Part("diagnosis", reports_itself, module="monitors.diagnosis"),
    Part("ticks", reports_itself, module="monitors.ticks"),
)

if __name__ == "__main__":
    sys.exit(suite("monitors", PARTS, __doc__))
