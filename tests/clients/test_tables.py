"""Tables there and back through either client."""

import importlib
from typing import Any

import pyarrow as pa
import pytest
from tests.clients.conftest import Make

from headgate.testing.installation import Installation
from headgate_client import BadInput, ById, Label, NotFound, Prediction


def rows(installation: Installation) -> Any:
    return pa.table({"f0": [float(each) / 500 for each in range(500)], "f1": [0.5] * 500})


def test_a_table_is_answered_by_a_table(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        answers = client.predict_table("e", rows(installation), request_id="mine")
        assert answers.num_rows == 500
        one = client.predict("e", rows(installation).slice(7, 1).to_pylist())[0]
        assert isinstance(one, Prediction)
        assert answers["prediction"][7].as_py() == one.value
        assert client.label("e", [Label(ById(answers["id"][7].as_py()), one.value)]) == 1


def test_bad_rows_stand_in_their_places(make: Make, installation: Installation) -> None:
    table = pa.table({"f0": [0.1, None], "f1": [0.1, 0.1]})
    with make(installation.url) as client:
        answers = client.predict_table("e", table)
        assert answers["error_rule"].to_pylist() == [None, "null"]
        assert client.predict_table("e", table.slice(1)).num_rows == 1


def test_what_is_wrong_with_a_table_is_raised(make: Make, installation: Installation) -> None:
    with make(installation.url) as client:
        with pytest.raises(BadInput) as caught:
            client.predict_table("e", [1, 2])
        assert caught.value.field == "table"
        with pytest.raises(NotFound):
            client.predict_table("nobody", rows(installation))
        with pytest.raises(BadInput) as caught:
            client.predict_table("e", rows(installation), keys=["one"])
        assert caught.value.field == "keys"


def test_without_pyarrow_the_extra_is_named(
    make: Make, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError("no module", name="pyarrow")

    with make(installation.url) as client:
        monkeypatch.setattr(importlib, "import_module", absent)
        with pytest.raises(BadInput) as caught:
            client.predict_table("e", rows(installation))
        assert "headgate-client[arrow]" in str(caught.value)
