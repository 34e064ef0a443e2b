"""The built-in search: several families of models within a budget of time, the best one explained.

A recipe of the kind ``automl`` and ``headgate learn`` call `search`. Read `run` first.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headgate.errors import BadInput
from headgate.registry.ports import Runner
from headgate.retraining.search.blend import FAMILY as BLEND
from headgate.retraining.search.blend import assembled, blended
from headgate.retraining.search.calibration import Scaling, take_in, takes
from headgate.retraining.search.checkpoint import Checkpoint, Kept, key_of
from headgate.retraining.search.families import Family, families
from headgate.retraining.search.folds import Folds, folds_of
from headgate.retraining.search.found import Found
from headgate.retraining.search.learnable import Examined, Learnable, examine
from headgate.retraining.search.race import MOST_SETTINGS, RACE, Entrant, Race, entrants, shares
from headgate.retraining.search.report import Outcome, Reporter
from headgate.retraining.search.roles import Roles
from headgate.retraining.search.served import Served, served
from headgate.retraining.search.trial import Said, Trial, Trials
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import Task

Progress = Callable[[float, str], None]
"""Told how much of the budget is spent, 0 to 1, and what is being done."""

_LEAST_LEFT: Final = 0.15
"""Share of the budget that learning from all rows may take even where the race took longer than it should."""


def search(
    data: Learnable,
    *,
    budget_s: float = 60.0,
    seed: int = 0,
    threads: int = 1,
    progress: Progress = lambda _done, _what: None,
    checkpoint: Path | None = None,
    most: int = MOST_SETTINGS,
    runner: Runner = predict_with,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """The best model that is found within about `budget_s` seconds, with a leaderboard and the reasons.

    Models are ranked by log loss (a regression's by the squared error) on rows newer than those they learned from. What
    is tried, and in which order, follows from `seed`; how far it gets within the budget, from the machine. With `most`
    settings and a budget that is not reached, the same data give the same model. At least one setting is tried whatever
    it takes. With a `checkpoint` folder an interrupted search goes on where it was, with what is left of its budget.

    Raises BadInput for data that nothing can be learned from: too few rows, one class, no usable column.
    """
    if not budget_s > 0 or threads < 1 or most < 1:
        raise BadInput("budget_s", "range", "the budget, the threads and the settings tried must be more than zero")
    begun = clock()
    examined = examine(data)
    kinds = families()
    kept = Checkpoint(checkpoint, key_of(examined, seed, tuple(each.name for each in kinds)))
    folds, roles = folds_of(examined, seed), Roles.of(examined.frame, examined.contract)
    trials = Trials(examined, roles, folds, seed=seed, threads=threads, clock=clock)
    with threadpool_limits(limits=threads):
        return _Search(
            examined, roles, folds, kinds, trials, kept, budget_s, seed, most, progress, runner, clock, begun
        ).run()


@dataclass(frozen=True, slots=True)
class _Search:
    data: Examined
    roles: Roles
    folds: Folds
    kinds: tuple[Family, ...]
    trials: Trials
    kept: Checkpoint
    budget_s: float
    seed: int
    most: int
    progress: Progress
    runner: Runner
    clock: Callable[[], float]
    begun: float

    def run(self) -> Found:
        """Race, learn from all rows, look at what would be served, and say why."""
        before = self.kept.spent
        race = Race(
            self.attempt, lambda: before + self.clock() - self.begun, self.budget_s, shares(len(self.data)), self.most
        )
        tried = race.run(entrants(self.kinds, self.seed), len(self.kinds))
        best = self._best(tried)
        if (blend := self._blend(best, len(tried))) is not None:
            tried, best = (blend, *tried), [blend, *best]
        self._tell(RACE, "learning from all rows")
        winner, refused = self._winner(best, race.spent)
        others = {each.number: self._look(each) for each in best if each.number not in {winner.trial.number, *refused}}
        self._tell(1.0, f"chose {winner.trial.family.name}")
        looks = refused | others | {winner.trial.number: winner.served}
        reporter = Reporter(self.data, self.roles, self.folds, self.trials, winner, best, looks)
        return Found(
            winner.model, reporter.leaderboard(tried), reporter.why(tried, self.budget_s), self.data.task,
            len(self.data), race.spent(),
        )  # fmt: skip

    def attempt(self, entrant: Entrant, share: float) -> Trial:
        """Try a setting, or remember what an earlier run of this search saw of it."""
        known = self.kept.find(entrant.number, share)
        if known is not None:
            loss = float("inf") if known.loss is None else known.loss
            return Trial(
                entrant.number,
                entrant.family,
                entrant.parameters,
                known.parameters,
                share,
                loss,
                known.seconds,
                known.out,
            )
        trial = self.trials.attempt(entrant.number, entrant.family, entrant.parameters, share)
        spent = self.kept.spent + self.clock() - self.begun
        loss_kept = None if trial.out else trial.loss
        self.kept.keep(
            Kept(
                self.kept.key, trial.number, trial.family.name, share, loss_kept, trial.seconds,
                dict(trial.parameters), spent, trial.out,
            )
        )  # fmt: skip
        self._tell(min(spent / self.budget_s, RACE), f"{entrant.family.name} on {share:.0%} of the rows")
        return trial

    def _best(self, tried: tuple[Trial, ...]) -> list[Trial]:
        """The best setting of every family that came to the end, best first, with its answers."""
        found: dict[str, Trial] = {}
        for each in tried:
            if not each.out:
                found.setdefault(each.family.name, each)
        if not found:
            raise BadInput("rows", "learn", "; ".join(sorted({each.out for each in tried})))
        return [self._ensured(each) for each in found.values()]

    def _ensured(self, trial: Trial) -> Trial:
        """A trial with its answers and model, which an interrupted search has not kept."""
        if trial.model is not None:
            return trial
        return self.trials.attempt(trial.number, trial.family, trial.drawn, trial.share)

    def _blend(self, best: list[Trial], number: int) -> Trial | None:
        """The families together, where that is better and there is time to learn each from all rows."""
        found = blended(best, self.trials, number)
        if found is None:
            return None
        models = [(each.family.name, each.model) for each in best if each.family.name in found.parameters]
        return replace(found, model=assembled(models, _weights(found), self.data, self.data.codes))

    def _learned(self, trial: Trial, best: list[Trial], rows: NDArray[np.intp]) -> Any:
        """The model of a trial, learned from these rows; of a blend each member's."""
        if trial.family is not BLEND:
            return self.trials.learn(trial.family, trial.parameters, rows)
        members = [each for each in best if each.family.name in trial.parameters]
        learn = partial(self.trials.learn, rows=rows, coded=True)
        models = [(each.family.name, learn(each.family, each.parameters)) for each in members]
        return assembled(models, _weights(trial), self.data, self.data.labels)

    def _winner(self, best: list[Trial], spent: Callable[[], float]) -> tuple[Outcome, dict[int, Served]]:
        """The best that ONNX can say exactly, learned from all rows; and those before it, which it cannot."""
        refused: dict[int, Served] = {}
        first: Outcome | None = None
        for trial in best:
            rows = self._rows(trial, spent())
            if trial.family is BLEND and len(rows) < len(self.data):
                continue  # one model that knows all rows is worth more than several that know some
            begun = self.clock()
            model = self._learned(trial, best, rows)
            said, scaled = self._calibrated(trial, model)
            seconds = self.clock() - begun
            look = served(model, self.data.frame, self.data.labels, self.runner)
            outcome = Outcome(trial, model, look, said, scaled, rows, seconds)
            if look.exact:
                return outcome, refused
            first = first or outcome
            refused[trial.number] = look
        assert first is not None  # noqa: S101 - there is at least one that could learn
        return first, {number: look for number, look in refused.items() if number != first.trial.number}

    def _rows(self, trial: Trial, spent: float) -> NDArray[np.intp]:
        """All rows, or as many of the newest as can be learned from in the time left."""
        learned = trial.share * sum(len(each.learn) for each in self.folds.folds)
        left = max(self.budget_s - spent, _LEAST_LEFT * self.budget_s)
        most = max(int(left * learned / max(trial.seconds, 1e-9)), int(trial.share * len(self.data)))
        rows = np.arange(max(0, len(self.data) - most), len(self.data))
        if self.data.classes and len(np.unique(self.data.codes[rows])) < len(self.data.classes):
            return np.arange(len(self.data))
        return rows

    def _calibrated(self, trial: Trial, model: Any) -> tuple[tuple[Said, ...], bool]:
        """Scale the model's probabilities where that was shown to help on the newest rows; what it says then."""
        said = trial.said
        if self.data.task is Task.REGRESSION or not takes(model) or len(said) < 2:
            return said, False
        tried = Scaling.fit(said[:-1], self.data.codes).applied(said[-1])
        gain = self.trials.losses(said[-1]) - self.trials.losses(tried)
        if not float(gain.mean()) > float(gain.std()) / len(gain) ** 0.5:
            return said, False
        take_in(model, Scaling.fit(said, self.data.codes))
        # What is reported of a fold is scaled by the folds before it alone; the first stays as it is.
        later = [Scaling.fit(said[:place], self.data.codes).applied(each) for place, each in enumerate(said) if place]
        return (said[0], *later), True

    def _look(self, trial: Trial) -> Served:
        """What another family's best would be, served; of the model that learned from the newest fold."""
        said = self.data.codes if self.data.classes else self.data.labels
        return served(trial.model, self.data.frame, said, self.runner)

    def _tell(self, done: float, what: str) -> None:
        self.progress(done, what)


def _weights(blend: Trial) -> list[float]:
    """The weights of a blend's members, in the order of its members."""
    return [float(each or 0.0) for each in blend.parameters.values()]
