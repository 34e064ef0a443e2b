"""The whole path: a file that asks for it, a detector fitted as it is applied, rows flagged and refused by gateways."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from headgate.errors import BadConfiguration
from headgate.testing.installation import Installation

pytestmark = pytest.mark.full
PREDICT = "/v1/endpoints/late/predict"
ASKED = "outliers: {flag: 1 in 50, reject: 1 in 500}"
USUAL = {"distance": 700.0, "hours": 1.4}
FAR = {"distance": 700.0, "hours": 9.0}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    draw = np.random.default_rng(4)
    distance = draw.uniform(50, 4000, 1200)
    frame = pd.DataFrame({"distance": distance, "hours": distance / 500 + draw.normal(0, 0.2, 1200)})
    late = (frame.hours > 4).astype(int)
    model = LogisticRegression(max_iter=500).fit(frame, late)
    with Installation(tmp_path_factory.mktemp("screened") / "h") as installation:
        with installation.open() as hg:
            hg.register("delay", model, reference=frame.assign(late=late), label="late")
        installation.serve("late", {"delay:1": 1.0}, more=ASKED)
        installation.serve("plain", {"delay:1": 1.0})
        yield installation.start()


def asked(served: Installation, *rows: dict[str, Any], path: str = PREDICT) -> tuple[int, list[Any]]:
    status, body = served.post(path, json.dumps({"rows": rows}).encode())
    return status, json.loads(body)["predictions"]


def test_what_no_field_shows_by_itself_is_refused_and_its_neighbour_answered(served: Installation) -> None:
    status, (first, second) = asked(served, USUAL, FAR)
    assert status == 200
    assert "error" not in first
    assert (second["error"]["field"], second["error"]["rule"]) == ("rows[1]", "outlier")
    with served.open() as hg:
        kept = [each for each in hg.reader.joined("default", "late").to_pylist() if each["refusal_rule"]]
    assert kept
    assert {each["refusal_rule"] for each in kept} == {"outlier"}


def test_an_endpoint_that_does_not_ask_answers(served: Installation) -> None:
    status, (found,) = asked(served, FAR, path="/v1/endpoints/plain/predict")
    assert (status, "error" in found) == (200, False)


def test_ordinary_rows_are_marked_no_more_often_than_was_said(served: Installation) -> None:
    draw = np.random.default_rng(5)
    distance = draw.uniform(50, 4000, 2000)
    hours = distance / 500 + draw.normal(0, 0.2, 2000)
    rows = [{"distance": each, "hours": other} for each, other in zip(distance.tolist(), hours.tolist(), strict=True)]
    before = served.metric("headgate_outliers_total")
    status, found = asked(served, *rows)
    assert status == 200
    after = served.metric("headgate_outliers_total")
    marked = sum(after.values()) - sum(before.values())
    # 1 in 50 by 600 held out rows: 0.0057 about it over references, and 0.0031 of 2,000 rows.
    assert 0 < marked / len(rows) <= 0.02 + 3 * (0.0057**2 + 0.0031**2) ** 0.5
    refused = sum("error" in each for each in found)
    with served.open() as hg:
        flags = [each["flags"] for each in hg.reader.joined("default", "late").to_pylist()]
    assert sum("outlier:row" in (each or []) for each in flags) + refused == marked


def test_a_rate_that_the_reference_cannot_state_is_refused_with_the_rows_it_needs(served: Installation) -> None:
    with served.open() as hg:
        before = hg.traffic.read()[("default", "late")]
    with pytest.raises(BadConfiguration, match="has 1,200 rows and 1 in 1000 needs 1,997"):
        served.serve("late", {"delay:1": 1.0}, more="outliers: {flag: 1 in 1000}")
    with served.open() as hg:
        assert hg.traffic.read()[("default", "late")] == before
