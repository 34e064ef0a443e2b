"""Whether gateways have come to rest, asked and answered between the processes of one machine.

The controller asks by raising a number that all of them see; a worker answers with the number, in a file that vanishes
from sight with its process. Needs nothing beyond the base install.
"""

from pathlib import Path
from typing import Final

from headgate.store.replayclock import SharedWord
from headgate.store.reports import FileReports

_ASKED: Final = "asked"
_QUESTION: Final = "question"


class FileStillness:
    """Questions and answers in `folder`; one process asks.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     controller, gateway = (FileStillness(Path(folder)) for _ in range(2))
    ...     asked = controller.ask()
    ...     gateway.tell("w0", gateway.asked())
    ...     asked, controller.heard()
    (1, {'w0': 1})
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._word = SharedWord(folder / _ASKED)
        self._reports = FileReports(folder)

    def ask(self) -> int:
        """Ask every gateway anew; the number of the question."""
        self._word.value += 1
        return self._word.value

    def asked(self) -> int:
        """The number of the newest question, 0 before the first; cheap enough for every few milliseconds."""
        return self._word.value

    def tell(self, worker: str, asked: int) -> None:
        """Nothing that `worker` of this process was asked before question `asked` is under way any more.

        Raises BadInput when the worker's name is not one.
        """
        self._reports.report(worker, {_QUESTION: asked})

    def heard(self) -> dict[str, int]:
        """The last question that every worker alive has answered, by worker."""
        return {worker: told.get(_QUESTION, 0) for worker, told in self._reports.obeyed().items()}
