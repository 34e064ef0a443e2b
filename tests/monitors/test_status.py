"""What `headgate status` says, and that it fits a terminal."""

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.monitors.joined import NOTHING, Row, moment, refused, table

from headgate.contracts.contract import Output
from headgate.evaluation.report import Report, evaluate
from headgate.monitors.status import NOTES, WIDTH, EndpointStatus, Objective, Share, as_text, endpoint_status, title
from headgate.monitors.windows import Quantiles, windows
from headgate.traffic.endpoint import Slo
from headgate.vocabulary import DAY, Micros, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
LIVE = Share("flight:1", 0.9)


def rows(at: str, count: int, labelled: float = 1.0) -> list[Row]:
    draw = np.random.default_rng(4)
    found = []
    for place in range(count):
        chance = round(float(draw.beta(2, 4)), 4)
        truth = "yes" if draw.random() < chance else "no"
        found.append(
            Row(
                at=moment(at) + place,
                scores=[1 - chance, chance],
                prediction="yes" if chance > 0.5 else "no",
                label=truth if place < labelled * count else None,
            )
        )
    return found


def reference() -> Report:
    chances = np.linspace(0.05, 0.95, 200)
    labels = np.where(np.arange(200) % 10 < chances * 10, "yes", "no")
    said = np.where(chances > 0.5, "yes", "no")
    return evaluate(Task.BINARY, labels, said, np.column_stack((1 - chances, chances)), OUTPUT.classes)


def status(given: list[Row], **more: Any) -> EndpointStatus:
    made = windows(table(given), OUTPUT, **more)
    shares = [LIVE, Share("flight:2", 0.1, "canary"), Share("flight:3", 0.0, "shadow")]
    return endpoint_status("flights", task="binary", versions=shares, windows=made, reference=reference())


def test_the_text_has_traffic_figures_and_reference_within_the_terminal() -> None:
    text = as_text(status(rows("2013-03-05", 300) + rows("2013-04-05", 300)))
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    lines = text.splitlines()
    assert lines[0] == "flights  (binary, project default)"
    assert lines[1:4] == [
        "  flight:1  90 % of callers, live",
        "  flight:2  10 % of callers, canary",
        "  flight:3  shadow, answers nobody",
    ]
    assert lines[6].split()[:6] == ["2013-03", "300", "0", "0", "0", "100"]
    for name in reference().estimates:
        assert name in text
    auc = status(rows("2013-03-05", 300)).windows[0].metrics["auc"]
    assert f"{auc.value:.4f} ({auc.low:.4f} to {auc.high:.4f})" in text
    assert sum(line.startswith("reference ") for line in lines) == 3
    assert "reference: flight:1, evaluated on 200 rows" in text
    assert "notes" not in lines


def test_notes_say_what_a_reader_must_know() -> None:
    given = [
        *rows("2013-03-05", 100, labelled=0.03),
        refused("domain", moment("2013-03-06")),
        *rows("2013-05-05", 100),
        Row(at=moment("2013-05-06"), assigned="flight:2", fallback="timeout", label="no"),
        Row(**{**vars_of(NOTHING), "at": moment("2013-05-07")}),
    ]
    found = status(given).notes
    assert found == (
        "2013-05: 1 of 102 requests ended in an error",
        "no requests at all in 2013-04",
        "2013-05: 1 of 102 were answered by another version",
        "2013-03: label coverage 3 %; its metrics rest on 3 of 100 rows",
        "rows refused by rule: domain 1",
    )


def vars_of(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__dataclass_fields__}


def test_young_labels_are_said_to_be_due_later() -> None:
    words = {"maturity_s": 86_400.0, "now": Micros(moment("2013-03-05") + DAY + 29)}
    found = status(rows("2013-03-05", 100, labelled=0.5), **words).notes
    assert found == ("2013-03: labels still due for 50 of 100 rows",), "20 came before they were due"
    assert status(rows("2013-03-05", 100), **words).notes == (), "nothing is due of rows that all have their labels"
    chosen = [Row(at=moment("2013-03-05"), role="pinned")]
    assert status(rows("2013-03-05", 100) + chosen).notes == ()


def test_many_notes_are_cut_and_counted() -> None:
    given = [row for day in range(1, 29) for row in rows(f"2013-02-{day:02}", 10, labelled=0.1)]
    text = as_text(status(given, every="day"))
    assert text.count("label coverage") == NOTES
    assert text.endswith(f"and {28 - NOTES} more (--json shows all)")


def test_the_callers_own_notes_come_first() -> None:
    made = windows(table([NOTHING]), OUTPUT)
    found = endpoint_status("flights", task="binary", versions=[LIVE], windows=made, notes=["paused"])
    assert found.notes == ("paused", "2013-03: 1 of 1 requests ended in an error")


def test_an_endpoint_nobody_asked_says_so() -> None:
    found = endpoint_status("flights", task="binary", versions=[LIVE], windows=[])
    assert as_text(found).endswith("no requests yet")


def test_an_unlabelled_endpoint_has_traffic_and_no_figures() -> None:
    text = as_text(status(rows("2013-03-05", 20, labelled=0.0)))
    assert "auc" not in text
    assert "label coverage 0 %" in text


def test_a_metric_without_any_value_says_why() -> None:
    text = as_text(status([Row(label="no"), Row(label="no")]))
    assert "auc has no value: needs rows with and without the positive class" in text
    assert "accuracy has no value" not in text


def test_tensors_have_no_label_notes() -> None:
    made = windows(table([Row(prediction=None, scores=None)]), Output(Task.TENSOR))
    found = endpoint_status("images", task="tensor", versions=[LIVE], windows=made)
    assert found.notes == ()
    assert "2013-03" in as_text(found)


def test_status_survives_json() -> None:
    made = status(rows("2013-03-05", 50))
    assert msgspec.json.decode(msgspec.json.encode(made), type=EndpointStatus) == made


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("month", "2013-03"),
        ("week", "2013-03-04"),
        ("day", "2013-03-05"),
        ("hour", "2013-03-05 00:00"),
        (10, "2013-03-05 00:00:00"),
    ],
)
def test_a_window_is_called_by_its_first_moment(every: str | float, expected: str) -> None:
    [window] = windows(table(rows("2013-03-05", 3)), OUTPUT, every=every)
    assert title(window) == expected


def test_the_objective_is_judged_window_by_window() -> None:
    made = windows(table(rows("2013-03-05", 20) + rows("2013-04-05", 20)), OUTPUT)
    slow = msgspec.structs.replace(made[1], latency_ms=Quantiles(1.0, 2.0, 50.5))
    quick = msgspec.structs.replace(made[0], latency_ms=Quantiles(1.0, 2.0, 50.0))
    found = [quick, slow, msgspec.structs.replace(made[0], latency_ms=None)]
    promised = endpoint_status(
        "e", task="binary", versions=[LIVE], windows=found, slo=Slo(latency_p99_ms=50.0, requests_per_second=100.0)
    )
    assert promised.objective == Objective(latency_p99_ms=50.0, requests_per_second=100.0, kept=1, windows=2)
    text = as_text(promised)
    assert "objective: p99 within 50 ms, kept in 1 of 2 windows" in text
    assert "objective: 100 requests per second" in text
    assert "objective" not in as_text(endpoint_status("e", task="binary", versions=[LIVE], windows=found, slo=Slo()))
    silent = endpoint_status("e", task="binary", versions=[], windows=[], slo=Slo(latency_p99_ms=5.0))
    assert "p99 within 5 ms, no answers yet" in as_text(silent)


def test_an_objective_of_throughput_alone_promises_no_latency() -> None:
    status = endpoint_status("e", task="binary", versions=[LIVE], windows=[], slo=Slo(requests_per_second=2.5))
    text = as_text(status)
    assert "objective: 2.5 requests per second" in text
    assert "p99 within" not in text
