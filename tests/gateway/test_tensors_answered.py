"""Models whose answers are arrays: callers get all of them whole, the journal keeps the first, flat."""

from typing import Any

import msgspec
import numpy as np
import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.runtimes.ports import Feeds, Outputs, Placement, Runtime
from headgate.testing.scripted import linear_weights
from headgate.traffic.traffic import Member, Policy
from headgate.vocabulary import OnFailure, Task

PREDICT, INFER = "/v1/endpoints/e/predict", "/v2/models/e/infer"
ROWS = [{"f0": 0.1, "f1": 0.2, "f2": 0.3}, {"f0": 5.0, "f1": 5.0, "f2": 5.0}]
MATRIX = {"name": "x", "shape": [2, 3], "datatype": "FP64", "data": [[0.1, 0.2, 0.3], [5, 5, 5]]}


class Arrays(Placement):
    """The linear model as a placement whose outputs mean something to its callers alone."""

    @property
    def inline(self) -> Runtime | None:
        return None

    async def run(self, feeds: Feeds) -> Outputs:
        yes = 1 / (1 + np.exp(-(feeds["X"].astype(float) @ linear_weights(3))))
        arrays = {"label": (yes > 0.5).astype(int), "probabilities": np.stack([1 - yes, yes], axis=1)}
        return Outputs(np.empty(0), None, arrays, 5)

    async def close(self) -> None:
        pass


def tensors(town: Any, **policy: Any) -> None:
    contract = Contract(tuple(Field(f"f{at}", Kind.NUMBER) for at in range(3)), Output(Task.TENSOR))
    own = msgspec.json.encode(to_document(contract)).decode()
    digest = town.linear()
    town.placements[digest] = Arrays()
    town.publish([Member("m:1", digest, 1.0, proved=True)], contract=own, policy=Policy(**policy))


def expected() -> np.ndarray[Any, Any]:
    yes = 1 / (1 + np.exp(-(np.array([list(each.values()) for each in ROWS]) @ linear_weights(3))))
    return np.stack([1 - yes, yes], axis=1)


def test_native_callers_get_every_output_by_name(play: Any) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).post(PREDICT, {"rows": ROWS})
        assert reply.status == 200
        for entry, row in zip(reply.json["predictions"], expected(), strict=True):
            assert entry.keys() == {"id", "version", "prediction"}
            assert entry["prediction"].keys() == {"label", "probabilities"}
            assert entry["prediction"]["label"] == int(row[1] > 0.5)
            np.testing.assert_allclose(entry["prediction"]["probabilities"], row, atol=1e-6)

    play(tensors, scene)


def test_the_journal_keeps_the_first_output_of_each_row(play: Any) -> None:
    async def scene(town: Any) -> None:
        await (await town.call()).post(PREDICT, {"rows": ROWS})
        assert [(each.prediction, each.scores) for each in town.journal.answers] == [
            ([float(row[1] > 0.5)], None) for row in expected()
        ]

    play(tensors, scene)


def test_the_inference_protocol_has_them_as_tensors(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(INFER, {"inputs": [MATRIX]})
        label, probabilities = reply.json["outputs"]
        assert (label["name"], label["datatype"], label["shape"]) == ("label", "INT64", [2])
        assert (probabilities["name"], probabilities["datatype"]) == ("probabilities", "FP32")
        assert probabilities["shape"] == [2, 2]
        np.testing.assert_allclose(np.array(probabilities["data"]).reshape(2, 2), expected(), atol=1e-6)
        one = await caller.post(INFER, {"inputs": [MATRIX], "outputs": [{"name": "probabilities"}]})
        assert [each["name"] for each in one.json["outputs"]] == ["probabilities"]
        described = (await caller.ask("GET", "/v2/models/e")).json["outputs"]
        assert described == [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ]

    play(tensors, scene)


def test_tensors_have_no_labels(play: Any) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).post("/v1/endpoints/e/labels", {"labels": [{"request_id": "r", "label": 1}]})
        assert (reply.status, reply.json["error"]["rule"]) == (422, "type")
        assert "no labels" in reply.json["error"]["message"]

    play(tensors, scene)


@pytest.mark.parametrize("path", [PREDICT, INFER])
def test_an_answer_without_a_record_says_so_at_every_door(play: Any, path: str) -> None:
    async def scene(town: Any) -> None:
        from headgate.errors import JournalUnavailable

        town.journal.problem = JournalUnavailable("full")
        reply = await (await town.call()).post(path, {"rows": ROWS} if path == PREDICT else {"inputs": [MATRIX]})
        assert reply.status == 200
        said = reply.json if path == PREDICT else reply.json["parameters"]
        assert said["journalled"] is False

    play(lambda town: tensors(town, on_failure=OnFailure.ANSWER), scene)
