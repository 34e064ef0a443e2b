"""The leaderboard of a search and the sentences that explain its choice."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, around, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, measure
from headgate.evaluation.table import digits, shown
from headgate.retraining.search.calibration import takes
from headgate.retraining.search.folds import Folds
from headgate.retraining.search.found import Entry
from headgate.retraining.search.learnable import Examined
from headgate.retraining.search.roles import Roles
from headgate.retraining.search.served import Served
from headgate.retraining.search.trial import SMALLEST, Said, Trial, Trials
from headgate.vocabulary import Task

POINTS: Final = 0.02
"""How far stated probabilities may lie from frequencies, beyond chance, and still count as calibrated."""
CLASSES: Final = ("log_loss", "brier", "auc", "accuracy", "calibration_error")
NUMBERS: Final = ("rmse", "mae", "r2")
_TELLING: Final = 5
_SHUFFLED: Final = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The setting that was chosen, and the model it became."""

    trial: Trial
    model: Any
    served: Served
    said: tuple[Said, ...]
    """What it said of rows it did not learn from, scaled as the model is."""
    scaled: bool
    """Whether its probabilities were scaled."""
    rows: NDArray[np.intp]
    """What the model learned from."""
    seconds: float
    """Time that took."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Everything that is known when a search ends."""

    data: Examined
    roles: Roles
    folds: Folds
    trials: Trials
    winner: Outcome
    best: list[Trial]
    """The best of every family, best first."""
    looks: dict[int, Served]
    """Served, by number of the trial."""

    def leaderboard(self, tried: tuple[Trial, ...]) -> tuple[Entry, ...]:
        """Every setting tried, the chosen one first."""
        won = self.winner.trial.number
        known = {each.number: each for each in self.best}
        rest = [known.get(each.number, each) for each in tried if each.number != won]
        return (self._entry(known[won]), *(self._entry(each) for each in rest))

    def why(self, tried: tuple[Trial, ...], budget_s: float) -> tuple[str, ...]:
        """The choice in sentences."""
        return tuple(
            each
            for each in (
                self._chosen(),
                self._beside(),
                self._scaling(),
                self._telling(),
                self._served(),
                self._learned(),
                self._tried(tried, budget_s),
                self._left_out(),
            )
            if each
        )

    def _entry(self, trial: Trial) -> Entry:
        won = trial.number == self.winner.trial.number
        said = self.winner.said if won else trial.said
        figures = self._figures(said) if said else {}
        metric = figures.pop(self._metric, None) or self._bare(trial)
        look = self.looks.get(trial.number)
        error = figures.get("calibration_error")
        calibrated = None if error is None or error.low is None else error.low <= POINTS
        return Entry(
            name=trial.family.name,
            parameters=dict(trial.parameters),
            metric=metric,
            figures=figures,
            share=round(trial.share, 4),
            fit_seconds=round(self.winner.seconds if won else trial.seconds, 3),
            row_us=look.row_us if look else None,
            size_bytes=look.size_bytes if look else None,
            calibrated=calibrated,
            out="" if won else self._out(trial, look),
        )

    def _out(self, trial: Trial, look: Served | None) -> str:
        if trial.out:
            return trial.out
        if look is not None and not look.exact:
            return f"no exact ONNX can be made of it: {look.why}"
        if trial.family is self.winner.trial.family:
            return "another setting of its family was better"
        if not trial.family.first and trial.loss < self.winner.trial.loss:
            return "there was no time left to learn each of its members from all rows"
        gap = self._gap(trial)
        return f"its loss is {digits(gap.value or 0.0)} higher" if gap is not None else "others were better"

    @property
    def _metric(self) -> str:
        return "rmse" if self.data.task is Task.REGRESSION else "log_loss"

    def _bare(self, trial: Trial) -> Estimate:
        """A figure of answers that were not kept, without interval."""
        value = trial.loss**0.5 if self.data.task is Task.REGRESSION else trial.loss
        judged = sum(len(each.rows) for each in self.winner.said)
        if not np.isfinite(value):
            return Estimate(self._metric, None, None, None, 0, trial.out)
        return Estimate(self._metric, float(value), None, None, judged, "answers of each family's best alone are kept")

    def _figures(self, said: tuple[Said, ...]) -> dict[str, Estimate]:
        rows = np.concatenate([each.rows for each in said])
        answers = np.concatenate([each.answers for each in said])
        if self.data.task is Task.REGRESSION:
            return measure(self.data.task, self.data.labels[rows], answers, None, metrics=NUMBERS)
        codes = tuple(range(len(self.data.classes)))
        held = np.clip(answers, SMALLEST, 1 - SMALLEST)
        return measure(self.data.task, self.data.codes[rows], answers.argmax(axis=1), held, codes, metrics=CLASSES)

    def _gap(self, trial: Trial) -> Estimate | None:
        """How much higher a trial's loss is than the chosen one's on the same rows, with the interval of the pair."""
        ours = self.winner.trial
        if not trial.said or not ours.said or trial.share != ours.share:
            return None
        pairs = zip(trial.said, ours.said, strict=True)
        gaps = np.concatenate([self.trials.losses(one) - self.trials.losses(two) for one, two in pairs])
        found = around(float(gaps.mean()), gaps - gaps.mean(), quantile_of(CONFIDENCE))
        return Estimate("difference", found.value, found.low, found.high, len(gaps))

    def _chosen(self) -> str:
        figures = self._figures(self.winner.said)
        words = ", ".join(
            f"{each.name.replace('_', ' ')} {shown(each)}"
            for name in ("log_loss", "auc", "rmse", "r2")
            if (each := figures.get(name)) is not None
        )
        judged = sum(len(each.rows) for each in self.winner.said)
        name = self.winner.trial.family.name
        return f"Chosen: {name}, {words}, on {judged:,} rows it had not learned from, {self.folds.how}."

    def _beside(self) -> str:
        for each in self.best:
            gap = self._gap(each)
            if each.number == self.winner.trial.number or gap is None or gap.value is None or gap.low is None:
                continue
            if gap.value < 0:  # better, but not to be had as ONNX; the leaderboard says so
                continue
            what = "squared error" if self.data.task is Task.REGRESSION else "log loss"
            sure = "" if gap.low > 0 else ", which chance may explain"
            return f"The next best family is {each.family.name}: its {what} is {shown(gap, '+')} higher{sure}."
        return ""

    def _scaling(self) -> str:
        if self.data.task is Task.REGRESSION:
            return ""
        error = self._figures(self.winner.said).get("calibration_error")
        lie = f" They lie {shown(error)} from frequencies on average." if error is not None and error.known else ""
        if self.winner.scaled:
            return f"Its probabilities were scaled, which made the newest rows likelier; the model took that in.{lie}"
        if not takes(self.winner.model):
            return f"Its probabilities are as it learned them; a model of its kind takes no scaling in.{lie}"
        return f"Its probabilities are as it learned them: scaling did not make the newest rows clearly likelier.{lie}"

    def _telling(self) -> str:
        """How much worse the answers get when one column's values change places, for the columns that tell most."""
        fold, model = self.folds.folds[-1], self.winner.trial.model
        if model is None:
            return ""
        rows = fold.judge[-_SHUFFLED:]
        frame = self.data.frame.iloc[rows]
        random = np.random.default_rng(0)

        def loss(changed: object) -> float:
            asked = model.predict(changed) if self.data.task is Task.REGRESSION else model.predict_proba(changed)
            return float(self.trials.losses(Said(rows, np.asarray(asked, np.float64))).mean())

        usual = loss(frame)
        order = random.permutation(len(rows))
        rises = {
            name: loss(frame.assign(**{name: frame[name].to_numpy()[order]})) - usual
            for name in (*self.roles.categories, *self.roles.numbers)
        }
        best = sorted((name for name in rises if rises[name] > 0), key=lambda name: -rises[name])[:_TELLING]
        if not best:
            return "No single column tells much: with the values of any one shuffled, the loss stays as it is."
        listed = ", ".join(f"{name} (+{digits(rises[name])})" for name in best)
        return (
            f"It goes by these columns most; in brackets what the loss gains when their values are shuffled: {listed}."
        )

    def _served(self) -> str:
        look = self.winner.served
        if not look.form:
            return f"No package can be made of it: {look.why}"
        size = f"{(look.size_bytes or 0) / 1000:,.0f} kB"
        inexact = f" No exact ONNX: {look.why}" if not look.exact else ""
        return f"Served as {look.form}: {look.row_us:,.0f} µs for one row asked alone, {size}.{inexact}"

    def _learned(self) -> str:
        rows, count = len(self.winner.rows), len(self.data)
        if rows == count:
            return f"It learned from all {count:,} rows in {self.winner.seconds:.1f} s."
        return f"It learned from the newest {rows:,} of {count:,} rows: for all there was no time."

    def _tried(self, tried: tuple[Trial, ...], budget_s: float) -> str:
        tried = tuple(each for each in tried if each.family.first)  # a blend has no settings
        most = max(each.share for each in tried)
        whole = sum(each.share == most for each in tried)
        part = "all rows" if most == 1.0 else f"{most:.0%} of the rows"
        kinds = len({each.family.name for each in tried})
        return (
            f"{len(tried)} settings of {kinds} families were tried, {whole} of them on {part}; budget {budget_s:g} s."
        )

    def _left_out(self) -> str:
        if not self.roles.left_out:
            return ""
        return (
            "Nothing is learned from " + "; ".join(f"{name}: {why}" for name, why in self.roles.left_out.items()) + "."
        )
