"""Small parts that make the loop walk."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.controller.declared import Declared
from headgate.errors import BadInput
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import from_json
from headgate.journal.reader import Reader
from headgate.journal.training import training_set
from headgate.registry.evaluate import evaluate_version
from headgate.registry.registry import Registry
from headgate.retraining.ports import Doing, Progress
from headgate.retraining.run import Cutting, Learning, Probed, Proved, Run
from headgate.runtimes.predictor import predict_with
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, SECOND, Micros


@dataclass(frozen=True)
class Walk:
    declared: Declared
    registry: Registry
    reader: Reader
    datasets: Path
    runs: Path

    def cut(self, run: Run, spec: EndpointSpec) -> Cutting:
        where, maturity = (run.project, run.endpoint), spec.label_maturity_s
        mature = Micros(run.entered - round(maturity * SECOND))
        change = next((f.at for f in run.firings if f.source == "alarm"), None)
        start = None if change is None else Micros(change // DAY * DAY - 3 * DAY)
        joined = self.reader.joined(*where, start=start, end=mature, as_of=run.entered, columns=("at", "label"))
        at = joined.filter(pa.compute.is_valid(joined["label"]))["at"].cast("int64").to_numpy()
        if len(at) < 200:
            raise BadInput("rows", "too_few", f"{len(at)} labelled rows, at least 200 are needed")
        end = Micros(int(at[-len(at) // 3]))
        found = training_set(self.reader, *where, as_of=run.entered, start=start, end=end, maturity_s=maturity)
        folder = self.datasets / found.digest.partition(":")[2]
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(found.table, folder / "rows.parquet")
        return Cutting(
            digest=found.digest, choice="recent", why="the last days", as_of=run.entered, start=start, end=end,
            change=start, rows=len(found.table), held_out=len(at) // 3, leaked=found.leaked,
        )  # fmt: skip

    def learn(self, run: Run, spec: EndpointSpec) -> Progress:
        folder = self.runs / run.id
        folder.mkdir(parents=True, exist_ok=True)
        assert run.cut and spec.retraining and spec.retraining.recipe.python
        if (folder / "done").exists():
            return Progress(doing=Doing.LEARNED, learned=Learning(model="model.joblib"))
        if not (folder / "pid").exists():
            file, _, function = spec.retraining.recipe.python.partition(":")
            rows = self.datasets / run.cut.digest.partition(":")[2] / "rows.parquet"
            code = (
                f"import runpy, pandas, joblib; m = runpy.run_path({file!r})[{function!r}](pandas.read_parquet({str(rows)!r}));"
                f"joblib.dump(m, {str(folder / 'model.joblib')!r}); open({str(folder / 'done')!r}, 'w')"
            )
            process = subprocess.Popen([sys.executable, "-c", code], stderr=(folder / "log").open("w"))
            (folder / "pid").write_text(str(process.pid))
            return Progress(doing=Doing.RUNNING)
        pid = int((folder / "pid").read_text())
        try:
            os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
        except (ChildProcessError, ProcessLookupError):
            if not (folder / "done").exists():
                return Progress(doing=Doing.FAILED, why=(folder / "log").read_text()[-300:])
        return Progress(doing=Doing.RUNNING)

    def cancel(self, run: Run) -> None:
        pass

    def log(self, run: Run) -> str:
        return (self.runs / run.id / "log").read_text()

    def prove(self, run: Run, spec: EndpointSpec) -> Proved:
        assert run.cut
        found = training_set(
            self.reader,
            run.project,
            run.endpoint,
            as_of=run.entered,
            start=run.cut.end,
            maturity_s=spec.label_maturity_s,
        )
        version = self.registry.resolve(run.challenger, project=run.project)
        label = self.registry.package(version).contract.output.label
        table = found.table.rename_columns([label if n == "label" else n for n in found.table.column_names])
        champion = self.registry.resolve(run.champion, project=run.project)
        gates = ["log_loss not worse than champion by 0.01"]
        done = evaluate_version(
            self.registry, predict_with, version, table, gates=gates, champion=champion, actor="loop"
        )
        report = done.report
        return Proved(
            outcome="passed" if report.passed else "failed", may_promote=report.passed,
            why="; ".join(g.sentence for g in report.gates), rows=report.rows, at=run.entered,
        )  # fmt: skip

    def probe(self, run: Run, spec: EndpointSpec, now: Micros) -> Probed:
        return Probed(verdict="undecided", why="nothing speaks against it", at=now)
