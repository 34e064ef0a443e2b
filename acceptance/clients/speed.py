"""Speed: every line of the issue, from the reports the benchmarks write."""

import statistics
from typing import Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
MODELS: Final = ("logistic", "boosting")
SERVING: Final = "python -m benchmarks.serving"
RPC: Final = "python -m benchmarks.rpc --mlserver"


def keyed_over(bench: Bench, theirs: str) -> float:
    """The smaller ratio, over the models, of the rate with keys, deadlines, limits and metrics to another's."""
    rows = report(bench, "serving", "serving.json")["rows"]
    found = {(each["model"], each["server"]): each for each in rows if each["connections"] == 64}
    ratios = []
    for model in MODELS:
        ours, other = found[model, "keyed"], found[model, theirs]
        if ours["errors"] or other["errors"]:
            raise Red(f"errors with {model}")
        ratios.append(statistics.median(one / two for one, two in zip(ours["rates"], other["rates"], strict=True)))
    return round(min(ratios), 3)


@SUITE.row(
    "speed-keys",
    "with authentication, deadlines, limits and metrics on: at least 0.9 x the figure without them",
    SERVING,
)
def keys(bench: Bench) -> Measured:
    return Measured(keyed_over(bench, "buffered"), 0.9, at_least=True)


@SUITE.row("speed-keys-bare", "and at least 0.40 x the bare reference", SERVING)
def keys_bare(bench: Bench) -> Measured:
    return Measured(keyed_over(bench, "bare"), 0.40, at_least=True)


@SUITE.row("speed-grpc", "gRPC at 64 calls at once: at least 3 x MLServer's gRPC in the same run", RPC)
def grpc(bench: Bench) -> Measured:
    return gate(report(bench, "rpc", "rpc.json", "--mlserver"), "MLServer", limit=3.0, at_least=True)
