"""What a definition needs to know besides the pipeline, and the command that each step is."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from headgate.pipelines.pipelinefile import PipelineFile, StepName

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Wished:
    """Where things are on the other side."""

    file: str
    """The pipeline's file, from the folder that commands run in."""
    home: str
    """The installation; every step needs the same one."""
    image: str = "headgate"
    """Container image with Headgate in it."""
    volume: str = "headgate-home"
    """Kubernetes volume claim that holds the home."""


def words(wished: Wished, step: StepName) -> list[str]:
    """The command of a step without its run's id, which follows it.

    >>> " ".join(words(Wished("late.yaml", "home"), StepName.LOAD))
    'headgate pipeline run late.yaml --home home --step load --run'
    """
    return ["headgate", "pipeline", "run", wished.file, "--home", wished.home, "--step", step.value, "--run"]


def line(wished: Wished, step: StepName) -> str:
    """The same as a shell reads it."""
    return shlex.join(words(wished, step))


def variables(file: PipelineFile) -> list[str]:
    """The environment's variables that the pipeline's file names."""
    return sorted(set(_VARIABLE.findall(file.text)))
