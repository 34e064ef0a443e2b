"""Challengers proved on real rows by real models: what the loop and ``headgate prove`` call.

The room ``retraining.proof`` decides; here models are opened, timed and closed, rows read, and the outcome kept.
"""

import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.clock import Clock
from headgate.contracts.tables import as_table
from headgate.controller.declared import Declared
from headgate.errors import BadInput, Conflict
from headgate.evaluation.gates import GateResult
from headgate.evaluation.rows import labelled
from headgate.journal.reader import Reader
from headgate.journal.tables import FEATURES
from headgate.registry.evaluate import keep_evaluation
from headgate.registry.packages import Package
from headgate.registry.ports import Predictor, Version
from headgate.registry.registry import Registry
from headgate.retraining.proof.anchor import ANCHOR, Anchored, after
from headgate.retraining.proof.ask import AT, INPUT_ID, Entrant, Questions, ask
from headgate.retraining.proof.compared import Compared
from headgate.retraining.proof.probation import Probation, Trial, weigh
from headgate.retraining.proof.prove import prove
from headgate.retraining.proof.shadowed import NEEDED, ROLES, shadowed
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Proof
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import DAY, SECOND, Micros

TIMED: Final = 40
"""Rows that are timed one by one; some before them warm the model up."""
WARM: Final = 5
MOST: Final = 50_000
"""Recent rows a challenger is proved on, the newest ones."""
DAYS: Final = 30
"""How far back recent rows of an endpoint reach where nobody says."""


@dataclass(frozen=True, slots=True)
class Proving:
    """Proofs, anchors and probations of one project's versions."""

    project: str
    registry: Registry
    reader: Reader
    declared: Declared
    clock: Clock
    actor: str

    def prove(
        self,
        challenger: str,
        *,
        against: str | None = None,
        rows: Any = None,
        endpoint: str | None = None,
        since: Micros | None = None,
        as_of: Micros | None = None,
        terms: Terms = Terms(),  # noqa: B008 - a frozen value
        learned: Collection[str] = frozenset(),
        keep: bool = True,
    ) -> Proof:
        """Prove a version on `rows`, or on the rows of an endpoint whose labels are due.

        Those are the rows since a moment (30 days ago) that have matured by `as_of` (now).
        `against` is the version it may replace: by default the one that owns the endpoint, or ``model@champion``.
        ``model@anchor`` is asked too where there is one. `learned` are inputs it learned from. What came of it is kept
        as the version's latest evaluation, unless `keep` is false: one that did not pass takes no traffic.

        Raises what `retraining.proof.ask.ask` and `retraining.proof.prove.prove` raise; NotFound for a version or an
        endpoint there is not; Conflict where a version is its own rival.
        """
        version = self._version(challenger)
        champion = self._champion(version, against, endpoint)
        if champion is not None and champion.ref == version.ref:
            raise Conflict(
                f"{version.ref} is the champion itself; prove another version, or name another with --against"
            )
        if rows is None and endpoint is None:
            raise BadInput("rows", "missing", "say on which rows: a file, or an endpoint whose journal has them")
        output = self.registry.package(version).contract.output
        table = as_table(rows) if endpoint is None else self.recent(endpoint, output.label, since=since, as_of=as_of)
        answers = self.answers(version, champion, table, terms, learned=learned)
        proof = prove(answers, terms)
        if keep:
            self._keep(version, proof, answers, table)
        return proof

    def answers(
        self,
        version: Version,
        champion: Version | None,
        table: pa.Table,
        terms: Terms,
        *,
        learned: Collection[str] = (),
    ) -> Compared:
        """What challenger, champion and anchor say of the rows of `table`; every model is closed again."""
        anchor = self.anchor(version.model) or champion
        golden = {Path(each).name: as_table(each) for each in terms.golden}
        with ExitStack() as stack:
            entrants = {
                each.ref: self._entrant(each, stack) for each in (version, champion, anchor) if each is not None
            }
            return ask(
                entrants[version.ref],
                None if champion is None else entrants[champion.ref],
                None if anchor is None or anchor.ref == version.ref else entrants[anchor.ref],
                Questions(table, golden, learned),
                terms,
                timed=timed,
            )

    def recent(
        self, endpoint: str, label: str, *, since: Micros | None = None, as_of: Micros | None = None
    ) -> pa.Table:
        """The labelled rows of an endpoint that have matured by `as_of` (now), by event time; the newest 50,000.

        A row whose truth was observed before it was asked is left out. Raises NotFound where there is no such
        endpoint, BadInput where none of its rows has a label that is due.
        """
        spec = self.declared.spec(self.project, endpoint)
        now = self.clock.now() if as_of is None else as_of
        until = Micros(now - round(spec.label_maturity_s * SECOND))
        start = Micros(until - DAYS * DAY) if since is None else since
        columns = ("input_id", "at", "answered", "label", "label_observed_at")
        joined = self.reader.joined(self.project, endpoint, start=start, end=until, as_of=now, columns=columns)
        fair = pc.and_(pc.is_valid(joined["label"]), pc.greater_equal(joined["label_observed_at"], joined["at"]))
        joined = joined.filter(pc.and_(pc.fill_null(fair, False), pc.is_valid(joined["answered"])))
        ids = np.asarray(joined["input_id"].to_pylist(), dtype=str)
        first = np.sort(np.unique(ids, return_index=True)[1])[-MOST:]
        joined = joined.take(pa.array(first))
        features = self.reader.features(self.project, endpoint, start=start, end=until)
        places = pc.index_in(joined["input_id"], value_set=features["input_id"].combine_chunks())
        joined, features = joined.filter(pc.is_valid(places)), features.take(places.drop_null())[FEATURES]
        if not len(joined):
            raise BadInput("rows", "empty", f"no row of {endpoint} in that time has a label that is due")
        named = {each.name: pc.struct_field(features, [at]) for at, each in enumerate(features.type)}
        return pa.table({**named, label: joined["label"], AT: joined["at"], INPUT_ID: joined["input_id"]})

    def anchor(self, model: str) -> Version | None:
        """The version ``model@anchor`` speaks of, if there is one."""
        number = self.registry.aliases(model, project=self.project).get(ANCHOR)
        found = self.registry.versions(model, project=self.project)
        return next((each for each in found if each.number == number), None)

    def settle(self, proof: Proof, *, promoted: bool) -> Anchored:
        """Point ``model@anchor`` where `proof` puts it, once rollout and probation are over; may be called again."""
        found = after(proof, promoted=promoted)
        model = self._version(proof.challenger).model
        before = self.anchor(model)
        if before is None or before.ref != found.version:
            self.registry.set_alias(found.version, ANCHOR, actor=self.actor, why=found.why, project=self.project)
        return found

    def probe(self, endpoint: str, probation: Probation, proof: Proof, now: Micros) -> Trial:
        """How a promoted version stands beside the shadow of the one before, by all labels known at `now`."""
        spec = self.declared.spec(self.project, endpoint)
        contract = self.registry.package(self._version(probation.new)).contract
        joined = self.reader.joined(
            self.project,
            spec.endpoint,
            start=probation.since,
            end=probation.until,
            as_of=now,
            roles=ROLES,
            columns=NEEDED,
        )
        return weigh(probation, shadowed(joined, contract.output, probation, proof.metric, proof.cap), now)

    def _version(self, ref: str) -> Version:
        return self.registry.resolve(ref, project=self.project)

    def _champion(self, version: Version, against: str | None, endpoint: str | None) -> Version | None:
        if against is not None:
            return self._version(against)
        if endpoint is not None:
            return self._version(self.declared.spec(self.project, endpoint).model)
        return self.registry.champion(version.model, project=self.project)

    def _entrant(self, version: Version, stack: ExitStack) -> Entrant:
        package = self.registry.package(version)
        model = predict_with(package.path)
        stack.callback(model.close)
        return Entrant(version.ref, package.contract, model, _model_bytes(package))

    def _keep(self, version: Version, proof: Proof, answers: Compared, table: pa.Table) -> None:
        """The proof as an evaluation: its checks are the gates that were judged."""
        gates = tuple(GateResult(each.name, each.outcome, each.sentence) for each in proof.checks if each.decides)
        report = msgspec.structs.replace(proof.measured, gates=gates, verdict=proof.outcome)
        said = answers.challenger.recent
        rows, known = labelled(answers.task, answers.labels, said.predictions, said.scores, answers.classes)
        details: dict[str, str | int | float | bool | None] = {
            "champion": proof.champion,
            "anchor": proof.anchor,
            "gates": "; ".join(each.gate for each in gates),
        }
        asked = table.filter(pa.array(known))
        keep_evaluation(self.registry, version, report, asked, rows, details=details, actor=self.actor)

    def by(self, who: str) -> "Proving":
        """The same, on the word of `who`."""
        return replace(self, actor=who)


def timed(models: Sequence[Predictor], table: pa.Table) -> list[float]:
    """Microseconds a single row takes each model, the median of `TIMED`, in turns so that all meet the same machine."""
    places = np.linspace(0, len(table) - 1, min(len(table), TIMED + WARM)).astype(np.intp).tolist()
    rows = [table.slice(place, 1) for place in places]
    found: list[list[float]] = [[] for _ in models]
    for place, row in enumerate(rows):
        for model, times in zip(models, found, strict=True):
            start = time.perf_counter()
            model.predict(row)
            if place >= WARM or len(rows) <= WARM:
                times.append(1e6 * (time.perf_counter() - start))
    return [median(each) for each in found]


def _model_bytes(package: Package) -> int:
    return sum(each.stat().st_size for each in package.path.glob("model*") if each.is_file())
