"""Speed and size: every line of the issue, from the reports the benchmarks write."""

import statistics
from typing import Any, Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
MODELS: Final = ("logistic", "boosting")
SERVING: Final = "python -m benchmarks.serving"
SWAP: Final = "python -m benchmarks.swap"
PEERS: Final = "python -m benchmarks.peers"
ACKS: Final = ("durable", "buffered")
PEER_NAMES: Final = ("mlserver", "bentoml", "litserve", "mlflow")


def row(rows: list[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    """The one row with those values; Red when it met errors or when nothing says what limited it."""
    found = [each for each in rows if all(each[name] == value for name, value in wanted.items())]
    if len(found) != 1:
        raise Red(f"{len(found)} rows of {wanted}")
    if found[0]["errors"]:
        raise Red(f"{found[0]['errors']} errors in {wanted}")
    if found[0]["limit"] == "generator" and wanted.get("server") in ("bare", *PEER_NAMES):
        raise Red(f"the load generator held {wanted['server']} back, so its figure is too low")
    return found[0]


def worst(
    bench: Bench, *, ours: str, theirs: str, connections: int, limit: float, models: tuple[str, ...] = MODELS
) -> Measured:
    """The smallest ratio of our rate to theirs over the models, each the median of the ratios within one repeat."""
    rows = report(bench, "serving", "serving.json")["rows"]
    ratios = []
    for model in models:
        pair = [row(rows, model=model, server=each, connections=connections)["rates"] for each in (ours, theirs)]
        ratios.append(statistics.median(one / other for one, other in zip(*pair, strict=True)))
    return Measured(round(min(ratios), 3), limit, at_least=True)


@SUITE.row("speed-complete", "both models, five servers, 1, 16 and 64 connections, each row says its limit", SERVING)
def complete(bench: Bench) -> Measured:
    rows = report(bench, "serving", "serving.json")["rows"]
    servers = ("bare", "fastapi-sklearn", "fastapi-onnx", "buffered", "durable")
    for model in MODELS:
        for server in servers:
            for connections in (1, 16, 64):
                row(rows, model=model, server=server, connections=connections)
    return Measured(len(rows), 30, at_least=True)


@SUITE.row("speed-bare", "the bare reference is itself worth the name: at least 7 x FastAPI + ONNX Runtime", SERVING)
def bare(bench: Bench) -> Measured:
    return worst(bench, ours="bare", theirs="fastapi-onnx", connections=64, limit=7)


@SUITE.row("speed-buffered-64", "buffered: at least 0.40 x the bare reference at 64 connections", SERVING)
def buffered_64(bench: Bench) -> Measured:
    return worst(bench, ours="buffered", theirs="bare", connections=64, limit=0.40)


@SUITE.row("speed-buffered-1", "buffered: at least 0.6 x the bare reference at 1 connection", SERVING)
def buffered_1(bench: Bench) -> Measured:
    return worst(bench, ours="buffered", theirs="bare", connections=1, limit=0.60)


@SUITE.row("speed-fastapi", "buffered: at least 10 x FastAPI + scikit-learn on gradient boosting", SERVING)
def fastapi(bench: Bench) -> Measured:
    return worst(bench, ours="buffered", theirs="fastapi-sklearn", connections=64, limit=10, models=("boosting",))


@SUITE.row(
    "speed-durable-64", "acknowledged means on disk: at least 0.25 x the bare reference at 64 connections", SERVING
)
def durable_64(bench: Bench) -> Measured:
    return worst(bench, ours="durable", theirs="bare", connections=64, limit=0.25)


@SUITE.row(
    "speed-durable-p99",
    "its p99 is at most the buffered p99 + 2 ms + 3 x the fdatasync p99 measured in the same repeat",
    SERVING,
)
def durable_p99(bench: Bench) -> Measured:
    found = report(bench, "serving", "serving.json")
    for model in MODELS:
        for ack in ACKS:
            row(found["rows"], model=model, server=ack, connections=64)
    return max((gate(found, f"{model}: durable p99", limit=2.0) for model in MODELS), key=lambda each: each.value)


@SUITE.row("speed-swap-p99", "at half load, p99 around a swap is at most 2 x that of the quiet second before", SWAP)
def swap_p99(bench: Bench) -> Measured:
    return gate(report(bench, "swap", "swap.json"), "p99 around a swap", limit=2.0)


def over_mlserver(bench: Bench, ack: str, limit: float) -> Measured:
    """Headgate over MLServer at 64 connections, run beside it, its idle share credited; the smaller of both models."""
    found = report(bench, "peers", "peers.json")
    if why := found["failed"].get("mlserver"):
        raise Red(f"MLServer was not measured: {why}")
    ratios = []
    for model in MODELS:
        ours = row(found["rows"], model=model, beside="mlserver", server=ack, connections=64)
        theirs = row(found["rows"], model=model, beside="mlserver", server="mlserver", connections=64)
        ratios.append(ours["rate"] / theirs["rate"] * min(1.0, theirs["server_share"]))
    return Measured(round(min(ratios), 2), limit, at_least=True)


@SUITE.row("speed-mlserver", "buffered: at least 15 x MLServer", PEERS)
def mlserver(bench: Bench) -> Measured:
    return over_mlserver(bench, "buffered", 15)


@SUITE.row("speed-durable-mlserver", "acknowledged means on disk: at least 8 x MLServer", PEERS)
def durable_mlserver(bench: Bench) -> Measured:
    return over_mlserver(bench, "durable", 8)


@SUITE.row(
    "speed-peers",
    "MLServer, BentoML, LitServe and MLflow each ran from its own environment, Headgate beside each",
    PEERS,
)
def peers(bench: Bench) -> Measured:
    found = report(bench, "peers", "peers.json")
    for name in PEER_NAMES:
        if name in found["failed"]:
            raise Red(f"{name}: {found['failed'][name]}")
        for server in (name, "buffered", "durable"):
            for model in MODELS:
                for connections in (1, 16, 64):
                    row(found["rows"], model=model, beside=name, server=server, connections=connections)
    return Measured(len(PEER_NAMES), 4, at_least=True)


@SUITE.row("speed-help", "headgate --help within 0.3 s, the median", "python -m benchmarks.startup")
def help_(bench: Bench) -> Measured:
    return Measured(started(bench, "headgate --help"), 0.3)


@SUITE.row("speed-up", "headgate up to its first answer within 3 s, the median", "python -m benchmarks.startup")
def up(bench: Bench) -> Measured:
    return Measured(started(bench, "headgate up to its first answer"), 3)


def started(bench: Bench, what: str) -> float:
    """The median of at least five runs."""
    runs: list[float] = {each["what"]: each["seconds"] for each in report(bench, "startup", "startup.json")["rows"]}[
        what
    ]
    if len(runs) < 5:
        raise Red(f"{len(runs)} runs")
    return round(float(statistics.median(runs)), 3)


@SUITE.row("size-base", "the base install is at most 160 MB, bytecode cache apart", "python -m benchmarks.size")
def base(bench: Bench) -> Measured:
    return Measured(report(bench, "size", "size.json")["gates"][0]["value"], 160)


@SUITE.row(
    "size-memory",
    "over 5 million predictions resident memory grows at most 1 MB per million, acknowledged on disk or buffered",
    "python -m benchmarks.memory",
)
def memory(bench: Bench) -> Measured:
    grown = []
    for ack, file in zip(ACKS, ("memory.json", "memory-buffered.json"), strict=True):
        found = report(bench, "memory", file, "--ack", ack)
        if found["quick"] or found["rows"][-1]["answered"] < 5_000_000:
            raise Red("fewer than 5 million predictions")
        grown.append(found["gates"][0]["value"])
    return Measured(max(grown), 1.0)
