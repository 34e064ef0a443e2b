"""Evidence that grows: however a history is cut into looks, the same comes of it, and it may be kept in between."""

from itertools import pairwise

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rollouts.same import assert_judged_alike
from tests.rollouts.tables import CANDIDATE, LIVE, answer, joined

from headgate.contracts.contract import Output
from headgate.rollouts.answers import FEATURE, Arms, Pairs, arms_of, pairs_of
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.judge import Evidence, Sample, lines_of, read_off, weigh
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.tally import Mean, Median
from headgate.vocabulary import SECOND, Role, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
COUNT = 700
ACCURACY = usual_guard(Measure.ACCURACY)
GUARDS = (
    usual_guard(Measure.ERRORS),
    usual_guard(Measure.LATENCY),
    usual_guard(Measure.AGREEMENT),
    usual_guard(Measure.CALIBRATION),
    ACCURACY,
    msgspec.structs.replace(ACCURACY, by="region"),
    Guard(metric=Measure.ACCURACY, margin=Margin(20.0, Unit.PERCENT), dry_run=True),
)
SHADOWED = Plan(endpoint="late", candidate=CANDIDATE, steps=(Shadow(1.0), Analysis(), SetWeight(0.5)), guards=GUARDS)
DIVIDED = msgspec.structs.replace(
    SHADOWED,
    steps=(SetWeight(0.1), SetWeight(0.5)),
    guards=tuple(each for each in GUARDS if each.metric != "agreement"),
)


def drawn(seed: int) -> Sample:
    """Inputs of which the candidate answered some unseen and then took a tenth and half of the others, badly."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(COUNT):
        share = 0.1 if place < COUNT // 2 else 0.5
        ours, label = random.random() < share, ("yes" if random.random() < 0.6 else "no")
        rows.append(said(random, place, Role.CANARY if ours else Role.LIVE, label, share if ours else 1 - share))
        if not ours and random.random() < 0.8:
            rows.append(said(random, place, Role.SHADOW, label, 1.0))
    table = joined(rows)
    regions = ["north" if each.timestamp() % 3 else "south" for each in table["at"].to_pylist()]
    table = table.append_column(f"{FEATURE}region", pa.array(regions))
    pairs = pairs_of(table, OUTPUT, LIVE, CANDIDATE)
    arms = arms_of(table, OUTPUT, LIVE, CANDIDATE, lambda *_: LIVE)
    due = 1 + (COUNT - 100) * SECOND
    return Sample(pairs, arms, pairs.within(0, due), arms.within(0, due), Setting((90.0, 150.0, 200.0), ("no", "yes")))


def said(random: np.random.Generator, place: int, role: Role, label: str, probability: float) -> dict[str, object]:
    wrong = random.random() < (0.1 if role is Role.LIVE else 0.3)
    return answer(
        place,
        role,
        {"yes": "no", "no": "yes"}[label] if wrong else label,
        label if random.random() < 0.9 else None,
        probability=probability,
        fallback="failed" if random.random() < 0.02 else "",
        compute_us=int(random.lognormal(4.6, 0.3)),
    )


def rows(sample: Sample, start: int, stop: int) -> Sample:
    """The part of each kind of row that stands there."""
    pairs, due_pairs = (part(each, start, stop) for each in (sample.pairs, sample.due_pairs))
    arms, due_arms = (part(each, start, stop) for each in (sample.arms, sample.due_arms))
    assert isinstance(pairs, Pairs)
    assert isinstance(due_pairs, Pairs)
    assert isinstance(arms, Arms)
    assert isinstance(due_arms, Arms)
    return Sample(pairs, arms, due_pairs, due_arms, sample.setting)


def part(whole: Pairs | Arms, start: int, stop: int) -> Pairs | Arms:
    places = np.arange(len(whole))
    return whole.take((places >= start) & (places < stop))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, COUNT), max_size=8), st.sampled_from([SHADOWED, DIVIDED]))
def test_evidence_does_not_depend_on_when_somebody_looked(seed: int, cuts: list[int], plan: Plan) -> None:
    sample, grown = drawn(seed), Evidence()
    for start, stop in pairwise([0, *sorted(cuts), 2 * COUNT]):
        grown = grown.after(plan, rows(sample, start, stop))
        grown = msgspec.msgpack.decode(msgspec.msgpack.encode(grown), type=Evidence)
    assert_judged_alike(read_off(plan, grown, sample), weigh(plan, sample))


def test_every_guard_of_these_plans_finds_something() -> None:
    for plan in (SHADOWED, DIVIDED):
        judged = weigh(plan, drawn(1)).judged
        assert len(judged) == len(lines_of(plan))
        assert all(each.rows > 0 for each in judged)
        assert any(each.p_worse < 0.5 for each in judged)


def test_of_rows_that_say_nothing_nothing_is_made() -> None:
    sample = drawn(1)
    grown = Evidence().after(SHADOWED, rows(sample, 0, 0))
    assert grown == Evidence().after(SHADOWED, rows(sample, COUNT * 2, COUNT * 3))
    assert all(each.rows == 0 for each in read_off(SHADOWED, grown, sample).judged)


@given(st.lists(st.lists(st.integers(0, 10_000_000), max_size=20), max_size=5))
def test_a_median_is_that_of_all_to_a_thousandth(pieces: list[list[int]]) -> None:
    median, mean = Median(), Mean()
    for each in pieces:
        times = np.array(each, np.float64)
        median, mean = median.after(times), mean.after(times)
    times = np.array([each for piece in pieces for each in piece], np.float64)
    assert msgspec.json.decode(msgspec.json.encode(median), type=Median) == median
    if not len(times):
        assert (median.value, mean.value) == (None, None)
        return
    assert mean.value == pytest.approx(times.mean())
    assert median.value == pytest.approx(np.median(times), rel=1 / 500)
