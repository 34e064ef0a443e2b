"""Speed: every line of the issue, from the reports the benchmarks write."""

import statistics
from typing import Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
MODELS: Final = ("logistic", "boosting")
SERVING: Final = "python -m benchmarks.serving"
RPC: Final = "python -m benchmarks.rpc --mlserver"
BINARY: Final = "python -m benchmarks.binary"
ARROW: Final = "python -m benchmarks.arrow"
WORKERS: Final = "python -m benchmarks.workers"
OVERLOAD: Final = "python -m benchmarks.overload"
SWAP: Final = "python -m benchmarks.swap"
KINDS: Final = ("heavy", "light")


def keyed_over(bench: Bench, theirs: str) -> float:
    """The smaller ratio, over the models, of the rate with keys, deadlines, limits and metrics to another's."""
    rows = report(bench, "serving", "serving.json")["rows"]
    found = {(each["model"], each["server"]): each for each in rows if each["connections"] == 64}
    ratios: list[float] = []
    for model in MODELS:
        ours, other = found[model, "keyed"], found[model, theirs]
        if ours["errors"] or other["errors"]:
            raise Red(f"errors with {model}")
        ratios.append(statistics.median(one / two for one, two in zip(ours["rates"], other["rates"], strict=True)))
    return round(min(ratios), 3)


@SUITE.row(
    "speed-keys",
    "with a key, its rate and a deadline in every request: at least 0.9 x without; metrics are on in both",
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


@SUITE.row("speed-binary-bare", "V2 binary, 32 rows of 20 floats: at least 0.4 x a bare binary reference", BINARY)
def binary(bench: Bench) -> Measured:
    return min_of(bench, "binary", "V2 binary / bare binary", limit=0.4)


@SUITE.row("speed-binary-json", "and faster than the same in JSON", BINARY)
def binary_json(bench: Bench) -> Measured:
    return min_of(bench, "binary", "V2 binary / V2 JSON", limit=1.001)


@SUITE.row("speed-arrow-boosting", "Arrow, 10 000 rows: boosting at most 1.5 x the raw session.run", ARROW)
def arrow_boosting(bench: Bench) -> Measured:
    return gate(report(bench, "arrow", "arrow.json"), "boosting", limit=1.5)


@SUITE.row(
    "speed-arrow-logistic",
    "Arrow, 10 000 rows: logistic at most session.run + 2 microseconds a row, fsync aside",
    ARROW,
)
def arrow_logistic(bench: Bench) -> Measured:
    return gate(report(bench, "arrow", "arrow.json"), "logistic", limit=2.0)


@SUITE.row("speed-workers-heavy", "two workers: at least 1.7 x one with a model of 200 us a row or more", WORKERS)
def workers_heavy(bench: Bench) -> Measured:
    found = report(bench, "workers", "workers.json")
    if not gate(found, "heavy: microseconds", limit=200, at_least=True).kept:
        raise Red("the model is lighter than 200 us a row")
    return gate(found, "heavy: two workers / one", limit=1.7, at_least=True)


@SUITE.row(
    "speed-workers-light",
    "with the light model and the same load for each, requests per second of the gateways' processor time: at least "
    "0.9 x one worker's",
    WORKERS,
)
def workers_light(bench: Bench) -> Measured:
    return gate(report(bench, "workers", "workers.json"), "light, the same load", limit=0.9, at_least=True)


@SUITE.row(
    "speed-overload-heavy",
    "at twice the capacity, open loop: goodput at least 0.9 x capacity with a model of 500 us a row or more",
    OVERLOAD,
)
def overload_heavy(bench: Bench) -> Measured:
    found = report(bench, "overload", "overload.json")
    if not gate(found, "heavy: microseconds", limit=500, at_least=True).kept:
        raise Red("the model is lighter than 500 us a row")
    return gate(found, "heavy: accepted at twice", limit=0.9, at_least=True)


@SUITE.row("speed-overload-light", "and at least 0.55 x capacity with the light model", OVERLOAD)
def overload_light(bench: Bench) -> Measured:
    return gate(report(bench, "overload", "overload.json"), "light: accepted at twice", limit=0.55, at_least=True)


@SUITE.row("speed-overload-stalls", "no stalls: never 250 ms without an answer, nobody left without one", OVERLOAD)
def overload_stalls(bench: Bench) -> Measured:
    found = report(bench, "overload", "overload.json")
    for kind in KINDS:
        if not gate(found, f"{kind}: neither answered", limit=0).kept:
            raise Red(f"{kind}: requests without an answer")
    return max_of(bench, "overload", "longest time without an answer", limit=250)


@SUITE.row(
    "speed-overload-p99", "p99 of accepted requests at most the queue limit + 3 x unloaded, as a share of it", OVERLOAD
)
def overload_p99(bench: Bench) -> Measured:
    return max_of(bench, "overload", "p99 of accepted", limit=1.0)


@SUITE.row("speed-overload-memory", "no memory growth from the first overload to the last, MB", OVERLOAD)
def overload_memory(bench: Bench) -> Measured:
    return max_of(bench, "overload", "MB grown", limit=4)


@SUITE.row("speed-swap-failed", "swaps at half load: no failed request", SWAP)
def swap_failed(bench: Bench) -> Measured:
    return gate(report(bench, "swap", "swap.json"), "requests that were not answered", limit=0)


@SUITE.row("speed-swap-p99", "p99 around a swap at most 2 x the steady p99", SWAP)
def swap_p99(bench: Bench) -> Measured:
    return gate(report(bench, "swap", "swap.json"), "p99 around a swap", limit=2.0)


@SUITE.row("speed-swap-memory", "50 reloads leave resident memory within 10 %", SWAP)
def swap_memory(bench: Bench) -> Measured:
    return gate(report(bench, "swap", "swap.json"), "50 reloads", limit=1.1)


def min_of(bench: Bench, module: str, words: str, *, limit: float) -> Measured:
    """The smaller value over the kinds of model, to be at least `limit`."""
    return Measured(min(values(bench, module, words)), limit, at_least=True)


def max_of(bench: Bench, module: str, words: str, *, limit: float) -> Measured:
    """The larger value over the kinds of model, to be at most `limit`."""
    return Measured(max(values(bench, module, words)), limit)


def values(bench: Bench, module: str, words: str) -> list[float]:
    """What the gates of every kind of model that say `words` found; Red when there is none."""
    found = report(bench, module, f"{module}.json")
    if found["quick"]:
        raise Red("a short run")
    chosen = [each["value"] for each in found["gates"] if words in each["says"]]
    if not chosen or None in chosen:
        raise Red(f"not measured: {words}")
    return chosen
