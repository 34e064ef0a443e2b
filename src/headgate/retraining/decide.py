"""The decisions of the loop: whether a run begins, and what becomes of one after what its stage came to. Pure.

A run goes forward stage by stage, and ends in any of them with an outcome and a sentence. Until its rollout nothing of
it is seen by a caller; from then on the rollout's guards decide, and after them probation.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from headgate.retraining.budget import held_up
from headgate.retraining.ports import Doing, Progress, Rolled, Rolling
from headgate.retraining.run import Cutting, Firing, Outcome, Probed, Proved, Run, Stage
from headgate.retraining.trigger import Facts, asked, fired, grown
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, Micros

PATIENCE: Final = Micros(DAY)
"""How long a stage is tried again that cannot be done now, in event time."""
PATIENCE_WITH: Final = {Stage.CUTTING: Micros(7 * DAY), Stage.ROLLING_OUT: Micros(30 * DAY)}
"""The same of those that wait for rows, or for another rollout's end."""
REOPENED: Final = Micros(30 * DAY)
"""How long after its end labels that come later can reopen a run."""
PROOF_AGAIN: Final = Micros(DAY)
PROBATION_AGAIN: Final = Micros(7 * DAY)
"""How long after they were last asked."""
MORE: Final = 2
"""By how much the labels of a proof must have grown for it to be made again."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What was learned is a version."""

    version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A stage cannot be done."""

    why: str
    passing: bool
    """Whether another try may help."""


Said = Cutting | Progress | Registered | Proved | Rolled | Probed | Refused
"""What a stage came to."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Whether to begin a run."""

    firings: tuple[Firing, ...]
    """The reasons; none where there is none."""
    held: str = ""
    """What holds them up; empty where it may begin."""


def begins(words: RetrainingWords, facts: Facts) -> Begin:
    """Whether it is time to learn again."""
    if persons := asked(facts):
        return Begin(persons)
    if found := fired(words.condition, facts):
        return Begin(found, held_up(words, facts.runs, facts.now))
    found = grown(facts)
    return Begin(found, held_up(words, facts.runs, facts.now, again=True) if found else "")


def decide(run: Run, said: Said, now: Micros) -> Run:
    """What `run` is after what its stage came to; the same value where it stays in it."""
    match said:
        case Refused():
            return _refused(run, said, now)
        case Cutting():
            why = f"{said.rows:,} rows, {said.choice}: {said.why}"
            return run.with_(cut=said).to(Stage.LEARNING, now, why)
        case Progress():
            return _learned(run, said, now)
        case Registered():
            return run.with_(challenger=said.version).to(Stage.PROVING, now, f"it is {said.version}")
        case Proved():
            return _proved(run.with_(proof=said), said, now)
        case Rolled():
            return _rolled(run, said, now)
        case Probed():
            return _probed(run, said, now)
        case _:
            assert_never(said)


def superseded(run: Run, live: str, now: Micros) -> Run | None:
    """The run ended because somebody else changed who answers; None where nobody did."""
    owner = run.champion if run.promoted is None else run.challenger
    if live == owner:
        return None
    if run.stage is Stage.PROBATION and run.probed is not None and run.probed.verdict == TAKE_BACK:
        return run.end(Outcome.TAKEN_BACK, now, f"{live} is back: {run.probed.why}")
    return run.end(Outcome.SUPERSEDED, now, f"{live} owns the endpoint by now, and no longer {owner}")


def asks_again(run: Run, live: str, now: Micros) -> bool:
    """Whether labels that came since a run has ended may say what they had left open, so that they are looked at.

    A proof that was undecided, beside the champion or the anchor, is asked again a day later, a probation a week later,
    both for 30 days.
    """
    if run.over is None or now > run.over + REOPENED:
        return False
    since = max(run.over, run.asked)
    if run.outcome is Outcome.KEPT_CHAMPION and run.rollout is None and run.proof is not None:
        return _is_open(run.proof) and live == run.champion and now >= since + PROOF_AGAIN
    return run.outcome is Outcome.PROMOTED and live == run.challenger and now >= since + PROBATION_AGAIN


def _is_open(proof: Proved) -> bool:
    """Whether more labels may say more: it was undecided, or it passed and the anchor's part was left open."""
    return proof.outcome == UNDECIDED or (proof.outcome == PASSED and not proof.may_promote)


def asked_again(run: Run, said: int | Probed, now: Micros) -> Run:
    """The run after that: reopened by twice the labels of its proof or by a probation that takes it back, or noted."""
    if isinstance(said, Probed):
        if said.verdict == TAKE_BACK:
            return _reopened(run.with_(probed=said), Stage.PROBATION, said.why, now)
    elif run.proof is not None and said >= MORE * max(run.proof.rows, 1):
        why = f"{said:,} labels are there by now, where {run.proof.rows:,} left the question open"
        return _reopened(run, Stage.PROVING, why, now)
    return run.with_(asked=now)


def _reopened(run: Run, stage: Stage, why: str, now: Micros) -> Run:
    return run.with_(outcome=None, why="").to(stage, now, why)


UNDECIDED: Final = "undecided"
PASSED: Final = "passed"
TAKE_BACK: Final = "take_back"


def _refused(run: Run, said: Refused, now: Micros) -> Run:
    if said.passing and now < run.entered + PATIENCE_WITH.get(run.stage, PATIENCE):
        return run
    if run.stage is Stage.PROBATION:
        return run.end(Outcome.PROMOTED, now, f"its probation could not be judged: {said.why}")
    return run.end(Outcome.FAILED, now, said.why)


def _learned(run: Run, said: Progress, now: Micros) -> Run:
    match said.doing:
        case Doing.RUNNING:
            return run
        case Doing.FAILED:
            return run.end(Outcome.FAILED, now, f"the recipe: {said.why}")
        case Doing.CANCELLED:
            return run.end(Outcome.CANCELLED, now, said.why or "the recipe was cancelled")
        case Doing.LEARNED:
            if said.learned is None:
                return run.end(Outcome.FAILED, now, "the recipe said it had learned, and left no model")
            why = f"it learned in {said.learned.seconds:.0f} s"
            return run.with_(learned=said.learned).to(Stage.REGISTERING, now, why)
        case _:
            assert_never(said.doing)


def _proved(run: Run, said: Proved, now: Micros) -> Run:
    if said.may_promote:
        return run.to(Stage.ROLLING_OUT, now, said.why)
    return run.end(Outcome.KEPT_CHAMPION, now, said.why)


def _rolled(run: Run, said: Rolled, now: Micros) -> Run:
    begun = run if run.rollout == said.number else run.with_(rollout=said.number)
    match said.doing:
        case Rolling.PROMOTED:
            why = f"rollout {said.number} has promoted it"
            return begun.with_(promoted=said.at).to(Stage.PROBATION, now, why)
        case Rolling.ROLLED_BACK | Rolling.ABORTED:
            how = "rolled back" if said.doing is Rolling.ROLLED_BACK else "was aborted"
            return begun.end(Outcome.KEPT_CHAMPION, now, f"rollout {said.number} {how}: {said.why}")
        case Rolling.RUNNING | Rolling.WAITING:
            return begun
        case _:
            assert_never(said.doing)


def _probed(run: Run, said: Probed, now: Micros) -> Run:
    """After a look at the probation: `take_back` is kept first and done then, so that whoever is killed goes on."""
    if said.verdict == TAKE_BACK:
        if run.probed != said:
            return run.with_(probed=said)
        return run.end(Outcome.TAKEN_BACK, now, f"{run.champion} is back: {said.why}")
    if said.over:
        return run.with_(probed=said).end(Outcome.PROMOTED, now, said.why)
    return run if run.probed == said else run.with_(probed=said)
