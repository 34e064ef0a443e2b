"""What is observed of a rollout: from the journal, each input once, labels when they are due and as they stand now."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from headgate.contracts.contract import Output
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField, Source
from headgate.rollouts.answers import FEATURE, LOSS
from headgate.rollouts.following import Followed
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.judge import HEARD, Sample, judge, weigh
from headgate.rollouts.observe import SETTLED, TIMED, Scene, observe, thresholds_before
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.planfile import Facts, read_plan
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move, begin, moved
from headgate.testing.segments import MemorySegments
from headgate.traffic.assignment import draw
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import SECOND, Micros, Role, Task, Verdict

LIVE, CANDIDATE = "late:1", "late:2"
FIELDS = (SchemaField("amount", "number", "public"), SchemaField("region", "category", "public"))
SCHEMA = Schema("default", "late", "sha256:1", FIELDS, "binary", "text", ("no", "yes"))
OUTPUT = Output(Task.BINARY, classes=("no", "yes"))
TRAFFIC = Traffic("default", "late", 1, LIVE, [Member(LIVE, "sha256:1", 1.0, proved=True)], "salt")
BEGUN = Micros(1000 * SECOND)
QUERY = "SELECT input_id, assigned AS version, features.amount / 100 AS loss FROM joined JOIN features USING (input_id)"
PLAN = Plan(
    endpoint="late",
    candidate=CANDIDATE,
    steps=(Shadow(1.0), Analysis(), SetWeight(0.5), Analysis()),
    guards=(usual_guard(Measure.ACCURACY),),
)


class Journal:
    """A journal a test writes by hand, and a rollout that began at second 1000."""

    def __init__(self, lake: Path) -> None:
        self.source = MemorySegments()
        self.reader = Reader(Lake(lake), self.source)
        self.rollout = Rollout(plan=PLAN, live=LIVE, started=BEGUN, thresholds=(1.0, 2.0, 3.0))
        self._written = 0

    def write(self, block: Block) -> None:
        self._written += 1
        self.source.write("here-0", self._written, [(SCHEMA, block)])

    def ask(self, place: int, *said: tuple[Role, str], at: int | None = None, label: str | None = None) -> bytes:
        """An input at second `at`, what versions said of it, and the truth a second later."""
        id_ = ident(place)
        moment = (BEGUN if at is None else at * SECOND) + 0
        features = (float(place), "north" if place % 2 else "south")
        block = Block([Input(id_, moment, features, f"r{place}", 0)], [answered(id_, *each) for each in said], [])
        if label is not None:
            block.labels.append(truth(place, label, moment + SECOND))
        self.write(block)
        return id_

    def seen(self, now: float = 2000.0, *, maturity_s: float = 10.0, **more: Any) -> Sample:
        scene = Scene(OUTPUT, maturity_s, TRAFFIC, **more)
        return observe(self.rollout, self.reader, scene, Micros(round(now * SECOND)))


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def answered(id_: bytes, role: Role, said: str) -> Answer:
    version = CANDIDATE if role in (Role.SHADOW, Role.CANARY) else LIVE
    probability = 0.5 if role is Role.CANARY else 1.0
    return Answer(id_, version, version, role, probability, said, None, 10, 20)


def truth(place: int, value: str, at: int, *, revision: int = 0) -> Label:
    return Label(ident(10_000 + 100 * revision + place), at, at, value, input_id=ident(place), source=Source.LABEL)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_what_came_before_the_rollout_does_not_count(journal: Journal) -> None:
    journal.ask(1, (Role.LIVE, "yes"), (Role.SHADOW, "yes"), at=999)
    journal.ask(2, (Role.LIVE, "yes"), (Role.SHADOW, "no"), at=1000)
    sample = journal.seen()
    assert sample.pairs.candidate.predicted.tolist() == [0]
    assert len(sample.arms) == 1


def test_labels_count_when_they_are_due_and_not_before(journal: Journal) -> None:
    for place, at in enumerate((1100, 1200), 1):
        journal.ask(place, (Role.LIVE, "yes"), (Role.SHADOW, "no"), at=at, label="yes")
    sample = journal.seen(1205.0)
    assert (len(sample.pairs), len(sample.due_pairs)) == (2, 1), "whoever is due, labelled or not"
    assert len(journal.seen(1210.0).due_pairs) == 2


def test_a_label_sent_twice_counts_once_and_a_corrected_one_as_it_stands(journal: Journal) -> None:
    journal.ask(1, (Role.LIVE, "yes"), (Role.SHADOW, "no"), at=1100, label="yes")
    again = truth(1, "yes", 1101 * SECOND)
    journal.write(Block([], [], [again, again]))
    assert journal.seen().due_pairs.live.truth.tolist() == [1]
    journal.write(Block([], [], [truth(1, "no", 1300 * SECOND, revision=1)]))
    assert journal.seen().due_pairs.live.truth.tolist() == [0]


def test_a_request_asked_again_counts_once(journal: Journal) -> None:
    journal.ask(1, (Role.LIVE, "yes"), (Role.SHADOW, "no"), at=1100)
    repeated = Block(
        [Input(ident(7), 1101 * SECOND, None, "r1", 0)],
        [answered(ident(7), Role.LIVE, "yes"), answered(ident(7), Role.SHADOW, "no")],
    )
    journal.write(repeated)
    assert len(journal.seen().pairs) == 1


def test_the_last_moment_waits_until_all_of_it_is_readable(journal: Journal) -> None:
    journal.ask(1, (Role.LIVE, "yes"), (Role.SHADOW, "yes"), at=1100)
    assert len(journal.seen(1100 + 0.5 * SETTLED / SECOND).pairs) == 0
    assert len(journal.seen(1100.1, replayed=True).pairs) == 1
    assert len(journal.seen(1101.0).pairs) == 1


def test_inputs_nobody_answered_belong_to_the_arm_their_id_was_drawn_for(journal: Journal) -> None:
    steps = [Move(Action.STEP, Micros(1200 * SECOND), "")] * 2
    journal.rollout = msgspec.structs.replace(journal.rollout, moves=tuple(steps))
    journal.ask(100, (Role.LIVE, "yes"), at=1099)
    journal.ask(101, (Role.CANARY, "yes"), at=1299)
    expected = []
    for place in range(1, 41):
        at = 1100 if place <= 20 else 1300
        refusal = Refusal("row", "runtime", "failed")
        journal.write(Block([Input(ident(place), at * SECOND, None, f"r{place}", 0, refusal=refusal)]))
        expected.append(at == 1300 and draw("salt", CANDIDATE, ident(place)) < 2**63)
    arms = journal.seen().arms
    assert arms.candidate[arms.answers.failed].tolist() == expected
    assert arms.shares[arms.answers.failed].tolist() == [0.0] * 20 + [0.5] * 20
    assert 0 < sum(expected) < 20


def test_without_a_history_the_first_answers_say_what_is_slow(journal: Journal) -> None:
    journal.rollout = msgspec.structs.replace(journal.rollout, thresholds=())
    for place in range(TIMED - 1):
        journal.ask(place, (Role.LIVE, "yes"), (Role.SHADOW, "yes"), at=1100 + place)
    early = journal.seen()
    assert (early.setting.thresholds, len(early.pairs)) == ((), TIMED - 1)
    for place in range(TIMED - 1, TIMED + 5):
        journal.ask(place, (Role.LIVE, "yes"), (Role.SHADOW, "yes"), at=1100 + place)
    later = journal.seen()
    assert (later.setting.thresholds, later.setting.since) == ((10.0, 10.0, 10.0), (1100 + TIMED - 1) * SECOND + 1)
    guards = usual_guard(Measure.ERRORS), usual_guard(Measure.LATENCY)
    errors, latency = weigh(msgspec.structs.replace(PLAN, steps=(Shadow(1.0),), guards=guards), later).judged
    assert (errors.rows, latency.rows) == (TIMED + 5, 5), "computing times alone wait for something to compare with"


def test_thresholds_are_the_live_versions_own_of_the_week_before(journal: Journal) -> None:
    for place in range(TIMED):
        journal.ask(place, (Role.LIVE, "yes"), at=100 + place)
    assert thresholds_before(journal.reader, "default", "late", LIVE, BEGUN) == (10.0, 10.0, 10.0)
    assert thresholds_before(journal.reader, "default", "late", CANDIDATE, BEGUN) == ()
    assert thresholds_before(journal.reader, "default", "late", LIVE, Micros(150 * SECOND)) == ()


def test_guards_see_the_fields_and_the_queries_they_name(journal: Journal) -> None:
    margin = Margin(0.1, Unit.PLAIN)
    guards = (
        Guard(metric=Measure.ACCURACY, margin=Margin(1.0, Unit.POINTS), by="region"),
        Guard(metric=Measure.SQL, margin=margin, query=QUERY, cap=1.0),
    )
    plan = msgspec.structs.replace(PLAN, guards=guards)
    journal.rollout = msgspec.structs.replace(journal.rollout, plan=plan)
    for place in (1, 2):
        journal.ask(place, (Role.LIVE, "yes"), (Role.SHADOW, "no"), at=1100 + place)
    pairs = journal.seen().pairs
    for side in (pairs.live, pairs.candidate):
        assert side.more[f"{FEATURE}region"].tolist() == ["north", "south"]
        assert side.more[f"{LOSS}{QUERY}"].tolist() == [0.01, 0.02]


COSTLY = """
endpoint: late
candidate: late:2
steps: [shadow: 100%, analysis]
guards:
- metric: sql
  margin: 0.1
  cap: 1.0
  query: SELECT input_id, assigned AS version, CAST(prediction = 'yes' AS DOUBLE) AS loss FROM joined
"""


@pytest.mark.parametrize(("says", "verdict"), [("yes", Verdict.ROLL_BACK), ("no", Verdict.PROMOTE)])
def test_a_query_that_reads_no_label_decides_where_none_comes(journal: Journal, says: str, verdict: Verdict) -> None:
    plan = read_plan(COSTLY, "rollout.yaml").plan(Facts(OUTPUT, maturity_s=0.0), CANDIDATE)
    journal.rollout = msgspec.structs.replace(journal.rollout, plan=plan)
    ids = [ident(place) for place in range(HEARD)]
    inputs = [Input(each, BEGUN + place * 1000, None, f"r{place}", 0) for place, each in enumerate(ids)]
    answers = [answered(each, *said) for each in ids for said in ((Role.LIVE, "no"), (Role.SHADOW, says))]
    journal.write(Block(inputs, answers, []))
    state = moved(plan, begin(plan, BEGUN), Move(Action.STEP, BEGUN, "on"))
    judgement = judge(plan, state, weigh(plan, journal.seen(maturity_s=0.0)))
    assert (judgement.verdict, judgement.guards[0].rows) == (verdict, HEARD)
    whole = Followed(journal.reader).look(journal.rollout, Scene(OUTPUT, 0.0, TRAFFIC), Micros(2000 * SECOND))
    assert judge(plan, state, whole) == judgement


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT 1 AS loss", "input_id is missing"),
        ("SELECT nothing FROM joined", "nothing"),
        ("SELECT input_id, assigned AS version, 'much' AS loss FROM joined", "must give loss as double, and gives str"),
        ("SELECT input_id, assigned AS version, [0.1] AS loss FROM joined", "must give loss as double"),
        ("SELECT [input_id] AS input_id, assigned AS version, 0.1 AS loss FROM joined", "must give input_id as string"),
        ("SELECT input_id, assigned AS version, 0.1 AS loss, 0.2 AS loss FROM joined", "loss comes twice"),
    ],
)
def test_a_query_that_is_wrong_breaks_its_own_guard_by_name(journal: Journal, query: str, says: str) -> None:
    guard = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query=query, cap=1.0)
    plan = msgspec.structs.replace(PLAN, guards=(guard, usual_guard(Measure.ERRORS)))
    journal.rollout = msgspec.structs.replace(journal.rollout, plan=plan)
    journal.ask(1, (Role.LIVE, "yes"), (Role.SHADOW, "yes"), at=1100)
    sample = journal.seen()
    assert says in sample.broken[query]
    found = {each.metric: each for each in reversed(weigh(plan, sample).judged)}
    asked, errors = found[Measure.SQL], found[Measure.ERRORS]
    assert (asked.verdict, errors.rows) == (Verdict.BROKEN, 1)
    assert says in asked.why
