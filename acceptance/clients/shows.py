"""What is shown: stock clients, one table of doors and payloads, a real Prometheus, executed recipes."""

import re
from pathlib import Path
from typing import Final

from acceptance.figures import PERFORMANCE, shown
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
TOLD: Final = {
    "bench-forms": ("V2 binary / bare binary", "rows / session.run", "headgate gRPC", "mlserver gRPC"),
    "bench-pressure": ("two workers / one", "accepted at twice", "p99 around a swap"),
}
"""Of each part of the page on performance that is about clients, what stands in every table of it."""
ROOM: Final = "tests/gateway"
WATCHING: Final = f"{ROOM}/test_watching.py"
MOVING: Final = "docs/moving.md"
SERVERS: Final = ("TensorFlow Serving", "TorchServe", "MLflow", "BentoML", "FastAPI", "SageMaker")
MLFLOW_CLIENT: Final = """
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

client = ScoringServerClient("127.0.0.1", 8180)
client.wait_server_ready(timeout=30)
frame = pd.DataFrame({"months": [3, 40], "fee": [59.9, 12.0], "plan": ["basic", "family"]})
found = client.invoke(frame).get_predictions()
assert found.iloc[:, 0].tolist() == ["yes", "no"], found
print("answered", len(found))
"""

SUITE.tests(
    "show-triton-http",
    "stock tritonclient over HTTP with default arguments: live, ready, metadata, infer, index, load, unload",
    f"{ROOM}/test_v2.py::test_tritons_client_works_as_it_comes",
    f"{ROOM}/test_v2_binary.py",
    f"{ROOM}/test_v2_repository.py::test_tritons_client_asks_what_it_wants",
)
SUITE.tests(
    "show-triton-grpc",
    "stock tritonclient over gRPC with default arguments: live, ready, metadata, infer, compression, wrong size, "
    "index, load, unload",
    f"{ROOM}/test_rpc_triton.py",
)
SUITE.tests(
    "show-datatypes",
    "every datatype by stock tritonclient over HTTP and gRPC: binary, JSON, raw and compressed, with equal records",
    f"{ROOM}/test_v2_datatypes.py",
)
SUITE.tests(
    "show-doors",
    "equal predictions for equal rows: one table of doors and payloads",
    f"{ROOM}/test_doors_agree.py",
)


@SUITE.row(
    "show-mlflow-client",
    "MLflow's own scoring client, from an environment of its own, is answered without a change",
    "mlflow.pyfunc.scoring_server.client against the server of docs/moving.md",
)
def mlflow_client(bench: Bench) -> None:
    making = "from pathlib import Path; from benchmarks.peers import environment as e; "
    making += "print(e.make('mlflow', Path('build/peers')).python)"
    python = bench.run(bench.python, "-c", making, timeout=1800).split()[-1]
    with bench.folder() as folder:
        program, page = folder / "program.py", folder / "page.md"
        program.write_text(MLFLOW_CLIENT)
        text = (bench.clone / MOVING).read_text()
        page.write_text(
            f"{text}\n```bash\n{Path(python)} {program} | tee told.txt\ngrep -q 'answered 2' told.txt\n```\n"
        )
        bench.run(bench.python, "tools/rundocs.py", str(page))


SUITE.tests(
    "show-tensorflow",
    "what a client of TensorFlow Serving sends, in its own words and paths",
    f"{ROOM}/test_tensorflow.py",
)
SUITE.tests(
    "show-sagemaker",
    "what SageMaker does to a container: serve, /ping, /invocations, SIGTERM",
    "tests/app/test_serve.py",
)

SUITE.tests(
    "show-minute",
    "overload, slow clients and SIGKILLs at once for a minute: no wrong answer, no acknowledged prediction lost, "
    "recovery without help",
    "tests/faults/test_pressure.py::test_pressure_dawdling_and_kills_at_once_cost_no_promise",
    alone=True,
)


@SUITE.row(
    "show-prometheus",
    "a real Prometheus scrapes it, evaluates the rules and rings",
    f"{WATCHING}::test_a_real_prometheus_scrapes_evaluates_and_rings",
)
def prometheus(bench: Bench) -> Measured:
    bench.make(".venv/.full")
    bench.run(bench.python, "tools/real_parts.py")
    return bench.tests(f"{WATCHING}::test_a_real_prometheus_scrapes_evaluates_and_rings")


@SUITE.row(
    "show-promtool",
    "promtool check rules passes, each alert rings when it should, and a scrape passes promtool check metrics",
    f"{WATCHING}::test_promtool_finds_nothing_wrong_with_the_rules",
)
def promtool(bench: Bench) -> Measured:
    bench.make(".venv/.full")
    bench.run(bench.python, "tools/real_parts.py")
    return bench.tests(
        f"{WATCHING}::test_promtool_finds_nothing_wrong_with_the_rules",
        f"{WATCHING}::test_each_alert_rings_when_it_should_and_none_when_all_is_well",
        f"{WATCHING}::test_promtool_finds_nothing_wrong_with_a_scrape",
    )


SUITE.tests(
    "show-dashboard",
    "every query of the dashboard names a metric that exists, with labels it has",
    f"{WATCHING}::test_every_metric_of_an_alert_or_a_panel_exists",
    f"{WATCHING}::test_every_label_of_a_query_exists",
)


@SUITE.row(
    "show-performance",
    f"binary tensors, tables, gRPC, workers, overload and swaps stand in {PERFORMANCE} with how to repeat them, and no "
    "gate was missed",
    PERFORMANCE,
)
def performance(bench: Bench) -> Measured:
    return shown(bench, TOLD, "binary", "arrow", "rpc", "rpc_servers", "workers", "overload", "swap")


@SUITE.row(
    "show-moving", "docs/moving.md: a recipe for each of six servers, executed", f"python tools/rundocs.py {MOVING}"
)
def moving(bench: Bench) -> Measured:
    text = (bench.clone / MOVING).read_text()
    recipes = {each.partition("\n")[0]: each for each in text.split("\n## ")[1:]}
    if missing := [each for each in SERVERS if not re.search(r"^```(bash|python)$", recipes.get(each, ""), re.M)]:
        raise Red(f"no recipe that runs for {', '.join(missing)}")
    said = bench.run(bench.python, "tools/rundocs.py", MOVING)
    found = re.search(r"moving\.md: (\d+) blocks ran", said)
    if found is None:
        raise Red(said[-400:])
    return Measured(int(found[1]), len(SERVERS), at_least=True)


@SUITE.row(
    "show-security",
    "docs/security.md says what is protected against what, and every test it names passes",
    "the tests that docs/security.md names",
)
def security(bench: Bench) -> Measured:
    text = (bench.clone / "docs" / "security.md").read_text()
    for heading in ("How it is tested", "What is not protected"):
        if f"\n## {heading}\n" not in text:
            raise Red(f"no section {heading!r}")
    named = set(re.findall(r"`(tests/\S+\.py)`", text))
    if missing := sorted(each for each in named if not (bench.clone / each).is_file()):
        raise Red(f"it names tests that are not there: {', '.join(missing)}")
    bench.make(".venv/.full")
    return bench.tests(*sorted(named))
