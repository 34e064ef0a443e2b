"""The native door over a real socket."""

from typing import Any

ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
PREDICT = "/v1/endpoints/e/predict"


def test_a_row_is_answered_and_remembered(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert reply.status == 200
        (entry,) = reply.json["predictions"]
        assert entry["version"] == "m:1"
        assert entry["prediction"] in (0, 1)
        assert abs(sum(entry["scores"]) - 1) < 1e-6
        assert reply.headers["headgate-version"] == "m:1"
        assert reply.headers["headgate-request-id"] == entry["id"]
        (record,), (answer,) = town.journal.inputs, town.journal.answers
        assert record.features == (0.1, 0.2, 0.3)
        assert answer.input_id == record.id
        assert record.id.hex() == entry["id"].replace("-", "")
        assert (answer.assigned, answer.answered, answer.role, answer.probability) == ("m:1", "m:1", "live", 1.0)

    play(lambda town: town.serve_one(), scene)
