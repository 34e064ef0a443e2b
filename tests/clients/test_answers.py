"""Both clients against a real gateway: what they ask is answered, kept and told in its own types."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.clients.conftest import Make
from tests.clients.weir import Weir

from headgate.testing.installation import Installation
from headgate_client import (
    BadInput,
    ById,
    ByKey,
    ByRequest,
    Decision,
    Label,
    NotFound,
    Prediction,
    RowRefused,
)

ROW = {"f0": 0.5, "f1": -0.25}


def test_rows_are_answered_in_order_and_a_bad_row_alone_is_refused(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        found = client.predict("e", [ROW, {"f0": "x", "f1": 1.0}, {"f0": np.float32(0.5), "f1": np.int64(2)}])
    assert len(found) == 3
    first, second, third = found
    assert isinstance(first, Prediction)
    assert first.version == "linear:1"
    assert first.value in (0, 1)
    assert first.scores is not None
    assert sum(first.scores) == pytest.approx(1.0)
    assert isinstance(second, RowRefused)
    assert (second.field, second.rule) == ("rows[1].f0", "type")
    assert found.answered == (first, third)
    assert not found.is_complete
    assert found.journalled
    assert found.attempts == 1


def test_a_request_of_bad_rows_alone_is_a_result_too(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        found = client.predict("e", [{"f0": 1.0}])
    assert [each.rule for each in found if isinstance(each, RowRefused)] == ["missing"]


def test_labels_and_decisions_name_their_row_in_every_way(make: Make, installation: Installation) -> None:
    name, key = uuid.uuid4().hex, uuid.uuid4().hex
    before = _counted(installation)
    with make(installation.url) as client:
        found = client.predict("e", [ROW, ROW, ROW], request_id=name, keys=["other", "another", key])
        assert found.request_id == name
        first = found[0]
        assert isinstance(first, Prediction)
        moment = datetime.now(UTC)
        labels = [
            Label(first, 1, observed_at=moment),
            Label(ByRequest(name, 1), 0),
            Label(ByKey(key, moment + timedelta(seconds=5)), 1),
        ]
        assert client.label("e", labels) == 3
        assert client.decide("e", [Decision(ById(first.id), 0, actor="desk"), Decision(ByRequest(name, 2), 1)]) == 2
    after = _counted(installation)
    assert after[0] - before[0] == 3
    assert after[1] - before[1] == 3


def test_the_words_of_a_refusal_are_the_servers(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        with pytest.raises(BadInput) as refused:
            client.label("e", [Label(ById(str(uuid.uuid4())), 1)])
        assert (refused.value.field, refused.value.rule, refused.value.status) == ("labels[0].id", "known_id", 422)
        assert "never given" in refused.value.message
        with pytest.raises(BadInput) as refused:
            client.predict("e", [])
        assert (refused.value.field, refused.value.rule) == ("rows", "size")
        with pytest.raises(NotFound) as missing:
            client.predict("nobody", [ROW])
        assert (missing.value.field, missing.value.status, missing.value.attempts) == ("endpoint", 404, 1)


def test_names_cannot_leave_their_place_in_the_path(make: Make, installation: Installation) -> None:
    with make(installation.url, project="a/b") as client, pytest.raises(NotFound):
        client.predict("../e?x=1#y", [ROW])


def test_an_endpoint_describes_itself(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        found = client.endpoint("e")
        with pytest.raises(NotFound):
            client.endpoint("nobody")
    assert (found.name, found.project, found.live, found.versions) == ("e", "default", "linear:1", ("linear:1",))
    assert (found.task, found.classes) == ("binary", (0, 1))
    assert set(found.row_schema["properties"]) == {"f0", "f1"}


def test_health_is_asked_once(make: Make, installation: Installation, weir: Weir) -> None:
    with make(installation.url) as client:
        assert client.ready()
        assert client.live()
    with make("http://127.0.0.1:1") as client:
        assert not client.ready()
        assert not client.live()
        for ask in (client.ready, client.live):
            with pytest.raises(BadInput, match="deadline"):
                ask(deadline=-1)


def test_connections_are_used_again(make: Make, weir: Weir) -> None:
    with make(weir.url) as client:
        for _ in range(5):
            client.predict("e", [ROW])
    assert [each.connection for each in weir.seen] == [1] * 5


def test_the_key_goes_with_every_request_and_is_shown_nowhere(make: Make, weir: Weir) -> None:
    with make(weir.url, key="s3cret") as client:
        client.predict("e", [ROW])
        client.ready()
        assert "s3cret" not in repr(client)
    assert [each.headers["authorization"] for each in weir.seen] == ["Bearer s3cret"] * 2


def _counted(installation: Installation) -> tuple[int, int]:
    with installation.open() as hg:
        counts = hg.counts("e")
    return counts.inputs, counts.labelled
