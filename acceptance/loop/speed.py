"""Speed and judgement beside the flights: streams whose truth is known, a large training set, the search."""

import json
from typing import Any, Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
STREAMS: Final = "python -m benchmarks.loop.streams"
LARGE: Final = "python -m benchmarks.training_set"
AUTOML: Final = "python -m benchmarks.automl"


def streams(bench: Bench) -> dict[str, Any]:
    """Fifty streams that change and two hundred that do not."""
    return report(bench, "loop.streams", "loop_streams.json")


def large(bench: Bench, figure: str) -> float:
    """The larger figure of both sets that are cut of ten million journalled rows."""

    def run() -> dict[str, Any]:
        said = bench.run(bench.python, "-m", "benchmarks.training_set", timeout=3600, status=None)
        whole: dict[str, Any] = json.loads(said[said.index("{") :])
        return whole

    found = bench.once("training set", run)
    if found["journalled"] < 10_000_000:
        raise Red(f"{found['journalled']:,} rows")
    return float(max(found[each][figure] for each in ("everything", "auto")))


@SUITE.row("speed-planted", "50 planted concept changes: points of accuracy each costs, the least", STREAMS)
def planted(bench: Bench) -> Measured:
    return gate(streams(bench), "points that a change costs", limit=10.0, at_least=True)


@SUITE.row("speed-mended", "windows after labels mature until 80 % of the lost accuracy is back, the median", STREAMS)
def mended(bench: Bench) -> Measured:
    return gate(streams(bench), "windows until four fifths are back", limit=3.0)


@SUITE.row(
    "speed-quiet",
    "200 drift-free streams: retrainings of one as a share of the stated budget plus three standard errors",
    STREAMS,
)
def quiet(bench: Bench) -> Measured:
    found = gate(streams(bench), "retrainings of a drift-free stream", limit=1.0)
    limit = next(each["limit"] for each in streams(bench)["gates"] if "drift-free" in each["says"])
    return Measured(round(found.value / limit, 3), 1.0)


@SUITE.row("speed-set", "a training set from 10 million journalled rows, s", LARGE)
def seconds(bench: Bench) -> Measured:
    return Measured(large(bench, "seconds"), 60.0)


@SUITE.row("speed-set-memory", "and under 2 GB, MB", LARGE)
def memory(bench: Bench) -> Measured:
    return Measured(large(bench, "peak_mb"), 2000.0)


@SUITE.row(
    "speed-automl",
    "built-in AutoML, 60 s budget on the flights' first two months: AUC on March over a tuned gradient boosting's",
    AUTOML,
)
def automl(bench: Bench) -> Measured:
    return gate(report(bench, "automl", "automl.json"), "AUC on March", limit=-0.005, at_least=True)
