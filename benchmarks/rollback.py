"""How long a candidate that turned bad goes on answering: `python -m benchmarks.rollback [--quick]`.

``headgate up`` with two workers gives half of the callers to a candidate that answers well until another kind of row
comes, and fails on each of those. Of every rollout two moments are compared, both by the machine's clock: that of the
journalled event with which the evidence reached what the plan asks for, found by going through the journal afterwards,
and that at which the last worker said that it obeys a revision without the candidate. The rows before it turned bad
are few in some rollouts and many in others, because every look reads them. Writes ``rollback.json`` and
``rollback.md``; exit code 1 when a promise was missed.
"""

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks import load, openloop, report
from headgate.app.facade import Headgate
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.mixture import log_mean
from headgate.rollouts.answers import Arms
from headgate.store.reports import FileReports
from headgate.testing.installation import Installation
from headgate.vocabulary import SECOND, Micros

WORKERS: Final = 2
CONNECTIONS: Final = 32
SLOWEST_S: Final = 2.0
FEW, MANY = 2_000, 200_000
"""Rows before the candidate turns bad."""
WELL: Final = 100, 100.0
"""Rows of a request before, and requests per second."""
BADLY: Final = 1, 200.0
BAD_S: Final = 6.0
"""How long rows come on which it fails: as long as the slowest rollback that is told from none."""
PLAN: Final = "endpoint: late\ncandidate: {candidate}\nsteps: [set_weight: 50%, approve]\nguards:\n- metric: errors\n"
_LIBRARIES: Final = ("headgate", "uvloop", "httptools", "msgspec", "numpy", "pyarrow", "duckdb")


@dataclass(frozen=True)
class Fall:
    """One candidate that turned bad; moments in seconds of the machine's clock."""

    rows: int
    """Rows of the rollout up to the event that crossed the line."""
    crossed: float
    obeyed: float
    """When the last worker said that it obeys."""
    last: float
    """When the candidate was last asked."""
    errors: int
    """Rows it failed on."""
    unanswered: int
    """Requests whose callers got nothing."""

    @property
    def seconds(self) -> float:
        """From the event that crossed the line to the last worker obeying, or to the candidate's last row if later."""
        return max(self.obeyed, self.last) - self.crossed


def crossing(arms: Arms, alpha: float) -> int | None:
    """The place of the input whose failure made the evidence reach 1 / `alpha`; None where none did."""
    failed = np.flatnonzero(arms.answers.failed)
    gains = AllocationTest.worse().gains(arms.candidate[failed], arms.shares[failed])
    reached = log_mean(np.cumsum(gains, axis=0)) >= -math.log(alpha)
    return int(failed[reached.argmax()]) if reached.any() else None


def measure(folder: Path, before: list[int]) -> list[Fall]:
    """One installation from its start to its end; `before` are the rows before each candidate turns bad."""
    with Installation(folder / "home", workers=WORKERS) as installation:
        live, candidate = installation.scripted("echo"), installation.scripted("failing_on_negative")
        installation.serve("late", {live: 1.0})
        installation.start()
        with installation.open() as hg:
            return [_fall(installation, hg, PLAN.format(candidate=candidate), rows, folder) for rows in before]


def _fall(installation: Installation, hg: Headgate, plan: str, before: int, folder: Path) -> Fall:
    size, rate = WELL
    hg.deploy(plan, force=True, why="a measurement")
    installation.settled()
    well = openloop.offer(_target(installation, size, 1.0), rate, before / (size * rate), CONNECTIONS, folder)
    with openloop.Offer(_target(installation, BADLY[0], -1.0), BADLY[1], BAD_S, CONNECTIONS, folder) as generator:
        obeyed = _obeyed(installation, hg)
        badly = generator.outcome()
    rollout = hg.rollouts.history("late")[-1]
    arms = hg.rollouts.observe(rollout, Micros(time.time_ns() // 1000)).arms
    place = crossing(arms, rollout.plan.alpha.roll_back)
    if place is None:
        raise RuntimeError(f"it was rolled back without evidence: {rollout.state.why}")
    at = arms.answers.at
    found = Fall(
        place + 1,
        float(at[place]) / SECOND,
        obeyed,
        float(at[arms.candidate].max()) / SECOND,
        int(arms.answers.failed.sum()),
        sum(int((each.status != 200).sum()) for each in (well, badly)),
    )
    print(f"{found.rows:,} rows: {found.seconds:.2f} s", file=sys.stderr, flush=True)
    return found


def _target(installation: Installation, rows: int, value: float) -> load.Target:
    body = msgspec.json.encode({"rows": [{"f0": value, "f1": 0.0}] * rows})
    return load.Target(installation.port, "/v1/endpoints/late/predict", body)


def _obeyed(installation: Installation, hg: Headgate) -> float:
    """When the last worker says that it obeys a revision in which the live version is alone."""
    reports = FileReports(installation.home.run / "workers")

    def alone() -> bool:
        traffic = hg.traffic.read()["default", "late"]
        if any(each.weight for each in traffic.members if each.version != traffic.live):
            return False
        told = [each.get("default/late", 0) for each in reports.obeyed().values()]
        return len(told) == WORKERS and min(told) >= traffic.revision

    installation.until(alone, "the candidate is rolled back")
    return time.time()


def rows(found: list[Fall]) -> list[dict[str, Any]]:
    """The lines of the report."""
    return [
        {
            "rows": each.rows,
            "obeyed_s": round(each.obeyed - each.crossed, 2),
            "last_asked_s": round(each.last - each.crossed, 2),
            "errors": each.errors,
            "unanswered": each.unanswered,
        }
        for each in found
    ]


def gates(found: list[Fall]) -> list[dict[str, Any]]:
    """What is promised."""
    slowest = max(each.seconds for each in found)
    says = "seconds from the event that crosses the line to the last worker obeying, the slowest, at most"
    unanswered = sum(each.unanswered for each in found)
    return [
        report.at_most(says, slowest, SLOWEST_S),
        report.at_most("requests that were not answered, at most", unanswered, 0),
    ]


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """Rollouts one after the other."""
    found = measure(folder.resolve(), [FEW] * 2 if chosen.quick else [FEW] * 6 + [MANY] * 2)
    return rows(found), gates(found)


def main() -> int:
    """See the module."""
    return report.run("rollback", __doc__, findings, quick="two short rollouts", libraries=_LIBRARIES, cores=2)


if __name__ == "__main__":
    sys.exit(main())
