"""How much a candidate may decide by itself: no more than holds its risk, however often anybody asks."""

import numpy as np
import pytest
from tests.rollouts.tables import CANDIDATE, answer, joined

from headgate.contracts.contract import Output
from headgate.rollouts.answers import Answers, decided_by, decisions_of, undivided, with_truths
from headgate.rollouts.automation import SETTLING, Automation, by_people, enough_confidence, risk_kept
from headgate.rollouts.decide import decide
from headgate.rollouts.guards import usual_guards
from headgate.rollouts.judge import Sample, Source, judge, weigh
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Analysis, Partial, Plan, SetWeight
from headgate.rollouts.state import Action, Move, Phase, begin, moved
from headgate.vocabulary import PEOPLE, Micros, Role, Task, Verdict

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
PLAN = Plan(
    endpoint="late",
    candidate=CANDIDATE,
    steps=(Partial(0.05), Analysis(), SetWeight(1.0)),
    guards=usual_guards(Task.BINARY, labels=False, people=True),
    people=True,
)


def answers(confidences: np.ndarray, wrong: np.ndarray) -> Answers:
    """What a model said, as sure as stated."""
    count = len(confidences)
    said = np.zeros(count, np.int64)
    scores = np.stack([confidences, 1.0 - confidences], axis=1)
    nothing = np.zeros(count)
    known = np.ones(count, np.bool_)
    return Answers(np.arange(count), said, scores, nothing, ~known, wrong.astype(np.int64), known)


def drawn(generator: np.random.Generator, count: int) -> Answers:
    """A model that is wrong as often as it says, from every other time to hardly ever."""
    confidences = generator.uniform(0.5, 1.0, count)
    return answers(confidences, generator.random(count) > confidences)


def test_it_decides_where_the_risk_is_held() -> None:
    found = enough_confidence(drawn(np.random.default_rng(1), 20_000), risk=0.05, alpha=0.05)
    assert found is not None
    # Cases above a confidence c are wrong in (1 - c) / 2 of all times: 5 % from 0.9 on.
    assert 0.9 <= found < 0.97


def test_there_is_none_while_too_little_is_known() -> None:
    assert enough_confidence(drawn(np.random.default_rng(1), SETTLING + 20), risk=0.05, alpha=0.05) is None
    assert enough_confidence(drawn(np.random.default_rng(1), 0), risk=0.05, alpha=0.05) is None


def test_looking_all_the_time_breaks_the_promise_no_more_often_than_it_says() -> None:
    """A model that is wrong in 6 % wherever it is asked, and a risk of 5 %: any confidence is one too many."""
    generator, looks, broken = np.random.default_rng(7), range(250, 1501, 50), 0
    for _ in range(200):
        every = answers(generator.uniform(0.5, 1.0, 1500), generator.random(1500) < 0.06)
        masks = (np.arange(1500) < look for look in looks)
        broken += any(enough_confidence(every.take(each), risk=0.05, alpha=0.1) is not None for each in masks)
    assert broken / 200 <= 0.1 + 3 * np.sqrt(0.09 / 200)


@pytest.mark.parametrize(("rate", "verdict"), [(0.15, Verdict.ROLL_BACK), (0.01, Verdict.PROMOTE)])
def test_what_it_decides_by_itself_is_held_to_the_risk(rate: float, verdict: Verdict) -> None:
    generator = np.random.default_rng(3)
    alone = answers(np.full(2000, 0.99), generator.random(2000) < rate)
    table = joined([])
    nothing = decisions_of(table, OUTPUT, CANDIDATE, (Role.SHADOW,))
    arms = undivided(table, OUTPUT)
    sample = Sample(nothing, arms, nothing, arms, Setting(), Automation(alone.take(np.zeros(2000, np.bool_)), alone))
    (judged,) = (each for each in weigh(PLAN, sample).judged if each.source is Source.ALONE)
    assert (judged.metric, judged.verdict) == ("risk", verdict)
    assert judged.candidate == pytest.approx(rate, abs=0.02)
    assert (judge(PLAN, begin(PLAN, Micros(0)), weigh(PLAN, sample)).verdict is Verdict.ROLL_BACK) == (rate > 0.1)
    assert risk_kept(alone, risk=0.05).rows == 2000


def test_it_waits_for_a_confidence_and_then_decides_from_there_on() -> None:
    state = begin(PLAN, Micros(0))
    assert decide(PLAN, state, Verdict.PROMOTE, Micros(1)) is None, "guards that hold say nothing of the risk"
    move = decide(PLAN, state, Verdict.UNDECIDED, Micros(1), 0.93)
    assert move is not None
    after = moved(PLAN, state, move)
    assert (after.step, after.weight, after.confidence) == (1, 1.0, 0.93)
    full = moved(PLAN, moved(PLAN, after, Move(Action.STEP, Micros(2), "")), Move(Action.PROMOTE, Micros(3), ""))
    assert (full.weight, full.confidence) == (1.0, 0.0)
    back = moved(PLAN, after, Move(Action.ROLL_BACK, Micros(2), "worse"))
    assert (back.phase, back.weight, back.confidence) == (Phase.ROLLED_BACK, 0.0, 0.0)


def test_nobody_lets_it_decide_without_a_confidence() -> None:
    state = begin(PLAN, Micros(0))
    assert moved(PLAN, state, Move(Action.STEP, Micros(1), "go on")) is state


def decision(place: int, said: str, who: str = "ann", took: int = 5) -> dict[str, object]:
    return answer(place, Role.HUMAN, said, assigned=PEOPLE, answered=who, scores=None, latency_us=took)


def unseen(place: int, said: str, role: Role = Role.SHADOW) -> dict[str, object]:
    return answer(place, role, said, assigned=CANDIDATE)


def test_people_are_compared_on_what_both_said() -> None:
    rows = [
        decision(1, "yes"),
        unseen(1, "no"),
        decision(2, "no"),
        unseen(3, "no"),
        unseen(4, "yes"),
        decision(4, "yes"),
    ]
    pairs = decisions_of(joined(rows), OUTPUT, CANDIDATE, (Role.SHADOW, Role.LIVE))
    assert pairs.live.predicted.tolist() == [1, 1]
    assert pairs.candidate.predicted.tolist() == [0, 1]
    assert not pairs.live.labelled.any()
    assert by_people(pairs).truth.tolist() == [1, 1]
    assert by_people(pairs).labelled.all()


def test_of_two_people_the_quicker_counts_whatever_they_said() -> None:
    rows = [decision(1, "yes", "ann", took=9), decision(1, "no", "bob", took=2), unseen(1, "no")]
    pairs = decisions_of(joined(rows), OUTPUT, CANDIDATE, (Role.SHADOW,))
    assert pairs.live.predicted.tolist() == [0]


def test_what_was_suggested_compares_nobody() -> None:
    rows = [decision(1, "yes"), unseen(1, "yes", Role.SUGGESTION)]
    assert len(decisions_of(joined(rows), OUTPUT, CANDIDATE, (Role.SHADOW, Role.LIVE))) == 0


def test_what_people_decided_is_not_what_turned_out_to_be_true() -> None:
    rows = [
        answer(1, Role.LIVE, "yes", "no", assigned=CANDIDATE, source="human"),
        answer(2, Role.LIVE, "yes", "no", assigned=CANDIDATE, source="label"),
    ]
    assert with_truths(joined(rows))["label"].to_pylist() == [None, "no"]
    assert decided_by(joined(rows), OUTPUT, CANDIDATE).labelled.tolist() == [False, True]
