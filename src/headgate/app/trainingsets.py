"""Training sets of a home's endpoints, as Python asks for them."""

from pathlib import Path

from headgate.controller.declared import Declared
from headgate.errors import BadInput
from headgate.journal.reader import Reader
from headgate.retraining.datasets.cut import cut_dataset
from headgate.retraining.datasets.dataset import WindowChoice
from headgate.retraining.datasets.opened import Opened, folder_of, open_dataset
from headgate.retraining.datasets.wanted import ROWS, ROWS_OF_CLASS, Least, Wanted
from headgate.vocabulary import Micros


def training_set(
    declared: Declared,
    reader: Reader,
    folder: Path,
    project: str,
    endpoint: str,
    *,
    as_of: Micros,
    start: Micros | None = None,
    end: Micros | None = None,
    window: str = WindowChoice.EVERYTHING,
    change: Micros | None = None,
    least: int = ROWS,
) -> Opened:
    """The labelled rows of an endpoint as they were known at `as_of`, in a folder of their own under `folder`.

    `window` is ``everything``, ``since_change``, ``reweighted``, ``same_season``, ``recent``, or ``auto``, which takes
    whichever does best in a back-test; `change` is about when the world changed. Of fewer than `least` rows, and of
    fewer than a tenth of that of a class, nothing is cut. Raises NotFound for an endpoint that is none, and BadInput as
    ``retraining.datasets.cut`` does.
    """
    if window not in list(WindowChoice):
        raise BadInput("window", "unknown", f"must be one of {', '.join(WindowChoice)}")
    spec = declared.spec(project, endpoint)
    wanted = Wanted(
        project,
        endpoint,
        declared.live_contract(spec),
        as_of,
        start,
        end,
        spec.label_maturity_s,
        WindowChoice(window),
        change=change,
        least=Least(least, least * ROWS_OF_CLASS // ROWS),
    )
    return open_dataset(folder_of(folder, cut_dataset(reader, wanted, folder).digest))
