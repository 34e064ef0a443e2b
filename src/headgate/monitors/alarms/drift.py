"""Whether what comes in, or what the model makes of it, is still what it was: `InputDrift` and `ScoreDrift`.

No label is needed. Rows become scores (of tables by `strangeness` and of texts and images by `embeddings`; a model's
outputs are scores already), and `scores` compares them with those of a reference.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.embeddings import DISTANCE, KIND, Embedding
from headgate.monitors.alarms.references import compared, divided, nothing
from headgate.monitors.alarms.scores import Observed, Scores, ScoresState
from headgate.monitors.alarms.strangeness import ROW, Table
from headgate.monitors.alarms.terms import INPUT, SCORE, Terms
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Micros, readable


@readable
class ScoreDrift(msgspec.Struct, frozen=True):
    """A monitor of a model's outputs: its prediction, the score of a class, its confidence.

    >>> from headgate.monitors.alarms.terms import Budget
    >>> random = np.random.default_rng(0)
    >>> terms = Terms(Budget.of("at most one per 90 days"))
    >>> monitor = ScoreDrift.of({"score": random.random(2000)}, terms)
    >>> at = np.arange(1, 301) * 60_000_000
    >>> state, found = monitor.observe(monitor.start(Micros(0)), at, {"score": random.random(300) ** 4})
    >>> found[0].standing.value
    'alarm'
    """

    scores: Scores

    @classmethod
    def of(
        cls, outputs: Mapping[str, NDArray[Any]], terms: Terms, *, at: Ints | None = None, name: str = SCORE
    ) -> "ScoreDrift":
        """A monitor that compares with a reference's `outputs`, one entry per row, at the moments `at` if known.

        It says at every look what of the reference cannot be compared with. Raises BadInput for what a person got
        wrong: no output, a name that has no part in the budget, a zone that is none, seasons without moments.
        """
        terms.check(name, at)
        if not outputs:
            raise BadInput("outputs", "empty", "there must be at least one output to watch")
        members, rows = tuple(outputs), len(next(iter(outputs.values())))
        parts = divided(rows, at, terms.seed)
        if isinstance(parts, Shortfall):
            return cls(nothing(name, terms, members, parts))
        scores, faults = _stacked(outputs, members, rows)
        lacking = {each: broken(f"in the reference it {why}") for each, why in faults.items()}
        fitting, rest = parts
        return cls(
            compared(name, terms, members, (scores[fitting], scores[rest]), at=_taken(at, rest), lacking=lacking)
        )

    def start(self, began: Micros) -> ScoresState:
        """Nothing speaks for a change; time counts from `began`, the moment from which answers are handed over."""
        return self.scores.start(began)

    def observe(self, state: ScoresState, at: Ints, outputs: Mapping[str, NDArray[Any]]) -> Observed:
        """The state after the `outputs` of rows in their order, at the moments `at`, and what is said of each output.

        One that is missing, or has no number for some row, is ``broken`` and the others go on.
        """
        return self.scores.observe(state, at, *_stacked(outputs, self.scores.members, len(at)))


@readable
class InputDrift(msgspec.Struct, frozen=True):
    """A monitor of the inputs: every field and the whole row, or embeddings of texts and images.

    >>> from headgate.monitors.alarms.terms import Budget
    >>> random = np.random.default_rng(0)
    >>> rows = pa.table({"km": random.normal(size=3000), "kind": random.choice(["a", "b"], 3000)})
    >>> monitor = InputDrift.of(rows.slice(0, 2000), Terms(Budget.of("at most one per 90 days")))
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
        cls, reference: pa.Table | NDArray[Any], terms: Terms, *, at: Ints | None = None, name: str = INPUT
    ) -> "InputDrift":
        """A monitor that compares with the rows of `reference`, a table or embeddings, at the moments `at` if known.

        It says at every look what of the reference cannot be compared with. Raises BadInput for what a person got
        wrong: a name that has no part in the budget, a zone that is none, seasons without moments.
        """
        terms.check(name, at)
        parts = divided(len(reference), at, terms.seed)
        if isinstance(parts, Shortfall):
            return cls(None, nothing(name, terms, _members(reference), parts))
        fitting, rest = (_rows(reference, each) for each in parts)
        try:
            scorer = _fitted(fitting, terms.seed)
        except BadInput as error:
            return cls(None, nothing(name, terms, _members(reference), broken(f"in the reference {error.message}")))
        scores = scorer.scored(fitting)[0], scorer.scored(rest)[0]
        left_out = scorer.left_out if isinstance(scorer, Table) else {}
        lacking = {each: undecided(why) for each, why in left_out.items()}
        return cls(scorer, compared(name, terms, scorer.members, scores, at=_taken(at, parts[1]), lacking=lacking))

    def start(self, began: Micros) -> ScoresState:
        """Nothing speaks for a change; time counts from `began`, the moment from which rows are handed over."""
        return self.scores.start(began)

    def observe(self, state: ScoresState, at: Ints, rows: pa.Table | NDArray[Any]) -> Observed:
        """The state after `rows` in their order, at the moments `at`, and what is said of each field or score.

        A field that is missing or of another type than it was is ``broken``, and with it the whole row; the others go
        on.
        """
        if self.scorer is None:
            return self.scores.observe(state, at, np.empty((len(rows), 0)), {})
        return self.scores.observe(state, at, *self.scorer.scored(rows))


def _stacked(outputs: Mapping[str, NDArray[Any]], members: tuple[str, ...], rows: int) -> tuple[Floats, dict[str, str]]:
    """The outputs as (rows, members), and by member why it has none, which is NaN there."""
    found = np.full((rows, len(members)), np.nan)
    faults: dict[str, str] = {}
    for place, each in enumerate(members):
        column = outputs.get(each)
        if column is None:
            faults[each] = "is not among the outputs that were handed over"
        elif column.shape != (rows,):
            faults[each] = f"has the shape {column.shape}; there are {rows:,} rows"
        elif column.dtype.kind not in "biuf":
            faults[each] = "is not of numbers"
        else:
            found[:, place] = column
    return found, faults


# Arrow has no types to tell a table by, so that a reference is anything here.
def _members(reference: Any) -> tuple[str, ...]:
    if isinstance(reference, pa.Table):
        return tuple(dict.fromkeys((*reference.column_names, ROW)))
    return DISTANCE, KIND


def _rows(reference: Any, places: Ints) -> Any:
    return reference.take(pa.array(places)) if isinstance(reference, pa.Table) else reference[places]


def _fitted(rows: Any, seed: int) -> Table | Embedding:
    return Table.of(rows) if isinstance(rows, pa.Table) else Embedding.of(rows, seed=seed)


def _taken(at: Ints | None, places: Ints) -> Ints | None:
    return None if at is None else at[places]
