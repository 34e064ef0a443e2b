"""Windows against counting by hand, their calendar, and who counts in them."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.joined import NOTHING, Row, moment, refused, table

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.evaluation.metrics import measure
from headgate.evaluation.report import evaluate
from headgate.monitors.status import title
from headgate.monitors.windows import Window, windows
from headgate.vocabulary import DAY, SECOND, Micros, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
MARCH, APRIL = moment("2013-03-01"), moment("2013-04-01")


def one(rows: list[Row], **given: Any) -> Window:
    [window] = windows(table(rows), OUTPUT, **given)
    return window


def test_every_input_is_answered_refused_or_an_error() -> None:
    window = one([Row(), Row(flags=["range:distance"]), refused("range"), refused("domain"), refused("range"), NOTHING])
    assert (window.volume, window.answered, window.errors, window.flagged) == (6, 2, 1, 1)
    assert window.refused == (("range", 2), ("domain", 1))
    assert window.refusals == 3
    assert window.versions == ("flight:1",)


def test_an_answer_counts_as_an_answer_whatever_else_was_noted() -> None:
    window = one([Row(refusal_rule="range")])
    assert (window.volume, window.answered, window.refused) == (1, 1, ())


def test_a_fallback_is_counted_and_still_an_answer() -> None:
    window = one([Row(), Row(assigned="flight:2", role="canary", fallback="timeout")])
    assert (window.answered, window.fallbacks, window.errors) == (2, 1, 0)


def test_times_are_quantiles_in_milliseconds_of_answers_alone() -> None:
    window = one([Row(latency_us=each * 1000, compute_us=each * 100) for each in range(1, 101)] + [refused("range")])
    assert window.latency_ms is not None
    assert window.compute_ms is not None
    assert window.latency_ms.p50 == pytest.approx(50.5)
    assert window.latency_ms.p99 == pytest.approx(99.01)
    assert window.compute_ms.p95 == pytest.approx(9.505)
    assert one([refused("range")]).latency_ms is None


def test_shadows_and_people_are_not_what_callers_saw() -> None:
    window = one([Row(), Row(role="shadow", answered="flight:2", assigned="flight:2"), Row(role="human")])
    assert (window.volume, window.versions) == (1, ("flight:1",))


def test_a_shadow_that_said_nothing_is_an_error_of_its_version_alone() -> None:
    silent = Row(
        role="shadow", assigned="flight:2", answered="", prediction=None, scores=None, fallback="late", label="no"
    )
    spoken = Row(role="shadow", assigned="flight:2", answered="flight:2", label="no")
    window = one([Row(), Row(), silent, spoken], version="flight:2")
    assert (window.volume, window.answered, window.errors, window.fallbacks) == (2, 1, 1, 1)
    assert (window.judged, window.labelled, window.versions) == (1, 1, ("flight:2",))
    assert one([Row(), silent]).errors == 0


def test_a_version_is_seen_by_what_was_assigned_to_it() -> None:
    second: dict[str, Any] = {"assigned": "flight:2", "label": "no"}
    rows = [
        Row(label="no"),
        refused("range"),
        Row(role="canary", answered="flight:2", **second),
        Row(role="canary", fallback="timeout", prediction="yes", **second),
        Row(role="shadow", answered="flight:2", **second),
    ]
    window = one(rows, version="flight:2")
    assert (window.volume, window.answered, window.fallbacks, window.refused) == (3, 3, 1, ())
    # the fallback is another version's answer, so this version's figures leave it out
    assert (window.judged, window.labelled, window.metrics["accuracy"].value) == (2, 2, 1.0)
    assert windows(table(rows), OUTPUT, version="flight:3") == []


def test_calls_that_chose_their_version_are_traffic_but_no_evidence() -> None:
    window = one([Row(label="no"), Row(role="pinned", label="yes")])
    assert (window.volume, window.answered, window.judged, window.labelled) == (2, 2, 1, 1)
    assert window.metrics["accuracy"].value == 1.0


def test_labels_are_due_once_they_are_ripe() -> None:
    rows = [
        Row(at=MARCH, label="no"),
        Row(at=MARCH + DAY),
        Row(at=MARCH + 2 * DAY, label="no"),
        Row(at=MARCH + 3 * DAY),
        refused("range"),
    ]
    window = one(rows, maturity_s=86_400.0, now=Micros(MARCH + 2 * DAY))
    assert (window.judged, window.due, window.labelled, window.coverage) == (4, 2, 2, 0.5)
    early = one(rows, maturity_s=86_400.0, now=Micros(MARCH))
    assert (early.due, early.coverage) == (0, None)
    assert one(rows).coverage == 0.5


def test_a_label_that_is_no_class_counts_as_missing() -> None:
    window = one([Row(label="no"), Row(label="perhaps")])
    assert (window.labelled, window.coverage) == (1, 0.5)


def test_metrics_are_those_of_the_evaluation() -> None:
    draw = np.random.default_rng(1)
    stated = draw.beta(2, 4, 300)
    truth = np.where(draw.random(300) < stated, "yes", "no")
    said = np.where(stated > 0.5, "yes", "no")
    rows = [
        Row(scores=[1 - p, p], label=str(label), prediction=str(word))
        for p, label, word in zip(stated.tolist(), truth, said, strict=True)
    ]
    expected = measure(Task.BINARY, truth, said, np.column_stack((1 - stated, stated)), OUTPUT.classes)
    assert one([*[refused("range") for _ in range(20)], *rows, *[Row() for _ in range(20)]]).metrics == expected


def test_the_reference_fixes_metrics_and_confidence() -> None:
    report = evaluate(Task.REGRESSION, [1.0, 2.0], [1.0, 2.5], None, gates=["pinball@0.9 <= 1"], confidence=0.5)
    rows = [Row(prediction=1.0, label=2.0, scores=None), Row(prediction=1.0, label=5.0, scores=None)]
    [window] = windows(table(rows, pa.float64()), Output(Task.REGRESSION), reference=report)
    assert list(window.metrics) == list(report.estimates)
    expected = measure(Task.REGRESSION, [2.0, 5.0], [1.0, 1.0], None, metrics=report.estimates, confidence=0.5)
    assert window.metrics == expected


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("month", ["2013-02-01", "2013-03-01", "2013-04-01"]),
        ("week", ["2013-02-25", "2013-03-04", "2013-03-11", "2013-03-18", "2013-03-25", "2013-04-01"]),
        (31 * 86_400, ["2013-02-12", "2013-03-15"]),
    ],
)
def test_windows_follow_the_calendar_and_leave_no_gap(every: str | float, starts: list[str]) -> None:
    rows = [Row(at=moment("2013-02-28T23:59:59.999999")), Row(at=APRIL)]
    found = windows(table(rows), OUTPUT, every=every)
    assert [each.start for each in found] == [moment(each) for each in starts]
    assert all(one.end == two.start for one, two in pairwise(found))
    assert (found[0].volume, found[-1].volume) == (1, 1)
    for each in found[1:-1]:
        assert (each.volume, each.coverage, each.latency_ms, each.versions) == (0, None, None, ())
        assert each.metrics["auc"].reason == "no labelled rows"


def test_days_and_hours_begin_in_utc() -> None:
    row = Row(at=moment("2013-03-10T13:30"))
    assert one([row], every="day").start == moment("2013-03-10")
    assert one([row], every="hour").start == moment("2013-03-10T13:00")
    assert one([row], every="hour").end == moment("2013-03-10T14:00")
    assert one([row], every=0.5).end - one([row], every=0.5).start == SECOND // 2


def test_events_before_1970_have_windows_too() -> None:
    row = Row(at=moment("1969-12-31T23:00"))
    assert one([row], every="month").start == moment("1969-12-01")
    assert one([row], every="week").start == moment("1969-12-29")
    assert one([row], every="day").start == moment("1969-12-31")


@pytest.mark.parametrize("every", ["fortnight", "", 0, -1, float("nan"), float("inf")])
def test_a_window_of_no_length_is_refused(every: str | float) -> None:
    with pytest.raises(BadInput) as caught:
        windows(table([Row()]), OUTPUT, every=every)
    assert caught.value.field == "every"


def test_too_many_windows_are_refused() -> None:
    with pytest.raises(BadInput, match="choose a longer one"):
        windows(table([Row(at=MARCH), Row(at=APRIL)]), OUTPUT, every=60)


def test_no_rows_are_no_windows() -> None:
    assert windows(table([]), OUTPUT) == []
    assert windows(table([Row(role="shadow")]), OUTPUT) == []


def test_a_table_of_nothing_but_refusals_needs_no_types() -> None:
    empty = table([refused("range")])
    for name in ("assigned", "answered", "role", "prediction", "scores", "fallback", "flags", "label"):
        empty = empty.set_column(empty.schema.get_field_index(name), name, pa.nulls(1))
    [window] = windows(empty, OUTPUT)
    assert (window.volume, window.refusals) == (1, 1)


def test_texts_may_be_dictionaries_and_chunks() -> None:
    rows = [Row(label="no"), refused("range"), Row(label="yes", prediction="yes")]
    plain = table(rows)
    coded = plain
    for name in ("assigned", "answered", "role", "fallback", "refusal_rule", "label"):
        at = coded.schema.get_field_index(name)
        coded = coded.set_column(at, name, coded[name].cast(pa.large_string()).dictionary_encode())
    pieces = pa.concat_tables([plain.slice(0, 1), plain.slice(1, 1), plain.slice(2, 1)])
    assert windows(coded, OUTPUT) == windows(plain, OUTPUT) == windows(pieces, OUTPUT)


@pytest.mark.parametrize(
    ("classes", "kind"),
    [((False, True), pa.bool_()), ((0, 1), pa.int64()), ((0, 1), pa.float64()), ((False, True), pa.int64())],
)
def test_classes_of_every_type_are_read(classes: tuple[Any, Any], kind: pa.DataType) -> None:
    cast = float if kind == pa.float64() else (int if kind == pa.int64() else bool)
    rows = [Row(label=cast(1), prediction=cast(1)), Row(label=cast(0), prediction=cast(1)), Row(prediction=cast(0))]
    [window] = windows(table(rows, kind), Output(Task.BINARY, classes=classes))
    assert (window.labelled, window.metrics["accuracy"].value) == (2, 0.5)


def test_some_answers_without_scores_leave_score_metrics_undefined_with_a_reason() -> None:
    rows = [Row(label="no"), Row(label="yes", scores=None), Row(label="yes", scores=[1.0])]
    window = one(rows)
    assert window.metrics["auc"].reason == "2 rows have no finite scores"
    assert window.metrics["accuracy"].known
    assert one([replace(each, scores=None) for each in rows]).metrics["auc"].reason == "the model gives no scores"


def test_tensors_are_counted_and_timed_only() -> None:
    [window] = windows(table([Row(prediction=None, scores=None)]), Output(Task.TENSOR))
    assert (window.volume, window.labelled, window.metrics) == (1, 0, {})


def test_a_window_survives_json() -> None:
    window = one([Row(label="no"), Row(label="yes"), refused("range")])
    assert msgspec.json.decode(msgspec.json.encode(window), type=Window) == window


ROWS = st.lists(
    st.builds(
        Row,
        at=st.integers(MARCH - 40 * DAY, MARCH + 40 * DAY),
        answered=st.sampled_from(["flight:1", "flight:2"]),
        role=st.sampled_from(["live", "canary", "shadow", "pinned"]),
        prediction=st.sampled_from(["no", "yes"]),
        label=st.sampled_from([None, "no", "yes"]),
        fallback=st.sampled_from(["", "timeout"]),
        latency_us=st.integers(0, 10**7),
    )
    | st.builds(refused, st.sampled_from(["range", "domain"]), st.integers(MARCH - 40 * DAY, MARCH + 40 * DAY)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(["month", "week", "day"]))
def test_counting_by_hand_gives_the_same(rows: list[Row], every: str) -> None:
    counted = [each for each in rows if each.role != "shadow"]
    found = windows(table(rows), OUTPUT, every=every)
    assert sum(each.volume for each in found) == len(counted)
    for window in found:
        mine = [each for each in counted if window.start <= each.at < window.end]
        answered = [each for each in mine if each.answered]
        judged = [each for each in answered if each.role != "pinned"]
        labelled = [each for each in judged if each.label]
        assert (window.volume, window.answered, window.errors) == (len(mine), len(answered), 0)
        assert dict(window.refused) == Counter(each.refusal_rule for each in mine if each.refusal_rule)
        assert window.fallbacks == sum(bool(each.fallback) for each in answered)
        assert (window.judged, window.labelled, window.due) == (len(judged), len(labelled), len(judged))
        assert window.versions == tuple(sorted({str(each.answered) for each in answered}))
        right = sum(each.label == each.prediction for each in labelled)
        assert window.metrics["accuracy"].value == (pytest.approx(right / len(labelled)) if labelled else None)
        if answered and window.latency_ms:
            assert window.latency_ms.p50 == pytest.approx(np.median([each.latency_us for each in answered]) / 1000)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_table_does_not_matter(rows: list[Row], shuffle: Any) -> None:
    other = list(rows)
    shuffle.shuffle(other)

    def counts(given: list[Row]) -> list[tuple[Any, ...]]:
        return [
            (each.start, each.volume, each.refused, each.labelled, each.latency_ms, each.metrics["accuracy"])
            for each in windows(table(given), OUTPUT)
        ]

    assert counts(rows) == counts(other)


def test_months_follow_the_calendar_of_a_zone_through_its_changes_of_clocks() -> None:
    moments = ["2013-03-01T04:59:59", "2013-03-01T05:00", "2013-04-01T03:59:59", "2013-04-01T04:00"]
    rows = [Row(at=moment(each)) for each in moments]
    found = windows(table(rows), OUTPUT, every="month", zone="America/New_York")
    assert [(title(each), each.volume) for each in found] == [("2013-02", 1), ("2013-03", 2), ("2013-04", 1)]
    assert [each.start for each in found[1:]] == [each.end for each in found[:-1]]


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(BadInput) as refused:
        windows(table([Row()]), OUTPUT, zone="Mars/Olympus")
    assert (refused.value.field, refused.value.rule) == ("zone", "unknown")


@pytest.mark.parametrize(
    ("classes", "kind", "labels", "labelled"),
    [
        (("no", "yes"), pa.int64(), [0, 1, 1], 0),
        ((0, 1), pa.string(), ["0", "1", "x"], 2),
        ((0, 1), pa.int64(), [0, 1, 7], 2),
        ((False, True), pa.bool_(), [False, True, None], 2),
        ((1, "one"), pa.string(), ["1", "one", "2"], 1),
    ],
)
def test_labels_of_another_type_than_the_classes_count_where_they_mean_one(
    classes: tuple[Any, ...], kind: pa.DataType, labels: list[Any], labelled: int
) -> None:
    rows = [Row(label=each, prediction=labels[0]) for each in labels]
    [window] = windows(table(rows, kind), Output(Task.BINARY, classes=classes, probability=True))
    assert (window.volume, window.labelled) == (3, labelled)


def test_labelled_answers_without_scores_lend_none_from_others() -> None:
    """Where an older version gave no probabilities, metrics of them have no value and say why."""
    bare = [Row(label=each, scores=None) for each in ("no", "yes")]
    window = one([*bare, Row(scores=[0.4, 0.6]), Row(scores=[0.3, 0.7])])
    assert window.labelled == 2
    assert window.metrics["accuracy"].value == 0.5
    assert window.metrics["auc"].value is None
    assert window.metrics["auc"].reason
