"""The plan file: what it means, and that whatever is wrong in it is named with its line."""

import pytest

from headgate.contracts.contract import Output
from headgate.errors import BadConfiguration
from headgate.rollouts.foretell import Pace
from headgate.rollouts.guards import Margin, Measure, Unit
from headgate.rollouts.plan import (
    Analysis,
    Approve,
    Assist,
    OnHorizon,
    Partial,
    Pause,
    Plan,
    SetWeight,
    Shadow,
)
from headgate.rollouts.planfile import Facts, read_plan
from headgate.rollouts.schedule import Schedule
from headgate.rollouts.strategies import Strategy, steps_of
from headgate.vocabulary import DAY, SECOND, Micros, Task

BINARY = Facts(Output(Task.BINARY, classes=("no", "yes"), probability=True), maturity_s=3600.0)
UNLABELLED = Facts(Output(Task.BINARY, classes=("no", "yes")), maturity_s=0.0)
NUMBER = Facts(Output(Task.REGRESSION), maturity_s=3600.0)
HEAD = "endpoint: late\ncandidate: late:2\n"


def plan_of(body: str, facts: Facts = BINARY) -> Plan:
    return read_plan(HEAD + body, "rollout.yaml").plan(facts, "late:2")


def refused(body: str, facts: Facts = BINARY) -> str:
    with pytest.raises(BadConfiguration) as refusal:
        plan_of(body, facts)
    return str(refusal.value)


def test_steps_are_read_as_they_are_written() -> None:
    plan = plan_of(
        "steps:\n- shadow: 50%\n- analysis\n- set_weight: 2.5%\n- pause: 10m\n- approve: read the report\n"
        "horizon: 14d\non_horizon: roll_back\nprogress_deadline: 2d\nalpha: {roll_back: 0.02}\n"
    )
    assert plan.steps == (
        Shadow(0.5),
        Analysis(),
        SetWeight(0.025),
        Pause(Micros(600 * SECOND)),
        Approve("read the report"),
    )
    assert (plan.horizon, plan.on_horizon, plan.progress_deadline) == (14 * DAY, OnHorizon.ROLL_BACK, 2 * DAY)
    assert (plan.alpha.roll_back, plan.alpha.promote) == (0.02, 0.05)
    assert [each.metric for each in plan.guards] == [Measure.ERRORS, Measure.LATENCY, Measure.ACCURACY]


@pytest.mark.parametrize("strategy", Strategy)
def test_a_strategy_is_its_steps(strategy: Strategy) -> None:
    plan = plan_of(f"strategy: {strategy}\n")
    assert plan.steps == steps_of(strategy)
    assert plan.guarded == (strategy is not Strategy.ALL_AT_ONCE)


def test_guards_have_their_margins() -> None:
    body = "strategy: canary\nguards:\n- metric: accuracy\n  margin: 5%\n- metric: agreement\n  dry_run: true\n"
    plan = plan_of(body)
    assert plan.guards[0].margin == Margin(5.0, Unit.PERCENT)
    assert plan.guards[1].dry_run
    assert not plan.guards[0].dry_run
    assert plan.guards[0].harm is None
    harm = plan_of("strategy: canary\nguards:\n- metric: calibration\n  harm: 0.02\n").guards[0]
    assert (harm.harm, harm.margin) == (Margin(0.02, Unit.PLAIN), Margin(0.01, Unit.PLAIN))


def test_without_labels_quality_is_not_guarded() -> None:
    assert [each.metric for each in plan_of("strategy: canary\n", UNLABELLED).guards] == ["errors", "latency"]


SQL = """\
strategy: canary
guards:
- metric: sql
  margin: 0.1
  cap: 1.0
  query: SELECT input_id, assigned AS version, LOSS AS loss FROM joined
"""


def sql(loss: str) -> str:
    """A plan with a query that gives `loss`."""
    return SQL.replace("LOSS", loss)


@pytest.mark.parametrize(
    "loss",
    [
        "0.5",
        "CAST(prediction = 'label' AS DOUBLE)",
        "CAST('it''s' = 'a label' AS DOUBLE)",
        "/* label */ 0.5",
        "labels.n",
    ],
)
def test_a_query_that_reads_no_label_needs_none(loss: str) -> None:
    [guard] = plan_of(sql(loss), UNLABELLED).guards
    assert (guard.metric, guard.needs_labels) == (Measure.SQL, False)


@pytest.mark.parametrize(
    "loss",
    [
        "CAST(label <> prediction AS DOUBLE)",
        "CAST(joined.LABEL = 'yes' AS DOUBLE)",
        "CAST('it''s' = \"label\" AS DOUBLE)",
        'CAST("it\'s" = label AS DOUBLE)',
    ],
)
def test_a_query_that_reads_the_label_needs_it(loss: str) -> None:
    assert plan_of(sql(loss)).guards[0].needs_labels
    assert "line 5: guards[0].metric: sql needs labels; set label_maturity" in refused(sql(loss), UNLABELLED)
    silent = Facts(BINARY.output, 60.0, unlabelled=500)
    assert "of 500 inputs due lately none has one" in refused(sql(loss), silent)


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("", 1, "steps: say either strategy or steps, and not both"),
        ("strategy: canary\nsteps: [analysis]\n", 4, "not both"),
        ("strategy: rolling\n", 3, "strategy"),
        ("steps: []\n", 3, "names no step"),
        ("strategy: canary\nspeed: 3\n", 1, "speed"),
        ("steps:\n- shadow: 100%\n- set_weight: 0.5\n", 5, "steps[1].set_weight: must be a share"),
        ("steps:\n- shadow: 100%\n- set_weight: 150%\n", 5, "more than 100%"),
        ("steps:\n- set_weight: 50%\n- set_weight: 20%\n", 5, "goes backwards"),
        ("steps:\n- set_weight: 50%\n- pause: soon\n", 5, "no duration"),
        ("steps:\n- set_weight: 50%\n- pause: 0s\n", 5, "longer than 0"),
        ("steps:\n- jump: 50%\n", 4, "is no step"),
        ("steps:\n- analysis\n- set_weight: 50%\n", 4, "answers nobody"),
        ("steps:\n- set_weight: 100%\n- shadow: 50%\nguards: []\n", 5, "nothing is left to shadow"),
        ("steps:\n- set_weight: 100%\n", 3, "give the guards nothing to measure"),
        ("steps:\n- set_weight: 50%\n- analysis\nguards: []\n", 5, "no guard may decide"),
        ("strategy: canary\nguards:\n- metric: happiness\n", 5, "happiness"),
        ("strategy: canary\nguards:\n- metric: latency\n  margin: 1pt\n", 6, "another unit: write 1%"),
        ("strategy: canary\nguards:\n- metric: accuracy\n  margin: 0.5\n", 6, "another unit"),
        ("strategy: canary\nguards:\n- metric: accuracy\n  margin: much\n", 6, "with its unit"),
        ("strategy: canary\nguards:\n- metric: accuracy\n  margin: -1pt\n", 6, "with its unit"),
        (
            "strategy: canary\nguards:\n- metric: agreement\n  margin: 0pt\n",
            6,
            "guards[0].margin: must be more than 0pt",
        ),
        ("strategy: canary\nguards:\n- metric: agreement\n  margin: 100pt\n", 6, "must be less than 100pt"),
        ("strategy: canary\nguards:\n- metric: accuracy\n  margin: 100pt\n", 6, "must be less than 100pt"),
        ("strategy: canary\nguards:\n- metric: calibration\n  margin: 1\n", 6, "must be less than 1,"),
        (
            "strategy: canary\nguards:\n- metric: accuracy\n  harm: 5%\n",
            6,
            "harm: of accuracy has another unit: write 1pt",
        ),
        ("strategy: canary\nguards:\n- metric: calibration\n  harm: 0\n", 6, "must be above 0"),
        ("strategy: canary\nguards:\n- metric: calibration\n  harm: much\n", 6, "guards[0].harm: must be a number"),
        ("strategy: canary\nguards:\n- metric: errors\n  harm: 1pt\n", 6, "harm: means nothing for errors"),
        ("strategy: canary\nguards:\n- metric: errors\n- metric: errors\n", 6, "guarded already"),
        ("strategy: ab_test\nguards:\n- metric: agreement\n", 5, "begin with a shadow step"),
        ("strategy: canary\nguards:\n- metric: accuracy\n  cap: 3\n", 6, "means nothing for accuracy"),
        ("strategy: canary\nalpha: {promote: 1.0}\n", 4, "alpha.promote: must lie between 0 and 1"),
        ("strategy: canary\nalpha: {roll_back: 0}\n", 4, "alpha.roll_back"),
        ("strategy: canary\nsticky_key: ''\n", 4, "sticky_key"),
        ("strategy: canary\nhorizon: 3w\n", 4, "no duration"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(body: str, line: int, says: str) -> None:
    message = refused(body)
    assert message.startswith(f"rollout.yaml line {line}"), message
    assert says in message


@pytest.mark.parametrize(
    ("facts", "guard", "says"),
    [
        (UNLABELLED, "accuracy", "set label_maturity"),
        (UNLABELLED, "calibration", "set label_maturity"),
        (Facts(UNLABELLED.output, 60.0), "calibration", "promises none"),
        (Facts(BINARY.output, 60.0, unlabelled=500), "accuracy", "of 500 inputs due lately none has one"),
        (NUMBER, "accuracy", "means nothing for the task 'regression'"),
        (BINARY, "absolute_error", "means nothing for the task 'binary'"),
        (NUMBER, "absolute_error", "cap: is needed"),
    ],
)
def test_a_guard_must_fit_its_endpoint(facts: Facts, guard: str, says: str) -> None:
    message = refused(f"strategy: canary\nguards:\n- metric: {guard}\n", facts)
    assert message.startswith("rollout.yaml line 5: guards[0]."), message
    assert says in message


def test_a_margin_is_less_than_the_cap() -> None:
    body = "strategy: canary\nguards:\n- metric: absolute_error\n  margin: {}\n  cap: 40\n"
    message = refused(body.format(50), NUMBER)
    assert message.startswith("rollout.yaml line 6: guards[0].margin: must be less than 40,"), message
    assert plan_of(body.format(39), NUMBER).guards[0].cap == 40
    assert plan_of(body.format("50%"), NUMBER).guards[0].cap == 40


BUSY = Facts(BINARY.output, maturity_s=0.0, pace=Pace(inputs_per_second=1000.0))


def test_a_ramp_is_the_steps_it_comes_to() -> None:
    plan = plan_of("steps:\n- shadow: 100%\n- analysis\n- ramp: {bad_answers: 100}\n- analysis\n", BUSY)
    weights = [each.weight for each in plan.steps if isinstance(each, SetWeight)]
    assert weights == [0.0449, 0.1794, 0.5]
    assert plan.steps[-1] == Analysis()
    late = Facts(BINARY.output, maturity_s=600.0, pace=BUSY.pace)
    slow = plan_of("steps:\n- ramp: {bad_answers: 10000}\nguards:\n- metric: accuracy\n", late)
    quick = plan_of("steps:\n- ramp: {bad_answers: 10000}\nguards:\n- metric: errors\n", late)
    assert slow.steps[0] != quick.steps[0], "what labels tell is known later"


@pytest.mark.parametrize(
    ("body", "says", "facts"),
    [
        ("steps:\n- ramp: 100\n", "must say how many bad answers", BUSY),
        ("steps:\n- ramp: {bad_answers: -1}\n", "must say how many bad answers", BUSY),
        ("steps:\n- ramp: {bad_answers: true}\n", "must say how many bad answers", BUSY),
        ("steps:\n- ramp: {bad_answers: 1}\n", "steps[0].ramp.bad_answers: must be 13 at least", BUSY),
        ("steps:\n- ramp: {bad_answers: 100}\n", "nobody asked lately", BINARY),
    ],
)
def test_a_ramp_that_cannot_be_is_named_with_its_line(body: str, says: str, facts: Facts) -> None:
    message = refused(body, facts)
    assert message.startswith("rollout.yaml line 4"), message
    assert says in message


def test_a_schedule_is_read() -> None:
    body = "strategy: canary\nschedule: {days: mon-fri, hours: 9-17, zone: Europe/Berlin}\n"
    assert plan_of(body).schedule == Schedule((0, 1, 2, 3, 4), 540, 1020, "Europe/Berlin")
    assert plan_of("strategy: canary\n").schedule is None
    message = refused("strategy: canary\nschedule:\n  hours: 17-9\n")
    assert message.startswith("rollout.yaml line 5: schedule.hours: must begin before they end"), message


PEOPLE = Facts(BINARY.output, maturity_s=0.0, people=True)


def test_beside_people_nothing_need_be_a_shadow_first() -> None:
    plan = plan_of("steps:\n- analysis\n- assist\n- partial: 2%\n- set_weight: 100%\n", PEOPLE)
    assert plan.steps == (Analysis(), Assist(), Partial(0.02), SetWeight(1.0))
    assert (plan.people, plan.shadows, plan.splits, plan.risk) == (True, True, False, 0.02)
    assert [each.metric for each in plan.guards] == [Measure.ERRORS, Measure.AGREEMENT]
    labelled = plan_of("strategy: canary\n", Facts(BINARY.output, maturity_s=60.0, people=True))
    assert [each.metric for each in labelled.guards] == [Measure.ERRORS, Measure.ACCURACY]


@pytest.mark.parametrize(
    ("body", "line", "says", "facts"),
    [
        ("steps:\n- shadow: 100%\n- assist\n", 5, "needs people who decide: write live: human", BINARY),
        ("steps:\n- shadow: 100%\n- partial: 2%\n", 5, "needs people who decide", BINARY),
        ("steps:\n- shadow: 50%\n- analysis\n", 4, "must be 100%: the candidate answers all", PEOPLE),
        ("steps:\n- partial: 0%\n", 4, "must lie between 0% and 100%", PEOPLE),
        ("steps:\n- partial: 0.02\n", 4, "must be a share", PEOPLE),
        ("steps:\n- partial: 2%\n- partial: 3%\n", 5, "is the second one", PEOPLE),
        ("steps:\n- partial: 2%\n- set_weight: 50%\n", 5, "goes backwards", PEOPLE),
        ("steps:\n- partial: 2%\n", 4, "the contract promises none", Facts(UNLABELLED.output, 0.0, people=True)),
        ("strategy: canary\nguards:\n- metric: latency\n", 5, "people give nothing to compare latency", PEOPLE),
        ("strategy: canary\nguards:\n- metric: risk\n  margin: 1pt\n", 5, "risk", PEOPLE),
    ],
)
def test_what_means_nothing_to_people_is_named_with_its_line(body: str, line: int, says: str, facts: Facts) -> None:
    message = refused(body, facts)
    assert message.startswith(f"rollout.yaml line {line}"), message
    assert says in message


@pytest.mark.parametrize("text", ["", "- a\n", "endpoint: late\n", "endpoint: [\n"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"rollout\.yaml"):
        read_plan(text, "rollout.yaml")
