"""One value says what changed: from two sides and the figures of days, whatever is wrong with any of them."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.monitors.attribution.said import floats
from tests.monitors.attribution.windows_of import Chance, chance_of, flipped, sample

from headgate.alerts.finding import Finding, checked
from headgate.contracts.contract import Kind
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.rows import Rows
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.attribution.samples import Sample
from headgate.monitors.diagnosis.diagnosis import COLUMNS, Against, Diagnosis, Question, diagnose
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.diagnosis.sides import Side
from headgate.monitors.diagnosis.text import as_text, told
from headgate.monitors.diagnosis.words import FIGURES, dressed
from headgate.monitors.standing import Standing
from headgate.vocabulary import DAY, Micros, Task

KINDS = {"x": Kind.NUMBER, "y": Kind.NUMBER, "z": Kind.NUMBER, "colour": Kind.CATEGORY}
ASKED = Question(
    version="late:1",
    task=Task.BINARY,
    start=Micros(20 * DAY),
    end=Micros(26 * DAY),
    matured=Micros(25 * DAY),
    known=Micros(26 * DAY),
    kinds=KINDS,
)
FINDING = Finding(endpoint="late", monitor="performance", what="late:1 is worse", cause="unknown", at=Micros(0))


def side(seed: int, rows: int = 1200, *, shift: float = 0.0, relation: Chance = chance_of) -> Side:
    made = sample(seed, rows, shift=shift, relation=relation)
    return side_with(made, pa.table(dict(made.fields)))


def side_with(made: Sample, fields: pa.Table) -> Side:
    return Side(fields, made, fields.num_rows, len(made.rows))


def days(levels: Sequence[float]) -> list[tuple[Micros, dict[str, Estimate]]]:
    """The log loss of some days, 500 rows each."""
    each = [Estimate("log_loss", level, level - 0.02, level + 0.02, 500) for level in levels]
    return [(Micros((10 + place) * DAY), {"log_loss": figure}) for place, figure in enumerate(each)]


BEFORE = Against(side(1), "the first days")
NOISE = np.random.default_rng(3).normal(0, 0.01, 16)
DAYS = days([0.4 + float(each) + 0.3 * (place >= 10) for place, each in enumerate(NOISE)])


def found(now: Side, asked: Question = ASKED, reference: Against | None = BEFORE) -> Diagnosis:
    """What is said of it, which is read back as it was written, has no NaN, and fits into an alert."""
    told_of = diagnose(asked, now, reference, reference, DAYS)
    assert msgspec.json.decode(msgspec.json.encode(told_of), type=Diagnosis) == told_of
    assert all(np.isfinite(each) for each in floats(msgspec.to_builtins(told_of)))
    assert checked(dressed(FINDING, told_of)).key == FINDING.key
    assert "nan" not in as_text(told_of)
    return told_of


@pytest.mark.parametrize(
    ("now", "drift", "moved"),
    [
        (side(2), Drift.NONE, set()),
        (side(3, shift=0.8), Drift.DATA, {"x"}),
        (side(4, relation=flipped), Drift.CONCEPT, set()),
        (side(5, shift=0.8, relation=flipped), Drift.BOTH, {"x"}),
    ],
)
def test_the_kind_of_drift_its_cost_and_the_fields_that_moved(now: Side, drift: Drift, moved: set[str]) -> None:
    says = found(now)
    assert (says.metric, says.drift) == ("log_loss", drift)
    assert [each.metric for each in says.attributions] == ["log_loss", "auc", "accuracy"]
    assert ("x" in {each.name for each in says.moved}) == bool(moved), "one in twenty of the others may be named too"
    assert (says.course.course, says.course.began) == (Course.SUDDEN, 20 * DAY)
    text = as_text(says)
    assert f"drift       {drift.value}: " in text
    assert "began       1970-01-21, between 1970-01-2" in text
    assert "sudden" in text
    assert "log_loss 0." in text


def test_the_metric_of_the_alarm_names_the_drift_and_others_stand_beside() -> None:
    now = side(4, relation=flipped)
    says = found(now, asked_by(metric="accuracy"))
    assert [each.metric for each in says.attributions] == ["accuracy", "log_loss", "auc"]
    assert found(now, asked_by(metric="calibration_error")).metric == "log_loss"


def asked_by(*, metric: str) -> Question:
    """The question in other words."""
    return replace(ASKED, metric=metric)


def test_without_labels_fields_are_compared_and_the_rest_waits() -> None:
    now = side(3, shift=0.8)
    early = Side(now.fields, now_without(now), now.inputs, 0)
    says = found(early)
    assert (says.drift, says.remedy) == (Drift.UNDECIDED, Remedy.WAIT)
    assert says.moved[0].name == "x"
    assert "the current window has 0 labelled rows; 200 are needed" in as_text(says)


def now_without(now: Side) -> Sample:
    nothing = np.zeros(0, np.intp)
    fields = {name: np.asarray(column)[nothing] for name, column in now.sample.fields.items()}
    return Sample(fields, now.sample.rows.take(nothing))


def test_without_scores_accuracy_names_the_drift() -> None:
    sides = []
    for each in (side(1), side(4, relation=flipped)):
        rows = each.sample.rows
        blind = Rows(rows.task, rows.truth, rows.predicted, None, rows.classes)
        sides.append(side_with(Sample(each.sample.fields, blind), each.fields))
    says = found(sides[1], reference=Against(sides[0], "the first days"))
    assert [each.metric for each in says.attributions] == ["accuracy"]
    assert says.drift is Drift.CONCEPT


def test_without_anything_to_compare_with_it_says_so() -> None:
    says = found(side(2), reference=None)
    assert (says.drift, says.remedy, says.columns, says.metric) == (Drift.UNDECIDED, Remedy.WAIT, (), "")
    assert len(says.notes) == 2


def test_a_model_without_metrics_has_its_fields_compared() -> None:
    asked = Question("late:1", Task.TENSOR, ASKED.start, ASKED.end, ASKED.matured, ASKED.known, KINDS)
    says = found(side(3, shift=0.8), asked)
    assert says.moved[0].name == "x"
    assert says.drift is Drift.UNDECIDED
    assert "tensor has no metric" in as_text(says)


def test_a_field_that_arrives_broken_is_to_be_mended() -> None:
    now = side(6)
    lost = np.full(1200, np.nan)
    broken = Sample({**now.sample.fields, "x": lost}, now.sample.rows)
    fields = now.fields.set_column(0, "x", pa.nulls(1200, pa.float64()))
    says = found(side_with(broken, fields))
    assert says.remedy is Remedy.FIX_FIELD
    assert says.columns[0].standing in (Standing.BROKEN, Standing.ALARM)


def test_hostile_fields_are_said_and_stop_nothing() -> None:
    """Constant, all missing, huge, mixed, and tens of thousands of categories: the others are told all the same."""
    now, then = side(7, shift=0.8), side(8)
    hostile = {
        "constant": np.ones(1200),
        "huge": np.full(1200, 1e308),
        "many": np.array([f"c{each}" for each in range(1200)], dtype=object),
    }
    sides = []
    for each in (then, now):
        fields = each.fields
        for name, column in hostile.items():
            fields = fields.append_column(name, pa.array(column))
        fields = fields.append_column("missing", pa.nulls(1200, pa.float64()))
        whole = {**each.sample.fields, **hostile, "missing": np.full(1200, np.nan)}
        sides.append(side_with(Sample(whole, each.sample.rows), fields))
    says = found(sides[1], reference=Against(sides[0], "the first days"))
    assert says.drift is Drift.DATA
    assert {each.name for each in says.columns if each.standing is Standing.BROKEN} == {"missing"}


def test_of_very_many_fields_those_that_differ_most_are_kept() -> None:
    random = np.random.default_rng(4)
    wide = {f"f{place}": random.normal(size=300) for place in range(COLUMNS + 20)}
    then = side_with(sample(1, 300), pa.table(wide))
    now = side_with(sample(2, 300), pa.table({**wide, "f7": wide["f7"] + 3}))
    says = found(now, reference=Against(then, "the first days"))
    assert len(says.columns) == COLUMNS
    assert says.columns[0].name == "f7"
    assert "20 more fields were compared and differ less" in says.notes


def test_what_was_said_before_is_listed_and_an_alert_has_the_last_words_once() -> None:
    first, second = found(Side(side(4).fields, now_without(side(4)), 1200, 0)), found(side(4, relation=flipped))
    kept = Diagnosed(project="default", endpoint="late", began=ASKED.start).after(first).after(second)
    text = told(kept.said)
    assert [line.split()[7] for line in text.splitlines()[1:]] == ["undecided", "concept"]
    words = dressed(dressed(FINDING, first), second)
    assert [each.name for each in words.evidence] == list(FIGURES)
    assert words.evidence[0].value == "concept"
    assert "recent rows" in words.advice
