"""One run of a pipeline: its steps one after the other, each recorded; where one failed, the next call goes on there.

A step that has been done is not done again. Whoever runs steps one by one, such as an orchestrator, names the run.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import pyarrow.parquet as pq

from headgate.clock import Clock
from headgate.errors import BadInput, Conflict, HeadgateError
from headgate.pipelines.checking import Lot, check
from headgate.pipelines.keeping import HELD, divided, keep_dataset
from headgate.pipelines.loading import load
from headgate.pipelines.making import BUNDLE, TABLE, make
from headgate.pipelines.pipelinefile import PipelineFile, StepName
from headgate.pipelines.ports import Asked, Hands, Told
from headgate.pipelines.quality import Quality, measured, sentences
from headgate.pipelines.sources.open import open_source
from headgate.pipelines.state import (
    Ending,
    Kept,
    Part,
    Run,
    Scalar,
    SourceState,
    State,
    StepRecord,
    StepState,
)
from headgate.pipelines.transforms import only_new
from headgate.pipelines.whole import write_whole

QUALITY: Final = "quality.json"
"""What the run's new rows are like, in its folder."""
_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class _Done(NamedTuple):
    """What a step did."""

    why: str
    made: dict[str, Scalar]
    ending: Ending | None = None
    """Set where nothing is left to do."""


class Runner:
    """Runs one pipeline in one home."""

    def __init__(
        self,
        file: PipelineFile,
        kept: Kept,
        *,
        datasets: Path,
        hands: Hands,
        clock: Clock,
        told: Told = lambda _what, _done: None,
    ) -> None:
        """`datasets` is where training sets lie; `told` hears what is being done."""
        self._file = file
        self._kept = kept
        self._datasets = datasets
        self._hands = hands
        self._clock = clock
        self._told = told
        self._digest = file.digest

    def run(
        self,
        *,
        run: str | None = None,
        step: StepName | None = None,
        since: StepName | None = None,
        fresh: bool = False,
        reload: Sequence[str] = (),
    ) -> Run:
        """Do what is left of the run: the one of that id, else the newest that has not ended, else a new one.

        `step` does that step alone, `since` that one and those after it again; `fresh` begins a new run in any case,
        and `reload` reads those sources anew from their beginning. Raises what a step raises, which the record says
        too; Conflict for a step whose turn it is not, HomeInUse while somebody else runs the pipeline.
        """
        self._hands.see(self._file)
        for each in reload:
            if each not in self._file.said.sources:
                raise BadInput("reload", "unknown", f"the pipeline has no source '{each}'")
        with self._kept.locked():
            now = self._begun(run, step, since, fresh=fresh or bool(reload))
            if reload and not now.pulled:
                now = msgspec.structs.replace(now, reloaded=tuple(reload))
                self._kept.keep_run(now)
            if step is not None:
                self._see_turn(now, step)
                return now if now.step(step).state in (StepState.DONE, StepState.SKIPPED) else self._do(now, step)
            while now.next is not None:
                now = self._do(now, now.next.name)
            return now

    # Which run

    def _begun(self, run: str | None, step: StepName | None, since: StepName | None, *, fresh: bool) -> Run:
        if run is not None and not _RUN.fullmatch(run):
            raise BadInput("run", "name", "must be letters, digits, dots, hyphens and underscores, at most 100")
        found = self._kept.run(run) if run is not None else self._newest(step, since)
        if found is not None and found.file != self._digest:
            if run is not None or step is not None or since is not None:
                name = self._file.path.name
                raise Conflict(f"{name}, or a file it names, has changed since run {found.id} began; begin another run")
            found = None
        if found is None or (fresh and run is None):
            first = self._file.said.steps[0]
            if (step or since or first) is not first:
                raise Conflict(f"no run has come as far as '{step or since}'; begin with '{first}'")
            return self._new(run)
        if since is None:
            return found
        found.step(since)
        if since is StepName.LOAD and found.step(StepName.CHECK).state is StepState.DONE:
            if run is not None:
                raise Conflict(f"what run {run} read is kept already; begin another run, which reads what came since")
            return self._new(None)
        return self._again(found, since)

    def _newest(self, step: StepName | None, since: StepName | None) -> Run | None:
        """The newest run that has not ended, or, where a step is asked for, the newest of all."""
        runs = self._kept.runs()
        if not runs or (runs[-1].ending is not None and since is None and step in (None, StepName.LOAD)):
            return None
        return runs[-1]

    def _new(self, run: str | None) -> Run:
        now = self._clock.now()
        name = run or f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now):%Y%m%dT%H%M%S}"
        number = 2
        while run is None and self._kept.run(name) is not None:
            name, number = f"{name.partition('-')[0]}-{number}", number + 1
        steps = tuple(map(StepRecord, self._file.said.steps))
        begun = Run(name, self._file.said.pipeline, self._digest, now, steps)
        self._kept.keep_run(begun)
        return begun

    def _again(self, run: Run, since: StepName) -> Run:
        names = [each.name for each in run.steps]
        steps = tuple(
            StepRecord(each.name) if names.index(each.name) >= names.index(since) else each for each in run.steps
        )
        again = msgspec.structs.replace(run, steps=steps, ending=None)
        if since is StepName.LOAD:
            again = msgspec.structs.replace(again, pulled={})
        self._kept.keep_run(again)
        return again

    def _see_turn(self, run: Run, step: StepName) -> None:
        run.step(step)
        for each in run.steps:
            if each.name is step:
                return
            if each.state not in (StepState.DONE, StepState.SKIPPED):
                raise Conflict(f"step '{step}' of run {run.id} comes after '{each.name}', which is {each.state}")

    # One step

    def _do(self, run: Run, step: StepName) -> Run:
        began = self._clock.now()
        self._told(step, 0.0)
        try:
            run, done = self._steps()[step](run)
        except HeadgateError as error:
            failed = StepRecord(step, StepState.FAILED, began, self._clock.now(), str(error))
            newest = self._kept.run(run.id) or run
            self._kept.keep_run(newest.with_step(failed))
            raise
        record = StepRecord(step, StepState.DONE, began, self._clock.now(), done.why, done.made)
        run = run.with_step(record)
        if done.ending is not None:
            rest = (each for each in run.steps if each.state is not StepState.DONE)
            for each in rest:
                run = run.with_step(StepRecord(each.name, StepState.SKIPPED, why=done.why))
        ending = done.ending or (Ending.FINISHED if run.next is None else None)
        run = msgspec.structs.replace(run, ending=ending)
        self._kept.keep_run(run)
        if step is StepName.CHECK:
            self._tidy(run)
        return run

    def _steps(self) -> dict[StepName, Callable[[Run], tuple[Run, _Done]]]:
        return {
            StepName.LOAD: self._load,
            StepName.CHECK: self._check,
            StepName.TRANSFORM: self._transform,
            StepName.DATASET: self._dataset,
            StepName.LEARN: self._learn,
            StepName.GATE: self._gate,
            StepName.ROLL_OUT: self._roll_out,
        }

    def _load(self, run: Run) -> tuple[Run, _Done]:
        state = self._kept.state()
        for name, words in self._file.said.sources.items():
            if name in run.pulled:
                continue  # an earlier try got as far
            source = open_source(name, words, self._file.folder)
            known = self._known(run, state, name)
            pulled = load(source, known.mark, self._kept.raw(run.id, name))
            run = msgspec.structs.replace(run, pulled={**run.pulled, name: pulled})
            self._kept.keep_run(run)
            self._told(f"load: {name}", len(run.pulled) / len(self._file.said.sources))
        rows = sum(each.rows for each in run.pulled.values())
        made: dict[str, Scalar] = {"rows": rows, **{f"rows.{name}": each.rows for name, each in run.pulled.items()}}
        if not rows and self._served_before(run):
            self._keep(state, run, {})
            return run, _Done("nothing is new in any source", made, Ending.NOTHING_NEW)
        self._see_rows(run, state)
        return run, _Done(f"{rows:,} new rows of {len(run.pulled)} sources", made)

    def _served_before(self, run: Run) -> bool:
        """Whether the same file has led to a training set before, so that nothing new leads to nothing else."""
        ended = (Ending.FINISHED, Ending.GATE_FAILED)
        return any(each.file == run.file and each.ending in ended for each in self._kept.runs())

    def _see_rows(self, run: Run, state: State) -> None:
        for name, pulled in run.pulled.items():
            if not pulled.rows and not self._known(run, state, name).parts:
                raise BadInput(f"sources.{name}", "empty", "has no rows yet; there is nothing to learn from")

    def _check(self, run: Run) -> tuple[Run, _Done]:
        state = self._kept.state()
        kept_already = any(run.id in {each.run, *(part.run for part in each.parts)} for each in state.sources.values())
        if not kept_already:
            self._see_newest(run, state)
            checked = {name: self._check_source(run, state, name) for name, each in run.pulled.items() if each.rows}
            found = [quality for _, quality in checked.values()]
            path = self._kept.run_folder(run.id) / QUALITY
            write_whole(path, lambda file: file.write_bytes(msgspec.json.format(msgspec.json.encode(found))))
            self._keep(state, run, {name: source for name, (source, _) in checked.items()})
        qualities = read_quality(self._kept, run.id)
        said = "; ".join(line for each in qualities for line in sentences(each)) or "nothing was new"
        fresh = sum(each.kept - each.known for each in qualities)
        made: dict[str, Scalar] = {"rows": fresh, "aside": sum(each.aside for each in qualities)}
        ended = Ending.NOTHING_NEW if qualities and not fresh and self._served_before(run) else None
        return run, _Done(said, made, ended)

    def _known(self, run: Run, state: State, name: str) -> SourceState:
        """What is known of a source; nothing where the run reads it from its beginning."""
        return SourceState() if name in run.reloaded else state.sources.get(name, SourceState())

    def _see_newest(self, run: Run, state: State) -> None:
        """Rows that another run has kept meanwhile would be kept twice."""
        for name, pulled in run.pulled.items():
            if pulled.since != self._known(run, state, name).mark:
                again = f"headgate pipeline run {self._file.path.name} --run {run.id} --from load"
                raise Conflict(f"another run has read sources.{name} since run {run.id} did; load it again: {again}")

    def _check_source(self, run: Run, state: State, name: str) -> tuple[SourceState, Quality]:
        words, contract = self._file.said.sources[name], self._file.contracts.get(name)
        known, pulled = self._known(run, state, name), run.pulled[name]
        numbers = [int(each.file.partition(".")[0]) for each in known.parts]
        good = self._kept.source(name) / f"{max(numbers, default=-1) + 1:06d}.parquet"
        good = self._unused(good)
        aside = self._kept.quarantine(name) / f"{run.id}.parquet"
        lot = Lot(name, words, contract, known.columns, open_source(name, words, self._file.folder).textual)
        checked = check(lot, pulled, self._kept.raw(run.id, name), good=good, aside=aside)
        files = [self._kept.source(name) / each.file for each in known.parts]
        before = files[-1] if files else None
        quality = measured(checked.quality, words, contract, good, before=before, now=self._clock.now())
        if words.key and files and not pulled.whole:
            fresh = only_new(good, files, words.key, self._kept.root)
            quality = msgspec.structs.replace(quality, known=quality.kept - fresh.num_rows)
            write_whole(good, lambda path: pq.write_table(fresh, path))
        part = Part(good.name, quality.kept - quality.known, run.id)
        parts = () if pulled.whole else known.parts
        return SourceState(pulled.mark, checked.columns, (*parts, part) if part.rows else parts, run.id), quality

    def _unused(self, path: Path) -> Path:
        """A number that no file has; a killed run may have left one that nobody knows."""
        while path.exists():
            path = path.with_name(f"{int(path.stem) + 1:06d}.parquet")
        return path

    def _keep(self, state: State, run: Run, checked: dict[str, SourceState]) -> None:
        """All sources at once: their rows and how far they were read are known together or not at all."""
        sources = dict(state.sources)
        for name, pulled in run.pulled.items():
            known = state.sources.get(name, SourceState())
            sources[name] = checked.get(name, msgspec.structs.replace(known, mark=pulled.mark, run=run.id))
        self._kept.keep_state(msgspec.structs.replace(state, sources=sources))

    def _tidy(self, run: Run) -> None:
        """Rows as they came, and files of rows that were replaced, are of no use any more."""
        shutil.rmtree(self._kept.run_folder(run.id) / "raw", ignore_errors=True)
        for name, source in self._kept.state().sources.items():
            known = {each.file for each in source.parts}
            for file in self._kept.source(name).glob("*.parquet"):
                if file.name not in known:
                    file.unlink()

    def _transform(self, run: Run) -> tuple[Run, _Done]:
        made = make(self._file, self._kept, self._kept.state(), self._kept.run_folder(run.id))
        said = f"{made.rows:,} rows"
        said += f", {made.unlabelled:,} without a label left out" if made.unlabelled else ""
        said += f"; {made.alone} of them alone through the serving transforms gave the same" if made.alone else ""
        return run, _Done(
            said, {"rows": made.rows, "unlabelled": made.unlabelled, "tried": made.alone, "bundle": BUNDLE}
        )

    def _dataset(self, run: Run) -> tuple[Run, _Done]:
        folder = self._kept.run_folder(run.id)
        table, held = divided(self._file.said, pq.read_table(folder / TABLE))
        dataset = keep_dataset(self._file.said, table, self._datasets, self._clock.now())
        write_whole(folder / HELD, lambda path: pq.write_table(held, path))
        self._kept.keep_state(msgspec.structs.replace(self._kept.state(), dataset=dataset.digest))
        said = f"training set {dataset.digest[:19]} of {dataset.rows:,} rows and {len(dataset.features)} features"
        said += f"; {held.num_rows:,} newer rows are held out" if held.num_rows else ""
        made: dict[str, Scalar] = {"dataset": dataset.digest, "rows": dataset.rows, "held_out": held.num_rows}
        return run, _Done(said, made)

    def _learn(self, run: Run) -> tuple[Run, _Done]:
        version = self._hands.learn(self._asked(run), self._told)
        return run, _Done(f"learned and registered {version}", {"version": version})

    def _gate(self, run: Run) -> tuple[Run, _Done]:
        proved = self._hands.prove(self._asked(run), str(run.made(StepName.LEARN, "version")))
        made: dict[str, Scalar] = {
            "passed": proved.passed,
            "report": None if proved.report is None else str(proved.report),
        }
        return run, _Done(proved.why, made, None if proved.passed else Ending.GATE_FAILED)

    def _roll_out(self, run: Run) -> tuple[Run, _Done]:
        said = self._hands.roll_out(self._asked(run), str(run.made(StepName.LEARN, "version")))
        return run, _Done(said, {})

    def _asked(self, run: Run) -> Asked:
        digest = str(run.made(StepName.DATASET, "dataset"))
        return Asked(self._file, run.id, self._kept.run_folder(run.id), self._datasets / digest.removeprefix("sha256:"))


def read_quality(kept: Kept, run: str) -> list[Quality]:
    """What the new rows of a run were like; empty before they were checked."""
    path = kept.run_folder(run) / QUALITY
    return msgspec.json.decode(path.read_bytes(), type=list[Quality]) if path.is_file() else []
