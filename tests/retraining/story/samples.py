"""A change of model with every record it can have."""

from dataclasses import replace
from typing import Any

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.evaluation.gates import Outcome as Gated
from headgate.evaluation.report import Report, evaluate
from headgate.retraining.datasets.dataset import Cut, Dataset, Trial, WindowChoice
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Check, Proof
from headgate.retraining.run import Cutting, Firing, Learning, Outcome, Probed, Proved, Run, Source, Stage
from headgate.retraining.story.facts import Alarmed, Facts, Made, Measured, Moved, Rolled
from headgate.vocabulary import DAY, Digest, Micros, Task

T0 = Micros(1_372_636_800_000_000)
"""2013-07-01."""
DIGEST = Digest("sha256:" + "ab" * 32)
REPORT: Report = evaluate(
    Task.BINARY, [0, 1] * 100, [0, 1, 1, 1] * 50, [0.2, 0.8, 0.6, 0.7] * 50, (0, 1), gates=["auc >= 0.65"]
)
CONTRACT = Contract(
    (Field("distance", Kind.NUMBER, unit="miles", minimum=0.0), Field("carrier", Kind.CATEGORY, domain=("AA", "B6"))),
    Output(Task.BINARY, "late", (0, 1), True),
)


def at(days: float) -> Micros:
    return Micros(T0 + round(days * DAY))


def made(version: str = "late:2", **changed: Any) -> Made:
    measured = (Measured(at(2.2), True, REPORT),)
    found = Made(version, at(2.1), "onnx", DIGEST, DIGEST, "recipe", "late:1", who="controller", measured=measured)
    return replace(found, **changed)


def run(outcome: Outcome | None = Outcome.PROMOTED) -> Run:
    firing = Firing(at=at(2), source=Source.ALARM, why="the loss of late has grown", key="a1")
    found = Run(endpoint="late", number=3, fired=at(2), firings=(firing,), champion="late:1", challenger="late:2")
    for hours, stage in enumerate(Stage):
        if stage not in (Stage.FIRED, Stage.ENDED):
            found = found.to(stage, at(2 + hours / 24), "it was time")
    found = found.with_(
        cut=Cutting(
            digest=DIGEST, choice="since_change", why="it did best in the back-test", as_of=at(2), start=at(-9),
            end=at(1), change=at(-9), rows=9000, original_rows=100, leaked=4, held_out=1200,
        ),
        learned=Learning(
            model="model.skops", metrics={"auc": 0.71}, parameters={"budget": 60}, environment={"python": "3.12"},
            code="sha256:" + "cd" * 32, seconds=61.5, peak_mb=420,
        ),
        proof=Proved(
            outcome="passed", may_promote=True, superior=True, why="it loses 0.02 less", error_rate="at most 1 in 100",
            rows=1200, at=at(2.3),
        ),
        rollout=4,
        promoted=at(4),
        probed=Probed(verdict="keep", why="it loses no more than the version before", rows=7000, at=at(11)),
    )  # fmt: skip
    return found if outcome is None else found.end(outcome, at(11), "its probation is over")


def proof() -> Proof:
    check = Check(name="not worse than champion", outcome=Gated.PASSED, sentence="brier is 0.02 less", value=-0.02)
    return Proof(
        challenger="late:2", champion="late:1", anchor="late:1", metric="brier", rows=1200, window=(at(1), at(2)),
        checks=(check,), outcome=Gated.PASSED, superior=True, not_worse_than_champion=True, not_worse_than_anchor=True,
        moves_anchor=True, may_promote=True, why="it is better", error_rate="at most 1 in 100", terms=Terms(),
        measured=REPORT,
    )  # fmt: skip


def dataset() -> Dataset:
    tried = (Trial(WindowChoice.EVERYTHING, 30_000, 0.41, "trained on all, judged on the newest 1 000"),)
    cut = Cut(at(2), at(-9), at(1), 86_400.0, WindowChoice.SINCE_CHANGE, "it did best", change=at(-9), tried=tried)
    classes = {"0": 7000, "1": 2000}
    return Dataset(
        DIGEST, "default", "late", Task.BINARY, "late", ("distance", "carrier"), cut, 9000, 100, classes, 4, 9
    )


def rolled() -> Rolled:
    return Rolled(
        number=4,
        candidate="late:2",
        live="late:1",
        begun=Moved(at(2.5), "controller", "it began", "run 3", sealed=True),
        plan=("Its steps: shadow: 100%, analysis.",),
        error_rate="It errs with a chance of at most 0.01.",
        moves=(Moved(at(4), "controller", "it was promoted", "every guard says so", sealed=True),),
        phase="promoted",
        promoted=at(4),
    )


def facts(**changed: Any) -> Facts:
    """Everything there is to know of a change."""
    alarm = Alarmed("a1", "loss", "the loss of late has grown", "It was 0.31 and is 0.38.", at(2), at(5))
    found = Facts(
        "late.3", "default", "late", "late:1", "late:2", at(20), live="late:2", run=run(), dataset=dataset(),
        proof=proof(), rollout=rolled(), made=made(), alarms=(alarm,), diagnosis=("What changed is 'concept'.",),
    )  # fmt: skip
    return replace(found, **changed)
