"""What a pipeline asks of others once it has a training set: to learn, to prove, to roll out. `app` gives it hands.

Every call may come twice, since whoever makes it may be killed: the second does nothing that the first has done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headgate.pipelines.pipelinefile import PipelineFile

Told = Callable[[str, float], None]
"""Is told what is being done, and how much of it is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose turn it is."""

    file: PipelineFile
    run: str
    """The pipeline's run; a second call with the same one is the same call."""
    folder: Path
    """Where the run's own files are."""
    dataset: Path
    """The training set's folder."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof came to."""

    passed: bool
    why: str
    """In one sentence."""
    report: Path | None = None
    """A report a person or a pull request can carry, as Markdown."""


class Hands(Protocol):
    """Whoever learns, proves and rolls out."""

    def see(self, file: PipelineFile) -> None:
        """Look whether all of it could be done. Raises NotFound or BadConfiguration where not."""
        ...

    def learn(self, asked: Asked, told: Told) -> str:
        """Run the recipe and register what it learned; the version, ``model:number``."""
        ...

    def prove(self, asked: Asked, version: str) -> Proved:
        """Hold `version` against what is live, and against the pipeline's gates."""
        ...

    def roll_out(self, asked: Asked, version: str) -> str:
        """Begin its rollout; a sentence that says which."""
        ...
