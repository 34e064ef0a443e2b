"""The judge on simulated answers: what it decides, and how often it is wrong."""

from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.rollouts.tables import CANDIDATE, LIVE, answer, coins, divided, joined, shadowed

from headgate.contracts.contract import Output
from headgate.rollouts.answers import FEATURE, LOSS, Answers, Arms, Pairs, answers_of, arms_of, pairs_of
from headgate.rollouts.guards import Alpha, Guard, Margin, Measure, Unit, usual_guard, usual_guards
from headgate.rollouts.judge import Judgement, Sample, Source, judge, sources, weigh
from headgate.rollouts.losses import largest, losses
from headgate.rollouts.measures import Setting
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.state import Action, Move, State, begin, moved
from headgate.vocabulary import SECOND, Micros, Role, Task, Verdict

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
ACCURACY = Guard(metric=Measure.ACCURACY, margin=Margin(1.0, Unit.POINTS))
ERRORS = usual_guard(Measure.ERRORS)
UNSEEN = Plan(endpoint="late", candidate=CANDIDATE, steps=(Shadow(1.0), Analysis()), guards=(ACCURACY,))
SPLIT = Plan(endpoint="late", candidate=CANDIDATE, steps=(SetWeight(0.5), Analysis()), guards=(ACCURACY,))


def looked(table: pa.Table, plan: Plan, thresholds: tuple[float, ...] = ()) -> Judgement:
    state = moved(plan, begin(plan, Micros(0)), Move(Action.STEP, Micros(0), ""))
    return judge(plan, state, weigh(plan, sample_of(table, thresholds)))


def sample_of(table: pa.Table, thresholds: tuple[float, ...] = ()) -> Sample:
    pairs = pairs_of(table, OUTPUT, LIVE, CANDIDATE)
    arms = arms_of(table, OUTPUT, LIVE, CANDIDATE, lambda *_: LIVE)
    return Sample(pairs, arms, pairs, arms, Setting(thresholds, ("no", "yes")))


def guarded(plan: Plan, *guards: Guard) -> Plan:
    return msgspec.structs.replace(plan, guards=guards)


def test_nothing_seen_is_undecided() -> None:
    assert looked(joined([]), UNSEEN).verdict is Verdict.UNDECIDED
    assert looked(joined([]), SPLIT).verdict is Verdict.UNDECIDED


def test_a_shadow_that_is_worse_is_rolled_back() -> None:
    generator = np.random.default_rng(1)
    table = shadowed(coins(generator, 2000, 0.1), coins(generator, 2000, 0.2))
    judgement = looked(table, UNSEEN)
    assert (judgement.verdict, judgement.why) == (Verdict.ROLL_BACK, "accuracy is worse (shadow)")
    assert judgement.guards[0].live == pytest.approx(0.1, abs=0.03)
    assert judgement.guards[0].candidate == pytest.approx(0.2, abs=0.03)


def test_a_shadow_that_is_better_may_go_on() -> None:
    generator = np.random.default_rng(2)
    table = shadowed(coins(generator, 3000, 0.15), coins(generator, 3000, 0.1))
    assert looked(table, UNSEEN).verdict is Verdict.PROMOTE


def test_a_canary_that_is_worse_is_rolled_back() -> None:
    generator = np.random.default_rng(3)
    ours = coins(generator, 4000, 0.5)
    wrong = (generator.random(4000) < np.where(ours, 0.3, 0.2)).tolist()
    assert looked(divided(ours, wrong, 0.5), SPLIT).verdict is Verdict.ROLL_BACK


def test_a_canary_that_fails_its_callers_is_rolled_back_before_any_label() -> None:
    rows = [
        answer(place, role, "yes", probability=0.5, fallback="failed" if role is Role.CANARY else "")
        for place, role in enumerate([Role.LIVE, Role.CANARY] * 30)
    ]
    judgement = looked(joined(rows), guarded(SPLIT, ERRORS))
    assert (judgement.verdict, judgement.guards[0].candidate) == (Verdict.ROLL_BACK, 1.0)


def test_without_any_errors_a_candidate_is_proved_to_have_hardly_any() -> None:
    generator = np.random.default_rng(4)
    table = divided(coins(generator, 6000, 0.5), [False] * 6000, 0.5)
    assert looked(table, guarded(SPLIT, ERRORS)).verdict is Verdict.PROMOTE
    table = divided(coins(generator, 60, 0.5), [False] * 60, 0.5)
    assert looked(table, guarded(SPLIT, ERRORS)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("slower", "verdict"), [(1.0, Verdict.PROMOTE), (1.5, Verdict.ROLL_BACK)])
def test_latency_is_judged_against_what_the_live_version_took_before(slower: float, verdict: Verdict) -> None:
    generator = np.random.default_rng(5)
    took = generator.lognormal(9.0, 0.3, 8000)
    ours = coins(generator, 8000, 0.5)
    rows = [
        answer(
            place,
            Role.CANARY if mine else Role.LIVE,
            "yes",
            probability=0.5,
            compute_us=round(us * (slower if mine else 1.0)),
        )
        for place, (mine, us) in enumerate(zip(ours, took, strict=True))
    ]
    thresholds = tuple(np.exp(9.0 + 0.3 * np.array([0.0, 1.645, 2.326])).tolist())
    guard = usual_guard(Measure.LATENCY)
    assert looked(joined(rows), guarded(SPLIT, guard), thresholds).verdict is verdict
    assert looked(joined(rows), guarded(SPLIT, guard)).verdict is Verdict.UNDECIDED, "nothing to compare with yet"


def test_agreement_needs_no_labels() -> None:
    guard = Guard(metric=Measure.AGREEMENT, margin=Margin(10.0, Unit.POINTS))
    generator = np.random.default_rng(6)
    same = shadowed([False] * 400, coins(generator, 400, 0.02))
    other = shadowed([False] * 400, coins(generator, 400, 0.4))
    assert looked(same, guarded(UNSEEN, guard)).verdict is Verdict.PROMOTE
    assert looked(other, guarded(UNSEEN, guard)).verdict is Verdict.ROLL_BACK


def test_calibration_is_a_paired_difference_of_squared_errors() -> None:
    guard = usual_guard(Measure.CALIBRATION)
    rows = []
    for place in range(600):
        rows.append(answer(place, Role.LIVE, "yes", "yes"))
        rows.append(answer(place, Role.SHADOW, "yes", "yes", scores=[0.45, 0.55]))
    assert looked(joined(rows), guarded(UNSEEN, guard)).verdict is Verdict.ROLL_BACK


def test_a_relative_margin_is_of_the_live_versions_own_figure() -> None:
    generator = np.random.default_rng(7)
    table = shadowed(coins(generator, 20000, 0.3), coins(generator, 20000, 0.3))
    wide = Guard(metric=Measure.ACCURACY, margin=Margin(20.0, Unit.PERCENT))
    assert looked(table, guarded(UNSEEN, wide)).verdict is Verdict.PROMOTE


def test_a_dry_run_is_told_and_decides_nothing() -> None:
    generator = np.random.default_rng(1)
    table = shadowed(coins(generator, 2000, 0.1), coins(generator, 2000, 0.2))
    dry = msgspec.structs.replace(ACCURACY, dry_run=True)
    judgement = looked(table, guarded(UNSEEN, dry, ERRORS))
    assert judgement.verdict is not Verdict.ROLL_BACK
    assert judgement.guards[0].verdict is Verdict.ROLL_BACK


def test_a_router_that_does_not_do_what_it_says_breaks_the_measurement() -> None:
    table = divided([True] * 200, [False] * 200, 0.5)
    assert looked(table, SPLIT).verdict is Verdict.BROKEN


def test_a_shadow_that_says_nothing_breaks_the_measurement() -> None:
    rows = [answer(place, Role.LIVE, "yes", "yes") for place in range(1100)]
    assert looked(joined(rows), UNSEEN).verdict is Verdict.BROKEN
    assert looked(joined(rows[:1000]), UNSEEN).verdict is Verdict.UNDECIDED, "it may have been loading for a minute"


def test_a_split_must_hold_before_more_is_given() -> None:
    plan = Plan(
        endpoint="late",
        candidate=CANDIDATE,
        steps=(Shadow(1.0), Analysis(), SetWeight(0.5), Analysis()),
        guards=(ERRORS,),
    )
    unseen = moved(plan, begin(plan, Micros(0)), Move(Action.STEP, Micros(0), ""))
    table = shadowed([False] * 2000, [False] * 2000)
    assert judge(plan, unseen, weigh(plan, sample_of(table))).verdict is Verdict.PROMOTE
    split: State = unseen
    for _ in range(2):
        split = moved(plan, split, Move(Action.STEP, Micros(0), ""))
    assert split.weight == 0.5
    assert judge(plan, split, weigh(plan, sample_of(table))).verdict is Verdict.UNDECIDED


def test_every_guard_has_somewhere_to_look() -> None:
    for guard in usual_guards(Task.BINARY, labels=True):
        assert sources(guard, SPLIT) == (Source.SPLIT,)
        assert sources(guard, UNSEEN) == (Source.SHADOW,)


@pytest.mark.parametrize("seed", [11])
def test_a_candidate_as_good_as_the_live_version_is_hardly_ever_rolled_back(seed: int) -> None:
    """400 shadows of 1,500 inputs at an alpha of 5 %: rolled back in at most 5 % and three standard errors."""
    generator = np.random.default_rng(seed)
    plan = msgspec.structs.replace(UNSEEN, alpha=Alpha(roll_back=0.05))
    back = 0
    for _ in range(400):
        same = coins(generator, 1500, 0.15)
        flips = generator.random((2, 1500)) < 0.05
        live, ours = ((np.array(same) ^ each).tolist() for each in flips)
        back += _rolled_back(live, ours, plan)
    assert back / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def _rolled_back(live: list[bool], ours: list[bool], plan: Plan) -> bool:
    pairs = Pairs(_wrong_where(live), _wrong_where(ours))
    nobody = Arms(_wrong_where([]), np.zeros(0, np.bool_), np.zeros(0))
    state = begin(plan, Micros(0))
    return judge(plan, state, weigh(plan, Sample(pairs, nobody, pairs, nobody, Setting()))).verdict is Verdict.ROLL_BACK


def _wrong_where(wrong: list[bool]) -> Answers:
    count = len(wrong)
    said, right = 1 - np.array(wrong, np.int64), np.ones(count, np.int64)
    never, always = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    return Answers(np.arange(count), said, None, np.zeros(count), never, right, always)


def test_a_group_that_is_worse_off_is_found_though_all_together_are_not() -> None:
    generator = np.random.default_rng(12)
    group = np.where(generator.random(6000) < 0.2, "few", "many")
    live = generator.random(6000) < 0.1
    ours = np.where(group == "few", generator.random(6000) < 0.25, generator.random(6000) < 0.05)
    table = shadowed(live.tolist(), ours.tolist())
    table = table.append_column(f"{FEATURE}region", pa.array(np.repeat(group, 2)))
    assert looked(table, UNSEEN).verdict is Verdict.PROMOTE
    judgement = looked(table, guarded(UNSEEN, msgspec.structs.replace(ACCURACY, by="region")))
    assert (judgement.verdict, judgement.why) == (
        Verdict.ROLL_BACK,
        "accuracy is worse (shadow, where region is few)",
    )


def test_groups_too_small_to_judge_are_left_out() -> None:
    table = shadowed([False] * 80, [True] * 80).append_column(f"{FEATURE}region", pa.array(["few"] * 160))
    judgement = looked(table, guarded(UNSEEN, msgspec.structs.replace(ACCURACY, by="region")))
    assert (judgement.verdict, judgement.guards[0].rows) == (Verdict.UNDECIDED, 0)


def test_what_decisions_are_worth_is_a_guard() -> None:
    """A missed yes costs ten times a false one: a candidate that is as often wrong, and elsewhere, is worth less."""
    worth = {"yes": {"yes": 10.0, "no": -1.0}}
    guard = Guard(metric=Measure.VALUE, margin=Margin(0.1, Unit.PLAIN), worth=worth)
    rows = []
    for place in range(400):
        truth = "yes" if place % 2 else "no"
        live = "yes" if place % 10 == 0 else truth
        ours = "no" if place % 10 == 1 else truth
        rows += [answer(place, Role.LIVE, live, truth), answer(place, Role.SHADOW, ours, truth)]
    assert looked(joined(rows), guarded(UNSEEN, guard)).verdict is Verdict.ROLL_BACK
    swapped = [row | {"role": "live" if row["role"] == "shadow" else "shadow"} for row in rows]
    for row in swapped:
        row["assigned"] = LIVE if row["role"] == "live" else CANDIDATE
    assert looked(joined(swapped), guarded(UNSEEN, guard)).verdict is Verdict.PROMOTE


def test_a_value_is_multiplied_by_a_column_up_to_its_cap() -> None:
    guard = Guard(
        metric=Measure.VALUE, margin=Margin(1.0, Unit.PLAIN), worth={"yes": {"yes": 1.0}}, column="amount", cap=50.0
    )
    table = joined([answer(0, Role.LIVE, "yes", "yes"), answer(1, Role.LIVE, "no", "yes")])
    table = table.append_column(f"{FEATURE}amount", pa.array([80.0, 20.0]))
    answers = answers_of(table, OUTPUT)
    assert losses(guard, answers, ("no", "yes")).tolist() == [0.0, 50.0]
    assert largest(guard) == 50.0


def test_a_query_gives_losses_of_its_own() -> None:
    guard = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query="SELECT 1", cap=1.0)
    table = shadowed([False] * 400, [False] * 400)
    lost = [0.0 if role == "live" else 0.5 for role in table["role"].to_pylist()]
    asked = table.append_column(f"{LOSS}SELECT 1", pa.array(lost))
    assert looked(asked, guarded(UNSEEN, guard)).verdict is Verdict.ROLL_BACK
    wild = table.append_column(f"{LOSS}SELECT 1", pa.array([7.0] * len(table)))
    judgement = looked(wild, guarded(UNSEEN, guard, ERRORS))
    assert (judgement.verdict, judgement.guards[0].verdict) == (Verdict.BROKEN, Verdict.BROKEN)
    assert "between 0 and the cap" in judgement.why
    assert judgement.guards[1].rows == 400


def both(count: int, fallback: str = "") -> list[dict[str, object]]:
    """Inputs both versions were asked, of which the candidate may have failed on all."""
    return [
        answer(place, role, "yes", fallback=fallback if role is Role.SHADOW else "")
        for place in range(count)
        for role in (Role.LIVE, Role.SHADOW)
    ]


def test_callers_who_are_not_divided_as_said_keep_nobody_from_rolling_back_on_a_shadow() -> None:
    plan = msgspec.structs.replace(UNSEEN, steps=(Shadow(1.0), SetWeight(0.5), Analysis()), guards=(ERRORS,))
    skewed = [answer(100 + place, Role.CANARY, "yes", probability=0.5) for place in range(200)]
    assert looked(joined([*both(50), *skewed]), plan).verdict is Verdict.BROKEN
    judgement = looked(joined([*both(50, "failed"), *skewed]), plan)
    assert (judgement.verdict, judgement.why) == (Verdict.ROLL_BACK, "errors is worse (shadow)")


def test_a_split_that_is_not_what_it_says_rolls_nobody_back_and_is_told() -> None:
    skewed = [answer(place, Role.CANARY, "yes", probability=0.5, fallback="failed") for place in range(200)]
    judgement = looked(joined(skewed), guarded(SPLIT, ERRORS))
    assert (judgement.verdict, judgement.why) == (Verdict.BROKEN, "callers are not divided as the weights say")
    assert judgement.guards[0].verdict is Verdict.ROLL_BACK


def test_a_silent_shadow_and_missing_labels_keep_nobody_from_rolling_back() -> None:
    judgement = looked(joined(both(1000, "failed")), guarded(UNSEEN, ACCURACY, ERRORS))
    assert (judgement.verdict, judgement.why) == (Verdict.ROLL_BACK, "errors is worse (shadow)")
    plan = msgspec.structs.replace(UNSEEN, steps=(Shadow(1.0), SetWeight(0.5), Analysis()), guards=(ERRORS,))
    silent = [
        answer(place, role, "yes", probability=0.5, fallback="failed" if role is Role.CANARY else "")
        for place, role in enumerate([Role.LIVE, Role.CANARY] * 1300)
    ]
    assert looked(joined(silent), plan).why == "errors is worse (split)"


@pytest.mark.parametrize(
    ("weight", "role", "who"), [(0.0, Role.LIVE, "shadow"), (1.0, Role.CANARY, "live version, the shadow now,")]
)
def test_a_version_that_falls_silent_beside_the_other_breaks_the_measurement(
    weight: float, role: Role, who: str
) -> None:
    """It answered in the step before, and says nothing of this one."""
    plan = msgspec.structs.replace(UNSEEN, guards=(ERRORS,))
    entered = Micros(101 * SECOND)
    state = msgspec.structs.replace(begin(plan, Micros(0)), weight=weight, shadow=1.0, entered=entered)
    alone = [answer(100 + place, role, "yes", probability=1.0) for place in range(1060)]
    judgement = judge(plan, state, weigh(plan, sample_of(joined([*both(100), *alone]))))
    assert judgement.verdict is Verdict.BROKEN
    assert judgement.why == f"the {who} says nothing; it may not be loaded, or all is shed"
    judgement = judge(plan, state, weigh(plan, sample_of(joined([*both(100), *alone[:1059]]))))
    assert judgement.verdict is not Verdict.BROKEN, "a thousand inputs at least"


def test_a_query_that_fails_breaks_its_own_guard_alone() -> None:
    guard = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query="SELECT 1", cap=1.0)
    broken = {"SELECT 1": "there is no such column"}
    for rows, verdict in ((both(500), Verdict.BROKEN), (both(500, "failed"), Verdict.ROLL_BACK)):
        sample = replace(sample_of(joined(rows)), broken=broken)
        plan = guarded(UNSEEN, guard, ERRORS)
        judgement = judge(plan, begin(plan, Micros(0)), weigh(plan, sample))
        assert judgement.verdict is verdict
        assert (judgement.guards[0].verdict, judgement.guards[1].rows) == (Verdict.BROKEN, 500)
        assert "no such column" in judgement.guards[0].why
    dry = guarded(UNSEEN, msgspec.structs.replace(guard, dry_run=True), ERRORS)
    sample = replace(sample_of(joined(both(10))), broken=broken)
    assert judge(dry, begin(dry, Micros(0)), weigh(dry, sample)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("lost", "verdict"), [(0.5, Verdict.ROLL_BACK), (0.0, Verdict.PROMOTE)])
def test_a_query_that_reads_no_label_is_judged_on_all_answers(lost: float, verdict: Verdict) -> None:
    guard = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query="SELECT 1", cap=1.0)
    assert (sources(guard, UNSEEN), sources(guard, SPLIT)) == ((Source.SHADOW,), (Source.SPLIT,))
    ours = coins(np.random.default_rng(13), 4000, 0.5)
    rows = [answer(n, Role.CANARY if mine else Role.LIVE, "yes", probability=0.5) for n, mine in enumerate(ours)]
    table = joined(rows).append_column(f"{LOSS}SELECT 1", pa.array([lost if mine else 0.0 for mine in ours]))
    assert looked(table, guarded(SPLIT, guard)).verdict is verdict


def test_labels_that_do_not_come_break_the_measurement() -> None:
    rows = [answer(place, role, "yes") for place in range(1000) for role in (Role.LIVE, Role.SHADOW)]
    judgement = looked(joined(rows), UNSEEN)
    assert (judgement.verdict, judgement.why) == (Verdict.BROKEN, "of 1,000 labels that are due none came")
    assert looked(joined(rows), guarded(UNSEEN, ERRORS)).verdict is not Verdict.BROKEN
