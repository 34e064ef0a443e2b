"""Candidates that abort, never end or eat memory: their callers hear the live version, in time, and nobody else hears.

Two of the three are files of ONNX with nothing in them but standard operators. The aborting one divides the smallest
32-bit integer by minus one, whose result no such integer holds: ONNX Runtime divides as the processor does, and the
processor's answer is SIGFPE, which ends the process that asked. The endless one is a Loop of 2**63 - 1 turns whose
condition stays true. The third is a Python class that appends bytearrays until there is no memory.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from tests.lives.test_versions import ask, loaded

from headgate.contracts.contract import Output
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation
from headgate.testing.scripted import numbers_contract, write_contract
from headgate.vocabulary import Task

pytestmark = pytest.mark.full

DEADLINE_MS: Final = 1500
CONTRACT: Final = numbers_contract(2, Output(Task.BINARY, classes=(0, 1), probability=True))
CAUSES: Final = {"aborting": "signal SIGFPE", "endless": "signal SIGALRM", "hungry": "exit status 71"}
"""How the process of each ends: by the processor, by its limit of time, by its own account of its memory."""
LIMITS: Final = f"deadline_ms: {DEADLINE_MS}\nresources: {{memory_mb: 512, call_seconds: 3}}\n"
HUNGRY: Final = """
class Model:
    def __init__(self):
        self.eaten = []

    def predict(self, rows):
        while True:
            self.eaten.append(bytearray(16 << 20))
"""


def whole(value: int, dtype: Any) -> Any:
    return numpy_helper.from_array(np.array([[value]], dtype))


def aborting() -> ModelProto:
    """The largest of all numbers asked, times 0, plus INT32_MIN, divided by -1: one division, however many rows.

    Of many numbers at once ONNX Runtime divides some by instructions that do not mind.
    """
    constants = {"nothing": 0, "smallest": -(2**31), "minus": -1}
    nodes = [
        helper.make_node("Constant", [], [name], value=whole(value, np.int32)) for name, value in constants.items()
    ]
    nodes += [
        helper.make_node("Cast", ["X"], ["whole"], to=TensorProto.INT32),
        helper.make_node("ReduceMax", ["whole"], ["largest"], keepdims=1),
        helper.make_node("Mul", ["largest", "nothing"], ["zero"]),
        helper.make_node("Add", ["zero", "smallest"], ["dividend"]),
        helper.make_node("Div", ["dividend", "minus"], ["quotient"]),
        helper.make_node("Cast", ["quotient"], ["one"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["X", "one"], ["many"]),
    ]
    return answering(nodes, "many")


def endless() -> ModelProto:
    """A Loop that adds nothing to its rows 2**63 - 1 times."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Mul", ["rows_in", "one"], ["rows_out"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("rows_in", TensorProto.FLOAT, [None, 2]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("rows_out", TensorProto.FLOAT, [None, 2]),
        ],
        [numpy_helper.from_array(np.array([1.0], np.float32), "one")],
    )
    nodes = [
        helper.make_node("Constant", [], ["turns"], value=numpy_helper.from_array(np.array(2**63 - 1, np.int64))),
        helper.make_node("Constant", [], ["go"], value=numpy_helper.from_array(np.array(True))),
        helper.make_node("Loop", ["turns", "go", "X"], ["looped"], body=body),
    ]
    return answering(nodes, "looped")


def answering(nodes: list[Any], last: str) -> ModelProto:
    """A classifier whose probabilities are the softmax of `last`."""
    nodes += [
        helper.make_node("Softmax", [last], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "candidate",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def package(root: Path, artefact: str, content: bytes) -> Path:
    """A package of `content` with the contract of the live version."""
    onnx = artefact.endswith(".onnx")
    if onnx:
        inputs, options = [ModelInput("X", "float32", list(CONTRACT.names), [2])], {}
    else:
        inputs = [ModelInput(each, "float64", [each], [1]) for each in CONTRACT.names]
        options = {"class": "Model", "input": "matrix"}
    signature = Signature(
        inputs,
        [ModelOutput("label", "int64", []), ModelOutput("probabilities", "float32", [2])],
        prediction="label",
        scores="probabilities",
    )
    engine = Engine.ONNX if onnx else Engine.PYTHON
    manifest = Manifest(FORMAT, engine, artefact, signature, {}, {}, options, trusted=not onnx)

    def build(folder: Path) -> Manifest:
        (folder / artefact).write_bytes(content)
        write_contract(folder, CONTRACT)
        return manifest

    store = PackageStore(root)
    return store.path(store.put(build))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An endpoint per candidate, half of the callers each, and a neighbour with a candidate that is well."""
    with Installation(tmp_path_factory.mktemp("fallback") / "h") as installation:
        packages = installation.home.packages
        live, well = installation.linear(), installation.linear("well", bias=1.0)
        made = {
            "aborting": package(packages, "model.onnx", aborting().SerializeToString()),
            "endless": package(packages, "model.onnx", endless().SerializeToString()),
            "hungry": package(packages, "model.py", HUNGRY.encode()),
        }
        for name, path in made.items():
            candidate = installation.keep(name, path)
            installation.serve(name, {live: 0.5, candidate: 0.5}, more=LIMITS)
        installation.serve("neighbour", {live: 0.5, well: 0.5})
        installation.start()
        for name in (*CAUSES, "well"):
            installation.until(lambda name=name: loaded(installation, f"{name}:1"), f"{name} is loaded")  # type: ignore[misc] # mypy takes no default here
        yield installation


def host_of(served: Installation, version: str) -> str:
    with served.open() as hg:
        return f"host {hg.registry.resolve(version).digest.removeprefix('sha256:')[:12]}"


def deaths(served: Installation, host: str) -> list[str]:
    """How the process of this one candidate ended, each time; the other candidates' processes end when they please."""
    return [line for line in served.log.splitlines() if host in line and "starting it again" in line]


def fallbacks(served: Installation, version: str) -> dict[str, float]:
    """What is counted against a version, by reason."""
    found = served.metric("headgate_fallbacks_total")
    mine = {labels: value for labels, value in found.items() if f'version="{version}"' in labels and value}
    return {labels.partition('reason="')[2].partition('"')[0]: value for labels, value in mine.items()}


def died(served: Installation, candidate: str, host: str, before: int) -> bool:
    """Whether its process ended; a candidate that rests is asked again only when somebody asks."""
    if len(deaths(served, host)) > before:
        return True
    assert ask(served, candidate, 2).problems == []
    return False


@pytest.mark.parametrize("candidate", CAUSES)
def test_callers_of_a_candidate_that_misbehaves_hear_the_live_version_in_time(
    candidate: str, served: Installation
) -> None:
    host = host_of(served, f"{candidate}:1")
    before = len(deaths(served, host))
    gateway = served.processes()["gateway 0"]
    with Callers(served.port, "neighbour", connections=2, requests=100_000) as neighbours:
        promised = ask(served, candidate, 40)
        served.until(lambda: died(served, candidate, host, before), "its process ended")
        served.until(lambda: host in served.processes(), "another takes its place")
        neighbour = neighbours.stop()

    assert promised.problems == []
    assert promised.statuses == {200: 40}
    assert served.processes()["gateway 0"] == gateway, "nothing of it happens in a gateway"
    with served.open() as hg:
        rows = hg.reader.joined("default", candidate).to_pylist()
        [window] = hg.windows(candidate, every="month")
        notes = hg.status(candidate, every="month").notes
    assert {row["answered"] for row in rows} == {"linear:1"}
    of_candidate = [row for row in rows if row["assigned"] != "linear:1"]
    assert {(row["assigned"], row["role"]) for row in of_candidate} == {(f"{candidate}:1", "canary")}
    reasons = Counter(row["fallback"] for row in of_candidate)
    assert reasons.keys() <= {"failed", "late", "resting"}
    assert reasons.keys() & {"failed", "late"}, "it was asked"
    assert all(row["fallback"] == "" for row in rows if row["assigned"] == "linear:1")
    assert all(row["latency_us"] < DEADLINE_MS * 1000 for row in rows)
    assert fallbacks(served, f"{candidate}:1") == reasons, "counted against the version that was assigned"
    assert fallbacks(served, "linear:1") == {}
    assert window.fallbacks == len(of_candidate)
    assert any("were answered by another version" in each for each in notes)
    assert CAUSES[candidate] in deaths(served, host)[before]
    assert served.metric("headgate_process_deaths_total")['{process="host"}'] >= 1

    assert neighbour.problems == []
    assert neighbour.statuses.keys() == {200}
    assert {each.version for each in neighbour.predictions.values()} == {"linear:1", "well:1"}
    assert fallbacks(served, "well:1") == {}


def test_a_candidate_that_goes_on_misbehaving_is_asked_less_and_less(served: Installation) -> None:
    """Two hundred callers in a row, half of them the endless one's, would wait for more than a minute otherwise."""
    ask(served, "endless", 40)
    before, began = fallbacks(served, "endless:1"), time.monotonic()
    promised = ask(served, "endless", 200)
    took = time.monotonic() - began
    assert promised.statuses == {200: 200}
    after = fallbacks(served, "endless:1")
    late, resting = (after.get(each, 0.0) - before.get(each, 0.0) for each in ("late", "resting"))
    assert late <= 12
    assert resting > 60
    assert took < 15


def test_the_files_are_what_is_said_of_them() -> None:
    """Standard operators alone, so that any exporter might have written them."""
    for model in (aborting(), endless()):
        assert {each.domain for each in model.opset_import} == {""}
        assert {each.domain for each in model.graph.node} == {""}
        assert not model.functions
