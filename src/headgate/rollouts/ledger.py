"""The inputs of a rollout as they come in: what of them may still change, and the last label of each, by number.

Kept from look to look by `following.py`. Which input a label speaks of, and which label of several counts, is decided
in ``journal/queries.sql`` for whoever reads everything; here the same is said of what is new. What a look has counted
may not change afterwards, but for labels: where something else does, the ledger is `upset`, and one has to begin anew.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.evaluation.rows import UNLABELLED
from headgate.evidence.allocation import Bools
from headgate.journal.labels import ANSWER_COLUMNS, INPUT_COLUMNS, LABEL_COLUMNS, Join
from headgate.journal.news import News
from headgate.journal.places import NOWHERE, Keys, Places, keys_of
from headgate.journal.reader import Reader, laid_behind, laid_together
from headgate.journal.records import Source
from headgate.journal.tables import FEATURES, Table
from headgate.monitors.columns import Ints, moments, said, text, texts
from headgate.rollouts.answers import COLUMNS, FEATURE, PLACE
from headgate.rollouts.grown import Grown
from headgate.rollouts.observe import ROLES, feature_of
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import Micros, Task

_INPUTS: Final = ("input_id", "at", "request_id", "row", "entity", "refusal_rule")
_ANSWERS: Final = (
    "input_id", "assigned", "answered", "role", "probability", "prediction", "scores", "compute_us", "fallback",
)  # fmt: skip
_LABELS: Final = (
    "label_id", "received_at", "observed_at", "input_id", "request_id", "row", "value", "source",
)  # fmt: skip
_LONG_AGO: Final = np.iinfo(np.int64).min
_ID_BYTES: Final = "S36"


class Ledger:
    """What came in of one rollout; for one thread."""

    def __init__(self, rollout: Rollout, reader: Reader, output: Output) -> None:
        plan = rollout.plan
        self._rollout = rollout
        self._output = output
        self._fields = tuple(dict.fromkeys(name for guard in plan.guards for name in guard.fields))
        self._inputs_of = (*_INPUTS, FEATURES) if self._fields else _INPUTS
        columns = {Table.INPUTS: self._inputs_of, Table.ANSWERS: _ANSWERS, Table.LABELS: _LABELS}
        self._news = News(reader, plan.project, plan.endpoint, rollout.started, columns)
        self._numbers = Places()
        """Of inputs, by id, a repeat's too, and by request and row."""
        self._repeats = Places()
        """Inputs a retried request asked again, by id."""
        self._strangers = Places()
        """Names of inputs that labels spoke of and nobody knew."""
        self._known = Grown()
        """Of each input, by number: when it was asked, and the last label of it."""
        self._known.put(0, _unlabelled(np.zeros(0, np.int64), output))
        self._inputs = laid_together([], self._inputs_of, Table.INPUTS).append_column(PLACE, pa.array([], pa.int64()))
        self._answers = laid_together([], _ANSWERS, Table.ANSWERS)
        self._early = laid_together([], _LABELS, Table.LABELS)
        """Labels that claim to be of a moment that has not come."""
        self.upset = False
        """Whether something changed that was counted."""
        self.revised: Micros | None = None
        """Moment of the first input of those whose label was counted and is another since the last time."""
        self.beyond = False
        """Whether there are labels this ledger does not understand: of a key's last input, or of people."""

    def take(self, now: Micros, settled: Micros, counted: Micros) -> None:
        """Take in what came since the last time, labels known by `now`.

        Of inputs before `settled` everything was counted but labels, before `counted` labels too.
        """
        new = self._news.take()
        self.upset = self.upset or self._news.cut
        self._admit(new[Table.INPUTS], settled)
        self._hear(new[Table.ANSWERS], settled)
        self._learn(new[Table.LABELS], now, counted)

    def joined(self, end: Micros) -> pa.Table:
        """Inputs that were not let go, those before `end`, with what was said of them, as the reader joins them.

        Labels are left out; PLACE is the number of each, and the plan's fields have columns.
        """
        inputs = laid_together([self._inputs], INPUT_COLUMNS, Table.INPUTS)
        answers = laid_together([self._answers], ANSWER_COLUMNS, Table.ANSWERS)
        with Join(inputs, answers, laid_together([], LABEL_COLUMNS, Table.LABELS)) as join:
            table = join.joined(ROLES, self._rollout.started, end, COLUMNS)
        places = pc.index_in(table["input_id"], value_set=self._inputs["input_id"].combine_chunks())
        table = table.append_column(PLACE, self._inputs[PLACE].take(places))
        for name in self._fields:
            table = table.append_column(FEATURE + name, feature_of(self._inputs, name).take(places))
        return table

    def truth(self, numbers: Ints) -> tuple[NDArray[Any], Bools]:
        """What is known to be true of inputs, and of which of them anything is."""
        truth = self._known.view("truth")[numbers]
        labelled: Bools = np.isfinite(truth) if truth.dtype.kind == "f" else truth >= 0
        return truth, labelled

    def let_go(self, settled: Micros) -> None:
        """Forget what was said of inputs before `settled`; whatever comes of them afterwards is upsetting."""
        self._inputs = self._inputs.filter(pa.array(moments(self._inputs["at"]) >= settled))
        numbers = self._numbers.find(keys_of(self._answers["input_id"].to_pylist()))
        self._answers = self._answers.filter(pa.array((numbers == NOWHERE) | (self._at(numbers) >= settled)))

    def _admit(self, rows: pa.Table, settled: Micros) -> None:
        """Number new inputs. One that was asked again has the number of the first, which stands for it."""
        if not len(rows):
            return
        rows = rows.sort_by([("at", "ascending"), ("input_id", "ascending")])
        at, ids = moments(rows["at"]), keys_of(rows["input_id"].to_pylist())
        requests, named = _requests(rows), np.array([bool(each) for each in rows["request_id"].to_pylist()], np.bool_)
        earlier = np.where(named, self._numbers.find(requests), NOWHERE)
        _, firsts, which = np.unique(requests, return_index=True, return_inverse=True)
        first = firsts[which]
        repeated = named & ((earlier != NOWHERE) | (first != np.arange(len(rows))))
        fresh = ~repeated
        numbers = self._known.count + np.cumsum(fresh) - 1
        numbers = np.where(fresh, numbers, np.where(earlier != NOWHERE, earlier, numbers[first]))
        late = fresh & (at < settled) & (at >= self._rollout.started)
        # The first of a request is the first by event time, and it may have come last.
        overtaken = repeated & (earlier != NOWHERE) & (at <= self._at(earlier))
        names = np.concatenate((ids, requests[fresh & named]))
        missed = self._strangers.find(names) != NOWHERE
        self.upset = self.upset or bool(late.any() or overtaken.any() or missed.any())
        self._known.put(self._known.count, _unlabelled(at[fresh], self._output))
        self._numbers.add(names, np.concatenate((numbers, numbers[fresh & named])))
        self._repeats.add(ids[repeated], numbers[repeated])
        waiting = pa.array(fresh & (at >= self._rollout.started))
        rows = rows.append_column(PLACE, pa.array(numbers)).filter(waiting)
        self._inputs = laid_behind(self._inputs, rows, Table.INPUTS)

    def _hear(self, rows: pa.Table, settled: Micros) -> None:
        """Keep new answers until their inputs are let go; of inputs asked again nobody's answer counts."""
        ids = keys_of(rows["input_id"].to_pylist())
        numbers, repeated = self._numbers.find(ids), self._repeats.find(ids) != NOWHERE
        at = np.where(numbers == NOWHERE, settled, self._at(numbers))
        versions = texts((self._rollout.live, self._rollout.plan.candidate))
        heard = _flags(pc.is_in(text(rows["role"]), value_set=texts(ROLES)))
        heard &= _flags(pc.is_in(text(rows["assigned"]), value_set=versions))
        late = heard & ~repeated & (at < settled) & (at >= self._rollout.started)
        self.upset = self.upset or bool(late.any())
        rows = rows.filter(pa.array(~repeated & (at >= settled)))
        self._answers = laid_behind(self._answers, rows, Table.ANSWERS)

    def _learn(self, rows: pa.Table, now: Micros, counted: Micros) -> None:
        """Remember the last label of each input."""
        rows = laid_behind(self._early, rows, Table.LABELS)
        known = (moments(rows["received_at"]) <= now) & (moments(rows["observed_at"]) <= now)
        self._early, rows = rows.filter(pa.array(~known)), rows.filter(pa.array(known))
        by_id = _flags(pc.is_valid(rows["input_id"]))
        by_key = ~by_id & _flags(pc.is_null(rows["request_id"]))
        human = _flags(pc.fill_null(pc.equal(text(rows["source"]), Source.HUMAN.value), False))
        self.beyond = self.beyond or bool((by_key | human).any())
        names = np.where(by_id, keys_of(rows["input_id"].to_pylist()), _requests(rows))
        numbers = self._numbers.find(names)
        unknown = np.unique(names[numbers == NOWHERE])
        unknown = unknown[self._strangers.find(unknown) == NOWHERE]
        self._strangers.add(unknown)
        placed = numbers != NOWHERE
        self._revise(numbers[placed], rows.filter(pa.array(placed)), counted)

    def _revise(self, numbers: Ints, rows: pa.Table, counted: Micros) -> None:
        """Have the latest revision of each input, by when it was observed and then by the label's id."""
        observed, ids = moments(rows["observed_at"]), np.array(rows["label_id"].to_pylist(), _ID_BYTES)
        order = np.lexsort((ids, observed, numbers))
        last = order[np.append(np.diff(numbers[order]) != 0, True)] if len(order) else order
        numbers, observed, ids = numbers[last], observed[last], ids[last]
        before, held = self._known.view("observed")[numbers], self._known.view("label")[numbers]
        newer = (observed > before) | ((observed == before) & (ids > held))
        numbers = numbers[newer]
        truth, was = said(rows["value"].take(pa.array(last[newer])), self._output), self._known.view("truth")[numbers]
        at = self._at(numbers)
        differs = (truth != was) & ~(np.isnan(truth) & np.isnan(was))
        revised = at[differs & (at < counted) & (at >= self._rollout.started)]
        self.revised = Micros(int(revised.min())) if len(revised) else None
        for name, values in (("observed", observed[newer]), ("label", ids[newer]), ("truth", truth)):
            self._known.view(name)[numbers] = values

    def _at(self, numbers: Ints) -> Ints:
        """When inputs were asked; of those without a number it means nothing."""
        return self._known.view("at")[numbers] if self._known.count else np.zeros(len(numbers), np.int64)


def _unlabelled(at: Ints, output: Output) -> dict[str, NDArray[Any]]:
    """What is known of new inputs."""
    number = output.task is Task.REGRESSION
    return {
        "at": at,
        "observed": np.full(len(at), _LONG_AGO, np.int64),
        "label": np.zeros(len(at), _ID_BYTES),
        "truth": np.full(len(at), np.nan) if number else np.full(len(at), UNLABELLED, np.int64),
    }


def _requests(rows: pa.Table) -> Keys:
    return keys_of(list(zip(rows["request_id"].to_pylist(), rows["row"].to_pylist(), strict=True)))


def _flags(column: pa.ChunkedArray) -> Bools:
    flags: Bools = column.to_numpy().astype(np.bool_)
    return flags
