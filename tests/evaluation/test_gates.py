"""Gate sentences: what they say, what they refuse, and the three outcomes."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.figures import Figures
from headgate.evaluation.gates import WORDS, Asks, Gate, GateResult, Outcome, judge, parse_gate, verdict
from headgate.evaluation.metrics import METRICS, metric
from headgate.evaluation.slices import Slice

PASSED, FAILED, UNDECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED


def estimate(name: str, value: float | None, half: float = 0.01, reason: str = "") -> Estimate:
    if value is None:
        return Estimate(name, None, None, None, 500, reason)
    return Estimate(name, value, value - half, value + half, 500)


@dataclass
class Known:
    """A report as gates see it."""

    overall: Figures
    slices: tuple[Slice, ...] = field(default=())


def against(name: str, ours: float, theirs: float, half: float = 0.01) -> Known:
    return Known(
        Figures(
            rows=500,
            estimates={name: estimate(name, ours)},
            baseline={name: estimate(name, theirs)},
            over_baseline={name: estimate(name, ours - theirs, half)},
            champion={name: estimate(name, theirs)},
            over_champion={name: estimate(name, ours - theirs, half)},
        )
    )


def outcome(text: str, known: Known) -> Outcome:
    return judge([parse_gate(text)], known)[0].outcome


def test_every_part_of_a_sentence_is_read() -> None:
    text = "pinball@0.9 not worse than champion by 0.01 in every slice of home airport with confidence"
    assert parse_gate(text) == Gate(text, "pinball@0.9", Asks.NOT_WORSE, 0.01, "champion", "home airport", True)
    assert parse_gate("auc better than dummy") == Gate("auc better than dummy", "auc", Asks.BETTER, 0.0, "dummy")
    assert parse_gate("  f1   >  0.5 ") == Gate("f1 > 0.5", "f1", Asks.ABOVE, 0.5)


@given(
    st.sampled_from(sorted(METRICS)),
    st.sampled_from(
        [">= {}", "< {}", "not worse than champion by {}", "better than dummy by {}", "better than champion"]
    ),
    st.floats(0, 100),
    st.sampled_from(["", " in every slice of carrier"]),
    st.sampled_from(["", " with confidence"]),
)
def test_a_gate_reads_back_from_its_own_text(name: str, form: str, number: float, part: str, sure: str) -> None:
    gate = parse_gate(f"{name} {form.format(number)}{part}{sure}")
    assert parse_gate(gate.text) == gate
    assert (bool(gate.slices), gate.confident) == (bool(part), bool(sure))


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("", "form", "METRIC >= NUMBER"),
        ("auc", "form", "METRIC >= NUMBER"),
        ("roc_auc >= 0.6", "unknown", "average_precision"),
        ("auc at least 0.6", "form", "comparison"),
        ("auc == 0.6", "form", "comparison"),
        ("auc >= high", "number", "finite number"),
        ("auc >= nan", "number", "finite number"),
        ("auc >= inf", "number", "finite number"),
        ("auc >= 0.6 or so", "form", "one number"),
        ("auc >=", "form", "one number"),
        ("auc better than random", "rival", "champion or dummy"),
        ("auc better than", "form", "comparison"),
        ("auc better than dummy by", "form", "'by' and a number"),
        ("auc better than dummy 0.1", "form", "'by' and a number"),
        ("auc better than dummy by much", "number", "finite number"),
        ("auc not worse than champion by -0.1", "range", "not negative"),
        ("auc >= 0.6 in every slice of", "form", "METRIC >= NUMBER"),
        ("pinball@2 <= 1", "range", "between 0 and 1"),
    ],
)
def test_a_sentence_that_is_no_gate_is_refused_by_name(text: str, rule: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        parse_gate(text)
    assert (caught.value.field, caught.value.rule) == ("gate", rule)


def test_the_words_are_those_a_gate_is_made_of() -> None:
    assert {"auc", "champion", "not worse than", "in every slice of", "with confidence"} <= set(WORDS)


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        ("auc >= 0.65", 0.65, PASSED),
        ("auc > 0.65", 0.65, FAILED),
        ("auc >= 0.65", 0.6499, FAILED),
        ("log_loss <= 0.7", 0.7, PASSED),
        ("log_loss < 0.7", 0.7, FAILED),
        ("log_loss <= 0.7", 0.71, FAILED),
    ],
)
def test_a_threshold_is_met_by_the_point_estimate(asked: str, value: float, expected: Outcome) -> None:
    name = asked.split(" ", maxsplit=1)[0]
    assert outcome(asked, Known(Figures(rows=500, estimates={name: estimate(name, value)}))) is expected


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        ("auc >= 0.65 with confidence", 0.67, PASSED),
        ("auc >= 0.65 with confidence", 0.655, UNDECIDED),
        ("auc >= 0.65 with confidence", 0.645, UNDECIDED),
        ("auc >= 0.65 with confidence", 0.63, FAILED),
        ("log_loss <= 0.7 with confidence", 0.68, PASSED),
        ("log_loss <= 0.7 with confidence", 0.695, UNDECIDED),
        ("log_loss <= 0.7 with confidence", 0.72, FAILED),
    ],
)
def test_with_confidence_the_interval_decides(asked: str, value: float, expected: Outcome) -> None:
    name = asked.split(" ", maxsplit=1)[0]
    assert outcome(asked, Known(Figures(rows=500, estimates={name: estimate(name, value)}))) is expected


@pytest.mark.parametrize(
    ("asked", "ours", "theirs", "expected"),
    [
        ("auc not worse than champion by 0.02", 0.69, 0.70, PASSED),
        ("auc not worse than champion by 0.02", 0.67, 0.70, FAILED),
        ("auc not worse than champion", 0.70, 0.70, PASSED),
        ("auc better than champion", 0.70, 0.70, FAILED),
        ("auc better than champion", 0.701, 0.70, PASSED),
        ("auc better than dummy by 0.02", 0.53, 0.50, PASSED),
        ("auc better than dummy by 0.02", 0.51, 0.50, FAILED),
        ("log_loss not worse than champion by 0.02", 0.61, 0.60, PASSED),
        ("log_loss not worse than champion by 0.02", 0.63, 0.60, FAILED),
        ("log_loss better than dummy by 0.02", 0.57, 0.60, PASSED),
        ("log_loss better than dummy by 0.02", 0.63, 0.60, FAILED),
        ("auc not worse than champion by 0.02 with confidence", 0.70, 0.70, PASSED),
        ("auc not worse than champion by 0.02 with confidence", 0.685, 0.70, UNDECIDED),
        ("auc not worse than champion by 0.02 with confidence", 0.60, 0.70, FAILED),
        ("log_loss better than champion with confidence", 0.58, 0.60, PASSED),
        ("log_loss better than champion with confidence", 0.595, 0.60, UNDECIDED),
        ("log_loss better than champion with confidence", 0.62, 0.60, FAILED),
    ],
)
def test_worse_is_what_the_metric_says(asked: str, ours: float, theirs: float, expected: Outcome) -> None:
    assert outcome(asked, against(asked.split(" ", maxsplit=1)[0], ours, theirs)) is expected


@given(st.sampled_from(sorted(METRICS)), st.floats(0, 1), st.floats(0, 1))
def test_not_both_better_and_not_worse_the_other_way(name: str, ours: float, theirs: float) -> None:
    better = outcome(f"{name} better than champion", against(name, ours, theirs)) is PASSED
    turned = outcome(f"{name} not worse than champion", against(name, theirs, ours)) is PASSED
    assert better is not turned
    assert better is (metric(name).better(ours - theirs) > 0)


def test_what_is_not_known_is_undecided_and_says_why() -> None:
    known = Known(Figures(rows=0, estimates={"auc": estimate("auc", None, reason="no labelled rows")}))
    results = judge([parse_gate("auc >= 0.5"), parse_gate("f1 >= 0.5"), parse_gate("auc better than champion")], known)
    assert [each.outcome for each in results] == [UNDECIDED] * 3
    assert [each.sentence for each in results] == [
        "auc has no value: no labelled rows",
        "f1 has no value: it was not measured",
        "there is no champion to compare with: judge the first version by a number",
    ]


def test_no_interval_leaves_a_confident_gate_undecided() -> None:
    known = Known(Figures(rows=1, estimates={"mae": Estimate("mae", 0.1, None, None, 1, "two rows")}))
    assert outcome("mae <= 1", known) is PASSED
    assert outcome("mae <= 1 with confidence", known) is UNDECIDED


def test_the_sentence_has_the_figures() -> None:
    [result] = judge([parse_gate("log_loss not worse than champion by 0.01")], against("log_loss", 0.62, 0.6))
    assert result.sentence == (
        "log_loss 0.6200 (0.6100 to 0.6300) is 0.02000 worse than the champion's 0.6000 "
        "(difference +0.02000 (+0.01000 to +0.03000)), asked was not worse than champion by 0.01"
    )
    [same] = judge([parse_gate("auc better than champion")], against("auc", 0.7, 0.7))
    assert "is the same as the champion's" in same.sentence


def sliced(*values: float | None, small: int = 0) -> Known:
    parts = [
        Slice(
            field="carrier", value=f"C{place}", rows=90, estimates={"auc": estimate("auc", value, reason="one class")}
        )
        for place, value in enumerate(values)
    ]
    parts += [Slice(field="carrier", value=f"S{place}", rows=3, estimates={}) for place in range(small)]
    return Known(Figures(rows=500, estimates={"auc": estimate("auc", 0.9)}), tuple(parts))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.7, 0.8), PASSED),
        ((0.7, 0.6), FAILED),
        ((0.7, None), UNDECIDED),
        ((0.6, None), FAILED),
        ((), UNDECIDED),
    ],
)
def test_in_every_slice_one_failure_fails(values: tuple[float | None, ...], expected: Outcome) -> None:
    assert outcome("auc >= 0.65 in every slice of carrier", sliced(*values)) is expected


def test_small_slices_are_named_and_not_judged() -> None:
    [result] = judge([parse_gate("auc >= 0.65 in every slice of carrier")], sliced(0.7, 0.8, small=2))
    assert result.outcome is PASSED
    assert result.sentence == "holds in all 2 slices of carrier; 2 with fewer rows than a slice needs not judged"
    [none] = judge([parse_gate("auc >= 0.65 in every slice of carrier")], sliced(small=2))
    assert (none.outcome, none.sentence) == (UNDECIDED, "no slice of carrier has enough rows")
    [other] = judge([parse_gate("auc >= 0.65 in every slice of origin")], sliced(0.7))
    assert (other.outcome, other.sentence) == (UNDECIDED, "origin was not sliced")


def test_failing_slices_are_told_apart_and_counted() -> None:
    [result] = judge([parse_gate("auc >= 0.65 in every slice of carrier")], sliced(0.6, 0.7, 0.5, 0.4, 0.3))
    assert result.sentence.startswith("failed in 4 of 5 slices of carrier: C0: auc is 0.6000")
    assert result.sentence.endswith("and 1 more")


def test_the_verdict_needs_gates_and_all_of_them() -> None:
    def of(*outcomes: Outcome) -> Outcome:
        return verdict([GateResult("auc >= 0", each, "") for each in outcomes])

    assert of() is UNDECIDED
    assert of(PASSED, PASSED) is PASSED
    assert of(PASSED, UNDECIDED) is UNDECIDED
    assert of(UNDECIDED, FAILED, PASSED) is FAILED
