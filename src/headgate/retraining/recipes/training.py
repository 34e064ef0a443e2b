"""What a recipe is handed: the training set in whatever form it likes, and ways to say how far it is.

A Python recipe is called with it; a notebook, and a command that is a Python program, ask for it::

    from headgate.retraining.recipes.training import training_data

    data = training_data()
    data.save(fit(data.X, data.y, sample_weight=data.sample_weight))
"""

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.errors import BadInput, NotFound
from headgate.retraining.datasets.dataset import AT, LABEL, WEIGHT
from headgate.retraining.datasets.opened import open_dataset
from headgate.retraining.recipes import models
from headgate.retraining.recipes.folder import DATASET, OUTPUT, RunFolder
from headgate.retraining.recipes.recipe import Parameter
from headgate.vocabulary import Task

if TYPE_CHECKING:  # a recipe that works with Arrow alone waits for no frames
    import pandas as pd

_OFTEN: Final = 0.1
"""Seconds between two words on progress; a recipe may say it at every step."""
_WAIT: Final = 0.02
"""Seconds between two looks for a training set that is being cut."""


class TrainingData:
    """One training set, as a recipe sees it. Everything is read when it is first asked for."""

    def __init__(
        self,
        folder: Path,
        *,
        parameters: Mapping[str, Parameter] | None = None,
        seed: int = 0,
        checkpoint: Path | None = None,
        output: Path | None = None,
        progress: Path | None = None,
        trust: bool = False,
    ) -> None:
        """Raises NotFound where `folder` holds no training set."""
        self.opened = open_dataset(folder)
        self.dataset = self.opened.dataset
        self.parameters: dict[str, Parameter] = dict(parameters or {})
        self.seed = seed
        self.checkpoint = checkpoint or folder
        self._output, self._progress, self._trust = output, progress, trust
        self._said = -math.inf
        self._step = ""

    @property
    def contract_features(self) -> tuple[str, ...]:
        """The columns a model may learn from, in the contract's order."""
        return self.dataset.features

    @property
    def task(self) -> Task:
        """What the model is to answer."""
        return self.dataset.task

    @cached_property
    def table(self) -> pa.Table:
        """A column per feature, then ``label``."""
        return self._columns(*self.contract_features, LABEL)

    def to_pandas(self) -> "pd.DataFrame":
        """The same as a pandas frame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    @cached_property
    def X(self) -> "pd.DataFrame":  # noqa: N802 - what everybody calls it
        """The features as a pandas frame."""
        frame: pd.DataFrame = self._columns(*self.contract_features).to_pandas()
        return frame

    @cached_property
    def y(self) -> npt.NDArray[Any]:
        """The labels, in the order of `X`."""
        return np.asarray(self._columns(LABEL).column(LABEL).to_numpy())

    @cached_property
    def weight(self) -> npt.NDArray[np.float64]:
        """How much each row counts; 1 where nothing else was decided."""
        return np.asarray(self._columns(WEIGHT).column(WEIGHT).to_numpy(), np.float64)

    @property
    def sample_weight(self) -> npt.NDArray[np.float64] | None:
        """`weight` as libraries take it: None where all rows count the same, for many are slower with weights."""
        return None if np.ptp(self.weight) == 0 else self.weight

    @cached_property
    def at(self) -> npt.NDArray[np.datetime64]:
        """When each row came, in UTC; not a time for original rows, which are older than everything."""
        moments = self._columns(AT).column(AT).cast(pa.int64())
        return np.asarray(moments.fill_null(np.iinfo(np.int64).min).to_numpy()).astype("datetime64[us]")

    def progress(self, done: float, text: str = "") -> None:
        """Say what share is done, 0 to 1, and what is being done. It may be said at every step."""
        now = time.monotonic()
        if now < self._said + _OFTEN and done < 1 and text == self._step:
            return
        self._said, self._step = now, text
        self._say({"done": float(done), "step": text})

    def log_metric(self, name: str, value: float) -> None:
        """Record a figure of the run; the last one of a name counts, and one that is not finite is only printed."""
        if not math.isfinite(value):
            sys.stderr.write(f"metric {name} is {value} and is not recorded\n")
            return
        self._say({"metric": name, "value": float(value)})

    def save(self, model: object) -> None:
        """Leave `model` behind as what was learned; for notebooks and commands, since `train` returns its own.

        Raises BadInput where the registry would not take it.
        """
        if self._output is None:
            raise BadInput("model", "missing", "there is no run to leave a model behind; this is a training set alone")
        models.keep(model, self._output, trust=self._trust)

    def _columns(self, *names: str) -> pa.Table:
        try:
            return pq.read_table(self.opened.rows_file, columns=list(names))
        except FileNotFoundError as error:
            name = self.opened.folder.name
            raise NotFound("file of rows of training set", name, "They were forgotten; cut another one") from error

    def _say(self, words: dict[str, Any]) -> None:
        if self._progress is None:
            return
        with self._progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps(words) + "\n")


def training_data(environment: Mapping[str, str] = os.environ) -> TrainingData:
    """The training set of the run this process belongs to, once it is there. Raises NotFound outside of a run."""
    if DATASET not in environment:
        raise NotFound("variable", DATASET, "only a run of a recipe has a training set")
    folder = environment[DATASET] or _handed_over(Path(environment[OUTPUT]).parent)
    output, progress, checkpoint = (
        Path(environment[name]) if name in environment else None
        for name in (OUTPUT, "HEADGATE_PROGRESS", "HEADGATE_CHECKPOINT")
    )
    return TrainingData(
        Path(folder),
        parameters=json.loads(environment.get("HEADGATE_PARAMETERS", "{}")),
        seed=int(environment.get("HEADGATE_SEED", "0")),
        checkpoint=checkpoint,
        output=output,
        progress=progress,
        trust=environment.get("HEADGATE_TRUST") == "yes",
    )


def _handed_over(run: Path) -> str:
    """The folder of a training set that was being cut when this process began, waited for."""
    while (job := RunFolder(run).job()) is None or not job.dataset:
        time.sleep(_WAIT)
    os.environ[DATASET] = job.dataset  # for those that this process starts
    return job.dataset
