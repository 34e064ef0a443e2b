"""Whether what comes in, or what the model makes of it, is still what it was: `InputDrift` and `ScoreDrift`.

No label is needed. Rows become scores (of tables by `strangeness` and of texts and images by `embeddings`; a model's
outputs are scores already), and `scores` compares them with those of a reference.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import pyarrow as pa

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Standing
from headgate.monitors.alarms.embeddings import Embedding
from headgate.monitors.alarms.scores import Observed, Scores, ScoresState, Terms, compared, divided, observe, unmeasured
from headgate.monitors.alarms.strangeness import ROW, Table
from headgate.vocabulary import Micros


class ScoreDrift(msgspec.Struct, frozen=True):
    """A monitor of a model's outputs: its prediction, the score of a class, its confidence.

    >>> from headgate.evidence.false_alarms import FalseAlarms
    >>> random = np.random.default_rng(0)
    >>> monitor = ScoreDrift.of({"score": random.random(2000)}, Terms(FalseAlarms()))
    >>> at = np.arange(1, 301) * 60_000_000
    >>> state, found = monitor.observe(monitor.start(Micros(0)), at, {"score": random.random(300) ** 4})
    >>> found[0].standing.value
    'alarm'
    """

    scores: Scores

    @classmethod
    def of(
        cls, outputs: Mapping[str, Floats], terms: Terms, *, at: Ints | None = None, name: str = "score"
    ) -> "ScoreDrift":
        """A monitor that compares with a reference's `outputs`, one entry per row, at the moments `at` if known.

        One that says why, where the reference has too few rows. Raises BadInput where an output is no number, or there
        is none.
        """
        if not outputs:
            raise BadInput("outputs", "empty", "there must be at least one output to watch")
        scores = _stacked(outputs, tuple(outputs))
        fitting, rest = divided(len(scores), terms.seed)
        return cls(compared(name, tuple(outputs), (scores[fitting], scores[rest]), terms, _taken(at, rest)))

    def start(self, began: Micros) -> ScoresState:
        """Nothing speaks for a change; time counts from `began`, the moment from which answers are handed over."""
        return self.scores.start(began)

    def observe(self, state: ScoresState, at: Ints, outputs: Mapping[str, Floats]) -> Observed:
        """As `scores.observe`, of the outputs by name; ``broken`` where one is missing."""
        try:
            scores = _stacked(outputs, self.scores.members)
        except BadInput as error:
            return state, unmeasured(self.scores, Standing.BROKEN, str(error))
        return observe(self.scores, state, at, scores)


class InputDrift(msgspec.Struct, frozen=True):
    """A monitor of the inputs: every field and the whole row, or embeddings of texts and images.

    >>> from headgate.evidence.false_alarms import FalseAlarms
    >>> random = np.random.default_rng(0)
    >>> rows = pa.table({"km": random.normal(size=3000), "kind": random.choice(["a", "b"], 3000)})
    >>> monitor = InputDrift.of(rows.slice(0, 2000), Terms(FalseAlarms()))
    >>> later = rows.slice(2000).set_column(0, "km", pa.array(random.normal(1.0, size=1000)))
    >>> state, found = monitor.observe(monitor.start(Micros(0)), np.arange(1, 1001) * 60_000_000, later)
    >>> [(each.member, each.standing.value) for each in found][:2]
    [('km', 'alarm'), ('kind', 'steady')]
    """

    scorer: Table | Embedding | None
    """None where the reference has too few rows."""
    scores: Scores

    @classmethod
    def of(
        cls, reference: pa.Table | Floats, terms: Terms, *, at: Ints | None = None, name: str = "input"
    ) -> "InputDrift":
        """A monitor that compares with the rows of `reference`, a table or embeddings, at the moments `at` if known.

        One that says why, where they are too few. Raises BadInput where there is nothing in them to watch.
        """
        fitting, rest = divided(len(reference), terms.seed)
        if not len(fitting):
            nothing = np.empty((0, 1))
            return cls(None, compared(name, (ROW,), (nothing, nothing), terms, None))
        scorer: Table | Embedding
        if isinstance(reference, pa.Table):
            fitted, others = reference.take(pa.array(fitting)), reference.take(pa.array(rest))
            scorer = Table.of(fitted)
        else:
            fitted, others = reference[fitting], reference[rest]
            scorer = Embedding.of(fitted, seed=terms.seed)
        scores = scorer.scores(fitted), scorer.scores(others)
        return cls(scorer, compared(name, scorer.members, scores, terms, _taken(at, rest)))

    def start(self, began: Micros) -> ScoresState:
        """Nothing speaks for a change; time counts from `began`, the moment from which rows are handed over."""
        return self.scores.start(began)

    def observe(self, state: ScoresState, at: Ints, rows: pa.Table | Floats) -> Observed:
        """As `scores.observe`; ``broken`` where a field is missing or of another type than it was."""
        if self.scorer is None:
            return state, unmeasured(self.scores, Standing.UNDECIDED, self.scores.reason)
        try:
            scores = self.scorer.scores(rows)
        except BadInput as error:
            return state, unmeasured(self.scores, Standing.BROKEN, str(error))
        return observe(self.scores, state, at, scores)


def _stacked(outputs: Mapping[str, Floats], members: tuple[str, ...]) -> Floats:
    for each in members:
        if each not in outputs:
            raise BadInput(each, "missing", "is not among the outputs that were handed over")
    return np.stack([np.asarray(outputs[each], np.float64) for each in members], axis=1)


def _taken(at: Ints | None, places: Ints) -> Ints | None:
    return None if at is None else at[places]
